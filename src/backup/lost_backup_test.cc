// Backups that are not what the catalog says: gone, or made by a clock that stood wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/rebuild.h"
#include "backup/run_backup.h"
#include "backup/scan_stage.h"
#include "catalog/backup_index.h"
#include "tests/support/altered_store.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::backup {
namespace {

using testing_support::ItemOf;
using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

// Deletes the manifest of the object's newest backup; returns the backup.
std::string LoseManifest(SimFixture& fixture) {
  const auto record = catalog::LatestGood(fixture.catalog(), kOrders).value();
  CHECK(record.has_value(), "no backup");
  int removed = 0;
  for (const cloud::ObjectInfo& object : fixture.cloud().AllObjects(record->bucket)) {
    if (!object.ref.name.starts_with("manifests/")) continue;
    if (object.ref.name.find(record->backup) == std::string::npos) continue;
    fixture.cloud().RemoveObject(object.ref);
    ++removed;
  }
  CHECK(removed == 1, "one manifest");
  return record->backup;
}

TEST(LostBackup, OfAnUnchangedTableIsMadeAgain) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  ASSERT_TRUE(fixture.BackUp().ok());
  const std::string lost = LoseManifest(fixture);

  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(ItemOf(*report, kOrders).outcome, Outcome::kBackedUp);
  EXPECT_THAT(ItemOf(*report, kOrders).reason,
              testing::HasSubstr("no earlier backup of it is whole"));
  EXPECT_TRUE(catalog::GetBackup(fixture.catalog(), lost)->damaged);
  EXPECT_NE((*catalog::LatestGood(fixture.catalog(), kOrders))->backup, lost);

  const auto after = fixture.BackUp();
  EXPECT_EQ(ItemOf(*after, kOrders).outcome, Outcome::kUnchanged);
}

// A pass that another verifier recorded with its clock ahead hides no loss, nor keeps the scan at
// it.
TEST(LostBackup, IsNotedAlthoughAPassOfALaterTimeIsKnown) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto record = catalog::LatestGood(fixture.catalog(), kOrders).value();
  ASSERT_TRUE(fixture.catalog()
                  .RecordVerification({record->backup,
                                       ToUnixMillis(fixture.clock().Now() + std::chrono::hours{24}),
                                       VerifyLevel::kL2, true, ""})
                  .ok());
  const std::string lost = LoseManifest(fixture);
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(ItemOf(*report, kOrders).outcome, Outcome::kBackedUp);
  EXPECT_TRUE(catalog::GetBackup(fixture.catalog(), lost)->damaged);
  EXPECT_EQ(fixture.catalog().ListVerifications(lost)->size(), 2U);
}

// Backs up three versions of the table, and deletes what begins so of the first one.
catalog::BackupRecord LoseOldest(SimFixture& fixture, const BackupPolicy& policy) {
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  for (int version = 1; version <= 3; ++version) {
    CHECK(fixture.BackUp(policy).ok(), "a run");
    fixture.cloud().AppendRows(kOrders, NumberedRows(10 * version, 1));
  }
  const auto records = fixture.catalog().FindBackups({.table = kOrders.table}, "").value().items;
  CHECK(records.size() == 3, "three versions");
  const catalog::BackupRecord oldest = records.back();
  fixture.cloud().RemoveObject(
      {oldest.bucket, repository::ManifestName(oldest.prefix, kOrders, oldest.backup), 0});
  return oldest;
}

TEST(LostBackup, OfAnOlderVersionIsNoticedByAScanToo) {
  SimFixture fixture;
  const catalog::BackupRecord lost = LoseOldest(fixture, {});
  ASSERT_TRUE(fixture.BackUp().ok());
  EXPECT_TRUE(catalog::GetBackup(fixture.catalog(), lost.backup)->damaged);
  EXPECT_EQ(fixture.catalog().FindBackups({.damaged_only = true}, "")->items.size(), 1U);
  auto repository =
      repository::Repository::Open(fixture.cloud().objects(), {lost.bucket, lost.prefix});
  EXPECT_EQ(repository->ListEvidence(repository::kVerifyEvidence, "")->items.size(), 1U);
}

TEST(LostBackup, IsReadFromItsCopyAndThePlaceThatItLeftIsKnown) {
  BackupPolicy policy;
  policy.repositories = {{.bucket_pattern = "{project}-elsewhere", .prefix = "second"}};
  for (const bool whole_repository : {false, true}) {
    SimFixture fixture;
    const catalog::BackupRecord lost = LoseOldest(fixture, policy);
    EXPECT_EQ(fixture.catalog().FindCopies({.backup = lost.backup}, "")->items.at(0).state,
              catalog::CopyState::kWhole)
        << "made by the run";
    if (whole_repository) {
      for (const auto& object : fixture.cloud().AllObjects(lost.bucket)) {
        fixture.cloud().RemoveObject(object.ref);
      }
    }
    ASSERT_TRUE(fixture.BackUp(policy).ok());
    EXPECT_EQ(catalog::GetBackup(fixture.catalog(), lost.backup)->bucket, "acme-shop-elsewhere");
    EXPECT_TRUE(catalog::GetBackup(fixture.catalog(), lost.backup)->IsGood());
    const auto left = fixture.catalog().FindCopies({.defects_only = true}, "").value().items;
    EXPECT_EQ(left.size(), whole_repository ? 3U : 1U) << "every version of the table";
    for (const catalog::CopyRecord& copy : left) {
      EXPECT_EQ(copy.state, catalog::CopyState::kLeft);
      EXPECT_EQ(copy.bucket, lost.bucket);
    }
    // A rebuilt catalog knows it by the word that was left, and what people said of it.
    auto elsewhere =
        repository::Repository::Open(fixture.cloud().objects(), {"acme-shop-elsewhere", "second"});
    ASSERT_TRUE(elsewhere
                    ->WriteEvidence(repository::kAcceptedLossEvidence, "loss-1",
                                    {{"at_ms", 7},
                                     {"actor", "cli:ada"},
                                     {"reason", "burnt"},
                                     {"withdrawn", false},
                                     {"losses", Json::array({{{"project", kOrders.project},
                                                              {"dataset", kOrders.dataset},
                                                              {"table", kOrders.table},
                                                              {"partition", ""},
                                                              {"backup", lost.backup}}})}})
                    .ok());
    fixture.LoseCatalog();
    ASSERT_TRUE(RebuildFrom(fixture.services(), {{"acme-shop-elsewhere", "second"}}).ok());
    const auto known = fixture.catalog().FindCopies({.defects_only = true}, "").value().items;
    EXPECT_EQ(known.size(), left.size());
    EXPECT_EQ(
        fixture.catalog().FindAccepted({}, "")->items,
        (std::vector<catalog::AcceptedLoss>{{kOrders, lost.backup, 7, "cli:ada", "burnt", false}}));
  }
}

// Neither the first repository is there nor can the second be read now.
TEST(LostBackup, OfWhichACopyCannotBeAskedForKeepsNoTableFromBeingBackedUp) {
  BackupPolicy policy;
  policy.repositories = {{.bucket_pattern = "{project}-elsewhere", .prefix = "second"}};
  for (const bool whole_repository : {false, true}) {
    SimFixture fixture;
    fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    ASSERT_TRUE(fixture.BackUp(policy).ok());
    const auto record = catalog::LatestGood(fixture.catalog(), kOrders).value();
    if (whole_repository) {
      for (const auto& object : fixture.cloud().AllObjects(record->bucket)) {
        fixture.cloud().RemoveObject(object.ref);
      }
    } else {
      LoseManifest(fixture);
    }
    testing_support::AlteredStore away(fixture.cloud().objects());
    away.before_read = [](const cloud::ObjectRef& object) -> Status {
      const bool is_copy = object.bucket == "acme-shop-elsewhere";
      return is_copy && object.name.find("manifests/") != std::string::npos
                 ? MakeError(ErrorId::kServiceUnavailable, "503")
                 : Ok();
    };
    const Services mine = fixture.services();
    const Services with{mine.warehouse,    mine.definitions, away,        mine.projects,
                        mine.catalog,      mine.clock,       mine.random, mine.organization,
                        mine.tool_version, mine.quotas};
    const auto report = fixture.BackUp(policy, with);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(ItemOf(*report, kOrders).outcome, Outcome::kBackedUp)
        << ItemOf(*report, kOrders).reason;
    EXPECT_FALSE(catalog::GetBackup(fixture.catalog(), record->backup)->damaged);
    // A later scan notes it.
    ASSERT_TRUE(fixture.BackUp(policy).ok());
    EXPECT_EQ(catalog::GetBackup(fixture.catalog(), record->backup)->bucket, "acme-shop-elsewhere");
  }
}

TEST(LostBackup, ThatAnotherCatalogPrunedIsForgottenAndNotDamaged) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  ASSERT_TRUE(fixture.BackUp().ok());
  const std::string pruned = LoseManifest(fixture);
  auto repository =
      repository::Repository::Open(fixture.cloud().objects(), {"acme-shop-holdfast-us", ""});
  ASSERT_TRUE(
      repository->WriteEvidence(repository::kPrunedEvidence, pruned, {{"backup", pruned}}).ok());

  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(ItemOf(*report, kOrders).outcome, Outcome::kBackedUp);
  EXPECT_EQ(catalog::GetBackup(fixture.catalog(), pruned).error().id, ErrorId::kBackupNotFound);
}

// What lies in the old place says nothing of what is to lie in the new one.
TEST(Repository, InAnotherPlaceIsFilledByTheNextRun) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  ASSERT_TRUE(fixture.BackUp().ok());
  BackupPolicy policy;
  policy.prefix = "vault";
  const auto report = fixture.BackUp(policy);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_EQ(report->items.size(), 2U) << "the table and its dataset";
  for (const ItemOutcome& item : report->items) {
    EXPECT_EQ(item.outcome, Outcome::kBackedUp);
    EXPECT_THAT(item.reason, testing::HasSubstr("another place"));
  }
  EXPECT_EQ((*catalog::LatestGood(fixture.catalog(), kOrders))->prefix, "vault");
  EXPECT_EQ(fixture.BackUp(policy)->totals.Of(Outcome::kUnchanged), 2);
}

// A bucket of somebody else's, which they let us write to, gets no backup; one of the project that
// the policy names does.
TEST(Repository, IsInABucketOfTheProjectThatThePolicyNames) {
  for (const bool named : {false, true}) {
    SimFixture fixture;
    fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    ASSERT_TRUE(
        fixture.cloud()
            .objects()
            .EnsureBucket(
                {.name = "acme-shop-holdfast-us", .project = "acme-vault", .location = "US"})
            .ok());
    BackupPolicy policy;
    if (named) policy.bucket_project = "acme-vault";
    const RunReport report = fixture.BackUp(policy).value();
    EXPECT_EQ(report.totals.Of(named ? Outcome::kBackedUp : Outcome::kFailed), 2) << named;
  }
}

TEST(Repository, IsNeverTheStagingBucket) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  BackupPolicy policy;
  policy.staging_bucket_pattern = "{project}-holdfast-us";
  const RunReport report = fixture.BackUp(policy).value();
  const auto failed = std::ranges::find(report.items, kOrders, &ItemOutcome::object);
  ASSERT_NE(failed, report.items.end());
  EXPECT_EQ(failed->outcome, Outcome::kFailed);
  EXPECT_THAT(failed->reason, testing::HasSubstr("staging"));
}

TEST(Repository, IsNotInABucketThatDeletesWhatIsBackedUpOnce) {
  const struct {
    int64_t delete_after_days;
    int64_t forced_full_days;
    bool taken;
  } cases[] = {{1, 7, false}, {7, 7, false}, {8, 7, true}, {30, 0, false}};
  for (const auto& [delete_after_days, forced_full_days, taken] : cases) {
    SimFixture fixture;
    fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    ASSERT_TRUE(fixture.cloud()
                    .objects()
                    .EnsureBucket({.name = "acme-shop-holdfast-us",
                                   .project = "acme-shop",
                                   .location = "US",
                                   .retention_seconds = {},
                                   .delete_after_days = delete_after_days})
                    .ok());
    BackupPolicy policy;
    policy.forced_full_days = forced_full_days;
    const RunReport report = fixture.BackUp(policy).value();
    EXPECT_EQ(report.totals.Of(taken ? Outcome::kBackedUp : Outcome::kFailed), 2)
        << delete_after_days << " " << forced_full_days;
  }
}

// What deletes backups does so on days on which nothing is written too.
TEST(Repository, InABucketThatDeletesTooEarlyIsToldOfWhenNothingChanged) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  ASSERT_TRUE(fixture.cloud()
                  .objects()
                  .EnsureBucket({.name = "acme-shop-holdfast-us",
                                 .project = "acme-shop",
                                 .location = "US",
                                 .retention_seconds = {},
                                 .delete_after_days = 20})
                  .ok());
  ASSERT_EQ(fixture.BackUp()->totals.Of(Outcome::kBackedUp), 2);
  BackupPolicy policy;
  policy.forced_full_days = 30;
  const RunReport report = fixture.BackUp(policy).value();
  EXPECT_EQ(report.totals.Of(Outcome::kUnchanged), 2);
  EXPECT_EQ(std::ranges::count_if(report.items,
                                  [](const ItemOutcome& item) {
                                    return item.note.find("R0008") != std::string::npos;
                                  }),
            1)
      << "once for the bucket";
  policy.forced_full_days = 7;
  for (const ItemOutcome& item : fixture.BackUp(policy)->items) EXPECT_EQ(item.note, "");
}

TEST(Repository, WhoseBucketMayNotBeCreatedFailsWithTheCommandThatCreatesIt) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  BackupPolicy policy;
  policy.create_buckets = false;
  policy.bucket_retention = "30d";
  const RunReport report = fixture.BackUp(policy).value();
  ASSERT_EQ(report.totals.Of(Outcome::kFailed), 2);
  EXPECT_THAT(ItemOf(report, kOrders).reason,
              testing::HasSubstr("gcloud storage buckets create gs://acme-shop-holdfast-us "
                                 "--project=acme-shop --location=US"));
  EXPECT_THAT(ItemOf(report, kOrders).reason, testing::HasSubstr("--retention-period=2592000s"));
  EXPECT_FALSE(fixture.cloud().objects().GetBucket("acme-shop-holdfast-us").ok());
  for (const char* name : {"acme-shop-holdfast-us", "acme-shop-holdfast-staging-us"}) {
    ASSERT_TRUE(fixture.cloud()
                    .objects()
                    .EnsureBucket({.name = name, .project = "acme-shop", .location = "US"})
                    .ok());
  }
  EXPECT_EQ(fixture.BackUp(policy)->totals.Of(Outcome::kBackedUp), 2);
}

TEST(Repository, InABucketOfOursHasTheRetentionOfThePolicyAndAnotherIsTold) {
  for (const bool is_there : {false, true}) {
    SimFixture fixture;
    fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    if (is_there) {
      ASSERT_TRUE(
          fixture.cloud()
              .objects()
              .EnsureBucket(
                  {.name = "acme-shop-holdfast-us", .project = "acme-shop", .location = "US"})
              .ok());
    }
    BackupPolicy policy;
    policy.bucket_retention = "1d";
    policy.repositories = {{.bucket_pattern = "{project}-elsewhere"}};
    const RunReport report = fixture.BackUp(policy).value();
    ASSERT_EQ(report.totals.Of(Outcome::kBackedUp), 2);
    EXPECT_EQ(std::ranges::count_if(report.items,
                                    [](const ItemOutcome& item) {
                                      return item.note.find("no retention policy") !=
                                             std::string::npos;
                                    }),
              is_there ? 1 : 0);
    auto& objects = fixture.cloud().objects();
    const auto first = objects.GetBucket("acme-shop-holdfast-us");
    EXPECT_EQ(first->retention_seconds, is_there ? std::nullopt : std::optional<int64_t>(86'400));
    EXPECT_FALSE(first->retention_locked);
    EXPECT_EQ(objects.GetBucket("acme-shop-elsewhere")->retention_seconds, 86'400);
    EXPECT_EQ(objects.GetBucket("acme-shop-holdfast-staging-us")->retention_seconds, std::nullopt);
  }
}

TEST(LostBackup, BeforeAnotherThatIsThereIsNotMissed) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  ASSERT_TRUE(fixture.BackUp().ok());
  LoseManifest(fixture);
  fixture.cloud().AppendRows(kOrders, NumberedRows(11, 1));
  ASSERT_TRUE(fixture.BackUp().ok());
  EXPECT_EQ(ItemOf(*fixture.BackUp(), kOrders).outcome, Outcome::kUnchanged);
}

// Whenever in the scan of the dataset it does so.
TEST(LostBackup, IsNotOneThatAnotherRunCommittedDuringTheScan) {
  bool interrupted = true;
  for (int at = 1; interrupted; ++at) {
    SimFixture fixture;
    const TableRef before{"acme-shop", "sales", "a", ""};  // is scanned first
    fixture.cloud().AddTable(before, TwoColumns(), NumberedRows(1, 1));
    fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    ASSERT_TRUE(fixture.BackUp().ok());
    int signs = 0;
    interrupted = false;
    StageContext context;
    context.run.id = "20260101T000000Z-00000001";
    context.keep_alive = [&] {
      if (++signs != at) return Status();
      interrupted = true;
      fixture.cloud().AppendRows(kOrders, NumberedRows(11, 1));
      EXPECT_TRUE(fixture.BackUp().ok());
      return Status();
    };
    CheckProjectTables piece;
    piece.run = context.run.id;
    piece.project_to_check = "acme-shop";
    piece.piece = {.dataset = "sales", .location = "US"};
    const auto scanned = ScanProject(piece, context, fixture.services());
    ASSERT_TRUE(scanned.ok()) << scanned.error().message;
    const auto newest = catalog::LatestGood(fixture.catalog(), kOrders).value();
    ASSERT_TRUE(newest.has_value());
    EXPECT_EQ(newest->rows, interrupted ? 11 : 10) << "it is not damaged, at " << at;
    ASSERT_TRUE(at > 4 || interrupted) << "there are several moments";
  }
}

TEST(WrongClock, DoesNotMakeAnOldBackupTheNewest) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  fixture.cloud().AppendRows(kOrders, NumberedRows(11, 1));
  fixture.clock().Advance(std::chrono::hours{1});
  const auto first = fixture.BackUp();
  ASSERT_TRUE(first.ok());
  fixture.clock().Advance(-std::chrono::minutes{59});
  fixture.cloud().AppendRows(kOrders, NumberedRows(12, 1));
  const auto second = fixture.BackUp();
  ASSERT_TRUE(second.ok()) << second.error().message;
  ASSERT_EQ(ItemOf(*second, kOrders).outcome, Outcome::kBackedUp);
  EXPECT_GE(second->run.finished_ms, second->run.started_ms);
  EXPECT_EQ((*catalog::LatestGood(fixture.catalog(), kOrders))->backup,
            ItemOf(*second, kOrders).backup);
  EXPECT_EQ(fixture.catalog().ListRuns(false, "")->items.at(0).id, second->run.id);
  // And when the right time has come round again.
  fixture.cloud().AppendRows(kOrders, NumberedRows(13, 1));
  const auto third = fixture.BackUp();
  EXPECT_EQ((*catalog::LatestGood(fixture.catalog(), kOrders))->backup,
            ItemOf(*third, kOrders).backup);
}

}  // namespace
}  // namespace holdfast::backup
