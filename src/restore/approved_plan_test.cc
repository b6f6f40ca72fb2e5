// A plan that was approved is applied exactly, or refused with every reason.
#include "restore/approved_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repository/leases.h"
#include "restore/plan_lease.h"
#include "tests/support/restore_fixture.h"

namespace holdfast::restore {
namespace {

using testing::HasSubstr;
using testing_support::AddTwo;
using testing_support::kFirst;
using testing_support::kSales;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::To;

constexpr const char* kOurVault = "acme-shop-holdfast-us";
const TableRef kRestoredFirst{"acme-shop", "back", "t1", ""};

std::set<std::string> HeldBackups(SimFixture& fixture) {
  auto repository =
      repository::Repository::Open(fixture.cloud().objects(), {kOurVault, ""}).value();
  return repository::LeasedBackups(repository, fixture.clock().Now()).value();
}

// The text of a plan's file, as `restore plan -o` writes it.
std::string PlanText(SimFixture& fixture, const RestoreRequest& request) {
  const Services services = fixture.restore_services();
  auto plan = PlanAndJudge(request, QuotaLimits(), services);
  EXPECT_TRUE(plan.ok()) << plan.error().message;
  auto approved = HoldPlan(request, *std::move(plan), services);
  EXPECT_TRUE(approved.ok()) << approved.error().message;
  return SerializePlan(*approved);
}

Result<RestoreReport> ApplyText(SimFixture& fixture, const std::string& text) {
  const Services services = fixture.restore_services();
  HF_ASSIGN_OR_RETURN(const ApprovedPlan approved, ParsePlan(text));
  HF_ASSIGN_OR_RETURN(const RestorePlan plan, CheckApproved(approved, services));
  HF_ASSIGN_OR_RETURN(RestoreReport report, Apply(approved.request, plan, services));
  if (report.Succeeded()) EndHold(approved, services);
  return report;
}

TEST(ApprovedPlan, IsAppliedFromItsBackupsAlthoughNewerOnesExist) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const std::string text = PlanText(fixture, To(kSales, "back"));
  EXPECT_EQ(HeldBackups(fixture).size(), 3u);
  fixture.clock().Advance(std::chrono::hours{1});
  fixture.cloud().AppendRows(kFirst, NumberedRows(100, 5));
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto report = ApplyText(fixture, text);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Succeeded());
  EXPECT_EQ(fixture.cloud().ReadRows(kRestoredFirst).size(), 10u);
  EXPECT_TRUE(HeldBackups(fixture).empty());
}

TEST(ApprovedPlan, ThatIsStaleIsRefusedAndNothingIsWritten) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const std::string text = PlanText(fixture, To(kSales, "back"));
  fixture.cloud().AddTable(kRestoredFirst, testing_support::TwoColumns(), NumberedRows(1, 1));
  const int64_t jobs = fixture.cloud().JobsStarted("load");
  const auto report = ApplyText(fixture, text);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().id, ErrorId::kPlanStale);
  EXPECT_THAT(report.error().message, HasSubstr("dataset acme-shop.back is there now"));
  EXPECT_THAT(report.error().message, HasSubstr("acme-shop.back.t1 is there now"));
  EXPECT_EQ(fixture.cloud().JobsStarted("load"), jobs);
  EXPECT_FALSE(fixture.cloud().HasTable({"acme-shop", "back", "t2", ""}));
  EXPECT_EQ(fixture.cloud().ReadRows(kRestoredFirst).size(), 1u);
}

TEST(ApprovedPlan, GoesOnAfterACrashOfItsOwn) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const std::string text = PlanText(fixture, To(kSales, "back"));
  const auto approved = ParsePlan(text);
  ASSERT_TRUE(approved.ok());
  Services services = fixture.restore_services();
  services.on_step = [&](const std::string& step) {
    if (step.ends_with("t2")) fixture.cloud().faults().CrashAtCall(8);
  };
  const auto plan = CheckApproved(*approved, services);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  (void)Apply(approved->request, *plan, services);
  fixture.cloud().faults().Revive();
  ASSERT_TRUE(fixture.cloud().HasTable(kRestoredFirst));
  const auto report = ApplyText(fixture, text);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Succeeded());
  EXPECT_TRUE(report->resumes_ms.has_value());
  EXPECT_EQ(fixture.cloud().ReadRows(kRestoredFirst).size(), 10u);
  EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "back", "t2", ""}).size(), 20u);
  EXPECT_TRUE(HeldBackups(fixture).empty());
}

TEST(ApprovedPlan, WithAConflictIsRefusedAndHoldsNothing) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const std::string text = PlanText(fixture, testing_support::Of(kSales));
  const auto approved = ParsePlan(text);
  ASSERT_TRUE(approved.ok()) << approved.error().message;
  EXPECT_EQ(approved->plan.conflicts.size(), 2u) << "both tables are there";
  EXPECT_TRUE(HeldBackups(fixture).empty());
  const auto report = ApplyText(fixture, text);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().id, ErrorId::kTableExists);
}

TEST(ApprovedPlan, IsNotForADatasetThatLetsInMorePeople) {
  SimFixture fixture;
  AddTwo(fixture);
  fixture.cloud().PatchDataset(kSales.dataset_ref(),
                               {{"access", {{{"role", "READER"}, {"userByEmail", "ann@x.org"}}}}});
  ASSERT_TRUE(fixture.BackUp().ok());
  ASSERT_TRUE(
      fixture.cloud()
          .warehouse()
          .EnsureDataset(
              {.ref = kRestoredFirst.dataset_ref(),
               .location = "US",
               .resource = {{"access", {{{"role", "READER"}, {"userByEmail", "eve@x.org"}}}}}})
          .ok());
  RestoreRequest request = To(kFirst, "back");
  auto report = ApplyText(fixture, PlanText(fixture, request));
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().id, ErrorId::kAccessWider);
  EXPECT_THAT(report.error().message, HasSubstr("user:eve@x.org"));
  EXPECT_FALSE(fixture.cloud().HasTable(kRestoredFirst));
  request.allow_wider_access = true;
  report = ApplyText(fixture, PlanText(fixture, request));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Succeeded());
}

TEST(ApprovedPlan, EndsWithItsLease) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const std::string text = PlanText(fixture, To(kSales, "back"));
  fixture.clock().Advance(kLeaseTime + std::chrono::minutes{1});
  const auto report = ApplyText(fixture, text);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().id, ErrorId::kPlanStale);
}

TEST(PlanFile, ComesBackAsItWasWritten) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  RestoreRequest request = To(kSales, "sales");
  request.compare = false;
  request.if_exists = IfExists::kSkip;
  request.allow_over_quota = true;
  const std::string text = PlanText(fixture, request);
  const auto approved = ParsePlan(text);
  ASSERT_TRUE(approved.ok()) << approved.error().message;
  EXPECT_EQ(SerializePlan(*approved), text);
  EXPECT_EQ(approved->request.if_exists, IfExists::kSkip);
  EXPECT_FALSE(approved->request.compare);
  EXPECT_TRUE(approved->request.allow_over_quota);
  EXPECT_FALSE(approved->request.allow_wider_access);
  ASSERT_EQ(approved->plan.tables.size(), 3u);
  EXPECT_TRUE(approved->plan.tables[0].before.exists);
  // But for how well it is verified, which restores nothing otherwise.
  catalog::BackupRecord record = *catalog::LatestGood(fixture.catalog(), kFirst).value();
  record.verified = VerifyLevel::kNone;
  record.verified_ms = 0;
  EXPECT_EQ(approved->plan.tables[0].backups[0], record);
}

TEST(PlanFile, IsRefusedWhenAnyByteOfItIsAnother) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const std::string text = PlanText(fixture, To(kFirst, "back"));
  ASSERT_TRUE(ParsePlan(text).ok());
  for (size_t i = 0; i < text.size(); ++i) {
    std::string edited = text;
    edited[i] = edited[i] == '0' ? '1' : '0';
    const auto parsed = ParsePlan(edited);
    ASSERT_FALSE(parsed.ok()) << i;
    EXPECT_EQ(parsed.error().id, ErrorId::kPlanInvalid) << i;
  }
  for (const std::string& other : {std::string(), std::string("{}"), std::string("[1]"),
                                   text.substr(0, text.size() / 2), text + " "}) {
    const auto parsed = ParsePlan(other);
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error().id, ErrorId::kPlanInvalid);
  }
}

}  // namespace
}  // namespace holdfast::restore
