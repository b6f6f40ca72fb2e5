#include "restore/load.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>

#include "tests/support/restore_fixture.h"

namespace holdfast::restore {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using testing_support::kDays;
using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::TwoColumns;

Schema Days() {
  return {
      {{.name = "day", .type = FieldType::kDate}, {.name = "what", .type = FieldType::kString}}};
}

Manifest PartitionManifest(const std::string& partition) {
  Manifest manifest;
  manifest.object = kDays.WithPartition(partition);
  manifest.objects.resize(1);
  return manifest;
}

TEST(GroupLoads, LoadsColumnPartitionsTogetherAndIngestionTimeOnesApart) {
  const std::vector<Manifest> manifests = {PartitionManifest("20260101"),
                                           PartitionManifest("20260102")};
  const auto together =
      GroupLoads(kDays, {.kind = Partitioning::Kind::kDay, .field = "day"}, manifests);
  ASSERT_EQ(together.size(), 1u);
  EXPECT_EQ(together[0].destination, kDays);
  const auto apart = GroupLoads(kDays, {.kind = Partitioning::Kind::kDay, .field = ""}, manifests);
  ASSERT_EQ(apart.size(), 2u);
  EXPECT_EQ(apart[1].destination, kDays.WithPartition("20260102"));
}

TEST(GroupLoads, LoadsBackupsOfOneSchemaTogether) {
  std::vector<Manifest> manifests = {PartitionManifest("20260101"), PartitionManifest("20260102"),
                                     PartitionManifest("20260103")};
  manifests[0].schema = manifests[2].schema = TwoColumns();
  manifests[1].schema = Days();
  const auto groups =
      GroupLoads(kDays, {.kind = Partitioning::Kind::kDay, .field = "day"}, manifests);
  ASSERT_EQ(groups.size(), 2u);
  ASSERT_THAT(groups[0].parts, SizeIs(2));
  EXPECT_EQ(groups[0].parts[0].manifest, &manifests[0]);
  EXPECT_EQ(groups[0].parts[1].manifest, &manifests[2]);
  ASSERT_THAT(groups[1].parts, SizeIs(1));
  EXPECT_EQ(groups[1].parts[0].manifest, &manifests[1]);
}

TEST(GroupLoads, StaysWithinTheUrisOfOneJob) {
  std::vector<Manifest> manifests(3, PartitionManifest("20260101"));
  for (Manifest& manifest : manifests) manifest.objects.resize(kLoadUrisMax / 2);
  const auto groups =
      GroupLoads(kDays, {.kind = Partitioning::Kind::kDay, .field = "day"}, manifests);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].parts.size(), 2u);
}

// The objects of each job, all parts together.
std::vector<size_t> ObjectsOf(const std::vector<LoadGroup>& groups) {
  std::vector<size_t> counts;
  for (const LoadGroup& group : groups) {
    size_t count = 0;
    for (const LoadPart& part : group.parts) count += part.objects.size();
    counts.push_back(count);
  }
  return counts;
}

TEST(GroupLoads, SpreadsABackupOfMoreObjectsThanAJobTakesOverSeveralJobs) {
  std::vector<Manifest> manifests = {PartitionManifest("20260101"), PartitionManifest("20260102")};
  manifests[0].objects.resize(2 * kLoadUrisMax + 5);
  manifests[1].objects.resize(7);
  const auto by_column =
      GroupLoads(kDays, {.kind = Partitioning::Kind::kDay, .field = "day"}, manifests);
  EXPECT_THAT(ObjectsOf(by_column), ElementsAre(kLoadUrisMax, kLoadUrisMax, 12));
  const auto by_ingestion_time =
      GroupLoads(kDays, {.kind = Partitioning::Kind::kDay, .field = ""}, manifests);
  ASSERT_THAT(ObjectsOf(by_ingestion_time), ElementsAre(kLoadUrisMax, kLoadUrisMax, 5, 7));
  EXPECT_EQ(by_ingestion_time[2].destination, kDays.WithPartition("20260101"));
  EXPECT_EQ(by_ingestion_time[3].destination, kDays.WithPartition("20260102"));
  // Each object once, in order.
  EXPECT_EQ(by_ingestion_time[1].parts[0].objects.data(), &manifests[0].objects[kLoadUrisMax]);
  EXPECT_EQ(by_ingestion_time[2].parts[0].objects.data(), &manifests[0].objects[2 * kLoadUrisMax]);
}

TEST(GroupLoads, LoadsABackupThatIsACopyInOneJob) {
  std::vector<Manifest> manifests(2);
  for (Manifest& manifest : manifests) manifest.copy = kOrders;
  const auto groups = GroupLoads(kDays, {}, manifests);
  ASSERT_THAT(groups, SizeIs(2));
  EXPECT_THAT(groups[0].parts, SizeIs(1));
}

TEST(SchemaToLoad, IsTheTargetsWhereTheBackupsColumnsAreAmongIts) {
  const Schema old{{{.name = "a", .type = FieldType::kInt64},
                    {.name = "r",
                     .type = FieldType::kRecord,
                     .fields = {{.name = "x", .type = FieldType::kString}}}}};
  Schema wider = old;
  wider.fields.push_back({.name = "b", .type = FieldType::kString});
  wider.fields[1].fields.push_back({.name = "y", .type = FieldType::kString});
  Schema retyped = old;
  retyped.fields[1].fields[0].type = FieldType::kBytes;
  Schema repeated = old;
  repeated.fields[0].mode = FieldMode::kRepeated;
  EXPECT_EQ(SchemaToLoad(old, wider), wider);
  EXPECT_EQ(SchemaToLoad(wider, old), wider);
  EXPECT_EQ(SchemaToLoad(old, retyped), old);
  EXPECT_EQ(SchemaToLoad(old, repeated), old);
}

// A cloud in which every row is an object of its own.
class ManyObjects : public testing::Test {
 protected:
  static constexpr size_t kRows = kLoadUrisMax + 2;

  void SetUp() override {
    cloud_.AddTable(kOrders, TwoColumns(), NumberedRows(1, kRows));
    ASSERT_TRUE(
        cloud_.objects().EnsureBucket({.name = "b", .project = "p", .location = "US"}).ok());
    const auto extracted =
        cloud::RunJob(cloud_.warehouse(), clock_, {kOrders.project, "US", "extract"},
                      cloud::ExtractJob{.source = kOrders, .destination_uri = "gs://b/*.avro"},
                      [] { return Status(); });
    ASSERT_TRUE(extracted.ok()) << extracted.error().message;
    Manifest manifest;
    manifest.object = kOrders;
    manifest.bucket = "b";
    manifest.schema = TwoColumns();
    for (const auto& object : cloud_.AllObjects("b")) {
      manifest.objects.push_back({.name = object.ref.name});
    }
    ASSERT_EQ(manifest.objects.size(), kRows);
    manifests_ = {manifest};
  }

  // A new table to fill, of the restore of that name.
  OwnedTable NewTarget(const std::string& name) {
    const TableRef target{kOrders.project, kOrders.dataset, name, ""};
    cloud_.AddTable(target, TwoColumns(), {});
    return {.table = cloud_.warehouse().GetTable(target).value(), .restore_id = name};
  }

  Status Fill(const OwnedTable& owned) {
    FillProgress progress;
    return Fill(owned, progress);
  }

  Status Fill(const OwnedTable& owned, FillProgress& progress) {
    const Services services{.warehouse = cloud_.warehouse(),
                            .definitions = cloud_.definitions(),
                            .objects = cloud_.objects(),
                            .catalog = *catalog_,
                            .clock = clock_,
                            .random = *random_,
                            .staging_bucket_pattern = "staging"};
    return FillTarget(services, owned, manifests_, progress);
  }

  VirtualClock clock_{FromUnixMillis(1'790'000'000'000)};
  sim::SimCloud cloud_{clock_, {.job_duration = {}, .rows_per_object = 1}};
  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  std::unique_ptr<catalog::Catalog> catalog_ = catalog::SqliteCatalog::Open(":memory:").value();
  std::vector<Manifest> manifests_;
};

TEST_F(ManyObjects, AreLoadedOnceEachWhereverTheProcessDied) {
  const OwnedTable undisturbed = NewTarget("undisturbed");
  const int64_t before = cloud_.faults().calls();
  ASSERT_TRUE(Fill(undisturbed).ok());
  const int64_t calls = cloud_.faults().calls() - before;
  ASSERT_EQ(cloud_.JobsStarted("load"), 2);
  // The second half of the calls is the second job's.
  for (int64_t call = calls / 2 + 1; call <= calls; ++call) {
    for (const bool after_effect : {false, true}) {
      const int64_t started = cloud_.JobsStarted("load");
      const OwnedTable owned = NewTarget(fmt::format("t{}{}", call, after_effect));
      cloud_.faults().CrashAtCall(call, after_effect);
      ASSERT_FALSE(Fill(owned).ok());
      cloud_.faults().Revive();
      ASSERT_TRUE(Fill(owned).ok());
      EXPECT_EQ(cloud_.JobsStarted("load") - started, 2);
      const sim::Rows rows = cloud_.ReadRows(owned.table.ref);
      EXPECT_EQ(rows.size(), kRows) << "call " << call;
      EXPECT_EQ(std::set<Json>(rows.begin(), rows.end()).size(), kRows) << "call " << call;
    }
  }
}

// Ids of jobs follow from the target's label, so one that stays keeps the ids that failed.
TEST_F(ManyObjects, AreLoadedOnceEachAfterJobsThatFailedForAProcessBefore) {
  const OwnedTable owned = NewTarget("again");
  for (int64_t failed = 1; failed <= 3; ++failed) {
    cloud_.faults().FailJobs("load", "quotaExceeded", 1);
    ASSERT_FALSE(Fill(owned).ok());
    EXPECT_EQ(cloud_.JobsStarted("load"), failed);
  }
  const Status filled = Fill(owned);
  ASSERT_TRUE(filled.ok()) << filled.error().message;
  EXPECT_EQ(cloud_.JobsStarted("load"), 3 + 2);
  const sim::Rows rows = cloud_.ReadRows(owned.table.ref);
  EXPECT_EQ(rows.size(), kRows);
  EXPECT_EQ(std::set<Json>(rows.begin(), rows.end()).size(), kRows);
}

// Who takes a target away must know that nothing will be written to it any more.
TEST_F(ManyObjects, ATargetIsNotDoneWithUntilItsJobIsKnownToBe) {
  const struct {
    const char* what;
    std::function<void(sim::FaultPlan& faults)> break_it;
    bool may_run;
  } cases[] = {
      {"nothing", [](sim::FaultPlan&) {}, false},
      {"the job failed", [](sim::FaultPlan& f) { f.FailJobs("load", "invalid", 1); }, false},
      {"it was refused", [](sim::FaultPlan& f) { f.DenyAccess(kOrders.project); }, false},
      {"the call was lost", [](sim::FaultPlan& f) { f.SetRates({.reset_before = 1}); }, true},
      {"the answer was lost", [](sim::FaultPlan& f) { f.SetRates({.reset_after = 1}); }, true},
      {"nobody tells how it stands", [](sim::FaultPlan& f) { f.CrashAtCall(2); }, true},
      {"it was the second job", [](sim::FaultPlan& f) { f.CrashAtCall(3, true); }, true}};
  int number = 0;
  for (const auto& [what, break_it, may_run] : cases) {
    const OwnedTable owned = NewTarget(fmt::format("t{}", ++number));
    FillProgress progress;
    break_it(cloud_.faults());
    EXPECT_EQ(Fill(owned, progress).ok(), std::string_view(what) == "nothing") << what;
    EXPECT_EQ(progress.job_may_run, may_run) << what;
    cloud_.faults().SetRates({});
    cloud_.faults().AllowAccess(kOrders.project);
    cloud_.faults().Revive();
  }
}

}  // namespace
}  // namespace holdfast::restore
