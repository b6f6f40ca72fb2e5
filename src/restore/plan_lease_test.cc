// A restore holds its backups while it is under way, and no longer.
#include "restore/plan_lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repository/leases.h"
#include "tests/support/restore_fixture.h"

namespace holdfast::restore {
namespace {

using testing_support::AddTwo;
using testing_support::kFirst;
using testing_support::kSales;
using testing_support::SimFixture;
using testing_support::To;

constexpr const char* kVault = "acme-shop-holdfast-us";

std::set<std::string> Held(SimFixture& fixture) {
  auto repository = repository::Repository::Open(fixture.cloud().objects(), {kVault, ""}).value();
  return repository::LeasedBackups(repository, fixture.clock().Now()).value();
}

std::string BackupOf(SimFixture& fixture, const TableRef& table) {
  return catalog::LatestGood(fixture.catalog(), table).value()->backup;
}

TEST(PlanLease, HoldsTheBackupsOfAPlanUntilItIsDone) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  Services services = fixture.restore_services();
  std::set<std::string> held;
  services.on_step = [&](const std::string&) { held.merge(Held(fixture)); };
  const RestoreRequest request = To(kSales, "back");
  const auto plan = PlanRestore(request, services);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_TRUE(Held(fixture).empty()) << "a plan alone holds nothing";
  const auto report = Apply(request, *plan, services);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(report->Succeeded());
  EXPECT_TRUE(held.contains(BackupOf(fixture, kFirst)));
  EXPECT_EQ(held.size(), 3u) << "two tables and their dataset";
  EXPECT_TRUE(Held(fixture).empty());
}

TEST(PlanLease, IsTakenOverByTheCommandThatGoesOnAndElseEndsByItself) {
  for (const bool goes_on : {true, false}) {
    SimFixture fixture;
    AddTwo(fixture);
    ASSERT_TRUE(fixture.BackUp().ok());
    Services services = fixture.restore_services();
    services.on_step = [&](const std::string& step) {
      if (step.ends_with("t2")) fixture.cloud().faults().CrashAtCall(8);
    };
    const RestoreRequest request = To(kSales, "back");
    const auto plan = PlanRestore(request, services);
    ASSERT_TRUE(plan.ok());
    (void)Apply(request, *plan, services);
    fixture.cloud().faults().Revive();
    EXPECT_EQ(Held(fixture).size(), 3u);
    if (goes_on) {
      ASSERT_TRUE(testing_support::Restore(fixture, request)->Succeeded());
    } else {
      fixture.clock().Advance(kLeaseTime + std::chrono::hours{1});
    }
    EXPECT_TRUE(Held(fixture).empty());
  }
}

TEST(PlanLease, IsRefusedWhenAPruneHasBegunToDeleteOneOfTheBackups) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const std::string name = repository::IntentsPrefix("") + BackupOf(fixture, kFirst) + ".json";
  ASSERT_TRUE(
      cloud::CreateObjectFromString(fixture.cloud().objects(), {kVault, name, 0}, "{}").ok());
  const auto report = testing_support::Restore(fixture, To(kSales, "back"));
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().id, ErrorId::kBackupBeingRemoved);
  EXPECT_FALSE(fixture.cloud().HasTable({"acme-shop", "back", "t2", ""}));
}

TEST(PlanLease, IsRenewedBeforeItEnds) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const Services services = fixture.restore_services();
  const auto plan = PlanRestore(To(kSales, "back"), services);
  ASSERT_TRUE(plan.ok());
  auto lease = PlanLease::Take(*plan, services);
  ASSERT_TRUE(lease.ok());
  EXPECT_TRUE(lease->notes().empty());
  for (int i = 0; i < 4; ++i) {
    fixture.clock().Advance(kLeaseTime / 2 + std::chrono::hours{1});
    ASSERT_TRUE(lease->Renew().ok());
    EXPECT_EQ(Held(fixture).size(), 3u);
  }
  lease->End();
  EXPECT_TRUE(Held(fixture).empty());
}

}  // namespace
}  // namespace holdfast::restore
