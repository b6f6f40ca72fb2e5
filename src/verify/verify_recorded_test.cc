#include "verify/verify_recorded.h"

#include <gtest/gtest.h>

#include "base/virtual_clock.h"
#include "catalog/sqlite_catalog.h"
#include "repository/repository.h"
#include "sim/sim_cloud.h"

namespace holdfast::verify {
namespace {

const TableRef kOrders{"acme", "sales", "orders", ""};

// A repository with one backup of one object, in the catalog.
class VerifyRecordedTest : public testing::Test {
 protected:
  void SetUp() override {
    cloud_.AddProject("acme");
    ASSERT_TRUE(
        objects().EnsureBucket({.name = "vault", .project = "acme", .location = "US"}).ok());
    auto repository =
        repository::Repository::OpenOrCreate(objects(), {"vault", ""}, clock_, *random_);
    ASSERT_TRUE(repository.ok());
    Manifest manifest;
    manifest.backup = "20261121T101844Z-5b0c9d21e6a0";
    manifest.object = kOrders;
    manifest.run = "r1";
    manifest.bucket = "vault";
    const auto data = CreateObjectFromString(objects(), {"vault", "data/a", 0}, "not read at L0");
    ASSERT_TRUE(data.ok());
    manifest.objects = {{.name = "data/a",
                         .generation = data->ref.generation,
                         .size_bytes = data->size_bytes,
                         .crc32c = data->crc32c,
                         .sha256 = std::string(64, '0'),
                         .rows = 1}};
    manifest.rows = 1;
    manifest.stored_bytes = data->size_bytes;
    ASSERT_TRUE(repository->WriteManifest(manifest).ok());
    record_ = catalog::RecordOf(manifest, "vault", "");
    ASSERT_TRUE(catalog_->RecordBackup(record_).ok());
  }

  cloud::ObjectStore& objects() { return cloud_.objects(); }

  Result<VerifyReport> Verify(Duration later = std::chrono::seconds{1}) {
    const Services services{
        cloud_.warehouse(), objects(), *catalog_, clock_, *random_, "{project}-staging-{location}"};
    clock_.Advance(later);
    return VerifyRecorded(services, record_, VerifyLevel::kL0);
  }

  std::vector<repository::EvidenceEntry> Evidence(const std::string& bucket) {
    auto repository = repository::Repository::Open(objects(), {bucket, ""});
    std::vector<repository::EvidenceEntry> found;
    const Status listed = cloud::ForEachPage<repository::EvidenceEntry>(
        [&](const std::string& token) {
          return repository->ListEvidence(repository::kVerifyEvidence, token);
        },
        [&](repository::EvidenceEntry&& entry) -> Status {
          found.push_back(std::move(entry));
          return Ok();
        });
    EXPECT_TRUE(listed.ok());
    return found;
  }

  void Remove(const std::string& beginning) {
    for (const auto& object : cloud_.AllObjects("vault")) {
      if (object.ref.name.starts_with(beginning)) cloud_.RemoveObject(object.ref);
    }
  }

  bool IsDamaged() { return catalog::GetBackup(*catalog_, record_.backup)->damaged; }

  VirtualClock clock_{FromUnixMillis(1'700'000'000'000)};
  sim::SimCloud cloud_{clock_};
  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  std::unique_ptr<catalog::Catalog> catalog_ = catalog::SqliteCatalog::Open(":memory:").value();
  catalog::BackupRecord record_;
};

TEST_F(VerifyRecordedTest, APassIsRecordedAndKeptAsEvidence) {
  const auto report = Verify();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Passed());
  EXPECT_FALSE(IsDamaged());
  EXPECT_EQ(catalog_->ListVerifications(record_.backup)->size(), 1u);
  const auto evidence = Evidence("vault");
  ASSERT_EQ(evidence.size(), 1u);
  EXPECT_TRUE(evidence[0].id.starts_with(record_.backup + "-" + FormatCompact(clock_.Now())));
}

TEST_F(VerifyRecordedTest, WhatIsFoundWithinASecondOfAPassIsKeptAsEvidenceToo) {
  ASSERT_TRUE(Verify(std::chrono::milliseconds{1}).ok());
  Remove("data/");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Verify(std::chrono::milliseconds{i}).ok());
  EXPECT_EQ(Evidence("vault").size(), 4u);
  EXPECT_TRUE(IsDamaged());
}

TEST(EvidenceTime, IsThatOfWhoFoundItButNeverAfterItWasWritten) {
  EXPECT_EQ(EvidenceTime({{"at_ms", 70}}, 100), 70);
  EXPECT_EQ(EvidenceTime({{"at_ms", 170}}, 100), 100);
  EXPECT_EQ(EvidenceTime({}, 100), 100);
}

struct Loss {
  const char* what;       // of the test's name
  const char* beginning;  // of the names of the objects that are lost
  ErrorId finding;
};

class VerifyRecordedLoss : public VerifyRecordedTest, public testing::WithParamInterface<Loss> {};

TEST_P(VerifyRecordedLoss, IsDamageOfTheBackupAndNoReasonToStop) {
  Remove(GetParam().beginning);
  const auto report = Verify();
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_EQ(report->findings.size(), 1u);
  EXPECT_EQ(report->findings[0].id, GetParam().finding);
  EXPECT_FALSE(report->Passed());
  EXPECT_TRUE(IsDamaged());
}

INSTANTIATE_TEST_SUITE_P(Each, VerifyRecordedLoss,
                         testing::Values(Loss{"data", "data/", ErrorId::kObjectMissing},
                                         Loss{"manifest", "manifests/", ErrorId::kManifestNotFound},
                                         Loss{"repository", "repository.json",
                                              ErrorId::kRepositoryNotFound},
                                         Loss{"everything", "", ErrorId::kRepositoryNotFound}),
                         [](const auto& parameter) { return parameter.param.what; });

TEST_F(VerifyRecordedTest, AServiceThatDoesNotAnswerSaysNothingOfTheBackup) {
  cloud_.faults().DenyAccess("vault");
  EXPECT_FALSE(Verify().ok());
  EXPECT_FALSE(IsDamaged());
}

class VerifyFurtherCopyTest : public VerifyRecordedTest {
 protected:
  // What a look at the copy in another bucket says.
  std::string Look() {
    const Services services{
        cloud_.warehouse(), objects(), *catalog_, clock_, *random_, "{project}-staging-{location}"};
    catalog::BackupRecord copy = record_;
    copy.bucket = "second";
    clock_.Advance(std::chrono::seconds{1});
    const auto report = VerifyFurtherCopy(services, copy, VerifyLevel::kL0);
    if (!report.ok()) return report.error().message;
    if (!*report) return "none";
    return (*report)->Passed() ? "whole" : "damaged";
  }

  void MakeCopy() {
    ASSERT_TRUE(
        objects().EnsureBucket({.name = "second", .project = "acme", .location = "US"}).ok());
    auto second = repository::Repository::OpenOrCreate(objects(), {"second", ""}, clock_, *random_);
    auto first = repository::Repository::Open(objects(), {"vault", ""});
    Manifest manifest = first->ReadManifest(kOrders, record_.backup).value();
    const auto data = CreateObjectFromString(objects(), {"second", "data/a", 0}, "not read at L0");
    manifest.bucket = "second";
    manifest.objects[0].generation = data->ref.generation;
    ASSERT_TRUE(second->WriteManifest(manifest).ok());
  }

  catalog::CopyState Known() {
    return catalog_->FindCopies({.backup = record_.backup}, "")->items.at(0).state;
  }
};

TEST_F(VerifyFurtherCopyTest, TellsADamagedCopyFromOneThatWasNeverMade) {
  EXPECT_EQ(Look(), "none");
  EXPECT_EQ(Known(), catalog::CopyState::kAbsent);
  MakeCopy();
  EXPECT_EQ(Look(), "whole");
  EXPECT_EQ(Known(), catalog::CopyState::kWhole);
  for (const char* beginning : {"data/", "manifests/", ""}) {
    for (const auto& object : cloud_.AllObjects("second")) {
      if (object.ref.name.starts_with(beginning)) cloud_.RemoveObject(object.ref);
    }
    EXPECT_EQ(Look(), "damaged") << beginning << " is gone";
    EXPECT_EQ(Known(), catalog::CopyState::kDamaged);
  }
  EXPECT_FALSE(IsDamaged()) << "the backup itself is whole";
}

TEST_F(VerifyFurtherCopyTest, KeepsEvidenceOfDamageWhereTheCopyLies) {
  MakeCopy();
  EXPECT_EQ(Look(), "whole");
  for (const auto& object : cloud_.AllObjects("second")) {
    if (object.ref.name.starts_with("data/")) cloud_.RemoveObject(object.ref);
  }
  EXPECT_EQ(Look(), "damaged");
  EXPECT_EQ(Evidence("second").size(), 2U);
  EXPECT_EQ(Evidence("vault").size(), 0U);
}

}  // namespace
}  // namespace holdfast::verify
