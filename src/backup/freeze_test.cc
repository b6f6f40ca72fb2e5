// Tables that are written without pause while they are backed up.
#include "backup/freeze.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "backup/backup_stage.h"
#include "backup/copy_unit.h"
#include "tests/support/altered_warehouse.h"
#include "tests/support/sim_fixture.h"
#include "verify/verify.h"

namespace holdfast::backup {
namespace {

using testing_support::AlteredWarehouse;
using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

// Ten rows when scanned; two more before the export, and two at every sign of life of the worker.
class WrittenWithoutPause : public testing::Test {
 protected:
  Result<StageResult> BackUp() {
    fixture_.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    Write();
    return BackUpWith([this] { Write(); });
  }

  // Backs up what was scanned with ten rows, and does this at every sign of life.
  Result<StageResult> BackUpWith(const std::function<void()>& meanwhile) {
    const Services services = fixture_.services(warehouse_);
    StageContext context;
    context.run.id = "20260101T000000Z-00000001";
    context.keep_alive = [&meanwhile] {
      meanwhile();
      return Status();
    };
    Fingerprint scanned = FingerprintOf(services.warehouse.GetTable(kOrders).value());
    scanned.rows = 10;
    scanned.last_modified_ms -= scanned_before_ms_;
    RunBackup message;
    message.run = context.run.id;
    message.table_to_backup = kOrders;
    message.method = Method::kExport;
    message.units = {{.partition = "", .fingerprint = scanned}};
    return BackUpTable(message, context, services);
  }

  void Write() {
    fixture_.clock().Advance(std::chrono::seconds{1});
    fixture_.cloud().AppendRows(kOrders, NumberedRows(next_, 2));
    next_ += 2;
  }

  // Lets the extracts of tables of that dataset find nine rows: as if the service hid the others.
  void HideRowsOf(const std::string& dataset) {
    const TableRef nine{"acme-shop", "sales", "nine", ""};
    fixture_.cloud().AddTable(nine, TwoColumns(), NumberedRows(1, 9));
    warehouse_.change_job = [nine, dataset](cloud::JobSpec& spec) {
      auto* extract = std::get_if<cloud::ExtractJob>(&spec);
      if (extract != nullptr && extract->source.dataset == dataset) extract->source = nine;
    };
  }

  SimFixture fixture_;
  AlteredWarehouse warehouse_{fixture_.cloud().warehouse()};
  int64_t next_ = 11;
  int64_t scanned_before_ms_ = 1;  // before the first export begins
};

TEST_F(WrittenWithoutPause, IsBackedUpAsItWasAtOneMoment) {
  const auto result = BackUp();
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_EQ(result->outcomes.size(), 1U);
  const ItemOutcome& outcome = result->outcomes[0];
  ASSERT_EQ(outcome.outcome, Outcome::kBackedUp) << outcome.reason;
  EXPECT_GT(outcome.rows, 12) << "the first export is not what was kept";

  const auto record = catalog::GetBackup(fixture_.catalog(), outcome.backup).value();
  auto repository =
      repository::Repository::Open(fixture_.cloud().objects(), {record.bucket, record.prefix});
  const Manifest manifest = repository->ReadManifest(kOrders, record.backup).value();
  EXPECT_EQ(manifest.source.rows, 10) << "the next run must look again";
  ASSERT_EQ(manifest.objects.size(), 1U);
  EXPECT_THAT(manifest.objects[0].name, testing::HasSubstr("frozen-"));
}

// Two workers have the message: one commits between the other's reading and its counting.
TEST_F(WrittenWithoutPause, LeavesAloneWhatAnotherWorkerHasCommitted) {
  fixture_.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  Write();
  bool done = false;
  const auto result = BackUpWith([&] {
    if (done || fixture_.cloud().AllObjects("acme-shop-holdfast-us").size() < 2) return;
    done = true;
    ASSERT_EQ(BackUpWith([] {})->outcomes.at(0).outcome, Outcome::kBackedUp);
    Write();
  });
  ASSERT_TRUE(done);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->outcomes.at(0).rows, 12);
  const auto record = catalog::GetBackup(fixture_.catalog(), result->outcomes[0].backup).value();
  auto repository =
      repository::Repository::Open(fixture_.cloud().objects(), {record.bucket, record.prefix});
  const auto verified = verify::VerifyBackup(
      fixture_.cloud().objects(), repository->ReadManifest(kOrders, record.backup).value(),
      VerifyLevel::kL2);
  ASSERT_TRUE(verified.ok()) << verified.error().message;
  EXPECT_TRUE(verified->Passed()) << verified->findings.at(0).message;
}

TEST_F(WrittenWithoutPause, IsNoBackupWhenTheExportLacksRowsOfTheCopy) {
  HideRowsOf(std::string(kCopyDatasetPrefix) + "us");
  const auto result = BackUp();
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->outcomes.at(0).outcome, Outcome::kFailed);
  EXPECT_EQ(result->outcomes[0].error_id, FindError(ErrorId::kRowsMissing).id);
  EXPECT_THAT(result->outcomes[0].reason, testing::HasSubstr("9 rows of its copy"));
  EXPECT_FALSE(catalog::LatestGood(fixture_.catalog(), kOrders).value());
}

// Another export of a table that nobody writes to would hide the same rows.
TEST_F(WrittenWithoutPause, IsNotSaidOfATableThatHoldsStill) {
  HideRowsOf(kOrders.dataset);
  fixture_.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  scanned_before_ms_ = 0;
  const auto result = BackUpWith([] {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->outcomes.at(0).outcome, Outcome::kFailed);
  EXPECT_EQ(result->outcomes[0].error_id, FindError(ErrorId::kRowsMissing).id);
  EXPECT_EQ(fixture_.cloud().JobsStarted("copy"), 0);
}

TEST_F(WrittenWithoutPause, LeavesNoCopyBehind) {
  ASSERT_TRUE(BackUp().ok());
  const auto tables = fixture_.cloud().warehouse().ListTables(
      {"acme-shop", std::string(kCopyDatasetPrefix) + "us"}, "");
  ASSERT_TRUE(tables.ok()) << tables.error().message;
  EXPECT_TRUE(tables->items.empty());
}

TEST_F(WrittenWithoutPause, SaysWhyItCouldNotBeHeldStill) {
  fixture_.cloud().faults().FailJobs("copy", "accessDenied", 1);
  const auto result = BackUp();
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->outcomes.at(0).outcome, Outcome::kFailed);
  EXPECT_THAT(result->outcomes[0].reason,
              testing::AllOf(testing::HasSubstr("counted 10 before it"),
                             testing::HasSubstr("copy that holds still")));
}

}  // namespace
}  // namespace holdfast::backup
