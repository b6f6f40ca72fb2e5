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

TEST(PlanLease, IsGivenBackWhenItCannotBeTakenEverywhere) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const Services services = fixture.restore_services();
  auto plan = PlanRestore(To(kSales, "back"), services);
  ASSERT_TRUE(plan.ok());
  const repository::Location other{"other", ""};
  ASSERT_TRUE(
      services.objects.EnsureBucket({.name = "other", .project = "acme-shop", .location = "US"})
          .ok());
  ASSERT_TRUE(
      repository::Repository::OpenOrCreate(services.objects, other, services.clock, services.random)
          .ok());
  catalog::BackupRecord& elsewhere = plan->tables.back().backups.front();
  elsewhere.bucket = other.bucket;
  const std::string name = repository::IntentsPrefix("") + elsewhere.backup + ".json";
  ASSERT_TRUE(cloud::CreateObjectFromString(services.objects, {other.bucket, name, 0}, "{}").ok());
  const auto lease = PlanLease::Take(*plan, services);
  ASSERT_FALSE(lease.ok());
  EXPECT_EQ(lease.error().id, ErrorId::kBackupBeingRemoved);
  EXPECT_TRUE(Held(fixture).empty());
}

// Whatever call fails before the first table, the restore is over and needs nothing.
TEST(PlanLease, IsGivenBackWhenTheRestoreCannotBegin) {
  int not_begun = 0;
  for (int64_t call = 1; call <= 25; ++call) {
    SimFixture fixture;
    AddTwo(fixture);
    ASSERT_TRUE(fixture.BackUp().ok());
    const RestoreRequest request = To(kSales, "back");
    const auto plan = PlanRestore(request, fixture.restore_services());
    ASSERT_TRUE(plan.ok());
    fixture.cloud().faults().FailAtCall(call);
    const auto report = Apply(request, *plan, fixture.restore_services());
    fixture.cloud().faults().Revive();
    if (report.ok()) continue;
    ++not_begun;
    EXPECT_TRUE(Held(fixture).empty()) << call << ": " << report.error().message;
  }
  EXPECT_GT(not_begun, 3);
}

// A backup that is lost while it is restored is read from its copy.
TEST(PlanLease, HoldsTheCopiesOfTheBackupsToo) {
  SimFixture fixture;
  AddTwo(fixture);
  BackupPolicy policy;
  policy.repositories = {{.bucket_pattern = "{project}-elsewhere", .prefix = "second"}};
  ASSERT_TRUE(fixture.BackUp(policy).ok());
  const repository::Location elsewhere{"acme-shop-elsewhere", "second"};
  Services services = fixture.restore_services();
  services.further_places = [&](const TableRef&, const std::string&) {
    // One where nothing was ever copied to is no matter.
    return std::vector<repository::Location>{elsewhere, {"nowhere", ""}};
  };
  const auto held_elsewhere = [&] {
    auto repository = repository::Repository::Open(fixture.cloud().objects(), elsewhere).value();
    return repository::LeasedBackups(repository, fixture.clock().Now()).value();
  };
  std::set<std::string> held;
  services.on_step = [&](const std::string&) { held.merge(held_elsewhere()); };
  const RestoreRequest request = To(kSales, "back");
  const auto plan = PlanRestore(request, services);
  ASSERT_TRUE(plan.ok());
  const auto report = Apply(request, *plan, services);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->notes.empty());
  EXPECT_TRUE(held.contains(BackupOf(fixture, kFirst)));
  EXPECT_TRUE(held_elsewhere().empty());
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
