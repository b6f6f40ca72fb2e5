#include "model/run.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

ItemOutcome Item(const std::string& table, Outcome outcome, int64_t rows) {
  return {.object = {"p", "d", table, ""},
          .outcome = outcome,
          .reason = "why",
          .backup = "b",
          .rows = rows,
          .bytes = rows * 2,
          .duration_ms = 3,
          .error_id = outcome == Outcome::kFailed ? "G0006" : ""};
}

TEST(RunReport, TotalsAddUpAndItemsAreInOrder) {
  const RunReport report =
      MakeRunReport({.id = "r"}, {Item("b", Outcome::kBackedUp, 5), Item("c", Outcome::kFailed, 0),
                                  Item("a", Outcome::kBackedUp, 7)});
  EXPECT_EQ(report.totals.objects, 3);
  EXPECT_EQ(report.totals.Of(Outcome::kBackedUp), 2);
  EXPECT_EQ(report.totals.Of(Outcome::kFailed), 1);
  EXPECT_EQ(report.totals.rows, 12);
  EXPECT_EQ(report.totals.bytes, 24);
  EXPECT_EQ(report.items.front().object.table, "a");
  int64_t sum = 0;
  for (const int64_t count : report.totals.count) sum += count;
  EXPECT_EQ(sum, report.totals.objects);
}

TEST(ItemOutcome, RoundTripsThroughJson) {
  ItemOutcome item = Item("t$x", Outcome::kFailed, 1);
  item.object.partition = "20240101";
  const auto parsed = ItemOutcome::FromJson(item.ToJson());
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->ToJson(), item.ToJson());
  EXPECT_EQ(parsed->object, item.object);
}

TEST(ItemOutcome, TellsTheKindOfWhatIsNoTable) {
  ItemOutcome item = Item("v", Outcome::kBackedUp, 0);
  EXPECT_FALSE(item.ToJson().contains("kind"));
  EXPECT_EQ(ItemOutcome::FromJson(item.ToJson())->kind, ObjectKind::kTable);
  item.kind = ObjectKind::kMaterializedView;
  EXPECT_EQ(item.ToJson()["kind"], "materialized_view");
  EXPECT_EQ(ItemOutcome::FromJson(item.ToJson())->kind, ObjectKind::kMaterializedView);
  Json wrong = item.ToJson();
  wrong["kind"] = "magic";
  EXPECT_FALSE(ItemOutcome::FromJson(wrong).ok());
}

TEST(ItemOutcome, OfSeveralMethodsIsAsBadAsTheWorstAndLosesNothing) {
  ItemOutcome exported = Item("t", Outcome::kBackedUp, 5);
  exported.method = Method::kExport;
  exported.backup = "e";
  ItemOutcome snapshot = Item("t", Outcome::kFailed, 0);
  snapshot.method = Method::kSnapshot;
  snapshot.backup = "";
  ItemOutcome copy = Item("t", Outcome::kUnchanged, 0);
  copy.method = Method::kCopy;
  copy.backup = "c";
  const std::vector<ItemOutcome> orders[] = {{exported, snapshot, copy},
                                             {copy, snapshot, exported}};
  for (const auto& order : orders) {
    ItemOutcome whole = MergeMethods(MergeMethods(order[0], order[1]), order[2]);
    EXPECT_EQ(whole.outcome, Outcome::kFailed);
    EXPECT_EQ(whole.error_id, "G0006");
    EXPECT_EQ(whole.reason, "export: why; copy: why; snapshot: why");
    EXPECT_EQ(whole.backup, "e");
    EXPECT_EQ(whole.rows, 5);
    EXPECT_FALSE(whole.method);
    ASSERT_EQ(whole.by_method.size(), 3U);
    EXPECT_EQ(whole.by_method[1].backup, "c");
    EXPECT_EQ(ItemOutcome::FromJson(whole.ToJson())->ToJson(), whole.ToJson());
    // One that comes twice changes nothing.
    ItemOutcome again = snapshot;
    again.outcome = Outcome::kBackedUp;
    EXPECT_EQ(MergeMethods(whole, again).ToJson(), whole.ToJson());
  }
}

TEST(ItemOutcome, OfSeveralMethodsIsReadStrictly) {
  Json json = Item("t", Outcome::kFailed, 0).ToJson();
  json["method"] = "magic";
  EXPECT_FALSE(ItemOutcome::FromJson(json).ok());
  json.erase("method");
  json["by_method"] = Json::array({json});
  EXPECT_FALSE(ItemOutcome::FromJson(json).ok()) << "of no method";
  json["by_method"] = 7;
  EXPECT_FALSE(ItemOutcome::FromJson(json).ok());
}

TEST(ItemOutcome, OfAWholeDatasetIsNamedByIt) {
  ItemOutcome item = Item("", Outcome::kFailed, 0);
  EXPECT_EQ(item.ToJson()["object"], "p.d");
  item.object.dataset = "";
  EXPECT_EQ(item.ToJson()["object"], "p");
}

TEST(Run, RoundTripsThroughJson) {
  holdfast::Run run{
      .id = "r1", .state = RunState::kFinished, .started_ms = 5, .finished_ms = 9, .policy = {}};
  run.policy.scope.include = {"p.*"};
  const auto parsed = holdfast::Run::FromJson(run.ToJson());
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->ToJson(), run.ToJson());
  EXPECT_EQ(parsed->policy, run.policy);
}

TEST(Outcome, HasANameForEach) {
  for (int i = 0; i < kOutcomes; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    EXPECT_EQ(FindOutcome(OutcomeName(outcome)), outcome);
  }
  EXPECT_EQ(FindOutcome("done"), std::nullopt);
}

}  // namespace
}  // namespace holdfast
