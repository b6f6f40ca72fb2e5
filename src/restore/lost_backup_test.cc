// What becomes of a backup that was lost or damaged: its copies, and what a rebuild knows of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/rebuild.h"
#include "backup/replicate.h"
#include "tests/support/altered_store.h"
#include "tests/support/restore_fixture.h"
#include "verify/verify_recorded.h"

namespace holdfast::restore {
namespace {

using testing::HasSubstr;
using namespace testing_support;  // NOLINT

const repository::Location kElsewhere{"acme-shop-elsewhere", "second"};

BackupPolicy PolicyWithSecond() {
  BackupPolicy policy;
  policy.repositories = {{.bucket_pattern = "{project}-elsewhere",
                          .prefix = "second",
                          .project = "vault",
                          .location = "EU"}};
  return policy;
}

verify::FurtherPlaces PlacesOf(const BackupPolicy& policy) {
  return [further = policy.repositories](const TableRef& object, const std::string& location) {
    std::vector<repository::Location> places;
    for (const FurtherRepository& repository : further) {
      places.push_back(backup::PlaceOfFurther(repository, object, location));
    }
    return places;
  };
}

verify::Services VerifyServices(SimFixture& fixture, const BackupPolicy& policy = {}) {
  const Services services = fixture.restore_services();
  return {services.warehouse, services.objects, services.catalog,
          services.clock,     services.random,  services.staging_bucket_pattern,
          PlacesOf(policy)};
}

Result<RestoreReport> RestoreWith(SimFixture& fixture, const BackupPolicy& policy,
                                  const RestoreRequest& request) {
  Services services = fixture.restore_services();
  services.further_places = PlacesOf(policy);
  HF_ASSIGN_OR_RETURN(const RestorePlan plan, PlanRestore(request, services));
  return Apply(request, plan, services);
}

struct Harm {
  const char* what;
  void (*harm)(SimFixture& fixture, const catalog::BackupRecord& record);
};

void RemoveData(SimFixture& fixture, const catalog::BackupRecord& record) {
  for (const cloud::ObjectInfo& object : fixture.cloud().AllObjects(record.bucket)) {
    if (object.ref.name.ends_with(".avro")) fixture.cloud().RemoveObject(object.ref);
  }
}

cloud::ObjectRef ManifestOf(const catalog::BackupRecord& record) {
  return {record.bucket, repository::ManifestName(record.prefix, record.object, record.backup), 0};
}

void RemoveAll(SimFixture& fixture, const std::string& bucket) {
  for (const cloud::ObjectInfo& object : fixture.cloud().AllObjects(bucket)) {
    fixture.cloud().RemoveObject(object.ref);
  }
}

void RemoveRepository(SimFixture& fixture, const catalog::BackupRecord& record) {
  RemoveAll(fixture, record.bucket);
}

void RemoveManifest(SimFixture& fixture, const catalog::BackupRecord& record) {
  fixture.cloud().RemoveObject(ManifestOf(record));
}

void DamageManifest(SimFixture& fixture, const catalog::BackupRecord& record) {
  fixture.cloud().CorruptObject(ManifestOf(record), 40);
}

const Harm kHarms[] = {{"repository lost", RemoveRepository},
                       {"manifest lost", RemoveManifest},
                       {"manifest damaged", DamageManifest},
                       {"data lost", RemoveData}};

// What a restore proved is no word against what a verification found later, in whatever order the
// evidence of both is read.
TEST(Rebuild, KnowsWhatAVerificationFoundDamagedAfterARestoreProvedIt) {
  for (const Harm& harm : kHarms) {
    if (harm.harm == RemoveRepository) continue;  // that a rebuild cannot open it is an error
    for (const bool anew : {false, true}) {
      SimFixture fixture;
      fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
      ASSERT_TRUE(fixture.BackUp().ok());
      const auto record = catalog::LatestGood(fixture.catalog(), kOrders).value();
      ASSERT_TRUE(Restore(fixture, To(kOrders, "rr"))->Succeeded());
      ASSERT_EQ(catalog::GetBackup(fixture.catalog(), record->backup)->verified, VerifyLevel::kL3);
      fixture.clock().Advance(std::chrono::milliseconds{1});
      harm.harm(fixture, *record);
      ASSERT_FALSE(
          verify::VerifyRecorded(VerifyServices(fixture), *record, VerifyLevel::kL1)->Passed());

      if (anew) fixture.LoseCatalog();
      ASSERT_TRUE(backup::RebuildFrom(fixture.services(), {{record->bucket, ""}}).ok());

      EXPECT_FALSE(*catalog::LatestGood(fixture.catalog(), kOrders)) << harm.what << anew;
      const RunReport next = fixture.BackUp().value();
      EXPECT_EQ(ItemOf(next, kOrders).outcome, Outcome::kBackedUp) << harm.what << anew;
    }
  }
}

// A backup with a copy.
catalog::BackupRecord BackUpTwice(SimFixture& fixture) {
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  EXPECT_TRUE(fixture.BackUp(PolicyWithSecond()).ok());
  return catalog::LatestGood(fixture.catalog(), kOrders).value().value();
}

repository::Location PlaceIn(catalog::Catalog& catalog, const std::string& backup) {
  const auto record = catalog::GetBackup(catalog, backup).value();
  return {record.bucket, record.prefix};
}

TEST(FurtherCopy, IsRestoredWhenTheFirstIsLostOrDamaged) {
  for (const Harm& harm : kHarms) {
    SimFixture fixture;
    const auto record = BackUpTwice(fixture);
    harm.harm(fixture, record);
    const auto report = RestoreWith(fixture, PolicyWithSecond(), To(kOrders, "rr"));
    ASSERT_TRUE(report.ok()) << harm.what << ": " << report.error().message;
    ASSERT_TRUE(report->Succeeded()) << harm.what;
    EXPECT_THAT(report->tables[0].notes,
                testing::Contains(HasSubstr("its copy in gs://acme-shop-elsewhere/second")));
    EXPECT_EQ(PlaceIn(fixture.catalog(), record.backup), kElsewhere) << harm.what;
    EXPECT_EQ(catalog::GetBackup(fixture.catalog(), record.backup)->verified, VerifyLevel::kL3);
    // It is to be in the first again.
    const RunReport next = fixture.BackUp(PolicyWithSecond()).value();
    EXPECT_EQ(ItemOf(next, kOrders).outcome, Outcome::kBackedUp) << harm.what;
    EXPECT_TRUE(PlaceIn(fixture.catalog(), ItemOf(next, kOrders).backup) != kElsewhere);
  }
}

TEST(FurtherCopy, IsVerifiedInsteadWhenTheFirstIsLostOrDamaged) {
  for (const Harm& harm : kHarms) {
    SimFixture fixture;
    const auto record = BackUpTwice(fixture);
    harm.harm(fixture, record);
    // Found by a look that knew of no copy.
    ASSERT_FALSE(
        verify::VerifyRecorded(VerifyServices(fixture), record, VerifyLevel::kL2)->Passed());
    const auto report = verify::VerifyRecorded(VerifyServices(fixture, PolicyWithSecond()), record,
                                               VerifyLevel::kL2);
    ASSERT_TRUE(report->Passed()) << harm.what;
    EXPECT_THAT(report->note, HasSubstr("gs://acme-shop-elsewhere/second"));
    EXPECT_EQ(report->rows_read, 10);
    EXPECT_TRUE(catalog::GetBackup(fixture.catalog(), record.backup)->IsGood()) << harm.what;
    EXPECT_EQ(PlaceIn(fixture.catalog(), record.backup), kElsewhere);
  }
}

// A hold is on the backup, wherever it is known to lie.
TEST(FurtherCopy, IsHeldAsTheFirstWas) {
  SimFixture fixture;
  const auto record = BackUpTwice(fixture);
  const std::string hold = "pins/" + record.backup + "/hold-1.json";
  ASSERT_TRUE(
      CreateObjectFromString(fixture.cloud().objects(), {record.bucket, hold, 0}, "{}").ok());
  RemoveData(fixture, record);
  const auto report =
      verify::VerifyRecorded(VerifyServices(fixture, PolicyWithSecond()), record, VerifyLevel::kL2);
  ASSERT_TRUE(report->Passed());
  EXPECT_TRUE(*fixture.cloud().objects().StatObject({kElsewhere.bucket, "second/" + hold, 0}));
}

TEST(FurtherCopy, TakesThePlaceOfOneWhoseManifestARunFindsMissing) {
  SimFixture fixture;
  const auto record = BackUpTwice(fixture);
  const std::string pin = "pins/" + record.backup + "/pin-1.json";
  ASSERT_TRUE(
      CreateObjectFromString(fixture.cloud().objects(), {record.bucket, pin, 0}, "{}").ok());
  RemoveManifest(fixture, record);
  const RunReport next = fixture.BackUp(PolicyWithSecond()).value();
  EXPECT_EQ(ItemOf(next, kOrders).outcome, Outcome::kBackedUp);
  EXPECT_EQ(PlaceIn(fixture.catalog(), record.backup), kElsewhere);
  EXPECT_TRUE(catalog::GetBackup(fixture.catalog(), record.backup)->IsGood());
  EXPECT_TRUE(*fixture.cloud().objects().StatObject({kElsewhere.bucket, "second/" + pin, 0}));
}

TEST(FurtherCopy, IsNotTakenForOneThatCannotBeReached) {
  SimFixture fixture;
  const auto record = BackUpTwice(fixture);
  fixture.cloud().faults().DenyAccess(record.bucket);
  const auto services = VerifyServices(fixture, PolicyWithSecond());
  EXPECT_FALSE(verify::VerifyRecorded(services, record, VerifyLevel::kL1).ok());
  EXPECT_EQ(PlaceIn(fixture.catalog(), record.backup).bucket, record.bucket);
}

// A service that is away for a moment: what it holds may be whole, so nothing is known of a loss.
TEST(FurtherCopy, ThatCannotBeReadNowKeepsDamageFromBeingRecorded) {
  SimFixture fixture;
  const auto record = BackUpTwice(fixture);
  RemoveData(fixture, record);
  AlteredStore away(fixture.cloud().objects());
  away.before_read = [&](const cloud::ObjectRef& object) -> Status {
    if (object.bucket != kElsewhere.bucket) return Ok();
    return MakeError(ErrorId::kServiceUnavailable, "503");
  };
  const verify::Services all = VerifyServices(fixture, PolicyWithSecond());
  const verify::Services verifying{all.warehouse,     away,       all.catalog,
                                   all.clock,         all.random, all.staging_bucket_pattern,
                                   all.further_places};
  EXPECT_FALSE(verify::VerifyRecorded(verifying, record, VerifyLevel::kL2).ok());
  EXPECT_FALSE(catalog::GetBackup(fixture.catalog(), record.backup)->damaged);

  const auto report = verify::VerifyRecorded(all, record, VerifyLevel::kL2);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->Passed());
  EXPECT_EQ(PlaceIn(fixture.catalog(), record.backup), kElsewhere);
}

TEST(FurtherCopy, ThatIsDamagedTooSavesNothingAndTheErrorNamesBothPlaces) {
  SimFixture fixture;
  const auto record = BackUpTwice(fixture);
  RemoveAll(fixture, record.bucket);
  RemoveData(fixture, {.backup = record.backup, .bucket = kElsewhere.bucket});
  const auto report = RestoreWith(fixture, PolicyWithSecond(), To(kOrders, "rr"));
  ASSERT_TRUE(report.ok());
  ASSERT_FALSE(report->Succeeded());
  const Error& error = *report->tables[0].error;
  EXPECT_EQ(error.id, ErrorId::kRepositoryNotFound);
  EXPECT_THAT(error.message, HasSubstr("gs://acme-shop-elsewhere/second"));
  EXPECT_THAT(error.hint, HasSubstr("holdfast catalog rebuild gs://acme-shop-elsewhere/second"));
  EXPECT_TRUE(catalog::GetBackup(fixture.catalog(), record.backup)->damaged);
  EXPECT_EQ(PlaceIn(fixture.catalog(), record.backup).bucket, record.bucket);
}

TEST(FurtherCopy, TakesThePlaceOfALostBackupWhenTheCatalogIsRebuiltFromIt) {
  for (const bool is_lost : {true, false}) {
    SimFixture fixture;
    const auto record = BackUpTwice(fixture);
    if (is_lost) {
      RemoveAll(fixture, record.bucket);
      ASSERT_FALSE(
          verify::VerifyRecorded(VerifyServices(fixture), record, VerifyLevel::kL1)->Passed());
    }
    ASSERT_TRUE(backup::RebuildFrom(fixture.services(), {kElsewhere}).ok());
    EXPECT_EQ(PlaceIn(fixture.catalog(), record.backup) == kElsewhere, is_lost);
    const auto report = RestoreWith(fixture, {}, To(kOrders, "rr"));
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_TRUE(report->Succeeded());
  }
}

// Evidence in a repository is of what lies there.
// A process that dies between the two places has not found the copy missing.
TEST(FurtherCopy, IsRestoredAfterACrashAtAnyCall) {
  for (int64_t call = 1; call < 200; ++call) {
    SimFixture fixture;
    const auto record = BackUpTwice(fixture);
    RemoveManifest(fixture, record);
    fixture.cloud().faults().CrashAtCall(call);
    (void)RestoreWith(fixture, PolicyWithSecond(), To(kOrders, "rr"));
    const bool crashed = fixture.cloud().faults().crashed();
    fixture.cloud().faults().Revive();
    if (!crashed) {
      EXPECT_GT(call, 10) << "nothing crashed";
      return;
    }
    fixture.clock().Advance(std::chrono::minutes{1});
    const auto report = RestoreWith(fixture, PolicyWithSecond(), To(kOrders, "rr"));
    ASSERT_TRUE(report.ok()) << call << ": " << report.error().message;
    EXPECT_TRUE(report->Succeeded()) << call;
  }
  FAIL() << "no restore went through";
}

// A place that denies access may have it still.
TEST(FurtherCopy, TakesNoPlaceOfABackupThatARebuildCannotAskFor) {
  SimFixture fixture;
  const auto record = BackUpTwice(fixture);
  fixture.cloud().faults().DenyAccess(record.bucket);
  ASSERT_TRUE(backup::RebuildFrom(fixture.services(), {kElsewhere}).ok());
  EXPECT_EQ(PlaceIn(fixture.catalog(), record.backup),
            (repository::Location{record.bucket, record.prefix}));
}

TEST(FurtherCopy, ThatPassedSaysNothingOfADamagedFirst) {
  SimFixture fixture;
  const auto record = BackUpTwice(fixture);
  RemoveData(fixture, record);
  ASSERT_FALSE(verify::VerifyRecorded(VerifyServices(fixture), record, VerifyLevel::kL1)->Passed());
  fixture.clock().Advance(std::chrono::seconds{1});
  catalog::BackupRecord copy = record;
  copy.bucket = kElsewhere.bucket;
  copy.prefix = kElsewhere.prefix;
  ASSERT_TRUE(
      verify::VerifyInPlace(VerifyServices(fixture), copy, VerifyLevel::kL2).value().Passed());
  EXPECT_TRUE(catalog::GetBackup(fixture.catalog(), record.backup)->damaged);
  fixture.LoseCatalog();
  ASSERT_TRUE(backup::RebuildFrom(fixture.services(), {{record.bucket, ""}, kElsewhere}).ok());
  EXPECT_TRUE(catalog::GetBackup(fixture.catalog(), record.backup)->damaged);
}

}  // namespace
}  // namespace holdfast::restore
