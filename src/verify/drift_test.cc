// What was damaged, lost, shared or left over is found and named, and nothing else is.
#include "verify/drift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/altered_store.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::verify {
namespace {

using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const TableRef kSold = testing_support::kOrders;
const TableRef kInStock{"acme-shop", "sales", "items", ""};
constexpr const char* kVault = "acme-shop-holdfast-us";

class DriftTest : public testing::Test {
 protected:
  void SetUp() override {
    fixture_.cloud().AddTable(kSold, TwoColumns(), NumberedRows(1, 10));
    fixture_.cloud().AddTable(kInStock, TwoColumns(), NumberedRows(1, 4));
    ASSERT_TRUE(fixture_.BackUp().ok());
  }

  DriftReport Check() { return Check(fixture_.cloud().objects()); }

  DriftReport Check(cloud::ObjectStore& objects) {
    const backup::Services with = fixture_.services();
    const Services services{with.warehouse, objects,     with.catalog,
                            with.clock,     with.random, BackupPolicy().staging_bucket_pattern};
    std::vector<repository::Repository> repositories{
        repository::Repository::Open(objects, {kVault, ""}).value()};
    auto report = CheckDrift(services, repositories);
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? *std::move(report) : DriftReport();
  }

  catalog::BackupRecord RecordOf(const TableRef& table) {
    return fixture_.catalog()
        .FindBackups({.project = table.project, .dataset = table.dataset, .table = table.table}, "")
        .value()
        .items.at(0);
  }

  // The objects of the repository whose names hold both.
  std::vector<cloud::ObjectInfo> Objects(const std::string& beginning, const std::string& part) {
    std::vector<cloud::ObjectInfo> found;
    for (const cloud::ObjectInfo& object : fixture_.cloud().AllObjects(kVault)) {
      const bool wanted =
          object.ref.name.starts_with(beginning) && object.ref.name.find(part) != std::string::npos;
      if (wanted) found.push_back(object);
    }
    return found;
  }

  SimFixture fixture_;
};

TEST_F(DriftTest, NothingIsFoundWhereAllIsWell) {
  const DriftReport report = Check();
  EXPECT_TRUE(report.IsClean()) << DumpJson(report.ToJson());
  EXPECT_EQ(report.manifests, 3) << "of two tables and of their dataset";
  EXPECT_EQ(report.records, 3);
  EXPECT_EQ(report.records_elsewhere, 0);
}

TEST_F(DriftTest, DataThatIsGoneIsADamagedBackup) {
  for (const auto& object : Objects("data/", "/orders/")) fixture_.cloud().RemoveObject(object.ref);
  const DriftReport report = Check();
  EXPECT_EQ(report.Of(DriftKind::kDataLost), 1);
  EXPECT_THAT(report.findings.at(0).subject, testing::HasSubstr("acme-shop.sales.orders"));
  EXPECT_TRUE(report.HasDamage());
  EXPECT_TRUE(RecordOf(kSold).damaged) << "the next run is to back it up again";
  EXPECT_FALSE(RecordOf(kInStock).damaged);
}

TEST_F(DriftTest, WhatAnotherCatalogPrunedIsForgottenAndNotDamaged) {
  const catalog::BackupRecord record = RecordOf(kSold);
  for (const char* beginning : {"data/", "manifests/"}) {
    for (const auto& object : Objects(beginning, "/orders/")) {
      fixture_.cloud().RemoveObject(object.ref);
    }
  }
  auto repository = repository::Repository::Open(fixture_.cloud().objects(), {kVault, ""});
  ASSERT_TRUE(
      repository
          ->WriteEvidence(repository::kPrunedEvidence, record.backup, {{"backup", record.backup}})
          .ok());
  const DriftReport report = Check();
  EXPECT_TRUE(report.IsClean()) << DumpJson(report.ToJson());
  EXPECT_EQ(report.pruned_elsewhere, 1);
  EXPECT_FALSE(catalog::GetBackup(fixture_.catalog(), record.backup).ok());
}

TEST_F(DriftTest, AManifestThatWasCutOrTakenAwayIsADamagedBackup) {
  const auto manifest = Objects("manifests/", "/orders/").at(0);
  fixture_.cloud().RemoveObject(manifest.ref);
  DriftReport report = Check();
  EXPECT_EQ(report.Of(DriftKind::kManifestLost), 1);
  EXPECT_EQ(report.Of(DriftKind::kManifestDamaged), 0);
  EXPECT_TRUE(RecordOf(kSold).damaged);

  ASSERT_TRUE(CreateObjectFromString(fixture_.cloud().objects(), {kVault, manifest.ref.name, 0},
                                     "{\"backup\":")
                  .ok());
  report = Check();
  EXPECT_EQ(report.Of(DriftKind::kManifestLost), 0);
  EXPECT_EQ(report.Of(DriftKind::kManifestDamaged), 1);
  EXPECT_THAT(report.findings.at(0).subject, testing::HasSubstr("/orders/"));
}

TEST_F(DriftTest, ABackupThatTheCatalogDoesNotHaveIsNamed) {
  ASSERT_TRUE(fixture_.catalog().RemoveBackup(RecordOf(kInStock).backup).ok());
  const DriftReport report = Check();
  EXPECT_EQ(report.Of(DriftKind::kUnknownBackup), 1);
  EXPECT_FALSE(report.HasDamage());
  EXPECT_FALSE(report.IsClean());
  EXPECT_EQ(report.records, 2);
}

TEST_F(DriftTest, TwoBackupsOfTheSameDataAreNamed) {
  repository::Repository repository =
      repository::Repository::Open(fixture_.cloud().objects(), {kVault, ""}).value();
  Manifest second = repository.ReadManifest(kSold, RecordOf(kSold).backup).value();
  second.backup = RecordOf(kInStock).backup;
  ASSERT_TRUE(repository.WriteManifest(second).ok());
  const DriftReport report = Check();
  EXPECT_EQ(report.Of(DriftKind::kSharedData), 1) << DumpJson(report.ToJson());
  EXPECT_TRUE(report.HasDamage());
}

TEST_F(DriftTest, DataOfNoManifestIsJudgedAfterItsGracePeriodOnly) {
  const std::string name =
      repository::AttemptPrefix("", kSold, "20260101T000000Z-aaaaaaaaaaaa", 2) +
      "000000000000.avro";
  ASSERT_TRUE(
      CreateObjectFromString(fixture_.cloud().objects(), {kVault, name, 0}, "half of it").ok());
  DriftReport report = Check();
  EXPECT_EQ(report.data_young, 1);
  EXPECT_TRUE(report.IsClean());

  fixture_.clock().Advance(std::chrono::hours{73});
  report = Check();
  EXPECT_EQ(report.data_young, 0);
  EXPECT_EQ(report.Of(DriftKind::kLeftover), 1);
  EXPECT_EQ(report.findings.at(0).subject, "gs://" + std::string(kVault) + "/" + name);
  ASSERT_EQ(report.leftovers.size(), 1U);
  EXPECT_EQ(report.leftovers[0].objects.size(), 1U);
  EXPECT_FALSE(report.HasDamage());
}

TEST_F(DriftTest, FindingsAreCountedPastThoseThatAreKept) {
  for (const auto& object : Objects("data/", "")) fixture_.cloud().RemoveObject(object.ref);
  const backup::Services with = fixture_.services();
  const Services services{with.warehouse, with.objects, with.catalog, with.clock, with.random, ""};
  std::vector<repository::Repository> repositories{
      repository::Repository::Open(with.objects, {kVault, ""}).value()};
  const auto report = CheckDrift(services, repositories, {.leftovers = {}, .findings_max = 1});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->findings.size(), 1U);
  EXPECT_EQ(report->Of(DriftKind::kDataLost), 2);
}

TEST_F(DriftTest, ADocumentThatIsListedAndHasNoBytesIsDamagedAndOneThatWasDeletedIsNot) {
  const std::string run = Objects("runs/", "").at(0).ref.name;
  for (const bool is_deleted : {false, true}) {
    testing_support::AlteredStore objects(fixture_.cloud().objects());
    objects.before_read = [&](const cloud::ObjectRef& object) -> Status {
      if (object.name != run) return Ok();
      return MakeError(ErrorId::kObjectNotFound, object.Uri() + " does not exist");
    };
    objects.change_stat = [&](std::optional<cloud::ObjectInfo>& found) {
      if (is_deleted && found && found->ref.name == run) found.reset();
    };
    const DriftReport report = Check(objects);
    EXPECT_EQ(report.Of(DriftKind::kDocumentDamaged), is_deleted ? 0 : 1);
  }
}

}  // namespace
}  // namespace holdfast::verify
