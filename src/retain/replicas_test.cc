// What was copied to a further repository goes when the backup goes, and not otherwise.
#include "retain/replicas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retain/prune_world_for_test.h"

namespace holdfast::retain {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

// Three backups in two repositories, of which the oldest is due to be deleted.
class ReplicatedWorld : public PruneWorld {
 public:
  explicit ReplicatedWorld(std::optional<int64_t> retention_seconds = {}) {
    EXPECT_TRUE(fixture()
                    .cloud()
                    .objects()
                    .EnsureBucket({.name = kFurtherBucket,
                                   .project = "acme-shop",
                                   .location = "US",
                                   .retention_seconds = retention_seconds})
                    .ok());
    repositories = {{.bucket_pattern = "{project}-elsewhere"}};
    options.grace = hours{1};
    BackUpDays(3);
    EXPECT_TRUE(Prune().ok());
    fixture().clock().Advance(hours{2});
  }

  bool IsElsewhere(const catalog::BackupRecord& record) {
    return OpenRepository(kFurtherBucket).HasManifest(record.object, record.backup).value();
  }
};

TEST(Replicas, GoWithTheBackupAndLeaveWord) {
  ReplicatedWorld world;
  const catalog::BackupRecord oldest = world.Records().back();
  ASSERT_TRUE(world.IsElsewhere(oldest));
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok()) << report.error().ToString();
  EXPECT_EQ(report->Count(PruneAction::kDelete, PruneOutcome::kDone), 1);
  EXPECT_FALSE(world.IsElsewhere(oldest));
  EXPECT_EQ(world.ObjectsBelow("data/", PruneWorld::kFurtherBucket), world.ObjectsBelow("data/"));
  EXPECT_EQ(world.ObjectsBelow("evidence/pruned/", PruneWorld::kFurtherBucket).size(), 1U);
  for (const catalog::BackupRecord& kept : world.Records()) EXPECT_TRUE(world.IsElsewhere(kept));
}

TEST(Replicas, KeepTheBackupWhileOneIsPinned) {
  ReplicatedWorld world;
  const catalog::BackupRecord oldest = world.Records().back();
  auto elsewhere = world.OpenRepository(PruneWorld::kFurtherBucket);
  ASSERT_TRUE(AddPin(elsewhere, oldest, {PinKind::kPin, "a restore", "test"},
                     world.fixture().clock().Now(), world.random())
                  .ok());
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->results.size(), 1U);
  EXPECT_EQ(report->results[0].outcome, PruneOutcome::kKept);
  EXPECT_THAT(report->results[0].reason, HasSubstr("pinned in gs://acme-shop-elsewhere"));
  EXPECT_TRUE(world.IsElsewhere(oldest));
  EXPECT_EQ(world.Records().back().backup, oldest.backup);
  // Nothing stands in the way of another pin.
  EXPECT_FALSE(HasIntent(elsewhere, oldest.backup).value());
}

TEST(Replicas, KeepTheBackupWhileTheirBucketRetainsThem) {
  ReplicatedWorld world(86'400 * 30);
  const catalog::BackupRecord oldest = world.Records().back();
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->results.size(), 1U);
  EXPECT_EQ(report->results[0].outcome, PruneOutcome::kRetained);
  EXPECT_THAT(report->results[0].reason, HasSubstr("acme-shop-elsewhere"));
  EXPECT_TRUE(world.OpenRepository().HasManifest(oldest.object, oldest.backup).value());
  EXPECT_TRUE(world.IsElsewhere(oldest));
}

TEST(Replicas, ThatCameAfterTheMarkAreMarkedFirst) {
  PruneWorld world;
  world.options.grace = hours{1};
  world.BackUpDays(3);
  ASSERT_TRUE(world.Prune().ok());
  const catalog::BackupRecord oldest = world.Records().back();
  world.repositories = {{.bucket_pattern = "{project}-elsewhere"}};
  world.BackUpDays(1);
  auto elsewhere = world.OpenRepository(PruneWorld::kFurtherBucket);
  const Manifest manifest =
      world.OpenRepository().ReadManifest(oldest.object, oldest.backup).value();
  ASSERT_TRUE(elsewhere.WriteManifest(manifest).ok());
  const auto first = world.Prune();
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->Count(PruneAction::kDelete, PruneOutcome::kKept), 1);
  EXPECT_EQ(world.Records().back().backup, oldest.backup);
}

// A pass was killed between two manifests, and then the backup was pinned.
TEST(Replicas, WhoseManifestIsGoneLeaveNoDataBehindWhenTheBackupStays) {
  ReplicatedWorld world;
  const catalog::BackupRecord oldest = world.Records().back();
  auto repository = world.OpenRepository();
  auto& objects = world.fixture().cloud().objects();
  const auto manifest = objects.StatObject(
      {PruneWorld::kFurtherBucket, repository::ManifestName("", oldest.object, oldest.backup), 0});
  ASSERT_TRUE(manifest.ok() && *manifest);
  ASSERT_TRUE(objects.DeleteObject((*manifest)->ref).ok());
  ASSERT_TRUE(AddPin(repository, oldest, {PinKind::kPin, "why", "test"},
                     world.fixture().clock().Now(), world.random())
                  .ok());
  const size_t before = world.ObjectsBelow("data/", PruneWorld::kFurtherBucket).size();
  ASSERT_TRUE(world.Prune().ok());
  EXPECT_EQ(world.Records().back().backup, oldest.backup);
  EXPECT_LT(world.ObjectsBelow("data/", PruneWorld::kFurtherBucket).size(), before);
  world.CheckManifests();
}

// What is left of it in the first repository goes; it is the backup by now.
TEST(Replicas, ThatTookThePlaceOfALostBackupStayWithTheirRecord) {
  ReplicatedWorld world;
  catalog::BackupRecord oldest = world.Records().back();
  world.fixture().cloud().RemoveObject(
      {PruneWorld::kBucket, repository::ManifestName("", oldest.object, oldest.backup), 0});
  const catalog::CopyRecord left{.object = oldest.object,
                                 .backup = oldest.backup,
                                 .bucket = oldest.bucket,
                                 .prefix = oldest.prefix,
                                 .state = catalog::CopyState::kLeft,
                                 .at_ms = ToUnixMillis(world.fixture().clock().Now()),
                                 .detail = "its manifest is gone"};
  oldest.bucket = PruneWorld::kFurtherBucket;
  ASSERT_TRUE(world.fixture().catalog().MoveBackup(oldest, left).ok());
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->CountNotDone(), 0);
  const auto known = catalog::GetBackup(world.fixture().catalog(), oldest.backup);
  ASSERT_TRUE(known.ok()) << known.error().message;
  EXPECT_EQ(known->bucket, PruneWorld::kFurtherBucket);
  EXPECT_TRUE(world.IsElsewhere(oldest));
  world.CheckManifests(PruneWorld::kFurtherBucket);
  EXPECT_EQ(world.ObjectsBelow("data/").size(), 2U);
}

TEST(Replicas, OfATombstoneThatNamesOtherDataAreRefused) {
  ReplicatedWorld world;
  auto repository = world.OpenRepository();
  const auto tombstones = ListTombstones(repository).value();
  const TombstoneEntry entry = tombstones.begin()->second;
  Tombstone forged = ReadTombstone(repository, entry).value();
  ASSERT_EQ(forged.replicas.size(), 1U);
  forged.replicas[0].data[0].name = "another/object";
  ASSERT_TRUE(ClearTombstone(repository, entry).ok());
  ASSERT_TRUE(WriteTombstone(repository, forged).ok());
  world.fixture().clock().Advance(hours{2});
  const auto report = world.Prune();
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->results.size(), 1U);
  EXPECT_EQ(report->results[0].error->id, ErrorId::kTombstoneDamaged);
}

}  // namespace
}  // namespace holdfast::retain
