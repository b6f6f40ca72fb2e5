#include <gtest/gtest.h>

#include "catalog/sqlite_catalog.h"
#include "model/work_message.h"

namespace holdfast::catalog {
namespace {

constexpr int64_t kDay = int64_t{24} * 60 * 60 * 1000;
constexpr int64_t kToday = 20'000 * kDay;
const TableRef kWaiting{"acme", "sales", "orders", ""};

class QuotaLedgerTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteCatalog> catalog_ = SqliteCatalog::Open(":memory:").value();
};

TEST_F(QuotaLedgerTest, CountsAKeyOnce) {
  const QuotaUse use{.key = "t/1", .project = "p", .amounts = {1, 700, 0, 0}};
  ASSERT_TRUE(catalog_->CountUse(kToday, {use}).ok());
  ASSERT_TRUE(catalog_->CountUse(kToday, {use}).ok());
  ASSERT_TRUE(catalog_->CountUse(kToday + kDay, {use}).ok());
  EXPECT_EQ(catalog_->UsedOn(kToday).value(),
            (std::map<std::string, QuotaAmounts>{{"p", {1, 700, 0, 0}}}));
  EXPECT_TRUE(catalog_->UsedOn(kToday + kDay)->empty());
}

TEST_F(QuotaLedgerTest, AddsUpByProjectAndDay) {
  ASSERT_TRUE(catalog_
                  ->CountUse(kToday, {{.key = "a/1", .project = "p", .amounts = {0, 0, 2, 0}},
                                      {.key = "a/1", .project = "q", .amounts = {0, 0, 3, 3}},
                                      {.key = "b/1", .project = "p", .amounts = {1, 5, 0, 0}}})
                  .ok());
  ASSERT_TRUE(catalog_->CountUse(kToday + kDay, {{.key = "c/1", .project = "p"}}).ok());
  const auto used = catalog_->UsedOn(kToday);
  ASSERT_TRUE(used.ok());
  EXPECT_EQ(used->at("p"), (QuotaAmounts{1, 5, 2, 0}));
  EXPECT_EQ(used->at("q"), (QuotaAmounts{0, 0, 3, 3}));
}

TEST_F(QuotaLedgerTest, KnowsAKeyEvenIfItUsedNothing) {
  EXPECT_FALSE(catalog_->IsCounted("used-up/r/p/copy").value());
  ASSERT_TRUE(catalog_->CountUse(kToday, {{.key = "used-up/r/p/copy", .project = "p"}}).ok());
  EXPECT_TRUE(catalog_->IsCounted("used-up/r/p/copy").value());
}

TEST_F(QuotaLedgerTest, ForgetsWhatIsOld) {
  ASSERT_TRUE(catalog_->CountUse(kToday, {{.key = "old", .project = "p"}}).ok());
  ASSERT_TRUE(catalog_->CountUse(kToday + 30 * kDay, {{.key = "new", .project = "p"}}).ok());
  EXPECT_TRUE(catalog_->IsCounted("old").value());
  ASSERT_TRUE(catalog_->CountUse(kToday + 31 * kDay, {}).ok());
  EXPECT_FALSE(catalog_->IsCounted("old").value());
  EXPECT_TRUE(catalog_->IsCounted("new").value());
}

TEST_F(QuotaLedgerTest, RemembersSinceWhenATableWaits) {
  EXPECT_EQ(catalog_->WaitingSince(kWaiting).value(), std::nullopt);
  ASSERT_TRUE(catalog_->NoteWaiting({kWaiting}, kToday).ok());
  ASSERT_TRUE(catalog_->NoteWaiting({kWaiting}, kToday + 20 * kDay).ok());
  EXPECT_EQ(catalog_->WaitingSince(kWaiting).value(), kToday);
  // Heard of 20 days ago: not forgotten yet, but 11 days later.
  const TableRef other{"acme", "sales", "other", ""};
  ASSERT_TRUE(catalog_->NoteWaiting({other}, kToday + 40 * kDay).ok());
  EXPECT_EQ(catalog_->WaitingSince(kWaiting).value(), kToday);
  ASSERT_TRUE(catalog_->NoteWaiting({other}, kToday + 51 * kDay).ok());
  EXPECT_EQ(catalog_->WaitingSince(kWaiting).value(), std::nullopt);
  EXPECT_EQ(catalog_->WaitingSince(other).value(), kToday + 40 * kDay);
  ASSERT_TRUE(catalog_->NoteServed({other}).ok());
  EXPECT_EQ(catalog_->WaitingSince(other).value(), std::nullopt);
}

TEST_F(QuotaLedgerTest, KnowsWhetherARunStillLooksForWork) {
  const holdfast::Run run{.id = "r1"};
  ASSERT_TRUE(catalog_->BeginRun(run).ok());
  EXPECT_TRUE(catalog_->IsLookingForWork("r1").value());
  const WorkMessage check =
      CheckProjectTables{.run = "r1", .project_to_check = "acme", .folders = {}, .labels = {}};
  ASSERT_TRUE(catalog_->CompleteTask(TaskId(StartBackupProcess{"r1"}), {check}, {}).ok());
  EXPECT_TRUE(catalog_->IsLookingForWork("r1").value());
  const WorkMessage backup = RunBackup{
      .run = "r1", .table_to_backup = kWaiting, .method = Method::kCopy, .units = {BackupUnit{}}};
  ASSERT_TRUE(catalog_->CompleteTask(TaskId(check), {backup}, {}).ok());
  EXPECT_FALSE(catalog_->IsLookingForWork("r1").value());
}

}  // namespace
}  // namespace holdfast::catalog
