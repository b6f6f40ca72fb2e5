// A rehearsal proves a backup and leaves nothing behind.
#include "restore/rehearse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/restore_fixture.h"

namespace holdfast::restore {
namespace {

using std::chrono::hours;
using testing_support::AddTwo;
using testing_support::kFirst;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const DatasetInfo kScratch{.ref = {"acme-restore", "scratch"}, .location = "US"};

catalog::BackupRecord Newest(SimFixture& fixture) {
  return **catalog::LatestGood(fixture.catalog(), kFirst);
}

size_t ScratchTables(SimFixture& fixture) {
  const auto page = fixture.cloud().warehouse().ListTables(kScratch.ref, "");
  return page.ok() ? page->items.size() : 0;
}

TEST(Rehearse, RestoresComparesAndTakesAway) {
  SimFixture fixture;
  fixture.cloud().AddProject("acme-restore");
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto report = Rehearse(Newest(fixture), kScratch, fixture.restore_services());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->outcome, TableOutcome::kRestored);
  ASSERT_TRUE(report->comparison);
  EXPECT_EQ(report->comparison->actual_rows, 10);
  EXPECT_EQ(ScratchTables(fixture), 0U);
  EXPECT_EQ(Newest(fixture).verified, VerifyLevel::kL3);
}

TEST(Rehearse, FindsDamageAndLeavesNothingBehind) {
  SimFixture fixture;
  fixture.cloud().AddProject("acme-restore");
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const catalog::BackupRecord record = Newest(fixture);
  for (const cloud::ObjectInfo& object : fixture.cloud().AllObjects(record.bucket)) {
    if (object.ref.name.find(record.backup) != std::string::npos &&
        object.ref.name.ends_with(".avro")) {
      fixture.cloud().RemoveObject(object.ref);
    }
  }
  const auto report = Rehearse(record, kScratch, fixture.restore_services());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->outcome, TableOutcome::kFailed);
  EXPECT_TRUE(catalog::GetBackup(fixture.catalog(), record.backup)->damaged);
  EXPECT_EQ(ScratchTables(fixture), 0U);
}

TEST(Rehearse, ClearsWhatAKilledOneLeftAndNothingElse) {
  SimFixture fixture;
  fixture.cloud().AddProject("acme-restore");
  EXPECT_EQ(ClearRehearsals(kScratch.ref, hours{24}, fixture.restore_services()).value(), 0)
      << "there is no such dataset";
  for (const char* table : {"rehearsal_old", "somebody"}) {
    fixture.cloud().AddTable({"acme-restore", "scratch", table, ""}, TwoColumns(),
                             NumberedRows(1, 1));
  }
  fixture.clock().Advance(hours{25});
  fixture.cloud().AddTable({"acme-restore", "scratch", "rehearsal_now", ""}, TwoColumns(),
                           NumberedRows(1, 1));
  EXPECT_EQ(ClearRehearsals(kScratch.ref, hours{24}, fixture.restore_services()).value(), 1);
  EXPECT_TRUE(fixture.cloud().HasTable({"acme-restore", "scratch", "rehearsal_now", ""}));
  EXPECT_TRUE(fixture.cloud().HasTable({"acme-restore", "scratch", "somebody", ""}));
}

}  // namespace
}  // namespace holdfast::restore
