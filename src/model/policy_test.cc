#include "model/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

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
  policy.bucket_project = "acme-vault";
  policy.create_buckets = false;
  policy.bucket_retention = "30d";
  policy.require_access = true;
  policy.forced_full_days = 0;
  policy.backup_operation_projects = {"ops-one", "ops-two"};
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
                        {{"bucket_retention", "a month"}},
                        {{"direct_extract", "yes"}},
                        {{"method", Json::array()}},
                        {{"method", {"export", "export"}}},
                        {{"method", {"export", "definition"}}},
                        {{"method", {"export", 7}}},
                        {{"time_travel_days", 8}},
                        {{"time_travel_days", -1}},
                        {{"freeze", "no"}},
                        {{"repositories", "elsewhere"}},
                        {{"repositories", {{{"prefix", "a"}}}}},
                        {{"repositories", {{{"bucket_pattern", "Not One"}}}}},
                        {{"repositories", {{{"bucket_pattern", "vault"}, {"prefix", "../x"}}}}},
                        {{"repositories", {{{"bucket_pattern", "{project}-holdfast-{location}"}}}}},
                        {{"backup_operation_projects", "ops"}},
                        {{"backup_operation_projects", {"No Project"}}},
                        {{"scope", {{"include", {"a..b"}}}}},
                        {{"scope", {{"include", {"a.b.c.d"}}}}},
                        {{"scope", {{"exclude", {7}}}}},
                        Json::array()};
  for (const Json& json : cases) EXPECT_FALSE(BackupPolicy::FromJson(json).ok()) << json.dump();
}

TEST(BackupPolicy, TakesOneMethodOrAList) {
  const auto one = BackupPolicy::FromJson({{"method", "snapshot"}});
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->Methods(), std::vector<Method>{Method::kSnapshot});
  EXPECT_EQ(one->ToJson()["method"], "snapshot");
  const auto both = BackupPolicy::FromJson({{"method", {"export", "snapshot"}}});
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(both->Methods(), (std::vector<Method>{Method::kExport, Method::kSnapshot}));
  EXPECT_EQ(BackupPolicy::FromJson(both->ToJson()).value(), *both);
  const BackupPolicy second = both->ForMethod(Method::kSnapshot);
  EXPECT_EQ(second.method, Method::kSnapshot);
  EXPECT_EQ(second.further_methods, std::vector<Method>{Method::kExport});
}

TEST(BackupPolicy, CarriesItsFurtherRepositoriesAndItsMoment) {
  BackupPolicy policy;
  policy.time_travel_days = 2;
  policy.freeze = false;
  policy.repositories = {
      {.bucket_pattern = "vault-{project}", .prefix = "a/b", .project = "vault", .location = "EU"},
      {.bucket_pattern = "third"}};
  EXPECT_EQ(BackupPolicy::FromJson(policy.ToJson()).value(), policy);
}

// A typing mistake here would put backups where nobody looks for them, or lose them.
TEST(BackupPolicy, RefusesPlacesThatNoBackupShouldGoTo) {
  const Json cases[] = {{{"bucket_pattern", "{projekt}-holdfast"}},
                        {{"bucket_pattern", "My Bucket"}},
                        {{"bucket_pattern", ""}},
                        {{"bucket_pattern", "ab"}},
                        {{"staging_bucket_pattern", "{project}-X"}},
                        {{"bucket_pattern", "vault"}, {"staging_bucket_pattern", "vault"}},
                        {{"staging_bucket_pattern", "{project}-holdfast-{location}"}},
                        {{"prefix", "../x"}},
                        {{"prefix", "/x"}},
                        {{"prefix", "x/"}},
                        {{"prefix", "a//b"}},
                        {{"prefix", "a b"}}};
  for (const Json& json : cases) {
    const auto policy = BackupPolicy::FromJson(json);
    ASSERT_FALSE(policy.ok()) << json.dump();
    EXPECT_EQ(policy.error().id, ErrorId::kInvalidName) << json.dump();
  }
  EXPECT_TRUE(
      BackupPolicy::FromJson({{"bucket_pattern", "vault.acme.com"}, {"prefix", "a/b_1"}}).ok());
}

TEST(BucketPattern, FillsInNamesThatABucketMayHave) {
  EXPECT_EQ(FillBucketPattern("{project}-holdfast-{location}", "acme", "EU"), "acme-holdfast-eu");
  EXPECT_EQ(FillBucketPattern("{project}-x", "example.com:web", "US"), "example-com-web-x");
  const std::string project(60, 'p');
  const std::string name = FillBucketPattern("{project}-holdfast-{location}", project, "US");
  EXPECT_EQ(name.size(), 63);
  EXPECT_NE(name, FillBucketPattern("{project}-holdfast-{location}", project, "EU"));
}

TEST(JobProject, SpreadsObjectsAndKeepsEachWhereItIs) {
  BackupPolicy policy;
  const TableRef orders{"acme", "sales", "orders", ""};
  EXPECT_EQ(JobProjectOf(policy, orders), "acme");
  policy.backup_operation_projects = {"ops-one", "ops-two", "ops-three"};
  std::map<std::string, int> tables;
  for (int i = 0; i < 300; ++i) {
    ++tables[JobProjectOf(policy, {"acme", "sales", "t" + std::to_string(i), ""})];
  }
  for (const std::string& project : policy.backup_operation_projects) {
    EXPECT_GT(tables[project], 60) << project;
  }
  EXPECT_EQ(JobProjectOf(policy, orders), JobProjectOf(policy, orders));
}

TEST(Scope, CoversOfATableOnlyThePartitionsThatItNames) {
  const Scope scope = Scope::FromJson({{"include", {"p.d.whole", "p.d.part"}},
                                       {"partitions", {"p.d.part$20260101", "p.d.part$20260103"}}})
                          .value();
  EXPECT_TRUE(scope.CoversTable({"p", "d", "whole", ""}));
  EXPECT_TRUE(scope.MayCoverTable({"p", "d", "part", ""}));
  EXPECT_FALSE(scope.CoversTable({"p", "d", "part", ""})) << "it tells nothing of the others";
  EXPECT_EQ(scope.PartitionsOf({"p", "d", "part", ""}),
            (std::set<std::string>{"20260101", "20260103"}));
  EXPECT_TRUE(scope.PartitionsOf({"p", "d", "whole", ""}).empty());
  EXPECT_EQ(Scope::FromJson(scope.ToJson()).value(), scope);
  EXPECT_FALSE(Scope::FromJson({{"partitions", {"p.d.part"}}}).ok());
}

TEST(Scope, TellsByWhichPatternSomethingIsLeftOut) {
  const Scope scope = Scope::FromJson({{"include", {"acme-*"}},
                                       {"exclude", {"acme-old", "*.scratch", "*.d.tmp_*"}}})
                          .value();
  EXPECT_EQ(scope.ExcludedBy({.project = "acme-old"}), "acme-old");
  EXPECT_EQ(scope.ExcludedBy({.project = "acme-shop"}), std::nullopt);
  EXPECT_EQ(scope.ExcludedBy({.project = "acme-shop", .dataset = "scratch"}), "*.scratch");
  EXPECT_EQ(scope.ExcludedBy({.project = "acme-shop", .dataset = "d"}), std::nullopt)
      << "not all of it";
  EXPECT_EQ(scope.ExcludedBy({"acme-shop", "d", "tmp_1", ""}), "*.d.tmp_*");
  EXPECT_EQ(scope.ExcludedBy({.project = "other", .dataset = "scratch"}), std::nullopt)
      << "it was not asked for";
}

TEST(ShrinkReason, NamesAFallBelowTheThreshold) {
  const BackupPolicy policy;
  EXPECT_EQ(ShrinkReason(policy, {1000}, {500}), "");
  EXPECT_THAT(ShrinkReason(policy, {1000}, {499}), testing::HasSubstr("rows fell from 1000"));
  EXPECT_NE(ShrinkReason(policy, {1}, {0}), "");
  EXPECT_EQ(ShrinkReason(policy, {0}, {0}), "");
}

TEST(ShrinkReason, NamesBytesThatFellWhereTheRowsDidNot) {
  const BackupPolicy policy;
  EXPECT_EQ(ShrinkReason(policy, {100, 5000}, {100, 2500}), "");
  EXPECT_THAT(ShrinkReason(policy, {100, 5000}, {100, 2499}),
              testing::HasSubstr("bytes fell from 5000 to 2499"));
  EXPECT_EQ(ShrinkReason(policy, {100, 5000}, {100, 0}), "") << "not known";
  EXPECT_EQ(ShrinkReason(policy, {100, 0}, {100, 5000}), "");
}

TEST(ShrinkReason, TellsWhatFell) {
  const BackupPolicy policy;
  EXPECT_TRUE(IsFallOfBytes(ShrinkReason(policy, {100, 5000}, {100, 2499})));
  EXPECT_FALSE(IsFallOfBytes(ShrinkReason(policy, {100, 5000}, {49, 2499})));
  EXPECT_FALSE(IsFallOfBytes(ShrinkReason(policy, {100, 5000}, {0, 0})));
  EXPECT_FALSE(IsFallOfBytes(""));
}

TEST(ShrinkReason, NamesAnEmptiedObjectWhateverTheThreshold) {
  BackupPolicy policy;
  policy.shrink_threshold = 0;
  EXPECT_NE(ShrinkReason(policy, {1000}, {0}), "");
  EXPECT_EQ(ShrinkReason(policy, {1000, 100}, {1, 1}), "");
}

}  // namespace
}  // namespace holdfast
