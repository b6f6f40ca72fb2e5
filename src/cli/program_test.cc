// The program's commands, run in this process on a localcloud of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "base/directory_lock.h"
#include "catalog/sqlite_database.h"
#include "cli/command.h"
#include "cli/demo_organization.h"
#include "cli/environment.h"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Ran {
  int exit_code = 0;
  std::string out;
  std::string err;
};

class ProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "program-" +
                 testing::UnitTest::GetInstance()->current_test_info()->name() + "-" +
                 std::to_string(getpid());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    std::ofstream(directory_ + "/config.yaml")
        << "data_dir: " << directory_ << "/data\ncloud: localcloud\nworkers: 2\n";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  // Runs a command line without the program's name and the configuration.
  Ran Run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"holdfast", "--config", directory_ + "/config.yaml"});
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    std::ostringstream out;
    std::ostringstream err;
    sigset_t signals;  // a server that was refused leaves them blocked
    pthread_sigmask(SIG_SETMASK, nullptr, &signals);
    std::streambuf* const out_before = std::cout.rdbuf(out.rdbuf());
    std::streambuf* const err_before = std::cerr.rdbuf(err.rdbuf());
    const int exit_code = RunCommandLine(static_cast<int>(argv.size()), argv.data());
    std::cout.rdbuf(out_before);
    std::cerr.rdbuf(err_before);
    pthread_sigmask(SIG_SETMASK, &signals, nullptr);
    return {exit_code, out.str(), err.str()};
  }

  // A command that must succeed and print one JSON document.
  Json RunJson(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    const Ran ran = Run(std::move(arguments));
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    auto json = ParseJson(ran.out);
    EXPECT_TRUE(json.ok()) << ran.out;
    return json.ok() ? *std::move(json) : Json();
  }

  // The parts that the commands work with; closed before the next command runs.
  std::unique_ptr<Environment> Open() const {
    GlobalOptions global;
    global.config_path = directory_ + "/config.yaml";
    auto config = EffectiveConfig(global);
    EXPECT_TRUE(config.ok()) << config.error().ToString();
    auto environment = Environment::Open(*std::move(config));
    EXPECT_TRUE(environment.ok()) << environment.error().ToString();
    return *std::move(environment);
  }

  // acme-shop.sales.orders with partitions of two days, and acme-shop.sales.people.
  void MakeTables() const {
    const auto environment = Open();
    const DatasetRef dataset{"acme-shop", "sales"};
    ASSERT_TRUE(environment->warehouse().EnsureDataset({.ref = dataset, .location = "US"}).ok());
    const auto create = [&](const std::string& table, Json resource) {
      const auto made = environment->warehouse().CreateTable(
          {dataset.project, dataset.dataset, table, ""}, resource);
      ASSERT_TRUE(made.ok()) << made.error().ToString();
    };
    create("orders",
           {{"schema",
             {{"fields",
               {{{"name", "day"}, {"type", "DATE"}}, {{"name", "id"}, {"type", "INTEGER"}}}}}},
            {"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
    create("people",
           {{"schema", {{"fields", Json::array({{{"name", "id"}, {"type", "INTEGER"}}})}}}});
    for (const char* sql :
         {"INSERT INTO `acme-shop.sales.orders` (day, id) VALUES (DATE '2026-01-09', 1), "
          "(DATE '2026-01-10', 2), (DATE '2026-01-10', 3)",
          "INSERT INTO `acme-shop.sales.people` (id) VALUES (1)"}) {
      const Status done = RunDemoStatement(*environment, "acme-shop", sql);
      ASSERT_TRUE(done.ok()) << done.error().ToString();
    }
  }

  std::string directory_;
};

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

TEST_F(ProgramTest, ADatasetComesBackWithItsViews) {
  MakeTables();
  {
    const auto environment = Open();
    const auto made = environment->warehouse().CreateTable(
        {"acme-shop", "sales", "latest", ""},
        {{"view", {{"query", "SELECT 1 AS one"}, {"useLegacySql", false}}}});
    ASSERT_TRUE(made.ok()) << made.error().ToString();
  }
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitOk);
  const Ran ran = Run({"restore", "run", "acme-shop.sales", "--to-dataset", "back"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out,
              HasSubstr("restored  acme-shop.sales.latest -> acme-shop.back.latest  view"));
  EXPECT_THAT(ran.out, Not(HasSubstr("NOT restored")));
  const Ran alone =
      Run({"restore", "run", "acme-shop.sales.dataset:definition", "--to-dataset", "empty"});
  EXPECT_EQ(alone.exit_code, kExitOk) << alone.err;
  EXPECT_THAT(alone.out + alone.err, Not(HasSubstr("was gone")));
  EXPECT_THAT(Run({"status"}).out, Not(HasSubstr("NOT PROTECTED")));
}

TEST_F(ProgramTest, APartitionWhoseTableIsThereIsNotToBeHadByDroppingIt) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitOk);
  const Ran refused = Run({"restore", "run", "acme-shop.sales.orders$20260110"});
  EXPECT_EQ(refused.exit_code, kExitRefused);
  EXPECT_THAT(refused.err, Not(HasSubstr("drop that table,")));
  EXPECT_THAT(refused.err, Not(HasSubstr("--if-exists=skip")));
  EXPECT_THAT(refused.err, HasSubstr("Do not drop that table"));
  EXPECT_THAT(refused.err,
              HasSubstr("\n    holdfast restore run 'acme-shop.sales.orders$20260110' --to-table "
                        "'orders_20260110'\n"));
  EXPECT_THAT(refused.err, HasSubstr("\n    bq cp -f 'acme-shop:sales.orders_20260110$20260110' "
                                     "'acme-shop:sales.orders$20260110'\n"));
  // The command that it prints does it.
  const Json report = RunJson(
      {"restore", "run", "acme-shop.sales.orders$20260110", "--to-table", "orders_20260110"});
  EXPECT_EQ(report["tables"][0]["target"], "acme-shop.sales.orders_20260110");
  EXPECT_EQ(report["succeeded"], true);

  // A whole table may be dropped, so its own hint stays.
  EXPECT_THAT(Run({"restore", "run", "acme-shop.sales.people"}).err, HasSubstr("drop that table"));
}

TEST_F(ProgramTest, ADryRunOfARestoreIsRefusedWhereTheRestoreIs) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitOk);
  for (const bool dry : {true, false}) {
    std::vector<std::string> command = {"restore", "run", "acme-shop.sales.people"};
    if (dry) command.emplace_back("--dry-run");
    const Ran ran = Run(command);
    EXPECT_EQ(ran.exit_code, kExitRefused) << dry << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("exists already")) << dry;
  }
}

TEST_F(ProgramTest, VerifyLooksAtTheBackupThatARestoreWouldTake) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitOk);
  ASSERT_TRUE(
      RunDemoStatement(*Open(), "acme-shop", "DELETE FROM `acme-shop.sales.people` WHERE true")
          .ok());
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitPartial) << "no row is left: suspect";
  EXPECT_EQ(RunJson({"backup", "verify", "acme-shop.sales.people"}).size(), 2U);
  EXPECT_EQ(RunJson({"backup", "verify", "acme-shop.sales.orders"}).size(), 2U)
      << "one of each partition";
}

TEST_F(ProgramTest, AWorkerRefusesAStageThatIsNone) {
  const Ran refused = Run({"worker", "--stage=scan,bakcup"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("\"bakcup\" is no stage"));
  EXPECT_THAT(refused.err, HasSubstr("did you mean \"backup\"?"));
}

TEST_F(ProgramTest, ADryRunCallsAFirstBackupWhatTheRunCallsIt) {
  MakeTables();
  EXPECT_THAT(Run({"backup", "run", "--dry-run"}).out, HasSubstr("first backup"));
  for (const Json& row : RunJson({"backup", "run", "--dry-run"})) {
    EXPECT_EQ(row["change"], "first_backup");
  }
  ASSERT_THAT(Run({"backup", "run"}).out, HasSubstr("(first backup)"));
  {
    const auto environment = Open();
    ASSERT_TRUE(RunDemoStatement(*environment, "acme-shop",
                                 "INSERT INTO `acme-shop.sales.people` (id) VALUES (2)")
                    .ok());
  }
  const Json rows = RunJson({"backup", "run", "--dry-run"});
  ASSERT_EQ(rows.size(), 1U) << rows;
  EXPECT_EQ(rows[0]["object"], "acme-shop.sales.people");
  EXPECT_EQ(rows[0]["change"], "data_changed");
}

TEST_F(ProgramTest, AProjectThatIsNotThereIsNotCalledAnObject) {
  MakeTables();
  const Ran ran = Run({"backup", "run", "acme-shp"});
  EXPECT_EQ(ran.exit_code, kExitPartial);
  EXPECT_THAT(ran.err, HasSubstr("No project was looked into"));
  EXPECT_THAT(ran.err, Not(HasSubstr("1 object")));
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

TEST_F(ProgramTest, ValidatesThePoliciesOfTheConfigurationToo) {
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "policies:\n  defaults: {colour: red}\n";
  const Ran ran = Run({"config", "validate"});
  EXPECT_EQ(ran.exit_code, kExitUsage);
  EXPECT_THAT(ran.out, Not(HasSubstr("is valid")));
  EXPECT_THAT(ran.err, HasSubstr("line 5, column 14: there is no field \"colour\""));
}

TEST_F(ProgramTest, SaysOfRpoThatItIsActedOn) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "policies:\n  defaults: {rpo: 1h, rto: 2h}\n";
  EXPECT_THAT(Run({"policy", "show", "acme-shop.sales.people"}).err,
              HasSubstr("not acted on yet: rto."));
}

TEST_F(ProgramTest, PruneSaysOfWhatItMarksThatItIsMarked) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app) << "retention: {keep_last: 1}\n";
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  ASSERT_TRUE(
      RunDemoStatement(*Open(), "acme-shop", "INSERT INTO `acme-shop.sales.people` (id) VALUES (7)")
          .ok());
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  const Ran ran = Run({"backup", "prune", "--yes"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("mark "));
  EXPECT_THAT(ran.out, Not(HasSubstr("remove ")));
}

TEST_F(ProgramTest, AuditVerifyFindsACutBySomeoneWithTheCatalog) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  EXPECT_THAT(Run({"audit", "verify"}).out,
              HasSubstr("Compared with 1 anchor in 1 repository: up to entry 1 nothing was"));
  const std::string id = RunJson({"backup", "list"})[0]["backup"].get<std::string>();
  ASSERT_EQ(Run({"backup", "pin", id, "--reason", "x"}).exit_code, 0);
  const Json verified = RunJson({"audit", "verify"});
  EXPECT_EQ(verified["anchored"], verified["entries"]);
  auto database = catalog::SqliteDatabase::Open(directory_ + "/data/catalog.sqlite", 1'000);
  ASSERT_TRUE(database.ok()) << database.error().message;
  ASSERT_TRUE((*database)->ExecuteScript("DELETE FROM audit WHERE sequence = 2").ok());
  const Ran cut = Run({"audit", "verify"});
  EXPECT_EQ(cut.exit_code, 4) << cut.out;
  EXPECT_THAT(cut.err, HasSubstr("entries 2 to 2 are missing"));
  ASSERT_TRUE((*database)->ExecuteScript("DELETE FROM audit").ok());
  EXPECT_THAT(Run({"audit", "verify"}).err, HasSubstr("entries 1 to 2 are missing"));
}

TEST_F(ProgramTest, TellsWhatHoldsForATableAndWhere) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app) << "policy_file: policy.yaml\n";
  std::ofstream(directory_ + "/policy.yaml")
      << "defaults: {forced_full_days: 3, schedule: '0 2 * * *'}\n"
         "tables: {acme-shop.sales.peo*: {codec: NONE}}\n"
         "owner_bounds: {labels: true, fields: {codec: {allow: [SNAPPY]}}}\n";
  ASSERT_TRUE(Open()
                  ->warehouse()
                  .UpdateTable({"acme-shop", "sales", "people", ""},
                               {{"labels", {{"holdfast-codec", "deflate"}}}})
                  .ok());
  const Json shown = RunJson({"policy", "show", "acme-shop.sales.people"});
  const auto field = [&](const std::string& name) {
    for (const Json& row : shown["fields"]) {
      if (row["field"] == name) return row;
    }
    return Json();
  };
  EXPECT_EQ(field("codec")["value"], "NONE");
  EXPECT_THAT(field("codec")["origin"].get<std::string>(),
              testing::MatchesRegex("tables.acme-shop.sales.peo. at .*/policy.yaml:2"));
  EXPECT_EQ(field("shrink_threshold")["origin"], "default");
  ASSERT_EQ(shown["refusals"].size(), 1U);
  EXPECT_EQ(shown["refusals"][0]["field"], "codec");
  EXPECT_THAT(Run({"policy", "show", "acme-shop.sales.people"}).err, HasSubstr("only \"SNAPPY\""));
  EXPECT_THAT(Run({"policy", "validate"}).out, HasSubstr("2 rules, 1 schedule"));

  std::ofstream(directory_ + "/policy.yaml") << "defaults:\n  codec: ZIP\n  colour: red\n";
  const Ran wrong = Run({"policy", "validate"});
  EXPECT_NE(wrong.exit_code, 0);
  EXPECT_THAT(wrong.out, HasSubstr("policy.yaml:2:10: codec is"));
  EXPECT_THAT(wrong.out, HasSubstr("policy.yaml:3:3: there is no field"));
  EXPECT_THAT(Run({"backup", "run"}).err, HasSubstr("P0002"));
  EXPECT_EQ(Run({"backup", "list"}).exit_code, 0) << "what needs no policy goes on";
}

TEST_F(ProgramTest, KeepsTheBackupsOfATableThatIsGoneByTheLabelsItHad) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "policies:\n  defaults: {retention: {keep_last: 1}}\n"
         "  labels: {'keep=long': {retention: {keep_last: 9}}}\n";
  const auto change = [&](const std::string& sql) {
    const auto environment = Open();
    const Status done = RunDemoStatement(*environment, "acme-shop", sql);
    ASSERT_TRUE(done.ok()) << done.error().ToString();
  };
  ASSERT_TRUE(
      Open()
          ->warehouse()
          .UpdateTable({"acme-shop", "sales", "people", ""}, {{"labels", {{"keep", "long"}}}})
          .ok());
  for (int run = 0; run < 2; ++run) {
    ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
    change("INSERT INTO `acme-shop.sales.people` (id) VALUES (7)");
    change("INSERT INTO `acme-shop.sales.orders` (day, id) VALUES (DATE '2026-01-10', 7)");
  }
  const auto marked = [&] {
    std::set<std::string> objects;
    const Json plan = RunJson({"backup", "prune"});
    EXPECT_EQ(plan["problem_count"], 0) << DumpJson(plan["problems"]);
    for (const Json& item : plan["items"]) objects.insert(item["object"].get<std::string>());
    return objects;
  };
  const std::set<std::string> expected = {"acme-shop.sales.orders$20260110"};
  EXPECT_EQ(marked(), expected);
  ASSERT_TRUE(Open()->warehouse().DeleteTable({"acme-shop", "sales", "people", ""}).ok());
  EXPECT_EQ(marked(), expected) << "its newest backup tells the label";
}

TEST_F(ProgramTest, ShowsWhatKeepsABackupAndWhatAPolicyWouldSayOfATableThatIsNot) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "retention: {keep_last: 4}\n"
         "policies:\n  tables: {acme-shop.sales.people: {exclude: true}}\n";
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  EXPECT_THAT(Run({"status"}).out,
              HasSubstr("NOT PROTECTED, left out by the policy document: 1 object"));
  const Json before = RunJson({"backup", "list", "acme-shop.sales.orders$20260110"});
  const std::string id = before[0]["backup"].get<std::string>();
  EXPECT_EQ(before[0]["kept_by"], "");
  ASSERT_EQ(Run({"backup", "pin", id, "--reason", "year's end"}).exit_code, 0);
  EXPECT_EQ(RunJson({"backup", "list", "acme-shop.sales.orders$20260110"})[0]["kept_by"], "pin");
  const Json shown = RunJson({"backup", "show", id});
  EXPECT_EQ(shown["kept_by"][0]["reason"], "year's end");

  const Json known = RunJson({"policy", "show", "acme-shop.sales.orders"});
  EXPECT_EQ(known["known"], true);
  EXPECT_THAT(DumpJson(known["fields"]), HasSubstr("keep_last"));
  EXPECT_THAT(Run({"policy", "show", "acme-shop.sales.ordres"}).err, HasSubstr("is not there"));
}

TEST_F(ProgramTest, VerifiesByRestoringAndAgainstTheSourceAndWhatIsDue) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  for (const char* level : {"L3", "L4"}) {
    const Json rows = RunJson({"backup", "verify", "acme-shop.sales.orders", "--level", level});
    ASSERT_EQ(rows.size(), 2U) << "two partitions";
    for (const Json& row : rows) {
      EXPECT_EQ(row["result"], "ok") << DumpJson(row);
      EXPECT_EQ(row["level_reached"], level);
      EXPECT_GT(row["rows_read"], 0);
    }
  }
  const Ran all = Run({"backup", "verify", "--level", "L3", "--json"});
  EXPECT_EQ(all.exit_code, kExitOk) << "what has no rows to restore is read: " << all.out;
  {
    const auto environment = Open();
    const auto page =
        environment->warehouse().ListTables({"acme-shop", "holdfast_backup_rehearsal_us"}, "");
    ASSERT_TRUE(page.ok()) << page.error().message;
    EXPECT_TRUE(page->items.empty()) << "rehearsals are taken away";
  }
  const Json again = RunJson({"backup", "run"});
  EXPECT_EQ(again["totals"]["unchanged"], again["totals"]["objects"])
      << "the scratch dataset is not backed up";

  EXPECT_THAT(Run({"backup", "verify", "--due"}).out, HasSubstr("Nothing is due."));
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "verification: {read_within: 2h, restore_within: 2h}\n";
  const Json due = RunJson({"backup", "verify", "--due", "--every", "3h"});
  std::map<std::string, int> levels;
  for (const Json& row : due) ++levels[row["level_reached"].get<std::string>()];
  EXPECT_EQ(levels["L2"], 4) << DumpJson(due);
  EXPECT_EQ(levels["L3"], 3) << "of what has rows";
  EXPECT_EQ(Run({"backup", "verify", "--due", "--every", "soon"}).exit_code, kExitUsage);
}

TEST_F(ProgramTest, BacksUpOnDemandWhatIsNamedAndSaysWhatItCouldNot) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  const Json listed = RunJson({"backup", "list", "acme-shop.sales.orders"});
  const std::string partition = listed[0]["object"].get<std::string>();
  ASSERT_THAT(partition, HasSubstr("$"));
  const Json forced = RunJson({"backup", "run", "--force", partition});
  ASSERT_EQ(forced["items"].size(), 1U) << DumpJson(forced);
  EXPECT_EQ(forced["items"][0]["object"], partition);
  EXPECT_EQ(forced["items"][0]["outcome"], "backed_up");
  EXPECT_EQ(Run({"backup", "run", partition}).exit_code, 0) << "unchanged is well";

  EXPECT_EQ(Run({"backup", "run", "acme-shop.sales.orders$20300101"}).exit_code, kExitPartial);
  const Ran typo = Run({"backup", "run", "acme-shop.sales.orders", "acme-shop.sales.ordres"});
  EXPECT_EQ(typo.exit_code, kExitPartial);
  EXPECT_THAT(typo.err, HasSubstr("NOT BACKED UP: acme-shop.sales.ordres: there is no such table"));
  const Ran excluded =
      Run({"backup", "run", "acme-shop.sales.orders", "--exclude", "acme-shop.sales.orders"});
  EXPECT_NE(excluded.exit_code, kExitOk);
  EXPECT_THAT(excluded.err, HasSubstr("excluded"));
}

TEST_F(ProgramTest, VerifiesTheBackupsOfADatasetThatIsGone) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "verification: {read_within: 2h}\n"
         "policies:\n  labels: {'keep=long': {codec: NONE}}\n";
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  {
    const auto environment = Open();
    const Status dropped =
        RunDemoStatement(*environment, "acme-shop", "DROP SCHEMA `acme-shop.sales` CASCADE");
    ASSERT_TRUE(dropped.ok()) << dropped.error().ToString();
  }
  const Json due = RunJson({"backup", "verify", "--due", "--every", "3h"});
  EXPECT_EQ(due.size(), 4U) << "two partitions, a table, the dataset";
  for (const Json& row : due) EXPECT_EQ(row["result"], "ok") << DumpJson(row);
}

TEST_F(ProgramTest, RunsWhatIsDueOnce) {
  MakeTables();
  EXPECT_THAT(Run({"backup", "run", "--due"}).err,
              HasSubstr("no policy document gives a schedule"));
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "policies:\n  tables:\n    acme-shop.sales.people: {schedule: '0 2 * * *'}\n"
         "    acme-shop.sales.orders: {exclude: true}\n";
  const Ran part = Run({"backup", "run", "--due", "acme-shop.sales.people"});
  EXPECT_EQ(part.exit_code, kExitUsage) << "it would use up the schedule of the other tables";
  const Json run = RunJson({"backup", "run", "--due"});
  EXPECT_EQ(run["totals"]["backed_up"], 1);
  EXPECT_EQ(run["totals"]["excluded"], 1);
  EXPECT_EQ(run["run"]["due"], Json::array({"0 2 * * * UTC"}));
  const Ran again = Run({"backup", "run", "--due"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.err, HasSubstr("Nothing is due; next at "));
  const auto lock = DirectoryLock::Take(directory_ + "/data/schedules");
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(Run({"backup", "run", "--due"}).exit_code, kExitLocked) << "one process at a time";
}

TEST_F(ProgramTest, LogsWhoDidWhatAndShowsAnEndThatWasCutOff) {
  MakeTables();
  EXPECT_EQ(RunJson({"audit", "verify"})["entries"], 0);
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  const Json chain = RunJson({"audit", "verify"});
  EXPECT_EQ(chain["entries"], 1);
  EXPECT_THAT(Run({"audit", "list"}).out, HasSubstr("backup.run"));
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  const std::string kept = chain["last_hash"].get<std::string>();
  EXPECT_EQ(Run({"audit", "verify", "--includes", kept}).exit_code, 0);
  EXPECT_EQ(Run({"audit", "verify", "--includes", std::string(64, '0')}).exit_code, kExitDamaged);
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

TEST_F(ProgramTest, ARunThatWasGoneOnWithHasItsOwnSummary) {
  MakeTables();
  const auto begin_run = [&](const std::string& id) {
    const auto environment = Open();
    ASSERT_TRUE(
        environment->catalog().BeginRun({.id = id, .started_ms = 1'000, .policy = {}}).ok());
  };
  const std::string id = "19700101T000001Z-00000001";
  begin_run(id);
  const Ran ran = Run({"backup", "run"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("Going on with run " + id));
  const size_t first = ran.out.find("Run " + id +
                                    ", begun 1970-01-01T00:00:01Z and gone on with: 4 objects "
                                    "backed up; 4 rows, ");
  const size_t second = ran.out.find(": 0 objects backed up, 4 unchanged; ");
  ASSERT_NE(first, ran.out.npos) << ran.out;
  ASSERT_NE(second, ran.out.npos) << ran.out;
  EXPECT_LT(first, second);

  const std::string other = "19700101T000002Z-00000002";
  begin_run(other);
  EXPECT_EQ(RunJson({"backup", "run"})["continued"], Json::array({other}));
  EXPECT_EQ(RunJson({"backup", "run"})["continued"], Json::array());
}

TEST_F(ProgramTest, ListAndVerifySayTheSameOfANameWithoutBackups) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run", "acme-shop.sales.people"}).exit_code, 0);
  for (const char* verb : {"list", "verify"}) {
    const Ran ran = Run({"backup", verb, "acme-shop.sales.nosuch"});
    EXPECT_EQ(ran.exit_code, kExitNotFound) << verb;
    EXPECT_THAT(ran.err, HasSubstr("C0004")) << verb;
    EXPECT_THAT(ran.err, HasSubstr("there are no backups of acme-shop.sales.nosuch")) << verb;
    EXPECT_EQ(ran.out, "") << verb;
  }
  EXPECT_EQ(Run({"backup", "list", "acme-shop.sales.people"}).exit_code, 0);
}

TEST_F(ProgramTest, WhatASecondRepositoryHoldsComesBackWhenTheFirstIsGone) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "policies:\n  defaults:\n    repositories:\n"
         "      - {bucket_pattern: '{project}-second', prefix: copies}\n";
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitOk);
  const std::string second = "gs://acme-shop-second/copies";
  const auto remove = [&](const std::string& bucket, const std::string& ending) {
    const auto environment = Open();
    const Status done = cloud::ForEachPage<cloud::ObjectInfo>(
        [&](const std::string& token) {
          return environment->objects().ListObjects(bucket, "", token);
        },
        [&](cloud::ObjectInfo&& object) -> Status {
          if (!object.ref.name.ends_with(ending)) return Ok();
          return environment->objects().DeleteObject(object.ref);
        });
    ASSERT_TRUE(done.ok()) << done.error().ToString();
  };
  EXPECT_EQ(Run({"backup", "verify", "--repository", second}).exit_code, kExitOk);
  remove("acme-shop-holdfast-us", "");

  const Ran asked = Run({"backup", "query", "acme-shop.sales.orders",
                         "select count(*) as n from orders", "--format=json"});
  EXPECT_EQ(asked.exit_code, kExitOk) << asked.err;
  EXPECT_GT(ParseJson(asked.out).value()["rows"][0]["n"], 0);
  EXPECT_THAT(asked.err, HasSubstr("its copy in " + second));
  const Json report = RunJson({"restore", "run", "acme-shop.sales", "--to-dataset", "back"});
  EXPECT_EQ(report["succeeded"], true);
  EXPECT_THAT(DumpJson(report), HasSubstr("its copy in " + second));
  for (const Json& backup : RunJson({"backup", "list", "acme-shop.sales.orders"})) {
    EXPECT_EQ(backup["verified"], "L3") << DumpJson(backup);
    EXPECT_EQ(backup["repository"], second);
  }
  EXPECT_EQ(Run({"backup", "verify"}).exit_code, kExitOk);
  remove("acme-shop-second", ".avro");
  const Ran damaged = Run({"backup", "verify", "--repository", second, "--level", "L0"});
  EXPECT_EQ(damaged.exit_code, kExitDamaged);
  EXPECT_THAT(damaged.out, HasSubstr("DAMAGED"));
  EXPECT_EQ(Run({"backup", "verify", "--repository", second, "--level", "L3"}).exit_code,
            kExitUsage);
}

}  // namespace
}  // namespace holdfast::cli
