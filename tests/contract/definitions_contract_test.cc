#include "tests/contract/definitions_contract.h"

#include <set>

#include "tests/support/error_id.h"

namespace holdfast::contract {

namespace {

using testing_support::IdOf;

Json Function(const std::string& body) {
  return {{"routineType", "SCALAR_FUNCTION"}, {"language", "SQL"}, {"definitionBody", body}};
}

}  // namespace

void DefinitionsContract::SetUp() {
  world_ = GetParam().make();
  const DatasetRef ref = dataset();
  const Json reference = {{"projectId", ref.project}, {"datasetId", ref.dataset}};
  const auto made = world_->warehouse().EnsureDataset(
      {.ref = ref,
       .location = "US",
       .resource = {{"datasetReference", reference}, {"location", "US"}}});
  ASSERT_TRUE(made.ok()) << made.error().ToString();
  const Json schema = {{"fields", {{{"name", "id"}, {"type", "INTEGER"}}}}};
  const auto created = world_->warehouse().CreateTable(table(), {{"schema", schema}});
  ASSERT_TRUE(created.ok()) << created.error().ToString();
}

TEST_P(DefinitionsContract, KeepsARoutineAsItWasMade) {
  const auto made = definitions().CreateRoutine(dataset(), "net", Function("x / 1.19"));
  ASSERT_TRUE(made.ok()) << made.error().ToString();
  const auto found = definitions().GetRoutine(dataset(), "net");
  ASSERT_TRUE(found.ok()) << found.error().ToString();
  EXPECT_EQ(found->dataset, dataset());
  EXPECT_EQ(found->routine, "net");
  EXPECT_EQ(found->resource["definitionBody"], "x / 1.19");
  EXPECT_GT(found->creation_ms, 0);
  EXPECT_EQ(found->last_modified_ms, made->last_modified_ms);
}

TEST_P(DefinitionsContract, ListsEveryRoutineOnceWithItsTimes) {
  std::set<std::string> ids;
  for (int i = 0; i < 8; ++i) {
    ids.insert("f" + std::to_string(i));
    ASSERT_TRUE(definitions().CreateRoutine(dataset(), *ids.rbegin(), Function("1")).ok());
  }
  std::vector<std::string> listed;
  const Status done = cloud::ForEachPage<cloud::RoutineInfo>(
      [&](const std::string& token) { return definitions().ListRoutines(dataset(), token); },
      [&](cloud::RoutineInfo&& routine) -> Status {
        EXPECT_EQ(routine.last_modified_ms,
                  definitions().GetRoutine(dataset(), routine.routine)->last_modified_ms);
        listed.push_back(routine.routine);
        return Ok();
      });
  ASSERT_TRUE(done.ok()) << done.error().ToString();
  EXPECT_EQ(listed, (std::vector<std::string>(ids.begin(), ids.end())));
}

TEST_P(DefinitionsContract, TellsARoutineThatIsNotThereOrIsThereAlready) {
  EXPECT_EQ(IdOf(definitions().GetRoutine(dataset(), "absent")), ErrorId::kRoutineNotFound);
  ASSERT_TRUE(definitions().CreateRoutine(dataset(), "net", Function("1")).ok());
  EXPECT_EQ(IdOf(definitions().CreateRoutine(dataset(), "net", Function("2"))),
            ErrorId::kRoutineExists);
  EXPECT_EQ(definitions().GetRoutine(dataset(), "net")->resource["definitionBody"], "1");
  const DatasetRef absent{world_->project(), "not_there"};
  EXPECT_EQ(IdOf(definitions().ListRoutines(absent, "")), ErrorId::kDatasetNotFound);
  EXPECT_EQ(IdOf(definitions().CreateRoutine(absent, "net", Function("1"))),
            ErrorId::kDatasetNotFound);
}

TEST_P(DefinitionsContract, KeepsRowAccessPoliciesWithTheirGrantees) {
  EXPECT_TRUE(definitions().ListRowAccessPolicies(table())->empty());
  const cloud::RowAccessPolicy all{"all_rows", "TRUE", {world_->caller()}};
  const cloud::RowAccessPolicy eu{"eu", "id > 5", {"group:eu@x.org", "user:ann@x.org"}};
  ASSERT_TRUE(definitions().CreateRowAccessPolicy(table(), eu).ok());
  ASSERT_TRUE(definitions().CreateRowAccessPolicy(table(), all).ok());
  const auto listed = definitions().ListRowAccessPolicies(table());
  ASSERT_TRUE(listed.ok()) << listed.error().ToString();
  EXPECT_EQ(*listed, (std::vector<cloud::RowAccessPolicy>{all, eu}));
  EXPECT_EQ(IdOf(definitions().CreateRowAccessPolicy(table(), eu)), ErrorId::kTableExists);
}

TEST_P(DefinitionsContract, TellsWhichPoliciesAreGrantedToTheCaller) {
  const cloud::RowAccessPolicy ours{"ours", "TRUE", {world_->caller()}};
  const cloud::RowAccessPolicy theirs{"theirs", "TRUE", {"user:ann@x.org"}};
  ASSERT_TRUE(definitions().CreateRowAccessPolicy(table(), ours).ok());
  ASSERT_TRUE(definitions().CreateRowAccessPolicy(table(), theirs).ok());
  EXPECT_TRUE(definitions().IsGranted(table(), "ours").value());
  EXPECT_FALSE(definitions().IsGranted(table(), "theirs").value());
}

TEST_P(DefinitionsContract, KeepsTheIamPolicyOfATable) {
  EXPECT_EQ(definitions().GetIamPolicy(table()).value(), Json::object());
  const Json policy = {
      {"bindings", {{{"role", "roles/bigquery.dataViewer"}, {"members", {"user:ann@x.org"}}}}}};
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_TRUE(definitions().SetIamPolicy(table(), policy).ok());
  }
  EXPECT_EQ(definitions().GetIamPolicy(table()).value(), policy);
}

TEST_P(DefinitionsContract, TellsATableThatIsNotThere) {
  const TableRef absent{world_->project(), "defined", "absent", ""};
  EXPECT_EQ(IdOf(definitions().ListRowAccessPolicies(absent)), ErrorId::kTableNotFound);
  EXPECT_EQ(IdOf(definitions().GetIamPolicy(absent)), ErrorId::kTableNotFound);
  EXPECT_EQ(IdOf(definitions().SetIamPolicy(absent, Json::object())), ErrorId::kTableNotFound);
  EXPECT_EQ(IdOf(definitions().CreateRowAccessPolicy(absent, {"p", "TRUE", {}})),
            ErrorId::kTableNotFound);
}

}  // namespace holdfast::contract
