#include "model/work_message.h"

#include <gtest/gtest.h>

#include <set>

#include "base/virtual_clock.h"
#include "model/ids.h"

namespace holdfast {
namespace {

constexpr std::string_view kRun = "20261121T101844Z-3fa9c1d2";

Fingerprint SomeFingerprint(int64_t rows) {
  return {.rows = rows, .schema_hash = "s", .metadata_hash = "m", .partitioning = {}};
}

RunBackup Backup(std::vector<BackupUnit> units) {
  return {.run = std::string(kRun),
          .table_to_backup = {"acme", "d", "t", ""},
          .method = Method::kExport,
          .units = std::move(units)};
}

TEST(WorkMessage, CarriesTheMembersOfTheSeed) {
  const WorkMessage check = CheckProjectTables{std::string(kRun), "acme"};
  EXPECT_EQ(TopicOf(check), "check-project-tables");
  EXPECT_EQ(ToJson(check)["project_to_check"], "acme");
  const WorkMessage backup = Backup({{"", SomeFingerprint(1), Change::kDataChanged}});
  EXPECT_EQ(TopicOf(backup), "run-bq-backup-to-cs");
  EXPECT_EQ(ToJson(backup)["table_to_backup"], "acme.d.t");
}

TEST(WorkMessage, RoundTripsThroughText) {
  const WorkMessage messages[] = {
      StartBackupProcess{std::string(kRun)}, CheckProjectTables{std::string(kRun), "acme"},
      Backup({{"20240101", SomeFingerprint(1), Change::kDataChanged},
              {"__NULL__", SomeFingerprint(2), Change::kMetadataOnly}})};
  for (const WorkMessage& message : messages) {
    const auto parsed = ParseWorkMessage(TopicOf(message), DumpJson(ToJson(message)));
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(ToJson(*parsed), ToJson(message));
    EXPECT_EQ(TaskId(*parsed), TaskId(message));
    EXPECT_EQ(RunOf(*parsed), kRun);
  }
}

TEST(WorkMessage, EachPieceOfADatasetIsATaskOfItsOwn) {
  const CheckProjectTables project{std::string(kRun), "acme"};
  std::vector<CheckProjectTables> pieces(6, project);
  for (size_t i = 1; i < pieces.size(); ++i) pieces[i].piece = {.dataset = "d", .location = "US"};
  pieces[1].page_token = "x";
  pieces[2].piece.routines = true;
  pieces[3].after = "t7";
  pieces[4].restarts = 1;
  pieces[5].piece.dataset = "e";
  std::set<std::string> ids;
  for (const CheckProjectTables& piece : pieces) {
    const auto parsed = ParseWorkMessage(kCheckTopic, DumpJson(ToJson(piece)));
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(ToJson(*parsed), ToJson(piece));
    ids.insert(TaskId(*parsed));
  }
  EXPECT_EQ(ids.size(), pieces.size());
  // What the listing said of the dataset is no part of what is asked for.
  CheckProjectTables moved = pieces[1];
  moved.piece.location = "EU";
  moved.piece.labels = {{"a", "b"}};
  EXPECT_EQ(TaskId(moved), TaskId(pieces[1]));
}

TEST(WorkMessage, TaskIdIsOfWhatIsAskedNotOfHowItLooked) {
  const auto id = [](std::vector<BackupUnit> units) { return TaskId(Backup(std::move(units))); };
  const std::string one = id({{"20240101", SomeFingerprint(1), Change::kDataChanged}});
  EXPECT_EQ(one, id({{"20240101", SomeFingerprint(9), Change::kMetadataOnly}}));
  EXPECT_NE(one, id({{"20240102", SomeFingerprint(1), Change::kDataChanged}}));
  EXPECT_NE(one, id({{"", SomeFingerprint(1), Change::kDataChanged}}));
  EXPECT_NE(TaskId(CheckProjectTables{"r1", "acme"}), TaskId(CheckProjectTables{"r2", "acme"}));
}

TEST(WorkMessage, RefusesWhatIsNotOne) {
  const std::pair<std::string_view, std::string> cases[] = {
      {kStartTopic, "{}"},
      {kStartTopic, "[]"},
      {kCheckTopic, R"({"run": "r1", "project_to_check": "acme-shop", "routines": true})"},
      {kCheckTopic, R"({"run": "r1", "project_to_check": "acme-shop", "dataset": 5})"},
      {kCheckTopic, R"({"run": "r1", "project_to_check": "acme-shop", "restarts": -1})"},
      {kStartTopic, R"({"run": "../x"})"},
      {kCheckTopic, R"({"run": "r"})"},
      {kCheckTopic, R"({"run": "r", "project_to_check": "No Such"})"},
      {kBackupTopic, R"({"run": "r", "table_to_backup": "a.b.c", "method": "export"})"},
      {kBackupTopic,
       R"({"run": "r", "table_to_backup": "a.b.c", "method": "export", "partitions": []})"},
      {kBackupTopic, R"({"run": "r", "table_to_backup": "a.b.c$1", "method": "export"})"},
      {"other-topic", R"({"run": "r"})"}};
  for (const auto& [topic, text] : cases) {
    EXPECT_FALSE(ParseWorkMessage(topic, text).ok()) << text;
  }
  Json twice = ToJson(Backup({{"1", SomeFingerprint(1), Change::kDataChanged}}));
  twice["partitions"].push_back(twice["partitions"][0]);
  EXPECT_FALSE(ParseWorkMessage(kBackupTopic, twice.dump()).ok());
}

TEST(WorkMessage, OfADefinitionIsOfOneObjectWhole) {
  const auto document = [](const std::string& object, const std::string& method) {
    Json json = ToJson(Backup({{"", SomeFingerprint(1), Change::kDataChanged}}));
    json["table_to_backup"] = object;
    json["method"] = method;
    return json;
  };
  const auto parses = [](const Json& json) {
    return ParseWorkMessage(kBackupTopic, json.dump()).ok();
  };
  EXPECT_TRUE(parses(document("acme.d.view", "definition")));
  EXPECT_TRUE(parses(document("acme.d.routine:f", "definition")));
  EXPECT_TRUE(parses(document("acme.d.dataset:definition", "definition")));
  EXPECT_FALSE(parses(document("acme.d.routine:f", "export")));
  Json partition = document("acme.d.view", "definition");
  partition["partitions"][0]["partition"] = "20240101";
  EXPECT_FALSE(parses(partition));
}

TEST(Ids, OfABackupFollowFromRunAndObject) {
  const TableRef object{"acme", "d", "t", "20240101"};
  const std::string id = BackupId(kRun, object, Method::kExport);
  EXPECT_TRUE(id.starts_with("20261121T101844Z-")) << id;
  EXPECT_EQ(id, BackupId(kRun, object, Method::kExport));
  EXPECT_NE(id, BackupId(kRun, object, Method::kSnapshot));
  EXPECT_NE(id, BackupId(kRun, object.WholeTable(), Method::kExport));
  EXPECT_TRUE(IsValidId(id));
}

TEST(Ids, OfJobsDifferInEveryArgument) {
  const TableRef object{"acme", "d", "t", ""};
  const std::string id = JobId("extract", "r1", object, 1);
  EXPECT_EQ(id, JobId("extract", "r1", object, 1));
  EXPECT_NE(id, JobId("extract", "r1", object, 2));
  EXPECT_NE(id, JobId("extract", "r2", object, 1));
  EXPECT_NE(id, JobId("copy", "r1", object, 1));
  EXPECT_NE(id, JobId("extract", "r1", object.WithPartition("1"), 1));
  EXPECT_TRUE(IsValidId(id));
}

TEST(Ids, OfRunsSortByTime) {
  const Timestamp now = FromUnixMillis(1'700'000'000'000);
  const auto random = MakeSeededRandom(1);
  const std::string first = NewRunId(now, *random);
  EXPECT_LT(first, NewRunId(now + std::chrono::seconds{1}, *random));
  EXPECT_TRUE(IsValidId(first));
  for (const std::string_view id : {"", "a/b", "a b", "a.b"}) EXPECT_FALSE(IsValidId(id)) << id;
}

}  // namespace
}  // namespace holdfast
