#include "repository/repository.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/virtual_clock.h"
#include "repository/leftovers.h"
#include "sim/sim_cloud.h"

namespace holdfast::repository {
namespace {

constexpr const char* kBucket = "acme-holdfast-us";
const TableRef kTable{"acme", "sales", "orders", ""};

class RepositoryTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(store().EnsureBucket({.name = kBucket, .project = "acme", .location = "US"}).ok());
  }

  cloud::ObjectStore& store() { return cloud_.objects(); }
  Repository Open() {
    auto repository = Repository::OpenOrCreate(store(), location_, clock_, *random_);
    EXPECT_TRUE(repository.ok()) << repository.error().ToString();
    return *repository;
  }

  // Writes a data object of an attempt and returns what a manifest says of it.
  DataObject WriteData(const std::string& backup, int attempt, const std::string& file) {
    const std::string name = AttemptPrefix(location_.prefix, kTable, backup, attempt) + file;
    const auto info = CreateObjectFromString(store(), {kBucket, name, 0}, "data of " + name);
    EXPECT_TRUE(info.ok()) << info.error().ToString();
    return {.name = name,
            .generation = info->ref.generation,
            .size_bytes = info->size_bytes,
            .crc32c = info->crc32c,
            .sha256 = Sha256Hex("data of " + name),
            .rows = 1};
  }

  Manifest ManifestOf(const std::string& backup, std::vector<DataObject> objects) {
    Manifest manifest;
    manifest.backup = backup;
    manifest.object = kTable;
    manifest.run = "run-1";
    manifest.bucket = kBucket;
    manifest.objects = std::move(objects);
    for (const DataObject& object : manifest.objects) {
      manifest.rows += object.rows;
      manifest.stored_bytes += object.size_bytes;
    }
    return manifest;
  }

  VirtualClock clock_{FromUnixMillis(1'700'000'000'000)};
  sim::SimCloud cloud_{clock_};
  std::unique_ptr<Random> random_ = MakeSeededRandom(7);
  Location location_{kBucket, "vault"};
};

TEST_F(RepositoryTest, IsMadeOnceAndKeepsItsId) {
  EXPECT_EQ(Repository::Open(store(), location_).error().id, ErrorId::kRepositoryNotFound);
  const std::string id = Open().id();
  EXPECT_EQ(id.size(), 32);
  EXPECT_EQ(Open().id(), id);
  EXPECT_EQ(Repository::Open(store(), location_)->id(), id);
  EXPECT_EQ(cloud_.AllObjects(kBucket).size(), 1);
}

TEST_F(RepositoryTest, OfAnotherFormatIsNotOpened) {
  const std::pair<const char*, ErrorId> cases[] = {
      {R"({"format": "holdfast-repository", "format_version": 2, "id": "x"})",
       ErrorId::kRepositoryVersion},
      {R"({"format": "restic", "format_version": 1, "id": "x"})", ErrorId::kRepositoryDamaged},
      {R"({"format": "holdfast-repository", "format_version": 1})", ErrorId::kRepositoryDamaged},
      {"not json", ErrorId::kRepositoryDamaged}};
  int number = 0;
  for (const auto& [text, id] : cases) {
    const Location location{kBucket, "other" + std::to_string(number++)};
    ASSERT_TRUE(
        CreateObjectFromString(store(), {kBucket, RepositoryFileName(location.prefix), 0}, text)
            .ok());
    EXPECT_EQ(Repository::Open(store(), location).error().id, id) << text;
    EXPECT_EQ(Repository::OpenOrCreate(store(), location, clock_, *random_).error().id, id);
  }
}

TEST_F(RepositoryTest, ACommittedManifestIsReadBack) {
  Repository repository = Open();
  const Manifest manifest = ManifestOf("b1", {WriteData("b1", 1, "0.avro")});
  EXPECT_FALSE(*repository.HasManifest(kTable, "b1"));
  ASSERT_TRUE(repository.WriteManifest(manifest).ok());
  ASSERT_TRUE(repository.WriteManifest(manifest).ok()) << "the same again is a success";
  EXPECT_TRUE(*repository.HasManifest(kTable, "b1"));
  const auto read = repository.ReadManifest(kTable, "b1");
  ASSERT_TRUE(read.ok()) << read.error().ToString();
  EXPECT_EQ(SerializeManifest(*read), SerializeManifest(manifest));
  EXPECT_EQ(repository.ReadManifest(kTable, "b2").error().id, ErrorId::kManifestNotFound);
}

TEST_F(RepositoryTest, OfTwoAttemptsTheFirstCommitCounts) {
  Repository repository = Open();
  ASSERT_TRUE(repository.WriteManifest(ManifestOf("b1", {WriteData("b1", 1, "0.avro")})).ok());
  const auto late = repository.WriteManifest(ManifestOf("b1", {WriteData("b1", 2, "0.avro")}));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().id, ErrorId::kManifestExists);
}

TEST_F(RepositoryTest, AManifestThatCouldNotBeReadBackIsNotCommitted) {
  Repository repository = Open();
  EXPECT_FALSE(repository.WriteManifest(ManifestOf("b1", {})).ok());
  EXPECT_FALSE(repository.WriteManifest(ManifestOf("../b", {WriteData("b1", 1, "0")})).ok());
  EXPECT_FALSE(*repository.HasManifest(kTable, "b1"));
}

TEST_F(RepositoryTest, AnEditedManifestIsRefusedByName) {
  Repository repository = Open();
  std::string text = SerializeManifest(ManifestOf("b1", {WriteData("b1", 1, "0.avro")}));
  const std::string name = ManifestName("vault", kTable, "b1");
  text.replace(text.find("\"rows\":1"), 8, "\"rows\":9");
  ASSERT_TRUE(CreateObjectFromString(store(), {kBucket, name, 0}, text).ok());
  const auto read = repository.ReadManifest(kTable, "b1");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().id, ErrorId::kManifestDamaged);
  EXPECT_NE(read.error().message.find(name), std::string::npos) << read.error().message;
}

TEST_F(RepositoryTest, AManifestThatNestsTooDeepIsADamagedOne) {
  Repository repository = Open();
  ASSERT_TRUE(CreateObjectFromString(store(), {kBucket, ManifestName("vault", kTable, "b1"), 0},
                                     std::string(1000, '['))
                  .ok());
  EXPECT_EQ(repository.ReadManifest(kTable, "b1").error().id, ErrorId::kManifestDamaged);
}

TEST_F(RepositoryTest, AManifestMovedToAnotherNameIsRefused) {
  Repository repository = Open();
  const std::string text = SerializeManifest(ManifestOf("b1", {WriteData("b1", 1, "0.avro")}));
  ASSERT_TRUE(
      CreateObjectFromString(store(), {kBucket, ManifestName("vault", kTable, "b9"), 0}, text)
          .ok());
  EXPECT_EQ(repository.ReadManifest(kTable, "b9").error().id, ErrorId::kManifestDamaged);
}

TEST_F(RepositoryTest, EveryManifestIsVisitedAndDamageHidesNoOther) {
  Repository repository = Open();
  for (int i = 0; i < 9; ++i) {
    const std::string backup = "b" + std::to_string(i);
    ASSERT_TRUE(
        repository.WriteManifest(ManifestOf(backup, {WriteData(backup, 1, "0.avro")})).ok());
  }
  cloud_.CorruptObject({kBucket, ManifestName("vault", kTable, "b4"), 0}, 20);
  int good = 0;
  std::vector<Error> damaged;
  const Status status = ForEachManifest(repository, {}, [&](Result<Manifest> manifest) -> Status {
    if (manifest.ok()) {
      ++good;
    } else {
      damaged.push_back(manifest.error());
    }
    return Ok();
  });
  ASSERT_TRUE(status.ok()) << status.error().ToString();
  EXPECT_EQ(good, 8);
  ASSERT_EQ(damaged.size(), 1);
  EXPECT_EQ(damaged[0].id, ErrorId::kManifestDamaged);
}

TEST_F(RepositoryTest, EvidenceIsWrittenOnce) {
  Repository repository = Open();
  ASSERT_TRUE(repository.WriteEvidence("verify", "e1", {{"passed", true}}).ok());
  EXPECT_FALSE(repository.WriteEvidence("../verify", "e1", {}).ok());
}

TEST_F(RepositoryTest, LeftoversAreWhatNoManifestNamesAfterTheGracePeriod) {
  Repository repository = Open();
  WriteData("b1", 1, "0.avro");  // a try that failed
  const DataObject good = WriteData("b1", 2, "0.avro");
  ASSERT_TRUE(repository.WriteManifest(ManifestOf("b1", {good})).ok());
  WriteData("b2", 1, "0.avro");  // a run that died
  WriteData("b2", 1, "1.avro");
  ASSERT_TRUE(CreateObjectFromString(store(), {kBucket, "vault/data/notes.txt", 0}, "x").ok());
  clock_.Advance(std::chrono::hours{73});
  WriteData("b3", 1, "0.avro");  // a run that is under way

  const auto plan = PlanLeftovers(repository, {}, clock_.Now());
  ASSERT_TRUE(plan.ok()) << plan.error().ToString();
  EXPECT_EQ(plan->objects.size(), 3);
  EXPECT_EQ(plan->kept_young, 1);
  EXPECT_EQ(plan->kept_in_doubt, 1);
  const auto report = CollectLeftovers(repository, *plan);
  ASSERT_TRUE(report.ok()) << report.error().ToString();
  EXPECT_EQ(report->deleted, 3);
  EXPECT_EQ(report->bytes, plan->bytes);
  EXPECT_TRUE(store().StatObject({kBucket, good.name, 0})->has_value());
  EXPECT_EQ(PlanLeftovers(repository, {}, clock_.Now())->objects.size(), 0);
}

TEST_F(RepositoryTest, WhatAManifestClaimsAfterThePlanWasMadeIsKept) {
  Repository repository = Open();
  const DataObject late = WriteData("b1", 1, "0.avro");
  clock_.Advance(std::chrono::hours{100});
  const auto plan = PlanLeftovers(repository, {}, clock_.Now());
  ASSERT_EQ(plan->objects.size(), 1);
  ASSERT_TRUE(repository.WriteManifest(ManifestOf("b1", {late})).ok());
  const auto report = CollectLeftovers(repository, *plan);
  EXPECT_EQ(report->deleted, 0);
  EXPECT_EQ(report->kept, 1);
}

TEST_F(RepositoryTest, DataOfADamagedManifestStays) {
  Repository repository = Open();
  ASSERT_TRUE(repository.WriteManifest(ManifestOf("b1", {WriteData("b1", 1, "0.avro")})).ok());
  cloud_.CorruptObject({kBucket, ManifestName("vault", kTable, "b1"), 0}, 5);
  clock_.Advance(std::chrono::hours{100});
  const auto plan = PlanLeftovers(repository, {}, clock_.Now());
  ASSERT_TRUE(plan.ok()) << plan.error().ToString();
  EXPECT_TRUE(plan->objects.empty());
  EXPECT_EQ(plan->kept_in_doubt, 1);
}

TEST_F(RepositoryTest, APlanIsBoundedAndSaysSo) {
  Repository repository = Open();
  for (int i = 0; i < 8; ++i) WriteData("b" + std::to_string(i), 1, "0.avro");
  clock_.Advance(std::chrono::hours{100});
  const auto plan = PlanLeftovers(repository, {}, clock_.Now(), {.objects_max = 3});
  EXPECT_EQ(plan->objects.size(), 3);
  EXPECT_TRUE(plan->truncated);
}

}  // namespace
}  // namespace holdfast::repository
