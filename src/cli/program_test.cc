// The program as a whole: exit codes, JSON, and the commands of worker and catalog.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/program_for_test.h"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;

TEST_F(ProgramTest, AnEmptyCatalogIsNotTakenForOneThatNeverHadBackups) {
  for (const char* command : {"status", "backup list"}) {
    const Ran ran = std::string(command) == "status" ? Run({"status"}) : Run({"backup", "list"});
    EXPECT_EQ(ran.exit_code, 0) << command;
    EXPECT_THAT(ran.out, HasSubstr("holdfast backup run")) << command;
    EXPECT_THAT(ran.out, HasSubstr("holdfast catalog rebuild")) << command;
  }
  EXPECT_EQ(RunJson({"backup", "list"}), Json::array());
}

TEST_F(ProgramTest, ExitCodesAreThoseOfTheTable) {
  EXPECT_EQ(Run({"backup", "verify"}).exit_code, kExitNotFound) << "there is nothing to verify";
  const auto holder = Open();
  ASSERT_NE(holder->own_localcloud(), nullptr);
  const Ran second = Run({"localcloud", "--http-port", "0", "--grpc-port", "0"});
  EXPECT_EQ(second.exit_code, kExitLocked) << second.err;
  EXPECT_THAT(second.err, HasSubstr("X0009"));
}

// What breaks the convention of all JSON that is printed (docs/reference/cli.md, "JSON").
void FindBreaches(const Json& value, const std::string& path, std::vector<std::string>& breaches) {
  const std::string name = path.substr(path.rfind('/') + 1);
  if (value.is_structured()) {
    for (const auto& [key, item] : value.items()) FindBreaches(item, path + "/" + key, breaches);
    return;
  }
  const bool is_name = name == "partition" || name == "table" || name == "value";
  if (value.is_string() && !is_name) {
    const auto& text = value.get_ref<const std::string&>();
    if (!text.empty() && text.find_first_not_of("0123456789") == text.npos) {
      breaches.push_back(path + " is a number in a text: " + text);
    }
  }
  if (name.ends_with("_ms") && name != "duration_ms") breaches.push_back(path + " is no RFC 3339");
}

TEST_F(ProgramTest, AllJsonFollowsOneConvention) {
  MakeTables();
  const Json planned = RunJson({"backup", "run", "--dry-run"});
  const Json run = RunJson({"backup", "run"});
  EXPECT_EQ(run["totals"]["suspect"], 0);
  EXPECT_THAT(run["run"]["started"].get<std::string>(), testing::EndsWith("Z"));
  const Json listed = RunJson({"backup", "list"});
  ASSERT_EQ(listed.size(), 4U);
  EXPECT_EQ(listed[0]["kind"], "dataset");
  EXPECT_EQ(listed[1]["rows"], 1);
  const std::string backup = listed[1]["backup"].get<std::string>();

  const struct {
    std::string command;
    Json json;
    bool has_schema;
  } kDocuments[] = {
      {"backup run --dry-run", planned, false},
      {"backup run", run, true},
      {"backup list", listed, false},
      {"backup show", RunJson({"backup", "show", backup}), false},
      {"backup verify", RunJson({"backup", "verify"}), false},
      {"restore run --dry-run",
       RunJson({"restore", "run", "acme-shop.sales", "--to-dataset", "back", "--dry-run"}), true},
      {"restore run", RunJson({"restore", "run", "acme-shop.sales", "--to-dataset", "back"}), true},
      {"status", RunJson({"status"}), true},
      {"catalog rebuild", RunJson({"catalog", "rebuild"}), true},
      {"config show", RunJson({"config", "show"}), false},
      {"config validate", RunJson({"config", "validate"}), true},
      {"policy show", RunJson({"policy", "show", "acme-shop.sales.people"}), true},
      {"explain", RunJson({"explain"}), false},
      {"explain B0001", RunJson({"explain", "B0001"}), true},
      {"version", RunJson({"version"}), true},
  };
  for (const auto& document : kDocuments) {
    std::vector<std::string> breaches;
    FindBreaches(document.json, "", breaches);
    EXPECT_THAT(breaches, testing::IsEmpty()) << document.command;
    EXPECT_FALSE(document.json.empty()) << document.command;
    if (!document.has_schema) continue;
    EXPECT_THAT(document.json["schema"].get<std::string>(), testing::StartsWith("holdfast."))
        << document.command;
  }
}

TEST_F(ProgramTest, AWorkerRefusesAStageThatIsNone) {
  const Ran refused = Run({"worker", "--stage=scan,bakcup"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("\"bakcup\" is no stage"));
  EXPECT_THAT(refused.err, HasSubstr("did you mean \"backup\"?"));
}

TEST_F(ProgramTest, ChecksThatCatalogAndRepositoriesAgree) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  const Json clean = RunJson({"catalog", "check"});
  EXPECT_GE(clean["manifests"], 3);
  EXPECT_EQ(clean["manifests"], clean["records"]);
  EXPECT_TRUE(clean["findings"].empty()) << DumpJson(clean);
  EXPECT_EQ(Run({"catalog", "check", "gs://no-such-bucket"}).exit_code, kExitNoRepository);
}

}  // namespace
}  // namespace holdfast::cli
