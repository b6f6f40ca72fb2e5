#include "restore/census.h"

#include <gtest/gtest.h>

namespace holdfast::restore {
namespace {

const TableRef kDataset{"acme", "d", "", ""};

TableRef T(const std::string& table, const std::string& partition = "") {
  return {"acme", "d", table, partition};
}

ItemOutcome Item(const TableRef& object, Outcome outcome, const std::string& backup = "") {
  return {.object = object,
          .outcome = outcome,
          .reason = outcome == Outcome::kFailed ? "denied" : "",
          .backup = backup};
}

ItemOutcome Held(const TableRef& object, const std::string& backup) {
  return Item(object, Outcome::kBackedUp, backup);
}

// One run, `age` minutes ago.
struct Pass {
  int age = 0;
  Scope scope;
  std::vector<ItemOutcome> items;
};

Run RunOf(const Pass& pass) {
  Run run;
  run.id = "run-" + std::to_string(pass.age);
  run.state = RunState::kFinished;
  run.started_ms = 1'000'000'000 - pass.age * 60'000;
  run.finished_ms = run.started_ms + 1'000;
  run.policy.scope = pass.scope;
  return run;
}

// "t1=b1 t2=FAILED": what the census says, after as many runs as it asked for.
struct Finding {
  std::string objects;
  size_t runs_read = 0;
};

std::string TextOf(const Census& census) {
  std::string text;
  for (const ObjectState& state : census.Objects()) {
    if (!text.empty()) text += ' ';
    text += state.object.table;
    if (!state.object.partition.empty()) text += "$" + state.object.partition;
    text += "=";
    if (state.presence == Presence::kBackedUp) text += state.backup;
    if (state.presence == Presence::kFailed) text += "FAILED";
    if (state.presence == Presence::kUnsupported) text += "UNSUPPORTED";
    if (!state.later_failure.empty()) text += "(" + state.later_failure + ")";
  }
  return text;
}

Finding Ask(const TableRef& source, const std::vector<Pass>& passes,
            const std::set<TableRef>& with_backups = {T("t1"), T("t2"), T("t3")}) {
  Census census(source, with_backups);
  size_t read = 0;
  for (const Pass& pass : passes) {
    ++read;
    census.Add(RunOf(pass), pass.items);
    if (census.IsComplete()) break;
  }
  return {TextOf(census), read};
}

struct Case {
  std::string promise;
  TableRef source;
  std::vector<Pass> passes;
  std::string objects;
  size_t runs_read;
};

const Scope kAll;
const Scope kOnlyT1{.include = {"acme.d.t1"}, .exclude = {}};
const Scope kPartitionOfT1{.include = {"acme.d.t1"}, .exclude = {}, .partitions = {T("t1", "2")}};
const Scope kWithoutT1{.include = {"acme.*"}, .exclude = {"acme.d.t1"}};
const Scope kElsewhere{.include = {"acme.other"}, .exclude = {}};
const ItemOutcome kDatasetFailed = Item({"acme", "d", "", ""}, Outcome::kFailed);
const ItemOutcome kProjectFailed = Item({"acme", "", "", ""}, Outcome::kFailed);
const ItemOutcome kProjectsFailed = Item({"organizations/1", "", "", ""}, Outcome::kFailed);
const ItemOutcome kOtherFailed = Item({"acme", "other", "", ""}, Outcome::kFailed);

std::vector<Case> CasesOfScope() {
  const std::vector<ItemOutcome> both = {Held(T("t1"), "b1"), Held(T("t2"), "b2")};
  return {
      {"the newest run decides, and no older one is read",
       kDataset,
       {{0, kAll, {Held(T("t1"), "b9")}}, {1, kAll, both}},
       "t1=b9",
       1},
      {"a run of one table decides for that table only",
       kDataset,
       {{0, kOnlyT1, {Held(T("t1"), "b9")}}, {1, kAll, both}},
       "t1=b9 t2=b2",
       2},
      {"a run that excludes a table says nothing of it",
       kDataset,
       {{0, kWithoutT1, {Held(T("t2"), "b9")}}, {1, kAll, both}},
       "t1=b1 t2=b9",
       2},
      {"a run of another dataset says nothing",
       kDataset,
       {{0, kElsewhere, {}}, {1, kAll, both}},
       "t1=b1 t2=b2",
       2},
      {"a table dropped since is left out, found so by a run of that table alone",
       kDataset,
       {{0, kOnlyT1, {}}, {1, kAll, both}},
       "t2=b2",
       2},
      {"a table reported vanished is left out",
       kDataset,
       {{0, kAll, {Item(T("t1"), Outcome::kVanished), Held(T("t2"), "b9")}}, {1, kAll, both}},
       "t2=b9",
       1},
  };
}

std::vector<Case> CasesOfFailure() {
  const std::vector<ItemOutcome> both = {Held(T("t1"), "b1"), Held(T("t2"), "b2")};
  return {
      {"a dataset that broke on its second page counts with what was listed",
       kDataset,
       {{0, kAll, {Held(T("t1"), "b9"), kDatasetFailed}}, {1, kAll, both}},
       "t1=b9 t2=b2",
       2},
      {"a project that failed says nothing by silence",
       kDataset,
       {{0, kAll, {kProjectFailed}}, {1, kAll, both}},
       "t1=b1 t2=b2",
       2},
      {"a run that saw no project says nothing",
       kDataset,
       {{0, kAll, {kProjectsFailed}}, {1, kAll, both}},
       "t1=b1 t2=b2",
       2},
      {"the failure of another dataset does not matter",
       kDataset,
       {{0, kAll, {Held(T("t1"), "b9"), kOtherFailed}}, {1, kAll, both}},
       "t1=b9",
       1},
      {"a table that failed is what an older run found",
       kDataset,
       {{0, kAll, {Item(T("t1"), Outcome::kFailed), Held(T("t2"), "b9")}}, {1, kAll, both}},
       "t1=b1(denied) t2=b9",
       2},
      {"a table that always failed is there",
       kDataset,
       {{0, kAll, {Item(T("t4"), Outcome::kFailed), Held(T("t2"), "b9")}}, {1, kAll, both}},
       "t2=b9 t4=FAILED",
       1},
  };
}

std::vector<Case> CasesOfPartitions() {
  const std::vector<ItemOutcome> both = {Held(T("t1"), "b1"), Held(T("t2"), "b2")};
  return {
      {"of a partitioned table that failed, the partitions that were",
       kDataset,
       {{0, kAll, {Item(T("t1"), Outcome::kFailed)}},
        {1, kAll, {Held(T("t1", "1"), "p1"), Held(T("t1", "2"), "p2")}},
        {2, kAll, {Held(T("t1", "0"), "p0"), Held(T("t1", "1"), "p1")}}},
       "t1$1=p1(denied) t1$2=p2(denied)",
       2},
      {"a partition that failed is there, the others are as the run found them",
       kDataset,
       {{0, kAll, {Item(T("t1", "1"), Outcome::kFailed), Held(T("t1", "2"), "p9")}},
        {1, kAll, {Held(T("t1", "1"), "p1"), Held(T("t1", "2"), "p2")}}},
       "t1$1=FAILED t1$2=p9",
       1},
      {"a run of one partition tells nothing of the others",
       kDataset,
       {{0, kPartitionOfT1, {Held(T("t1", "2"), "p9")}},
        {1, kAll, {Held(T("t1", "1"), "p1"), Held(T("t1", "2"), "p2")}}},
       "t1$1=p1 t1$2=p2",
       2},
      {"what is told again of a dataset that could not be listed is not all of it",
       kDataset,
       {{0, kAll, {Item(T("t1", "3"), Outcome::kVanished), kDatasetFailed}},
        {1, kAll, {Held(T("t1", "1"), "p1"), Held(T("t1", "2"), "p2")}}},
       "t1$1=p1 t1$2=p2",
       2},
      {"a partition that vanished stays out",
       kDataset,
       {{0, kAll, {Item(T("t1", "1"), Outcome::kVanished), Held(T("t1", "2"), "p2")}}},
       "t1$2=p2",
       1},
      {"whole and partitions are never mixed",
       kDataset,
       {{0, kAll, {Item(T("t1"), Outcome::kFailed), Held(T("t1", "2"), "p2")}},
        {1, kAll, {Held(T("t1"), "whole")}}},
       "t1$2=p2",
       2},
      {"what is not backed up is told",
       kDataset,
       {{0, kAll, {Item(T("v"), Outcome::kUnsupported), Held(T("t1"), "b1")}}},
       "t1=b1 v=UNSUPPORTED",
       1},
      {"a table: runs that do not cover it are passed over",
       T("t2"),
       {{0, kOnlyT1, {Held(T("t1"), "b9")}}, {1, kAll, both}},
       "t2=b2",
       2},
      {"a partition: only that",
       T("t1", "2"),
       {{0, kAll, {Held(T("t1", "1"), "p1"), Held(T("t1", "2"), "p2")}}},
       "t1$2=p2",
       1},
      {"a partition that is gone",
       T("t1", "3"),
       {{0, kAll, {Held(T("t1", "1"), "p1")}}, {1, kAll, {Held(T("t1", "3"), "p3")}}},
       "",
       1},
      {"nothing is known", kDataset, {}, "", 0},
  };
}

TEST(Census, DecidesForEachObjectByTheNewestRunThatCoveredIt) {
  for (const auto& cases : {CasesOfScope(), CasesOfFailure(), CasesOfPartitions()}) {
    for (const Case& c : cases) {
      const Finding finding = Ask(c.source, c.passes);
      EXPECT_EQ(finding.objects, c.objects) << c.promise;
      EXPECT_EQ(finding.runs_read, c.runs_read) << c.promise;
    }
  }
}

// Every history of three runs, each of one of several kinds, against a model that keeps, run after
// run from the oldest, what is known of two tables.
TEST(Census, AgreesWithAModelOnEveryShortHistory) {
  enum Kind { kBoth, kOnlyFirst, kSecondFails, kBrokenList, kFirstGone, kBlind, kKinds };
  const auto pass_of = [](int age, int kind) -> Pass {
    const std::string suffix = "@" + std::to_string(age);
    const ItemOutcome first = Held(T("t1"), "1" + suffix);
    const ItemOutcome second = Held(T("t2"), "2" + suffix);
    switch (kind) {
      case kBoth:
        return {age, kAll, {first, second}};
      case kOnlyFirst:
        return {age, kOnlyT1, {first}};
      case kSecondFails:
        return {age, kAll, {first, Item(T("t2"), Outcome::kFailed)}};
      case kBrokenList:
        return {age, kAll, {first, kDatasetFailed}};
      case kFirstGone:
        return {age, kAll, {second}};
      default:
        return {age, kAll, {kProjectFailed}};
    }
  };
  for (int code = 0; code < kKinds * kKinds * kKinds; ++code) {
    const std::vector<int> kinds = {code % kKinds, code / kKinds % kKinds, code / kKinds / kKinds};
    std::vector<Pass> passes;
    std::string first;
    std::string second;
    for (int age = 2; age >= 0; --age) {
      const std::string suffix = "@" + std::to_string(age);
      const int kind = kinds[static_cast<size_t>(age)];
      if (kind != kFirstGone && kind != kBlind) first = " t1=1" + suffix;
      if (kind == kFirstGone) first = "";
      if (kind == kBoth || kind == kFirstGone) second = " t2=2" + suffix;
      // What was backed up once is the answer, with the newest reason why it is not newer.
      if (kind == kSecondFails) {
        second = second.empty() || second == " t2=FAILED"
                     ? " t2=FAILED"
                     : second.substr(0, second.find('(')) + "(denied)";
      }
    }
    for (int age = 0; age < 3; ++age)
      passes.push_back(pass_of(age, kinds[static_cast<size_t>(age)]));
    const std::string expected = first + second;
    EXPECT_EQ(Ask(kDataset, passes).objects, expected.empty() ? "" : expected.substr(1))
        << kinds[0] << " " << kinds[1] << " " << kinds[2] << " (newest first)";
  }
}

TEST(Census, TellsATableThatIsGoneFromOneThatNoRunKnows) {
  Census census(kDataset, {T("t1"), T("t2")});
  const auto run = RunOf({0, kOnlyT1, {}});
  census.Add(run, {});
  EXPECT_TRUE(census.Knows(T("t1"), run.started_ms));
  EXPECT_FALSE(census.Knows(T("t2"), run.started_ms));
  // A backup that was made after the run had ended shows that the table came back.
  EXPECT_FALSE(census.Knows(T("t1"), run.finished_ms + 1));
}

TEST(CoversWholeDataset, OnlyWhenNoTableCanBeOutside) {
  const DatasetRef dataset{"acme", "d"};
  EXPECT_TRUE(CoversWholeDataset(kAll, dataset));
  EXPECT_TRUE(CoversWholeDataset({.include = {"acme"}, .exclude = {}}, dataset));
  EXPECT_TRUE(CoversWholeDataset({.include = {"a*.?.*"}, .exclude = {"acme.other"}}, dataset));
  EXPECT_FALSE(CoversWholeDataset(kOnlyT1, dataset));
  EXPECT_FALSE(CoversWholeDataset(kWithoutT1, dataset));
  EXPECT_FALSE(CoversWholeDataset({.include = {"acme.d.t*"}, .exclude = {}}, dataset));
  EXPECT_FALSE(CoversWholeDataset({.include = {}, .exclude = {"*.*.tmp_*"}}, dataset));
}

}  // namespace
}  // namespace holdfast::restore
