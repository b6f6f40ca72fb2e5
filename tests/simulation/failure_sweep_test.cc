// Every call that a backup makes of the cloud, and every write of its catalog, fails once, or is
// the last of its process, before and after its effect; and every write finds no space, alone and
// with the next: what goes on without faults leaves every object with exactly one whole backup that
// restores, and nothing twice. Source: issue "Proof".
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "repository/repository.h"
#include "restore/apply.h"
#include "restore/unfinished.h"
#include "tests/support/faulty_catalog.h"
#include "tests/support/sim_fixture.h"
#include "verify/verify_recorded.h"

namespace holdfast::simulation {
namespace {

using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

constexpr const char* kBucket = "acme-shop-holdfast-us";
const TableRef kSold{"acme-shop", "sales", "sold", ""};
const TableRef kDaily{"acme-shop", "sales", "daily", ""};
const TableRef kLatest{"acme-shop", "sales", "latest", ""};

enum class Kind { kFailure, kDeath };

class SweepWorld {
 public:
  explicit SweepWorld(Method method) {
    policy_.method = method;
    sim::SimCloud& cloud = fixture_.cloud();
    fixture_.UseCatalog(testing_support::FaultyCatalog::Open(cloud.faults()));
    cloud.AddTable(kSold, TwoColumns(), NumberedRows(1, 5));
    const Schema schema{
        {{.name = "day", .type = FieldType::kDate}, {.name = "what", .type = FieldType::kString}}};
    cloud.AddTable(kDaily, schema,
                   {{{"day", "2026-01-01"}, {"what", "a"}}, {{"day", "2026-01-02"}, {"what", "b"}}},
                   {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
    cloud.PutView(kLatest, "SELECT 1 AS n");
    cloud.AddProject("acme-scratch", "organizations/2");
  }

  // A run in which call number `call` goes wrong; whether it came to that call.
  bool BackUpBadly(int64_t call, Kind kind, bool after_effect) {
    sim::FaultPlan& faults = fixture_.cloud().faults();
    const int64_t before = faults.calls();
    if (kind == Kind::kDeath) {
      faults.CrashAtCall(call, after_effect);
    } else {
      faults.FailAtCall(call, after_effect);
    }
    (void)fixture_.BackUp(policy_);
    const bool reached = faults.calls() - before >= call;
    faults.Revive();
    return reached;
  }

  // A run in which the catalog's write number `write`, and as many as come with it, find no space;
  // whether it came to that.
  bool BackUpOnAFullDisk(int64_t write, int64_t writes) {
    sim::FaultPlan& faults = fixture_.cloud().faults();
    const int64_t before = faults.writes();
    faults.FillDiskAtWrite(write, writes);
    (void)fixture_.BackUp(policy_);
    const bool reached = faults.writes() - before >= write;
    faults.Revive();
    return reached;
  }

  void GoOnAndCheck() {
    fixture_.clock().Advance(std::chrono::minutes{20});
    ASSERT_TRUE(fixture_.BackUp(policy_).ok());
    const auto report = fixture_.BackUp(policy_);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->totals.Of(Outcome::kUnchanged), 5) << DumpJson(report->ToJson());
    EXPECT_EQ(report->totals.objects, 5);
    CheckManifests();
    EXPECT_TRUE(catalog::VerifyAuditChain(fixture_.catalog()).ok());
    CheckRestore();
  }

 private:
  // Whole to the last bit, known to the catalog, one for each object: nothing changed meanwhile.
  void CheckManifests() {
    const backup::Services mine = fixture_.services();
    auto repository = repository::Repository::Open(mine.objects, {kBucket, ""});
    ASSERT_TRUE(repository.ok()) << repository.error().message;
    const verify::Services services{mine.warehouse, mine.objects,
                                    mine.catalog,   mine.clock,
                                    mine.random,    BackupPolicy().staging_bucket_pattern};
    std::map<TableRef, int> backups;
    const Status read = repository::ForEachManifest(
        *repository, {}, [&](const Result<Manifest>& manifest) -> Status {
          HF_RETURN_IF_ERROR(manifest);
          ++backups[manifest->object];
          EXPECT_TRUE(catalog::GetBackup(mine.catalog, manifest->backup).ok()) << manifest->backup;
          HF_ASSIGN_OR_RETURN(const auto report,
                              verify::VerifyManifest(services, *manifest, VerifyLevel::kL2));
          EXPECT_TRUE(report.Passed()) << DumpJson(report.ToJson());
          return Ok();
        });
    EXPECT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(backups.size(), 5U);
    for (const auto& [object, count] : backups) EXPECT_EQ(count, 1) << object.ToString();
  }

  void CheckRestore() {
    restore::RestoreRequest request;
    request.source = {.project = "acme-shop", .dataset = "sales"};
    request.to_project = "acme-scratch";
    const auto plan = restore::PlanRestore(request, fixture_.restore_services());
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    const auto report = restore::Apply(request, *plan, fixture_.restore_services());
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_TRUE(report->Succeeded()) << DumpJson(report->ToJson());
    for (TableRef table : {kSold, kDaily}) {
      const sim::Rows before = fixture_.cloud().ReadRows(table);
      table.project = "acme-scratch";
      EXPECT_EQ(fixture_.cloud().ReadRows(table), before) << table.ToString();
    }
    EXPECT_TRUE(fixture_.cloud().HasTable({"acme-scratch", "sales", "latest", ""}));
  }

  SimFixture fixture_;
  BackupPolicy policy_;
};

// How many calls a run makes.
int64_t Sweep(Method method, Kind kind) {
  for (int64_t call = 1;; ++call) {
    bool reached = false;
    for (const bool after_effect : {false, true}) {
      SCOPED_TRACE(testing::Message() << "call " << call << (after_effect ? " after" : " before"));
      SweepWorld world(method);
      reached = world.BackUpBadly(call, kind, after_effect);
      world.GoOnAndCheck();
      if (testing::Test::HasFailure()) return call;
    }
    if (!reached) return call - 1;
  }
}

// How many writes a run makes.
int64_t SweepFullDisk(Method method, int64_t writes) {
  for (int64_t write = 1;; ++write) {
    SCOPED_TRACE(testing::Message() << "write " << write << ", " << writes << " in all");
    SweepWorld world(method);
    const bool reached = world.BackUpOnAFullDisk(write, writes);
    world.GoOnAndCheck();
    if (!reached || testing::Test::HasFailure()) return write - 1;
  }
}

TEST(FailureSweep, AnyWriteOfTheCatalogMayFindNoSpace) {
  for (const Method method : {Method::kExport, Method::kCopy}) {
    for (const int64_t writes : {1, 2}) ASSERT_GT(SweepFullDisk(method, writes), 10);
  }
}

TEST(FailureSweep, AnyCallOfAnExportMayFail) {
  EXPECT_GT(Sweep(Method::kExport, Kind::kFailure), 80);
}

TEST(FailureSweep, TheProcessMayDieAtAnyCallOfAnExport) {
  EXPECT_GT(Sweep(Method::kExport, Kind::kDeath), 80);
}

TEST(FailureSweep, AnyCallOfACopyMayFail) { EXPECT_GT(Sweep(Method::kCopy, Kind::kFailure), 80); }

TEST(FailureSweep, TheProcessMayDieAtAnyCallOfACopy) {
  EXPECT_GT(Sweep(Method::kCopy, Kind::kDeath), 80);
}

}  // namespace
}  // namespace holdfast::simulation
