#include "model/policy.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

struct ScopeCase {
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  TableRef table;
  bool covered;
};

TEST(Scope, CoversWhatIsIncludedAndNotExcluded) {
  const TableRef orders{"acme-prod", "sales", "orders", ""};
  const ScopeCase cases[] = {
      {{}, {}, orders, true},
      {{"acme-*"}, {}, orders, true},
      {{"acme-prod.sales"}, {}, orders, true},
      {{"acme-prod.sal?s.ord*"}, {}, orders, true},
      {{"*.*.orders"}, {}, orders, true},
      {{"acme-prod.marketing"}, {}, orders, false},
      {{"acme"}, {}, orders, false},
      {{}, {"*.*.orders"}, orders, false},
      {{"acme-prod"}, {"acme-prod.sales"}, orders, false},
      {{}, {"acme-prod.sales.tmp_*"}, orders, true},
      {{"example.com:web.logs.*"}, {}, {"example.com:web", "logs", "hits", ""}, true},
      {{"example.com:web"}, {}, {"example.com:web", "logs", "hits", ""}, true},
      {{"acme.sales"}, {}, RoutineObject({"acme", "sales"}, "f"), true},
      {{"acme.sales.routine:f"}, {}, RoutineObject({"acme", "sales"}, "f"), true},
      {{"acme.sales.routine:f"}, {}, RoutineObject({"acme", "sales"}, "g"), false},
      {{"*.*.dataset:definition"}, {}, DatasetObject({"acme", "sales"}), true},
      {{"example.com:web.logs.routine:f"},
       {},
       RoutineObject({"example.com:web", "logs"}, "f"),
       true},
      {{"acme.sales.orders"}, {}, DatasetObject({"acme", "sales"}), false},
  };
  for (const ScopeCase& item : cases) {
    const Scope scope{item.include, item.exclude};
    EXPECT_EQ(scope.CoversTable(item.table), item.covered) << DumpJson(scope.ToJson());
  }
}

TEST(Scope, TellsWhatNeedNotBeListed) {
  const Scope scope{{"acme.sales.orders", "acme.web"}, {"acme.web.tmp_*", "other"}};
  EXPECT_TRUE(scope.MayCoverProject("acme"));
  EXPECT_FALSE(scope.MayCoverProject("other"));
  EXPECT_TRUE(scope.MayCoverDataset({"acme", "sales"}));
  EXPECT_TRUE(scope.MayCoverDataset({"acme", "web"}));
  EXPECT_FALSE(scope.MayCoverDataset({"acme", "hr"}));
  EXPECT_FALSE((Scope{{}, {"acme.*"}}).MayCoverDataset({"acme", "web"}));
  EXPECT_FALSE((Scope{{}, {"acme.*.*"}}).MayCoverProject("acme"));
}

TEST(Scope, TellsWhereNoRoutineNeedBeListed) {
  const DatasetRef sales{"acme", "sales"};
  const auto may = [&](std::vector<std::string> include) {
    return Scope{std::move(include), {}}.MayCoverRoutines(sales);
  };
  EXPECT_TRUE(may({}));
  EXPECT_TRUE(may({"acme"}));
  EXPECT_TRUE(may({"acme.sales"}));
  EXPECT_TRUE(may({"acme.sales.*"}));
  EXPECT_TRUE(may({"acme.sales.r*"}));
  EXPECT_TRUE(may({"acme.sales.routine:f"}));
  EXPECT_TRUE(may({"acme.sales.routine:f*"}));
  EXPECT_FALSE(may({"acme.sales.orders"}));
  EXPECT_FALSE(may({"acme.sales.routine"}));
  EXPECT_FALSE(may({"acme.sales.o*"}));
  EXPECT_FALSE(may({"acme.web.*"}));
  EXPECT_FALSE((Scope{{}, {"acme.sales"}}).MayCoverRoutines(sales));
}

TEST(BackupPolicy, IsNotOfTheMethodThatKeepsNoData) {
  EXPECT_FALSE(BackupPolicy::FromJson({{"method", "definition"}}).ok());
}

TEST(BackupPolicy, RoundTripsThroughJson) {
  BackupPolicy policy;
  policy.method = Method::kCopy;
  policy.scope = {{"a.*"}, {"a.b.c"}};
  policy.verify = VerifyLevel::kL1;
  policy.shrink_threshold = 0.25;
  policy.direct_extract = false;
  policy.require_access = true;
  policy.forced_full_days = 0;
  const auto parsed = BackupPolicy::FromJson(policy.ToJson());
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(*parsed, policy);
  EXPECT_EQ(*BackupPolicy::FromJson(Json::object()), BackupPolicy{});
}

TEST(BackupPolicy, RefusesWrongMembers) {
  const Json cases[] = {{{"method", "magic"}},
                        {{"verify", "L3"}},
                        {{"verify", "none"}},
                        {{"codec", "ZSTD"}},
                        {{"shrink_threshold", 2}},
                        {{"forced_full_days", -1}},
                        {{"direct_extract", "yes"}},
                        {{"scope", {{"include", {"a..b"}}}}},
                        {{"scope", {{"include", {"a.b.c.d"}}}}},
                        {{"scope", {{"exclude", {7}}}}},
                        Json::array()};
  for (const Json& json : cases) EXPECT_FALSE(BackupPolicy::FromJson(json).ok()) << json.dump();
}

TEST(BucketPattern, FillsInNamesThatABucketMayHave) {
  EXPECT_EQ(FillBucketPattern("{project}-holdfast-{location}", "acme", "EU"), "acme-holdfast-eu");
  EXPECT_EQ(FillBucketPattern("{project}-x", "example.com:web", "US"), "example-com-web-x");
  const std::string project(60, 'p');
  const std::string name = FillBucketPattern("{project}-holdfast-{location}", project, "US");
  EXPECT_EQ(name.size(), 63);
  EXPECT_NE(name, FillBucketPattern("{project}-holdfast-{location}", project, "EU"));
}

TEST(ShrinkReason, NamesAFallBelowTheThreshold) {
  const BackupPolicy policy;
  EXPECT_EQ(ShrinkReason(policy, 1000, 500), "");
  EXPECT_NE(ShrinkReason(policy, 1000, 499), "");
  EXPECT_NE(ShrinkReason(policy, 1, 0), "");
  EXPECT_EQ(ShrinkReason(policy, 0, 0), "");
}

}  // namespace
}  // namespace holdfast
