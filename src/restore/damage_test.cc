// What a restore makes of its backups when something is wrong.
#include "restore/damage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "restore/apply.h"
#include "restore/unfinished.h"
#include "tests/support/restore_fixture.h"

namespace holdfast::restore {
namespace {

using testing::HasSubstr;
using testing_support::kFirst;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::To;
using testing_support::TwoColumns;

const TableRef kBack{"acme-shop", "back", "t1", ""};

class DamageTest : public testing::Test {
 protected:
  void SetUp() override {
    cloud().AddTable(kFirst, TwoColumns(), NumberedRows(1, 10));
    ASSERT_TRUE(fixture_.BackUp().ok());
  }

  sim::SimCloud& cloud() { return fixture_.cloud(); }

  catalog::BackupRecord Newest() {
    return fixture_.catalog().FindBackups({.table = kFirst.table}, "")->items.at(0);
  }

  // The objects of the newest backup whose names end so.
  std::vector<cloud::ObjectInfo> ObjectsOf(const std::string& end) {
    std::vector<cloud::ObjectInfo> objects;
    const catalog::BackupRecord newest = Newest();
    for (const cloud::ObjectInfo& object : cloud().AllObjects(newest.bucket)) {
      if (object.ref.name.find(newest.backup) != std::string::npos &&
          object.ref.name.ends_with(end) && !object.ref.name.starts_with("evidence/")) {
        objects.push_back(object);
      }
    }
    EXPECT_FALSE(objects.empty());
    return objects;
  }

  void CorruptData() {
    for (const cloud::ObjectInfo& object : ObjectsOf(".avro")) {
      cloud().CorruptObject(object.ref, static_cast<size_t>(object.size_bytes) - 40);
    }
  }

  // Restores, and does something after the target was filled and before it is looked at.
  TableReport Restore(const std::function<void()>& before_comparing = [] {}) {
    Services services = fixture_.restore_services();
    services.on_step = [&](const std::string& step) {
      if (step.starts_with("comparing")) before_comparing();
    };
    fixture_.clock().Advance(std::chrono::seconds{1});
    const auto plan = PlanRestore(To(kFirst, "back"), services);
    EXPECT_TRUE(plan.ok());
    return Apply(To(kFirst, "back"), *plan, services)->tables.at(0);
  }

  // A look tells that of the newest backup, before there is a target.
  void ExpectNothingIsLoaded(ErrorId id) {
    const TableReport report = Restore();
    ASSERT_EQ(report.outcome, TableOutcome::kFailed);
    EXPECT_EQ(report.error->id, id);
    EXPECT_EQ(cloud().JobsStarted("load"), 0);
    EXPECT_FALSE(cloud().HasTable(kBack));
    EXPECT_TRUE(Newest().damaged);
  }

  SimFixture fixture_;
};

TEST_F(DamageTest, ABackupWhoseManifestIsGoneIsPassedOverByTheNextRestore) {
  cloud().AppendRows(kFirst, NumberedRows(11, 1));
  ASSERT_TRUE(fixture_.BackUp().ok());
  for (const cloud::ObjectInfo& object : ObjectsOf(".json")) cloud().RemoveObject(object.ref);
  const TableReport failed = Restore();
  ASSERT_EQ(failed.outcome, TableOutcome::kFailed);
  EXPECT_EQ(failed.error->id, ErrorId::kManifestNotFound);
  EXPECT_TRUE(Newest().damaged);
  const TableReport report = Restore();
  EXPECT_EQ(report.outcome, TableOutcome::kRestored);
  EXPECT_EQ(cloud().ReadRows(kBack).size(), 10u);
}

TEST_F(DamageTest, ABackupWithoutItsFilesIsNotLoaded) {
  for (const cloud::ObjectInfo& object : ObjectsOf(".avro")) cloud().RemoveObject(object.ref);
  ExpectNothingIsLoaded(ErrorId::kObjectMissing);
}

// They are whole, and not the ones that were backed up: a load would take them.
TEST_F(DamageTest, ABackupWhoseFilesAreOthersIsNotLoaded) {
  for (const cloud::ObjectInfo& object : ObjectsOf(".avro")) {
    const cloud::ObjectRef name{object.ref.bucket, object.ref.name, 0};
    const auto bytes = cloud::ReadObjectToString(cloud().objects(), name, 1 << 20);
    cloud().RemoveObject(object.ref);
    ASSERT_TRUE(cloud::CreateObjectFromString(cloud().objects(), name, *bytes).ok());
  }
  ExpectNothingIsLoaded(ErrorId::kObjectChanged);
}

TEST_F(DamageTest, ARestoredTableThatDiffersDoesNotCondemnABackupThatIsWhole) {
  const TableReport report = Restore([&] { cloud().AppendRows(kBack, NumberedRows(99, 1)); });
  ASSERT_EQ(report.outcome, TableOutcome::kDiffers);
  EXPECT_THAT(report.error->message, HasSubstr("is whole"));
  EXPECT_FALSE(Newest().damaged);
  EXPECT_EQ(fixture_.catalog().ListVerifications(Newest().backup)->at(0).level, VerifyLevel::kL2);
}

TEST_F(DamageTest, ARestoredTableThatDiffersCondemnsTheBackupThatIsNot) {
  const TableReport report = Restore([&] {
    cloud().AppendRows(kBack, NumberedRows(99, 1));
    CorruptData();
  });
  ASSERT_EQ(report.outcome, TableOutcome::kDiffers);
  EXPECT_THAT(report.error->message, HasSubstr("is damaged"));
  EXPECT_TRUE(Newest().damaged);
}

TEST_F(DamageTest, AnotherDescriptionSaysNothingOfTheBackup) {
  const TableReport report = Restore([&] { cloud().SetDescription(kBack, "edited"); });
  ASSERT_EQ(report.outcome, TableOutcome::kDiffers);
  EXPECT_FALSE(report.comparison->content_differs);
  EXPECT_FALSE(Newest().damaged);
}

TEST_F(DamageTest, ReadsTheBackupsAfterAFailedLoadOnlyWhenTheErrorIsOfTheData) {
  CorruptData();
  cloud().faults().FailJobs("load", "quotaExceeded", 1);
  ASSERT_EQ(Restore().outcome, TableOutcome::kFailed);
  EXPECT_FALSE(Newest().damaged);
  const TableReport report = Restore();
  ASSERT_EQ(report.outcome, TableOutcome::kFailed);
  EXPECT_THAT(report.error->message, HasSubstr("is damaged"));
  EXPECT_TRUE(Newest().damaged);
}

}  // namespace
}  // namespace holdfast::restore
