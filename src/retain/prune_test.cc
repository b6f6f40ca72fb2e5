#include "retain/prune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "retain/pins.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::retain {
namespace {

using std::chrono::hours;
using testing::HasSubstr;
using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

constexpr hours kDay{24};

// An organization of one table that grows every day, and its backups.
class World {
 public:
  explicit World(uint64_t seed = 1) : fixture_(seed), random_(MakeSeededRandom(seed)) {
    fixture_.cloud().AddProject("acme-shop");
    fixture_.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(0, 5));
  }

  void BackUpDays(int days, Method method = Method::kExport) {
    for (int day = 0; day < days; ++day) {
      fixture_.clock().Advance(kDay);
      if (fixture_.cloud().HasTable(kOrders)) {
        fixture_.cloud().AppendRows(kOrders, NumberedRows(1000 + 10 * rows_++, 2));
      }
      const auto report = fixture_.BackUp({.method = method});
      ASSERT_TRUE(report.ok()) << report.error().ToString();
    }
  }

  Services services() { return services(fixture_.clock()); }
  Services services(Clock& clock) {
    return {.warehouse = fixture_.cloud().warehouse(),
            .objects = fixture_.cloud().objects(),
            .catalog = fixture_.catalog(),
            .clock = clock,
            .random = *random_,
            .policy_of = [this](const TableRef&) -> Result<RetentionPolicy> {
              return RetentionPolicy::FromJson(ParseJson(policy).value());
            }};
  }

  Result<PrunePlan> Plan() {
    return PlanPrune(services(), options, [](const RetentionPlan&) { return Ok(); });
  }

  // One pass, applied.
  Result<PruneReport> Prune() {
    auto plan = Plan();
    if (!plan.ok()) return std::move(plan).error();
    return ApplyPrune(services(), options, *plan);
  }

  // Marks, lets the grace go by (with a run, as every day has one), deletes.
  Result<PruneReport> PruneTwice() {
    auto marked = Prune();
    if (!marked.ok()) return marked;
    fixture_.clock().Advance(options.grace);
    const auto seen = fixture_.BackUp();
    EXPECT_TRUE(seen.ok());
    return Prune();
  }

  // Of the table, the newest first.
  std::vector<catalog::BackupRecord> Records() {
    return fixture_.catalog().FindBackups({.dataset = "sales"}, "")->items;
  }

  repository::Repository OpenRepository() {
    return repository::Repository::Open(fixture_.cloud().objects(), {kBucket, ""}).value();
  }

  std::vector<std::string> ObjectsBelow(const std::string& prefix) {
    std::vector<std::string> names;
    for (const cloud::ObjectInfo& info : fixture_.cloud().AllObjects(kBucket)) {
      if (info.ref.name.starts_with(prefix)) names.push_back(info.ref.name);
    }
    return names;
  }

  // Invariant M1: every manifest that is visible has all its objects, in their generations.
  void CheckManifests() {
    auto repository = OpenRepository();
    int64_t manifests = 0;
    const Status read = ForEachManifest(repository, {}, [&](Result<Manifest> manifest) -> Status {
      EXPECT_TRUE(manifest.ok());
      ++manifests;
      for (const DataObject& object : manifest->objects) {
        const auto info = fixture_.cloud().objects().StatObject({kBucket, object.name, 0});
        EXPECT_TRUE(info.ok() && *info && (*info)->ref.generation == object.generation)
            << manifest->backup << " lacks " << object.name;
      }
      EXPECT_TRUE(!manifest->copy || fixture_.cloud().HasTable(*manifest->copy));
      return Ok();
    });
    EXPECT_TRUE(read.ok());
    EXPECT_GT(manifests, 0);
  }

  SimFixture& fixture() { return fixture_; }
  Random& random() { return *random_; }

  static constexpr const char* kBucket = "acme-shop-holdfast-us";
  std::string policy = R"({"keep_last": 2})";
  PruneOptions options{.removals_max = 100, .share_max = 1};

 private:
  SimFixture fixture_;
  std::unique_ptr<Random> random_;
  int64_t rows_ = 0;
};

TEST(Prune, DeletesWhatIsNotKeptAfterItsGraceAndNotBefore) {
  World world;
  world.BackUpDays(5);
  const auto before = world.Records();
  ASSERT_EQ(before.size(), 5U);

  const auto plan = world.Plan();
  ASSERT_TRUE(plan.ok()) << plan.error().ToString();
  EXPECT_EQ(plan->Count(PruneAction::kMark), 3);
  EXPECT_EQ(plan->kept, 2);
  EXPECT_TRUE(world.ObjectsBelow("tombstones/").empty()) << "a plan writes nothing";

  auto report = world.Prune();
  ASSERT_TRUE(report.ok()) << report.error().ToString();
  EXPECT_EQ(report->Count(PruneAction::kMark, PruneOutcome::kDone), 3);
  EXPECT_EQ(world.ObjectsBelow("tombstones/marked/").size(), 3U);
  EXPECT_EQ(world.Records().size(), 5U);

  world.fixture().clock().Advance(hours{20});
  report = world.Prune();
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->results.empty()) << "the grace is not over";
  EXPECT_EQ(world.Plan()->waiting, 3);

  world.options.grace = hours{20};
  report = world.Prune();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->Count(PruneAction::kDelete, PruneOutcome::kDone), 3);
  EXPECT_EQ(world.ObjectsBelow("manifests/").size(), 2U);
  EXPECT_EQ(world.ObjectsBelow("data/").size(), 2U);
  EXPECT_TRUE(world.ObjectsBelow("tombstones/").empty());
  const auto after = world.Records();
  ASSERT_EQ(after.size(), 2U);
  EXPECT_EQ(after[0], before[0]);
  EXPECT_EQ(after[1], before[1]);
  const auto audit = world.fixture().catalog().ListAudit(0);
  ASSERT_EQ(audit->size(), 3U);
  EXPECT_EQ(audit->front().event.action, "backup.delete");
  world.CheckManifests();
}

TEST(Prune, LooksAgainAtPinsAndHoldsBeforeItDeletes) {
  for (const PinKind kind : {PinKind::kPin, PinKind::kHold}) {
    World world;
    world.BackUpDays(4);
    ASSERT_TRUE(world.Prune().ok());
    auto repository = world.OpenRepository();
    const catalog::BackupRecord pinned = world.Records()[3];
    ASSERT_TRUE(AddPin(repository, pinned, {kind, "audit", "test"}, world.fixture().clock().Now(),
                       world.random())
                    .ok());
    world.options.grace = hours{0};
    // The plan was made before the pin: with the tombstone due and nothing known of a pin.
    auto plan = world.Plan();
    ASSERT_TRUE(plan.ok());
    for (PruneItem& item : plan->items) item.action = PruneAction::kDelete;
    const auto report = ApplyPrune(world.services(), world.options, *plan);
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->Count(PruneAction::kDelete, PruneOutcome::kDone), 1);
    EXPECT_EQ(report->Count(PruneAction::kDelete, PruneOutcome::kKept), 1);
    EXPECT_EQ(world.Records().back(), pinned);
    EXPECT_TRUE(world.ObjectsBelow("tombstones/").empty());

    EXPECT_EQ(*ReleasePins(repository, pinned.backup, kind), 1);
    EXPECT_EQ(*ReleasePins(repository, pinned.backup, kind), 0);
    EXPECT_EQ(world.Plan()->Count(PruneAction::kMark), 1);
  }
}

TEST(Prune, TakesATombstoneAwayWhenThePolicyKeepsTheBackupAfterAll) {
  World world;
  world.BackUpDays(4);
  ASSERT_TRUE(world.Prune().ok());
  world.policy = R"({"keep_last": 3})";
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->Count(PruneAction::kUnmark, PruneOutcome::kDone), 1);
  EXPECT_EQ(world.ObjectsBelow("tombstones/").size(), 1U);
}

TEST(Prune, DeletesTheTableOfACopy) {
  World world;
  world.BackUpDays(3, Method::kCopy);
  world.options.grace = hours{0};
  world.policy = R"({"keep_last": 1})";
  auto repository = world.OpenRepository();
  const auto records = world.Records();
  const TableRef gone = *repository.ReadManifest(records[2].object, records[2].backup)->copy;
  const TableRef touched = *repository.ReadManifest(records[1].object, records[1].backup)->copy;
  ASSERT_TRUE(world.Prune().ok());
  world.fixture().clock().Advance(hours{1});
  world.fixture().cloud().AppendRows(touched, NumberedRows(7, 1));
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->Count(PruneAction::kDelete, PruneOutcome::kDone), 1);
  EXPECT_FALSE(world.fixture().cloud().HasTable(gone));
  ASSERT_EQ(report->Count(PruneAction::kDelete, PruneOutcome::kFailed), 1);
  EXPECT_TRUE(world.fixture().cloud().HasTable(touched)) << "it is not the copy that was made";
  EXPECT_TRUE(repository.HasManifest(records[1].object, records[1].backup).value());
  world.CheckManifests();
}

TEST(Prune, ReportsWhatABucketRetains) {
  World world;
  ASSERT_TRUE(world.fixture()
                  .cloud()
                  .objects()
                  .EnsureBucket({.name = World::kBucket,
                                 .project = "acme-shop",
                                 .location = "US",
                                 .retention_seconds = 86'400 * 30})
                  .ok());
  world.BackUpDays(3);
  world.options.grace = hours{0};
  ASSERT_TRUE(world.Prune().ok());
  world.fixture().clock().Advance(hours{1});
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok()) << report.error().ToString();
  ASSERT_EQ(report->results.size(), 1U);
  EXPECT_EQ(report->results[0].outcome, PruneOutcome::kRetained);
  EXPECT_EQ(report->results[0].error->id, ErrorId::kObjectRetained);
  world.CheckManifests();
}

TEST(Prune, IsCappedByCountAndByShare) {
  World world;
  world.BackUpDays(8);
  world.options.removals_max = 4;
  EXPECT_EQ(world.Plan()->Count(PruneAction::kMark), 4);
  EXPECT_EQ(world.Plan()->deferred, 2);
  world.options.share_max = 0.25;
  EXPECT_EQ(world.Plan()->Count(PruneAction::kMark), 2);
  EXPECT_EQ(world.Plan()->deferred, 4);
  world.options.share_max = 0;
  EXPECT_EQ(world.Plan()->Count(PruneAction::kMark), 1) << "or it would never end";
}

TEST(Prune, RefusesWhenTheClockJumped) {
  World world;
  world.BackUpDays(4);
  const auto prune_at = [&](hours ahead, bool accept) {
    VirtualClock clock(world.fixture().clock().Now() + ahead);
    world.options.accept_clock = accept;
    const Services services = world.services(clock);
    const auto plan = PlanPrune(services, world.options, [](const RetentionPlan&) { return Ok(); });
    return ApplyPrune(services, world.options, *plan);
  };
  for (const hours ahead : {hours{-2}, hours{25}}) {
    const auto refused = prune_at(ahead, false);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().id, ErrorId::kClockJumped);
  }
  const auto elsewhere = prune_at(hours{25}, true);
  ASSERT_FALSE(elsewhere.ok()) << "the store's clock tells another time";
  EXPECT_EQ(elsewhere.error().id, ErrorId::kClockJumped);
  EXPECT_TRUE(world.ObjectsBelow("tombstones/").empty());
  EXPECT_TRUE(prune_at(hours{23}, false).ok());

  world.fixture().clock().Advance(hours{100});  // everyone's clock: nothing ran for long
  EXPECT_FALSE(prune_at(hours{0}, false).ok());
  EXPECT_TRUE(prune_at(hours{0}, true).ok());
}

TEST(Prune, KeepsWhatIsLeftOfASourceUntilItIsGoneForItsGrace) {
  World world;
  world.policy = R"({"keep_last": 2, "deleted_source": {"grace": "5d"}})";
  world.fixture().cloud().AddTable({"acme-shop", "sales", "other", ""}, TwoColumns(),
                                   NumberedRows(0, 3));
  world.BackUpDays(2);
  world.fixture().cloud().DropTable(kOrders);
  const auto marks_of_orders = [&] {
    const auto plan = world.Plan();
    return std::ranges::count_if(plan->items,
                                 [](const PruneItem& item) { return item.object == kOrders; });
  };
  world.BackUpDays(4);
  EXPECT_EQ(marks_of_orders(), 0);
  world.BackUpDays(2);
  EXPECT_EQ(marks_of_orders(), 2);
  world.fixture().cloud().faults().DenyAccess("acme-shop");
  EXPECT_EQ(marks_of_orders(), 0) << "what cannot be seen may be there";
  EXPECT_GT(world.Plan()->problem_count, 0);
  world.fixture().cloud().faults().AllowAccess("acme-shop");
  world.fixture().cloud().AddTable(kOrders, TwoColumns(), NumberedRows(0, 5));
  EXPECT_EQ(marks_of_orders(), 0) << "it was made anew";
}

TEST(Prune, KeepsEverythingWhenTheNewestGoodBackupIsNotThere) {
  World world;
  world.options.grace = hours{0};
  world.BackUpDays(4);
  ASSERT_TRUE(world.Prune().ok());
  const catalog::BackupRecord newest = world.Records()[0];
  world.fixture().cloud().RemoveObject(
      {World::kBucket, repository::ManifestName("", newest.object, newest.backup), 0});
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->Count(PruneAction::kDelete, PruneOutcome::kFailed), 2);
  EXPECT_EQ(report->results[0].error->id, ErrorId::kRetainInDoubt);
  EXPECT_EQ(world.Records().size(), 4U);
  EXPECT_TRUE(world.ObjectsBelow("tombstones/deleting/").empty()) << "it can be pinned";
}

TEST(Prune, TrustsNoTombstoneThatNamesOtherData) {
  World world;
  world.options.grace = hours{0};
  world.BackUpDays(3);
  auto repository = world.OpenRepository();
  const auto records = world.Records();
  Tombstone forged = MakeTombstone(
      repository.ReadManifest(records[2].object, records[2].backup).value(), 1, Timestamp{}, {});
  forged.data.push_back(
      {World::kBucket,
       repository.ReadManifest(records[0].object, records[0].backup)->objects[0].name, 1'000'010});
  ASSERT_TRUE(WriteTombstone(repository, forged).ok());
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->results.size(), 1U);
  EXPECT_EQ(report->results[0].error->id, ErrorId::kTombstoneDamaged);
  EXPECT_EQ(world.ObjectsBelow("data/").size(), 3U);
}

TEST(Pins, ComeTooLateOnceTheDeletionHasBegun) {
  World world;
  world.BackUpDays(2);
  auto repository = world.OpenRepository();
  const auto records = world.Records();
  const auto pin = [&](const catalog::BackupRecord& record) {
    return AddPin(repository, record, {PinKind::kPin, "", ""}, world.fixture().clock().Now(),
                  world.random());
  };
  ASSERT_TRUE(WriteIntent(repository, records[1].backup).ok());
  EXPECT_EQ(pin(records[1]).error().id, ErrorId::kBackupBeingRemoved);
  catalog::BackupRecord gone = records[0];
  gone.backup = "20200101T000000Z-00000000000000000000";
  EXPECT_EQ(pin(gone).error().id, ErrorId::kManifestNotFound);
  EXPECT_TRUE(world.ObjectsBelow("pins/").empty());
  ASSERT_TRUE(pin(records[0]).ok());
  ASSERT_TRUE(pin(records[0]).ok());
  EXPECT_EQ(ListPins(repository)->at(records[0].backup).pins, 2);
}

TEST(Tombstone, ComesBackFromItsJsonAndIsStrict) {
  const Tombstone tombstone{.backup = "b1",
                            .object = {"p", "d", "t", "20260101"},
                            .manifest_generation = 7,
                            .data = {{"bucket", "data/x", 3}},
                            .copy = TableRef{"p", "c", "t_b1_1", ""},
                            .copy_modified_ms = 9,
                            .attempt = 2,
                            .bytes = 5,
                            .marked_ms = 6,
                            .reasons = {"why"}};
  const Json json = tombstone.ToJson();
  EXPECT_EQ(Tombstone::FromJson(json)->ToJson(), json);
  for (const char* member :
       {"format_version", "backup", "object", "manifest_generation", "data", "reasons"}) {
    Json without = json;
    without.erase(member);
    EXPECT_FALSE(Tombstone::FromJson(without).ok()) << member;
  }
  Json live = json;
  live["data"][0]["generation"] = 0;
  EXPECT_FALSE(Tombstone::FromJson(live).ok()) << "it would name whatever is there";
}

}  // namespace
}  // namespace holdfast::retain
