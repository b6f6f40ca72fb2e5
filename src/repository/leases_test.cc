#include "repository/leases.h"

#include <gtest/gtest.h>

#include "sim/sim_cloud.h"

namespace holdfast::repository {
namespace {

using Ids = std::set<std::string>;

class LeasesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(
        cloud_.objects().EnsureBucket({.name = "vault", .project = "p", .location = "US"}).ok());
    auto random = MakeSeededRandom(1);
    repository_.emplace(
        Repository::OpenOrCreate(cloud_.objects(), {"vault", "copies"}, clock_, *random).value());
  }

  Status Take(const std::string& holder, Duration time, std::vector<std::string> backups) {
    return TakeLease(*repository_, {.holder = holder,
                                    .until_ms = ToUnixMillis(clock_.Now() + time),
                                    .backups = std::move(backups)});
  }
  Ids Held() { return LeasedBackups(*repository_, clock_.Now()).value(); }

  VirtualClock clock_{FromUnixMillis(1'790'000'000'000)};
  sim::SimCloud cloud_{clock_};
  std::optional<Repository> repository_;
};

TEST_F(LeasesTest, HoldBackupsUntilTheyEnd) {
  ASSERT_TRUE(Take("plan-a", std::chrono::hours{1}, {"b1", "b2"}).ok());
  ASSERT_TRUE(Take("plan-b", std::chrono::hours{9}, {"b2", "b3"}).ok());
  EXPECT_EQ(Held(), (Ids{"b1", "b2", "b3"}));
  clock_.Advance(std::chrono::minutes{70});
  EXPECT_EQ(Held(), (Ids{"b1", "b2", "b3"})) << "another clock may be behind";
  clock_.Advance(std::chrono::minutes{1});
  EXPECT_EQ(Held(), (Ids{"b2", "b3"}));
  ASSERT_TRUE(EndLease(*repository_, "plan-b").ok());
  ASSERT_TRUE(EndLease(*repository_, "plan-b").ok());
  EXPECT_EQ(Held(), Ids());
}

TEST_F(LeasesTest, AreRenewedByTheirHolder) {
  ASSERT_TRUE(Take("plan-a", std::chrono::hours{1}, {"b1", "b2"}).ok());
  clock_.Advance(std::chrono::minutes{30});
  ASSERT_TRUE(Take("plan-a", std::chrono::hours{1}, {"b2"}).ok());
  EXPECT_EQ(Held(), Ids{"b2"});
  clock_.Advance(std::chrono::minutes{60});
  EXPECT_EQ(Held(), Ids{"b2"});
}

TEST_F(LeasesTest, AreRefusedOnceADeletionHasBegun) {
  ASSERT_TRUE(cloud::CreateObjectFromString(cloud_.objects(),
                                            {"vault", IntentsPrefix("copies") + "b2.json", 0}, "{}")
                  .ok());
  const Status taken = Take("plan-a", std::chrono::hours{1}, {"b1", "b2"});
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().id, ErrorId::kBackupBeingRemoved);
  EXPECT_EQ(Held(), Ids()) << "nothing is held";
  EXPECT_TRUE(Take("plan-a", std::chrono::hours{1}, {"b1"}).ok());
}

// A bucket that retains its objects: an earlier lease of the holder cannot be deleted.
TEST_F(LeasesTest, AreTakenAndEndByTheirTimeWhereNothingCanBeDeleted) {
  ASSERT_TRUE(cloud_.objects()
                  .EnsureBucket({.name = "locked",
                                 .project = "p",
                                 .location = "US",
                                 .retention_seconds = 24 * 60 * 60})
                  .ok());
  auto random = MakeSeededRandom(1);
  repository_.emplace(
      Repository::OpenOrCreate(cloud_.objects(), {"locked", ""}, clock_, *random).value());
  ASSERT_TRUE(Take("plan-a", std::chrono::hours{1}, {"b1"}).ok());
  clock_.Advance(std::chrono::minutes{30});
  EXPECT_TRUE(Take("plan-a", std::chrono::hours{1}, {"b2"}).ok());
  EXPECT_EQ(Held(), (Ids{"b1", "b2"}));
  ASSERT_TRUE(cloud::CreateObjectFromString(cloud_.objects(),
                                            {"locked", IntentsPrefix("") + "b3.json", 0}, "{}")
                  .ok());
  EXPECT_EQ(Take("plan-b", std::chrono::hours{1}, {"b3"}).error().id, ErrorId::kBackupBeingRemoved);
  clock_.Advance(std::chrono::hours{2});
  EXPECT_TRUE(ClearExpiredLeases(*repository_, clock_.Now()).ok()) << "they are retained";
  EXPECT_EQ(Held(), Ids());
}

TEST_F(LeasesTest, AreClearedOnceTheyHoldNothing) {
  const auto leases = [&] {
    return cloud_.objects().ListObjects("vault", LeasesPrefix("copies"), "")->items.size();
  };
  ASSERT_TRUE(Take("plan-a", std::chrono::hours{1}, {"b1"}).ok());
  ASSERT_TRUE(Take("plan-b", std::chrono::hours{9}, {"b2"}).ok());
  clock_.Advance(std::chrono::minutes{70});
  ASSERT_TRUE(ClearExpiredLeases(*repository_, clock_.Now()).ok());
  EXPECT_EQ(leases(), 2U) << "another clock may be behind";
  clock_.Advance(std::chrono::minutes{1});
  ASSERT_TRUE(ClearExpiredLeases(*repository_, clock_.Now()).ok());
  EXPECT_EQ(leases(), 1U);
  EXPECT_EQ(Held(), Ids{"b2"});
}

// Nobody knows what it holds, so nothing may be deleted.
TEST_F(LeasesTest, OfWhichOneCannotBeReadAreAnError) {
  const std::string name = LeasesPrefix("copies") + "009999999999999-plan-a.json";
  ASSERT_TRUE(cloud::CreateObjectFromString(cloud_.objects(), {"vault", name, 0}, "{").ok());
  EXPECT_FALSE(LeasedBackups(*repository_, clock_.Now()).ok());
}

}  // namespace
}  // namespace holdfast::repository
