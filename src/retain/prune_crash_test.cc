// Prune is killed at every single call to the cloud, before and after its effect, and started
// again: at no moment may a visible manifest lack an object, nothing pinned may go, and in the end
// all is as if nothing had happened.
#include <gtest/gtest.h>

#include <set>

#include "retain/prune_world_for_test.h"

namespace holdfast::retain {
namespace {

using std::chrono::hours;

// Backups marked and due, the oldest of them pinned since; of all, the two newest are kept.
class CrashWorld : public PruneWorld {
 public:
  // `replicated`: each backup is in a further repository as well.
  explicit CrashWorld(Method method, bool replicated = false, uint64_t seed = 1)
      : PruneWorld(seed), replicated_(replicated) {
    if (replicated) repositories = {{.bucket_pattern = "{project}-elsewhere"}};
    BackUpDays(replicated ? 4 : 5, method);
    options.grace = hours{1};
    pinned_ = Records().back().backup;
  }

  void Mark() {
    EXPECT_TRUE(Prune().ok());
    auto repository = OpenRepository();
    EXPECT_TRUE(AddPin(repository, Records().back(), {PinKind::kPin, "why", "test"},
                       fixture().clock().Now(), random())
                    .ok());
    fixture().clock().Advance(hours{2});
  }

  void CheckAfterCrash() {
    CheckManifests();
    if (replicated_) CheckManifests(kFurtherBucket);
    std::set<std::string> visible;
    auto repository = OpenRepository();
    for (const catalog::BackupRecord& record : Records()) {
      if (repository.HasManifest(record.object, record.backup).value()) {
        visible.insert(record.backup);
      }
    }
    EXPECT_TRUE(visible.contains(pinned_));
    EXPECT_TRUE(visible.contains(Records()[0].backup)) << "the newest";
    EXPECT_EQ(visible.size(), ObjectsBelow("manifests/").size())
        << "a manifest that the catalog forgot";
  }

  // Prunes until nothing is left to do; then only what is kept is left.
  void FinishAndCheck() {
    for (int pass = 0; pass < 4; ++pass) {
      const auto report = Prune();
      ASSERT_TRUE(report.ok()) << report.error().ToString();
      EXPECT_EQ(report->CountNotDone(), 0);
      fixture().clock().Advance(hours{2});
    }
    EXPECT_EQ(Records().size(), 3U);
    EXPECT_EQ(ObjectsBelow("manifests/").size(), 3U);
    EXPECT_TRUE(ObjectsBelow("tombstones/").empty());
    if (replicated_) CheckReplicas();
    CheckAfterCrash();
    size_t named = 0;
    auto repository = OpenRepository();
    for (const catalog::BackupRecord& record : Records()) {
      named += repository.ReadManifest(record.object, record.backup)->objects.size();
    }
    EXPECT_EQ(ObjectsBelow("data/").size(), named) << "data that no manifest names";
    EXPECT_TRUE(catalog::VerifyAuditChain(fixture().catalog()).ok());
  }

 private:
  // The further repository has what the first has, and nothing else.
  void CheckReplicas() {
    EXPECT_EQ(ObjectsBelow("manifests/", kFurtherBucket), ObjectsBelow("manifests/"));
    EXPECT_EQ(ObjectsBelow("data/", kFurtherBucket), ObjectsBelow("data/"));
    EXPECT_TRUE(ObjectsBelow("tombstones/", kFurtherBucket).empty());
  }

  std::string pinned_;
  bool replicated_;
};

// Kills the pass at each call in turn; returns how many calls it has.
int64_t SweepCrashes(Method method, bool deleting, bool replicated = false) {
  for (int64_t call = 1;; ++call) {
    bool finished = false;
    for (const bool after_effect : {false, true}) {
      CrashWorld world(method, replicated);
      if (deleting) world.Mark();
      sim::FaultPlan& faults = world.fixture().cloud().faults();
      faults.CrashAtCall(call, after_effect);
      const auto report = world.Prune();
      finished = !faults.crashed();
      faults.Revive();
      EXPECT_EQ(report.ok(), finished) << call;
      world.CheckAfterCrash();
      if (!deleting) world.Mark();
      world.FinishAndCheck();
      if (testing::Test::HasFailure()) {
        ADD_FAILURE() << "killed at call " << call << (after_effect ? " after" : " before");
        return call;
      }
    }
    if (finished) return call - 1;
  }
}

TEST(PruneCrash, AtAnyCallOfMarkingLosesNothing) {
  EXPECT_GT(SweepCrashes(Method::kExport, false), 10);
}

TEST(PruneCrash, AtAnyCallOfDeletingLosesNothing) {
  EXPECT_GT(SweepCrashes(Method::kExport, true), 20);
}

TEST(PruneCrash, AtAnyCallOfDeletingCopiesLosesNothing) {
  EXPECT_GT(SweepCrashes(Method::kCopy, true), 20);
}

TEST(PruneCrash, AtAnyCallOfDeletingReplicasLosesNothing) {
  EXPECT_GT(SweepCrashes(Method::kExport, true, true), 30);
}

// Lets each call in turn fail once, before and after its effect; returns how many calls there are.
int64_t SweepFailures(Method method, bool deleting, bool replicated = false) {
  for (int64_t call = 1;; ++call) {
    bool reached = true;
    for (const bool after_effect : {false, true}) {
      CrashWorld world(method, replicated);
      if (deleting) world.Mark();
      sim::FaultPlan& faults = world.fixture().cloud().faults();
      const int64_t before = faults.calls();
      faults.FailAtCall(call, after_effect);
      (void)world.Prune();
      reached = faults.calls() - before >= call;
      faults.Revive();
      world.CheckAfterCrash();
      if (!deleting) world.Mark();
      world.FinishAndCheck();
      if (testing::Test::HasFailure()) {
        ADD_FAILURE() << "failed at call " << call << (after_effect ? " after" : " before");
        return call;
      }
    }
    if (!reached) return call - 1;
  }
}

TEST(PruneCrash, AnyCallOfMarkingMayFail) { EXPECT_GT(SweepFailures(Method::kExport, false), 10); }

TEST(PruneCrash, AnyCallOfDeletingMayFail) { EXPECT_GT(SweepFailures(Method::kExport, true), 20); }

TEST(PruneCrash, AnyCallOfDeletingCopiesMayFail) {
  EXPECT_GT(SweepFailures(Method::kCopy, true), 20);
}

TEST(PruneCrash, AnyCallOfDeletingReplicasMayFail) {
  EXPECT_GT(SweepFailures(Method::kExport, true, true), 30);
}

TEST(PruneCrash, UnderFaultsItEndsAsWithout) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CrashWorld world(Method::kExport, false, seed);
    world.Mark();
    sim::FaultPlan& faults = world.fixture().cloud().faults();
    faults.SetRates({.unavailable = 0.1, .throttled = 0.05, .reset_after = 0.1});
    for (int pass = 0; pass < 3; ++pass) {
      const auto report = world.Prune();  // it may fail; nothing may be lost by that
      static_cast<void>(report.ok());
    }
    faults.SetRates({});
    world.CheckAfterCrash();
    world.FinishAndCheck();
    if (testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace holdfast::retain
