// What a prune looks at once more before it deletes, and what makes it leave a backup alone.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repository/leases.h"
#include "retain/prune.h"
#include "retain/prune_world_for_test.h"
#include "retain/tombstones.h"

namespace holdfast::retain {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

TEST(SecondLook, LooksAgainAtPinsAndHoldsBeforeItDeletes) {
  for (const PinKind kind : {PinKind::kPin, PinKind::kHold}) {
    PruneWorld world;
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

// A restore that takes its backups between the plan of a prune and the deletion.
TEST(SecondLook, LooksAtTheLeasesOfRestores) {
  PruneWorld world;
  world.BackUpDays(4);
  auto repository = world.OpenRepository();
  const catalog::BackupRecord restored = world.Records()[3];
  const auto take = [&](Duration time) {
    return repository::TakeLease(repository,
                                 {.holder = "plan",
                                  .until_ms = ToUnixMillis(world.fixture().clock().Now() + time),
                                  .backups = {restored.backup}});
  };
  ASSERT_TRUE(take(hours{1}).ok());
  EXPECT_EQ(world.Plan()->Count(PruneAction::kMark), 1) << "it is not among what is marked";
  ASSERT_TRUE(repository::EndLease(repository, "plan").ok());
  ASSERT_EQ(world.Prune()->Count(PruneAction::kMark, PruneOutcome::kDone), 2);
  world.options.grace = hours{0};
  const auto plan = world.Plan();
  ASSERT_TRUE(plan.ok());
  ASSERT_EQ(plan->Count(PruneAction::kDelete), 2);
  ASSERT_TRUE(take(hours{1}).ok());
  const auto report = ApplyPrune(world.services(), world.options, *plan);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->Count(PruneAction::kDelete, PruneOutcome::kDone), 1);
  EXPECT_EQ(report->Count(PruneAction::kDelete, PruneOutcome::kKept), 1);
  EXPECT_EQ(world.Records().back(), restored);
}

TEST(SecondLook, ClearsTheLeasesThatAreOver) {
  PruneWorld world;
  world.BackUpDays(4);
  auto repository = world.OpenRepository();
  for (const hours time : {hours{1}, hours{9}}) {
    ASSERT_TRUE(repository::TakeLease(
                    repository, {.holder = fmt::format("plan-{}", time.count()),
                                 .until_ms = ToUnixMillis(world.fixture().clock().Now() + time),
                                 .backups = {"another"}})
                    .ok());
  }
  world.fixture().clock().Advance(hours{2});
  ASSERT_EQ(world.ObjectsBelow("leases/").size(), 2U);
  ASSERT_TRUE(world.Prune().ok());
  EXPECT_EQ(world.ObjectsBelow("leases/").size(), 1U);
}

// The same where the policy was widened between the plan and the deletion.
TEST(SecondLook, LooksAgainAtTheBackupsOfTheSameMethodOnly) {
  PruneWorld world;
  world.BackUpDays(2, Method::kExport);
  world.BackUpDays(2, Method::kSnapshot);
  world.options.grace = hours{0};
  world.policy = R"({"keep_last": 1})";
  ASSERT_EQ(world.Prune()->Count(PruneAction::kMark, PruneOutcome::kDone), 2);
  const auto plan = world.Plan();
  ASSERT_TRUE(plan.ok());
  world.policy = R"({"keep_last": 2})";
  const auto report = ApplyPrune(world.services(), world.options, *plan);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->Count(PruneAction::kDelete, PruneOutcome::kKept), 2);
  EXPECT_EQ(world.Records().size(), 4U);
}

// Whoever takes a pin between the look and the deletion is told that it comes too late.
TEST(SecondLook, SaysThatTheDeletionBeginsBeforeItLooksForPins) {
  PruneWorld world;
  world.options.grace = hours{0};
  world.BackUpDays(3);
  ASSERT_TRUE(world.Prune().ok());
  const auto plan = world.Plan();
  ASSERT_TRUE(plan.ok());
  auto repository = world.OpenRepository();
  const std::string oldest = world.Records()[2].backup;
  Services services = world.services();
  int looks = 0;
  services.policy_of = [&, policy_of = services.policy_of](const TableRef& object) {
    ++looks;
    EXPECT_TRUE(HasIntent(repository, oldest).value());
    return policy_of(object);
  };
  const auto report = ApplyPrune(services, world.options, *plan);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->Count(PruneAction::kDelete, PruneOutcome::kDone), 1);
  EXPECT_EQ(looks, 1);
}

// A manifest that was written since the mark is of another backup than the one that was to go.
TEST(SecondLook, KeepsABackupWhoseManifestIsAnotherThanTheOneThatWasMarked) {
  PruneWorld world;
  world.options.grace = hours{0};
  world.BackUpDays(3);
  ASSERT_TRUE(world.Prune().ok());
  const catalog::BackupRecord oldest = world.Records()[2];
  const cloud::ObjectRef manifest{PruneWorld::kBucket,
                                  repository::ManifestName("", oldest.object, oldest.backup), 0};
  sim::SimCloud& cloud = world.fixture().cloud();
  cloud.OverwriteObject(manifest, cloud.ReadObject(manifest));
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->Count(PruneAction::kDelete, PruneOutcome::kKept), 1);
  EXPECT_THAT(report->results[0].reason, HasSubstr("another than the one that was marked"));
  EXPECT_EQ(world.Records().size(), 3U);
  EXPECT_EQ(world.ObjectsBelow("data/").size(), 3U);
}

TEST(SecondLook, KeepsEverythingWhenTheNewestGoodBackupIsNotThere) {
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

// A manifest tells nothing of data that is gone: on the strength of it the last whole one would go.
TEST(SecondLook, KeepsEverythingWhenTheDataOfTheNewestGoodBackupIsNotThere) {
  PruneWorld world;
  world.options.grace = hours{0};
  world.BackUpDays(4);
  ASSERT_TRUE(world.Prune().ok());
  const catalog::BackupRecord newest = world.Records()[0];
  for (const std::string& name : world.ObjectsBelow("data/")) {
    if (name.find(newest.backup) == std::string::npos) continue;
    world.fixture().cloud().RemoveObject({PruneWorld::kBucket, name, 0});
  }
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->Count(PruneAction::kDelete, PruneOutcome::kFailed), 2);
  EXPECT_EQ(world.Records().size(), 4U);
}

TEST(SecondLook, KeepsEverythingWhenTheCopyOfTheNewestGoodBackupIsNotThere) {
  PruneWorld world;
  world.options.grace = hours{0};
  world.BackUpDays(4, Method::kCopy);
  ASSERT_TRUE(world.Prune().ok());
  const catalog::BackupRecord newest = world.Records()[0];
  auto repository = world.OpenRepository();
  world.fixture().cloud().DropTable(
      *repository.ReadManifest(newest.object, newest.backup).value().copy);
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->Count(PruneAction::kDelete, PruneOutcome::kFailed), 2);
  EXPECT_EQ(world.Records().size(), 4U);
}

TEST(SecondLook, TrustsNoTombstoneThatNamesOtherData) {
  PruneWorld world;
  world.options.grace = hours{0};
  world.BackUpDays(3);
  auto repository = world.OpenRepository();
  const auto records = world.Records();
  Tombstone forged = MakeTombstone(
      repository.ReadManifest(records[2].object, records[2].backup).value(), 1, Timestamp{}, {});
  forged.data.push_back(
      {PruneWorld::kBucket,
       repository.ReadManifest(records[0].object, records[0].backup)->objects[0].name, 1'000'010});
  ASSERT_TRUE(WriteTombstone(repository, forged).ok());
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->results.size(), 1U);
  EXPECT_EQ(report->results[0].error->id, ErrorId::kTombstoneDamaged);
  EXPECT_EQ(world.ObjectsBelow("data/").size(), 3U);
}

TEST(SecondLook, TrustsNoTombstoneThatNamesTheCopyOfAnotherBackup) {
  PruneWorld world;
  world.options.grace = hours{0};
  world.BackUpDays(3, Method::kCopy);
  auto repository = world.OpenRepository();
  const auto records = world.Records();
  const auto manifest_of = [&](size_t at) {
    return repository.ReadManifest(records[at].object, records[at].backup).value();
  };
  const cloud::ObjectRef name{
      PruneWorld::kBucket, repository::ManifestName("", records[2].object, records[2].backup), 0};
  const auto info = world.fixture().cloud().objects().StatObject(name).value();
  Tombstone forged = MakeTombstone(manifest_of(2), info->ref.generation, Timestamp{}, {});
  const Tombstone newest = MakeTombstone(manifest_of(0), 1, Timestamp{}, {});
  forged.copy = newest.copy;
  forged.copy_modified_ms = newest.copy_modified_ms;
  ASSERT_TRUE(WriteTombstone(repository, forged).ok());
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->results.size(), 1U);
  ASSERT_TRUE(report->results[0].error);
  EXPECT_EQ(report->results[0].error->id, ErrorId::kCopyInDoubt);
  EXPECT_TRUE(world.fixture().cloud().HasTable(*newest.copy));
  world.CheckManifests();
}

}  // namespace
}  // namespace holdfast::retain
