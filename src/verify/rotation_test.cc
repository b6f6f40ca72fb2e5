// Everything is read in its time, the oldest first, and the work is spread.
#include "verify/rotation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "catalog/sqlite_catalog.h"
#include "model/ids.h"

namespace holdfast::verify {
namespace {

using std::chrono::hours;
using testing::ElementsAre;

constexpr int64_t kDayMs = 24LL * 60 * 60 * 1000;
const Timestamp kNow = FromUnixMillis(1'790'000'000'000);

catalog::BackupRecord Record(const std::string& id, int64_t bytes) {
  return {.backup = id,
          .object = {"acme-shop", "sales", "t_" + id, ""},
          .source = {},
          .stored_bytes = bytes,
          .content_digest = "hf1:1:00"};
}

std::vector<std::string> Ids(const RotationPlan& plan) {
  std::vector<std::string> ids;
  for (const RotationItem& item : plan.items) ids.push_back(item.record.backup);
  return ids;
}

TEST(RotationPlanner, TakesWhatIsDueBeforeTheNextPassOldestFirst) {
  RotationPlanner planner({.interval = hours{24}}, kNow);
  const int64_t now = ToUnixMillis(kNow);
  planner.Add({.record = Record("fresh", 100)}, now - kDayMs, hours{240});
  planner.Add({.record = Record("tomorrow", 100)}, now - 9 * kDayMs, hours{240});
  planner.Add({.record = Record("late", 100)}, now - 12 * kDayMs, hours{240});
  planner.Add({.record = Record("never", 100)}, 0, hours{240});
  const RotationPlan plan = planner.Finish();
  EXPECT_THAT(Ids(plan), ElementsAre("never", "late", "tomorrow"));
  EXPECT_EQ(plan.backups, 4);
  EXPECT_EQ(plan.overdue, 2);
  EXPECT_EQ(plan.deferred, 0);
  EXPECT_EQ(plan.planned_bytes, 300);
}

TEST(RotationPlanner, LeavesWhatIsOverALimitAndSaysSo) {
  const int64_t now = ToUnixMillis(kNow);
  const auto plan = [&](RotationOptions options) {
    RotationPlanner planner(options, kNow);
    for (int i = 0; i < 5; ++i) {
      planner.Add({.record = Record("b" + std::to_string(i), 100)}, now - (40 - i) * kDayMs,
                  hours{240});
    }
    return planner.Finish();
  };
  const RotationPlan bytes = plan({.bytes_max = 250});
  EXPECT_THAT(Ids(bytes), ElementsAre("b0", "b1"));
  EXPECT_EQ(bytes.deferred, 3);
  EXPECT_THAT(Ids(plan({.bytes_max = 1})), ElementsAre("b0")) << "or it never would be read";
  const RotationPlan items = plan({.items_max = 3});
  EXPECT_THAT(Ids(items), ElementsAre("b0", "b1", "b2"));
  EXPECT_EQ(items.deferred, 2);
}

// A month of passes over backups that were all read at the same moment.
TEST(RotationPlanner, SpreadsTheWorkAndIsNeverLate) {
  std::map<std::string, int64_t> last_ms;
  std::map<std::string, int64_t> size;
  int64_t total = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string id = "b" + std::to_string(i);
    last_ms[id] = ToUnixMillis(kNow);
    size[id] = (50 + i % 100) * (int64_t{1} << 20U);
    total += size[id];
  }
  int64_t most = 0;
  for (int day = 1; day <= 120; ++day) {
    const Timestamp now = kNow + hours{24} * day;
    RotationPlanner planner({.interval = hours{24}}, now);
    for (const auto& [id, at_ms] : last_ms)
      planner.Add({.record = Record(id, size[id])}, at_ms, hours{24 * 30});
    const RotationPlan plan = planner.Finish();
    EXPECT_EQ(plan.overdue, 0) << "on day " << day;
    most = std::max(most, plan.planned_bytes);
    for (const RotationItem& item : plan.items) {
      last_ms[item.record.backup] = ToUnixMillis(now);
    }
  }
  EXPECT_LE(most, 2 * total / 30 + (int64_t{150} << 20U))
      << "at the end of a round, two days' share at most";
}

class RotationOverCatalog : public testing::Test {
 protected:
  void Add(const std::string& id, const std::string& table, int64_t created_ms, VerifyLevel level) {
    catalog::BackupRecord record = Record(id, 10);
    record.object.table = table;
    record.created_ms = created_ms;
    record.consistent_through_ms = created_ms;
    record.verified = level;
    record.verified_ms = created_ms;
    ASSERT_TRUE(catalog_->RecordBackup(record).ok());
  }
  void Verify(const std::string& id, int64_t at_ms, VerifyLevel level, bool passed = true) {
    ASSERT_TRUE(
        catalog_
            ->RecordVerification(
                {.backup = id, .at_ms = at_ms, .level = level, .passed = passed, .detail = {}})
            .ok());
  }

  static Result<VerificationPolicy> PolicyOf(const TableRef&) {
    return VerificationPolicy{.read_within = hours{240}, .restore_within = hours{480}};
  }

  std::unique_ptr<catalog::Catalog> catalog_ = catalog::SqliteCatalog::Open(":memory:").value();
  const int64_t now_ = ToUnixMillis(kNow);
};

TEST_F(RotationOverCatalog, ReadsWhatWasNotReadForLongAndNothingThatIsKnownToBeDamaged) {
  Add("a", "t1", now_ - 20 * kDayMs, VerifyLevel::kL2);
  Add("b", "t1", now_ - 2 * kDayMs, VerifyLevel::kL2);
  Add("c", "t2", now_ - 30 * kDayMs, VerifyLevel::kL2);
  Verify("c", now_ - kDayMs, VerifyLevel::kL2);
  Add("d", "t3", now_ - 30 * kDayMs, VerifyLevel::kL2);
  Verify("d", now_ - 29 * kDayMs, VerifyLevel::kL3);
  Verify("d", now_ - kDayMs, VerifyLevel::kL2);  // after the better level
  Add("e", "t4", now_ - 30 * kDayMs, VerifyLevel::kL2);
  Verify("e", now_ - 3 * kDayMs, VerifyLevel::kL2, false);
  Add("f", "t5", now_ - 2 * kDayMs, VerifyLevel::kL0);  // never read
  const auto plan = PlanReading(*catalog_, PolicyOf, {}, {.interval = hours{1}}, kNow);
  ASSERT_TRUE(plan.ok());
  EXPECT_THAT(Ids(*plan), ElementsAre("f", "a"));
  EXPECT_EQ(plan->backups, 5) << "all but the damaged one";
}

TEST_F(RotationOverCatalog, ReadsEveryCopyInItsTimeAsWell) {
  Add("a", "t1", now_ - 30 * kDayMs, VerifyLevel::kL2);
  Verify("a", now_ - kDayMs, VerifyLevel::kL2);
  const FurtherPlaces further = [](const TableRef&, const std::string&) {
    return std::vector<repository::Location>{{"", ""}, {"second", "p"}, {"third", ""}};
  };
  const auto read = [&](const FurtherPlaces& places) {
    const auto plan = PlanReading(*catalog_, PolicyOf, places, {.interval = hours{1}}, kNow);
    std::vector<std::string> names;
    for (const RotationItem& item : plan.value().items) {
      names.push_back(item.record.bucket + (item.is_copy ? " copy" : " itself"));
    }
    return names;
  };
  EXPECT_THAT(read({}), ElementsAre());
  EXPECT_THAT(read(further), ElementsAre("second copy", "third copy")) << "never read";
  catalog::CopyRecord copy{.object = Record("a", 1).object,
                           .backup = "a",
                           .bucket = "second",
                           .prefix = "p",
                           .state = catalog::CopyState::kWhole,
                           .level = VerifyLevel::kL0,
                           .at_ms = now_ - 20 * kDayMs,
                           .detail = {}};
  ASSERT_TRUE(catalog_->RecordCopy(copy).ok());
  EXPECT_THAT(read(further), ElementsAre("second copy", "third copy")) << "L0 reads nothing";
  copy.at_ms = now_ - kDayMs;
  copy.level = VerifyLevel::kL2;
  ASSERT_TRUE(catalog_->RecordCopy(copy).ok());
  EXPECT_THAT(read(further), ElementsAre("third copy"));
  copy.at_ms = now_;
  copy.state = catalog::CopyState::kDamaged;
  ASSERT_TRUE(catalog_->RecordCopy(copy).ok());
  EXPECT_THAT(read(further), ElementsAre("third copy")) << "that is known";
  copy.bucket = "third";
  copy.prefix = "";
  copy.state = catalog::CopyState::kAbsent;
  ASSERT_TRUE(catalog_->RecordCopy(copy).ok());
  EXPECT_THAT(read(further), ElementsAre()) << "there is none";
}

TEST_F(RotationOverCatalog, RestoresTheNewestGoodBackupOfAnObjectOfWhichNoneWasForLong) {
  Add("a", "t1", now_ - 40 * kDayMs, VerifyLevel::kL2);
  Add("b", "t1", now_ - 2 * kDayMs, VerifyLevel::kL2);
  Add("c", "t2", now_ - 40 * kDayMs, VerifyLevel::kL2);
  Verify("c", now_ - 5 * kDayMs, VerifyLevel::kL3);
  Add("d", "t2", now_ - kDayMs, VerifyLevel::kL2);
  Add("e", "t3", now_ - 5 * kDayMs, VerifyLevel::kL2);  // too young to be due
  Add("f", "t4", now_ - 50 * kDayMs, VerifyLevel::kL2);
  Add("g", "t4", now_ - kDayMs, VerifyLevel::kL2);
  Verify("g", now_, VerifyLevel::kL2, false);
  const auto plan = PlanRehearsals(*catalog_, PolicyOf, {.interval = hours{1}}, kNow);
  ASSERT_TRUE(plan.ok());
  EXPECT_THAT(Ids(*plan), ElementsAre("f", "b")) << "the damaged newest one is passed over";
}

TEST_F(RotationOverCatalog, RehearsesNoDefinitionThatHasNoRows) {
  catalog::BackupRecord view = Record("v", 10);
  view.kind = ObjectKind::kView;
  view.method = Method::kDefinition;
  view.created_ms = now_ - 40 * kDayMs;
  ASSERT_TRUE(catalog_->RecordBackup(view).ok());
  Add("a", "t1", now_ - 40 * kDayMs, VerifyLevel::kL2);
  const auto plan = PlanRehearsals(*catalog_, PolicyOf, {.interval = hours{1}}, kNow);
  ASSERT_TRUE(plan.ok());
  EXPECT_THAT(Ids(*plan), ElementsAre("a"));
}

}  // namespace
}  // namespace holdfast::verify
