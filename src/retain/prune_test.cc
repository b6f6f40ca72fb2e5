#include "retain/prune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "backup/rebuild.h"
#include "model/ids.h"
#include "retain/prune_world_for_test.h"
#include "tests/support/watched_catalog.h"
#include "verify/verify_recorded.h"

namespace holdfast::retain {
namespace {

using std::chrono::hours;
using testing::HasSubstr;
using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::TwoColumns;

TEST(Prune, DeletesWhatIsNotKeptAfterItsGraceAndNotBefore) {
  PruneWorld world;
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

// The evidence of a verification outlives its backup.
TEST(Prune, WhatItDeletedIsNotCalledLostWhenTheCatalogIsRebuilt) {
  PruneWorld world;
  world.BackUpDays(4);
  const backup::Services mine = world.fixture().services();
  const verify::Services services{mine.warehouse, mine.objects, mine.catalog,
                                  mine.clock,     mine.random,  "staging"};
  for (const catalog::BackupRecord& record : world.Records()) {
    ASSERT_TRUE(verify::VerifyRecorded(services, record, VerifyLevel::kL1).ok());
  }
  ASSERT_TRUE(world.Prune().ok());
  world.options.grace = hours{0};
  ASSERT_EQ(world.Prune()->Count(PruneAction::kDelete, PruneOutcome::kDone), 2);
  // One that nobody pruned.
  const std::string lost = world.ObjectsBelow("manifests/").front();
  world.fixture().cloud().RemoveObject({PruneWorld::kBucket, lost, 0});
  world.fixture().LoseCatalog();
  const auto rebuilt = backup::RebuildFrom(world.fixture().services(), {{PruneWorld::kBucket, ""}});
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.error().ToString();
  EXPECT_EQ(rebuilt->manifests, 1);
  ASSERT_EQ(rebuilt->damaged, 1) << "the one that is lost, and none that was pruned";
}

TEST(Prune, TakesATombstoneAwayWhenThePolicyKeepsTheBackupAfterAll) {
  PruneWorld world;
  world.BackUpDays(4);
  ASSERT_TRUE(world.Prune().ok());
  world.policy = R"({"keep_last": 3})";
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->Count(PruneAction::kUnmark, PruneOutcome::kDone), 1);
  EXPECT_EQ(world.ObjectsBelow("tombstones/").size(), 1U);
}

TEST(Prune, DeletesTheTableOfACopy) {
  PruneWorld world;
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

TEST(Prune, DeletesASnapshot) {
  PruneWorld world;
  world.BackUpDays(2, Method::kSnapshot);
  world.options.grace = hours{0};
  world.policy = R"({"keep_last": 1})";
  const auto records = world.Records();
  auto repository = world.OpenRepository();
  const TableRef kept = *repository.ReadManifest(records[0].object, records[0].backup)->copy;
  const TableRef gone = *repository.ReadManifest(records[1].object, records[1].backup)->copy;
  ASSERT_TRUE(world.Prune().ok());
  ASSERT_TRUE(world.Prune().ok());
  EXPECT_FALSE(world.fixture().cloud().HasTable(gone));
  EXPECT_TRUE(world.fixture().cloud().HasTable(kept));
}

// What is kept of one method is not in the place of what is kept of the other.
TEST(Prune, KeepsOfEachMethodWhatThePolicySays) {
  PruneWorld world;
  world.BackUpDays(3, Method::kExport);
  world.BackUpDays(3, Method::kSnapshot);
  world.options.grace = hours{0};
  world.options.share_max = 1;
  world.policy = R"({"keep_last": 2})";
  EXPECT_EQ(world.Plan()->Count(PruneAction::kMark), 2) << "the oldest of each";
  ASSERT_TRUE(world.Prune().ok());
  ASSERT_TRUE(world.Prune().ok());
  std::vector<Method> left;
  for (const auto& record : world.Records()) left.push_back(record.method);
  EXPECT_EQ(left, (std::vector<Method>{Method::kSnapshot, Method::kSnapshot, Method::kExport,
                                       Method::kExport}));
}

// One that nobody has read takes no place of one that was.
TEST(Prune, CountsNoBackupAsGoodThatWasNotVerified) {
  PruneWorld world;
  world.BackUpDays(3);
  world.policy = R"({"keep_last": 1})";
  catalog::BackupRecord unread = world.Records()[0];
  unread.backup = "20991231T000000Z-00000000000000000000";
  unread.verified = VerifyLevel::kNone;
  unread.verified_ms = 0;
  ++unread.created_ms;
  ++unread.consistent_through_ms;
  ASSERT_TRUE(world.fixture().catalog().RecordBackup(unread).ok());
  EXPECT_EQ(world.Records()[0].backup, unread.backup);
  EXPECT_EQ(world.Plan()->Count(PruneAction::kMark), 2) << "the newest that was verified stays";
}

TEST(Prune, ReportsWhatABucketRetains) {
  PruneWorld world;
  ASSERT_TRUE(world.fixture()
                  .cloud()
                  .objects()
                  .EnsureBucket({.name = PruneWorld::kBucket,
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
  PruneWorld world;
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

TEST(Prune, PlansEachObjectBeforeItReadsOn) {
  PruneWorld world;
  world.BackUpDays(1);
  const catalog::BackupRecord like = world.Records().at(0);
  constexpr int64_t kEach = 50;
  constexpr int64_t kObjects = 60;
  testing_support::WatchedSession session;
  testing_support::WatchedCatalog many(session);
  for (int64_t i = 0; i < kObjects * kEach; ++i) {
    catalog::BackupRecord record = like;
    record.backup = "b" + std::to_string(i);
    record.object.table = "t" + std::to_string(i % kObjects);
    ASSERT_TRUE(many.RecordBackup(record).ok());
  }
  const Services mine = world.services();
  const Services services{mine.warehouse, mine.definitions, mine.objects,  many,
                          mine.clock,     mine.random,      mine.policy_of};
  int64_t seen = 0;
  const auto plan = PlanPrune(services, world.options, [&](const RetentionPlan& of) {
    seen += static_cast<int64_t>(of.verdicts.size());
    // What was read is at most the page of the next object's first record.
    EXPECT_LE(session.pages, seen / 1'000 + 1);
    return Ok();
  });
  ASSERT_TRUE(plan.ok()) << plan.error().ToString();
  EXPECT_EQ(seen, kObjects * kEach);
  EXPECT_EQ(plan->backups, kObjects * kEach);
  EXPECT_EQ(session.pages, 4) << "three full ones, and the empty one by which the end is seen";
  EXPECT_EQ(plan->items.size(), 100U) << "the cap of a pass, however much there is to remove";
}

TEST(Prune, RefusesWhenTheClockJumped) {
  PruneWorld world;
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
  PruneWorld world;
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

TEST(Prune, KnowsWhenARoutineOrADatasetIsGone) {
  PruneWorld world;
  world.policy = R"({"keep_last": 2, "deleted_source": {"grace": "5d"}})";
  auto& cloud = world.fixture().cloud();
  const TableRef other{"acme-shop", "stock", "items", ""};
  const DatasetRef stock = other.dataset_ref();
  cloud.AddTable(other, TwoColumns(), NumberedRows(0, 3));
  cloud.PutRoutine(stock, "gone", "1");
  cloud.PutRoutine(kOrders.dataset_ref(), "stays", "2");
  ASSERT_TRUE(world.fixture().BackUp().ok());
  cloud.DropDataset(stock);
  const auto marked = [&] {
    std::set<std::string> names;
    const auto plan = world.Plan();
    EXPECT_TRUE(plan.ok());
    for (const PruneItem& item : plan->items) names.insert(item.object.ToString());
    return names;
  };
  world.fixture().clock().Advance(hours{24});
  ASSERT_TRUE(world.fixture().BackUp().ok());
  EXPECT_TRUE(marked().empty()) << "the grace begins with the run that misses them";
  world.fixture().clock().Advance(hours{24} * 6);
  ASSERT_TRUE(world.fixture().BackUp().ok());
  EXPECT_EQ(marked(), (std::set<std::string>{other.ToString(), DatasetObject(stock).ToString(),
                                             RoutineObject(stock, "gone").ToString()}));
}

// Somebody else's catalog still has what a prune of ours deleted.
TEST(Prune, TellsOtherCatalogsWhatItDeleted) {
  PruneWorld world;
  world.options.grace = hours{0};
  world.BackUpDays(4);
  auto& fixture = world.fixture();
  const auto other = catalog::SqliteCatalog::Open(":memory:").value();
  const backup::Services mine = fixture.services();
  const backup::Services theirs{mine.warehouse,   mine.definitions, mine.objects, mine.projects,
                                *other,           mine.clock,       mine.random,  mine.organization,
                                mine.tool_version};
  const std::vector<repository::Location> places{{PruneWorld::kBucket, ""}};
  ASSERT_TRUE(backup::RebuildFrom(theirs, places).ok());
  ASSERT_EQ(other->FindBackups({.table = "orders"}, "")->items.size(), 4U);

  ASSERT_TRUE(world.Prune().ok());
  ASSERT_EQ(world.Prune()->Count(PruneAction::kDelete, PruneOutcome::kDone), 2);

  EXPECT_EQ(backup::ForgetPruned(theirs, {}).value(), 2);
  EXPECT_EQ(other->FindBackups({.table = "orders"}, "")->items.size(), 2U);
  EXPECT_EQ(backup::ForgetPruned(theirs, {}).value(), 0);

  const auto rebuilt = backup::RebuildFrom(theirs, places);
  ASSERT_TRUE(rebuilt.ok());
  EXPECT_EQ(rebuilt->damaged, 0) << rebuilt->problems.front().message;
}

// What was copied into a further repository is there, whatever was pruned in the first.
TEST(Prune, SaysNothingOfABackupThatLiesElsewhere) {
  PruneWorld world;
  world.BackUpDays(1);
  auto& fixture = world.fixture();
  const catalog::BackupRecord here = world.Records()[0];
  catalog::BackupRecord elsewhere = here;
  elsewhere.bucket = "another-bucket";
  const auto other = catalog::SqliteCatalog::Open(":memory:").value();
  const backup::Services mine = fixture.services();
  const backup::Services theirs{mine.warehouse,   mine.definitions, mine.objects, mine.projects,
                                *other,           mine.clock,       mine.random,  mine.organization,
                                mine.tool_version};
  ASSERT_TRUE(other->RecordBackup(elsewhere).ok());
  catalog::BackupRecord neighbour = here;
  neighbour.backup = "20200101T000000Z-00000000000000000000";
  neighbour.object.table = "neighbour";
  ASSERT_TRUE(other->RecordBackup(neighbour).ok());
  ASSERT_TRUE(
      world.OpenRepository()
          .WriteEvidence(repository::kPrunedEvidence, here.backup, {{"backup", here.backup}})
          .ok());
  EXPECT_EQ(backup::ForgetPruned(theirs, {}).value(), 0);
  EXPECT_TRUE(catalog::GetBackup(*other, here.backup).ok());
}

TEST(Prune, NotesABackupThatIsLost) {
  PruneWorld world;
  world.BackUpDays(4);
  const catalog::BackupRecord oldest = world.Records()[3];
  world.fixture().cloud().RemoveObject(
      {PruneWorld::kBucket, repository::ManifestName("", oldest.object, oldest.backup), 0});
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->Count(PruneAction::kMark, PruneOutcome::kFailed), 1);
  EXPECT_TRUE(catalog::GetBackup(world.fixture().catalog(), oldest.backup)->damaged);
}

TEST(Prune, KeepsEverythingWhenTheNewestGoodBackupIsNotThere) {
  PruneWorld world;
  world.options.grace = hours{0};
  world.BackUpDays(4);
  ASSERT_TRUE(world.Prune().ok());
  const catalog::BackupRecord newest = world.Records()[0];
  world.fixture().cloud().RemoveObject(
      {PruneWorld::kBucket, repository::ManifestName("", newest.object, newest.backup), 0});
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->Count(PruneAction::kDelete, PruneOutcome::kFailed), 2);
  EXPECT_EQ(report->results[0].error->id, ErrorId::kRetainInDoubt);
  EXPECT_EQ(world.Records().size(), 4U);
  EXPECT_TRUE(world.ObjectsBelow("tombstones/deleting/").empty()) << "it can be pinned";
}

// What policy hid was not looked for: it may have been there until yesterday.
TEST(Prune, CountsTheGraceFromTheFirstRunThatMissedTheSource) {
  PruneWorld world;
  world.policy = R"({"keep_last": 1, "deleted_source": {"grace": "30d"}})";
  auto& fixture = world.fixture();
  fixture.cloud().AddTable({"acme-shop", "other", "x", ""}, TwoColumns(), NumberedRows(0, 1));
  const auto marks_of_orders = [&] {
    const auto plan = world.Plan();
    EXPECT_TRUE(plan.ok());
    return std::ranges::count_if(plan->items,
                                 [](const PruneItem& item) { return item.object == kOrders; });
  };
  const BackupPolicy narrow{.scope = {.include = {"acme-shop.other"}, .exclude = {}}};
  world.BackUpDays(1);
  fixture.clock().Advance(hours{24} * 60);
  ASSERT_TRUE(fixture.BackUp(narrow).ok());
  fixture.cloud().DropTable(kOrders);
  EXPECT_EQ(marks_of_orders(), 0) << "no run has looked for it since";
  ASSERT_TRUE(fixture.BackUp().ok());
  EXPECT_EQ(marks_of_orders(), 0) << "the first run that missed it";
  fixture.clock().Advance(hours{24} * 29);
  ASSERT_TRUE(fixture.BackUp().ok());
  EXPECT_EQ(marks_of_orders(), 0);
  fixture.clock().Advance(hours{24} * 2);
  ASSERT_TRUE(fixture.BackUp().ok());
  EXPECT_EQ(marks_of_orders(), 1);
}

// A run that was cut short may not have come to it, and one that could not look into the dataset
// did not.
TEST(Prune, CountsNoRunAsOneThatMissedTheSourceWhichDidNotLook) {
  PruneWorld world;
  world.policy = R"({"keep_last": 1, "deleted_source": {"grace": "30d"}})";
  auto& fixture = world.fixture();
  fixture.cloud().AddTable({"acme-shop", "other", "x", ""}, TwoColumns(), NumberedRows(0, 1));
  const auto marks_of_orders = [&] {
    const auto plan = world.Plan();
    return std::ranges::count_if(plan->items,
                                 [](const PruneItem& item) { return item.object == kOrders; });
  };
  world.BackUpDays(1);
  fixture.cloud().DropTable(kOrders);
  fixture.cloud().faults().DenyAccess("acme-shop.sales");
  for (int run = 0; run < 2; ++run) {
    fixture.clock().Advance(hours{24} * 31);
    ASSERT_TRUE(fixture.BackUp().ok());
  }
  fixture.cloud().faults().AllowAccess("acme-shop.sales");
  EXPECT_EQ(marks_of_orders(), 0) << "no run could look";
  const int64_t cut_short_ms = ToUnixMillis(fixture.clock().Now()) + 1;
  fixture.clock().Advance(hours{24} * 31);
  ASSERT_TRUE(fixture.BackUp().ok());
  ASSERT_TRUE(fixture.catalog()
                  .BeginRun({.id = NewRunId(FromUnixMillis(cut_short_ms), world.random()),
                             .started_ms = cut_short_ms,
                             .policy = {}})
                  .ok());
  EXPECT_EQ(marks_of_orders(), 0) << "one run looked just now, the other did not end";
}

// A backup whose manifest is deleted already is none: to unmark it would let it count as one.
TEST(Prune, FinishesADeletionThatWasBegunWhateverRetentionSaysByThen) {
  PruneWorld world;
  world.options.grace = hours{0};
  world.BackUpDays(4);
  ASSERT_TRUE(world.Prune().ok());
  const catalog::BackupRecord begun = world.Records()[2];
  world.fixture().cloud().RemoveObject(
      {PruneWorld::kBucket, repository::ManifestName("", begun.object, begun.backup), 0});
  world.policy = R"({"keep_last": 4})";
  const auto first = world.Prune();
  ASSERT_TRUE(first.ok()) << first.error().ToString();
  EXPECT_EQ(first->Count(PruneAction::kDelete, PruneOutcome::kDone), 1);
  EXPECT_EQ(first->Count(PruneAction::kUnmark, PruneOutcome::kDone), 0);
  const auto second = world.Prune();
  ASSERT_TRUE(second.ok()) << second.error().ToString();
  EXPECT_EQ(second->Count(PruneAction::kUnmark, PruneOutcome::kDone), 1);
  EXPECT_EQ(world.Records().size(), 3U);
  EXPECT_EQ(world.ObjectsBelow("data/").size(), 3U);
  world.CheckManifests();
}

TEST(Pins, ComeTooLateOnceTheDeletionHasBegun) {
  PruneWorld world;
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

TEST(Pins, TellWhoTookThemAndWhy) {
  PruneWorld world;
  world.BackUpDays(1);
  auto repository = world.OpenRepository();
  const catalog::BackupRecord record = world.Records()[0];
  EXPECT_TRUE(ReadPins(repository, record.backup)->empty());
  ASSERT_TRUE(AddPin(repository, record, {PinKind::kHold, "the \"audit\"", "cli:alice"},
                     world.fixture().clock().Now(), world.random())
                  .ok());
  const auto pins = ReadPins(repository, record.backup);
  ASSERT_TRUE(pins.ok());
  ASSERT_EQ(pins->size(), 1U);
  EXPECT_EQ(pins->front().kind, PinKind::kHold);
  EXPECT_EQ(pins->front().reason, "the \"audit\"");
  EXPECT_EQ(pins->front().actor, "cli:alice");
  EXPECT_EQ(pins->front().created_ms, ToUnixMillis(world.fixture().clock().Now()));
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
