#include "restore/mapping.h"

#include <gtest/gtest.h>

namespace holdfast::restore {
namespace {

using Level = MapRule::Level;

RestoreRequest With(const std::vector<std::pair<Level, std::string>>& rules) {
  RestoreRequest request;
  for (const auto& [level, text] : rules) {
    request.maps.push_back(ParseMapRule(level, text).value());
  }
  return request;
}

TEST(TargetOf, FollowsTheMostSpecificRuleMemberByMember) {
  const RestoreRequest request = With({{Level::kTable, "acme.sales.orders:orders_old"},
                                       {Level::kDataset, "acme.sales:rescued"},
                                       {Level::kProject, "acme:acme-restore"}});
  const std::pair<const char*, const char*> cases[] = {
      {"acme.sales.orders", "acme-restore.rescued.orders_old"},
      {"acme.sales.orders$20260101", "acme-restore.rescued.orders_old"},
      {"acme.sales.people", "acme-restore.rescued.people"},
      {"acme.site.pages", "acme-restore.site.pages"},
      {"other.sales.orders", "other.sales.orders"},
  };
  for (const auto& [source, target] : cases) {
    EXPECT_EQ(TargetOf(request, ParseTableRef(source).value()).ToString(), target);
  }
}

TEST(TargetOf, LetsARuleBeStrongerThanTheTargetOfAll) {
  RestoreRequest request = With({{Level::kProject, "acme:acme-restore"}});
  request.to_project = "elsewhere";
  request.to_dataset = "all";
  EXPECT_EQ(TargetOf(request, {"acme", "sales", "t", ""}).ToString(), "acme-restore.all.t");
  EXPECT_EQ(TargetOf(request, {"web", "site", "t", ""}).ToString(), "elsewhere.all.t");
}

TEST(TargetOf, GivesARoutineTheNameOfARoutine) {
  const TableRef routine = RoutineObject({"acme", "sales"}, "net");
  RestoreRequest request;
  request.to_table = "net_before";
  EXPECT_EQ(TargetOf(request, routine), RoutineObject({"acme", "sales"}, "net_before"));
}

TEST(ParseMapRule, TakesTwoNamesOfItsLevel) {
  const std::pair<Level, const char*> good[] = {
      {Level::kProject, "acme:acme-restore"},
      {Level::kProject, "example.com:shop=example.com:back"},
      {Level::kDataset, "acme.sales:other.sales"},
      {Level::kTable, "acme.sales.a b:c d"}};
  for (const auto& [level, text] : good) {
    EXPECT_TRUE(ParseMapRule(level, text).ok()) << text;
  }
  const std::pair<Level, const char*> bad[] = {
      {Level::kProject, "acme"},          {Level::kProject, ":acme"},
      {Level::kProject, "acme:"},         {Level::kProject, "acme.sales:acme.other"},
      {Level::kDataset, "sales:other"},   {Level::kDataset, "acme.sales:a.b.c"},
      {Level::kTable, "sales.a:sales.b"}, {Level::kTable, "acme.sales.a:x.y.z.w"}};
  for (const auto& [level, text] : bad) {
    const auto rule = ParseMapRule(level, text);
    ASSERT_FALSE(rule.ok()) << text;
    EXPECT_EQ(rule.error().code, Code::kInvalidArgument) << text;
  }
}

TEST(MapRuleFlag, IsReadAgainAsTheSameRule) {
  for (const auto& [level, text] : {std::pair{Level::kProject, "acme:acme-restore"},
                                    std::pair{Level::kDataset, "acme.sales:rescued"},
                                    std::pair{Level::kTable, "acme.sales.a:p.d.b"}}) {
    const MapRule rule = ParseMapRule(level, text).value();
    const std::string flag = MapRuleFlag(rule);
    const size_t quote = flag.find('\'');
    const std::string again = flag.substr(quote + 1, flag.size() - quote - 2);
    EXPECT_EQ(ParseMapRule(level, again).value(), rule) << flag;
    RestoreRequest request;
    request.maps = {rule};
    EXPECT_EQ(RequestFromJson(RequestToJson(request)).value().maps, request.maps);
  }
}

TableRestore Restoring(const char* source, const char* target, const std::string& location) {
  TableRestore restore{.source = ParseTableRef(source).value(),
                       .target = ParseTableRef(target).value()};
  catalog::BackupRecord record;
  record.location = location;
  restore.backups.push_back(record);
  return restore;
}

TEST(CheckTargetsApart, RefusesTwoOfOneNameAndTwoLocationsInOneDataset) {
  const auto check = [](const std::vector<TableRestore>& tables) {
    const Status status = CheckTargetsApart(tables);
    return status.ok() ? std::string() : status.error().message;
  };
  EXPECT_EQ(check({Restoring("a.d.t", "r.d.t", "US"), Restoring("a.d.u", "r.d.u", "US")}), "");
  EXPECT_EQ(check({Restoring("a.d.t", "r.d.t", "US"), Restoring("b.d.t", "r.d.t", "US")}),
            "a.d.t and b.d.t would both become r.d.t");
  EXPECT_EQ(check({Restoring("a.d.t", "r.d.t", "US"), Restoring("b.e.u", "r.d.u", "EU")}),
            "a.d.t (in US) and b.e.u (in EU) would both go to dataset r.d, and a dataset is in one "
            "location");
}

}  // namespace
}  // namespace holdfast::restore
