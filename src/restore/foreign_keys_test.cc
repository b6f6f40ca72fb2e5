#include "restore/foreign_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/restore_fixture.h"

namespace holdfast::restore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::AddTwo;
using testing_support::kFirst;
using testing_support::kSales;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::To;
using testing_support::TwoColumns;

const TableRef kLines{"acme-shop", "sales", "lines", ""};
const TableRef kLinesBack{"acme-shop", "back", "lines", ""};

Json KeyTo(const std::string& table, const std::string& name, Json columns) {
  return {
      {"name", name},
      {"referencedTable", {{"projectId", "acme-shop"}, {"datasetId", "sales"}, {"tableId", table}}},
      {"columnReferences", std::move(columns)}};
}

Json Column(const std::string& from, const std::string& to) {
  return {{"referencingColumn", from}, {"referencedColumn", to}};
}

Json ConstraintsWith(Json foreign_keys) {
  return {{"primaryKey", {{"columns", {"id"}}}}, {"foreignKeys", std::move(foreign_keys)}};
}

TEST(WithoutForeignKeys, KeepsThePrimaryKey) {
  const Json keys = Json::array({KeyTo("t1", "k", Json::array({Column("a", "id")}))});
  EXPECT_EQ(WithoutForeignKeys({{"tableConstraints", ConstraintsWith(keys)}}),
            (Json{{"tableConstraints", {{"primaryKey", {{"columns", {"id"}}}}}}}));
  EXPECT_EQ(
      WithoutForeignKeys({{"description", "d"}, {"tableConstraints", {{"foreignKeys", keys}}}}),
      (Json{{"description", "d"}}));
}

TEST(ForeignKeysLeftOut, GivesTheStatementThatSetsEachAgain) {
  const Json saved = {
      {"tableConstraints",
       ConstraintsWith(Json::array(
           {KeyTo("t1", "to_first", Json::array({Column("a", "id"), Column("b", "name")})),
            KeyTo("t2", "fk$2", Json::array({Column("c", "id")})), Json{{"name", "odd"}}}))}};
  TableRestore first;
  first.source = kFirst;
  first.target = {"acme-shop", "back", "t1", ""};
  EXPECT_THAT(
      ForeignKeysLeftOut(saved, kLinesBack, {first}),
      ElementsAre("(`a`, `b`) to acme-shop.sales.t1; to set it again: ALTER TABLE "
                  "`acme-shop.back.lines` ADD CONSTRAINT `to_first` FOREIGN KEY (`a`, `b`) "
                  "REFERENCES `acme-shop.back.t1` (`id`, `name`) NOT ENFORCED",
                  "(`c`) to acme-shop.sales.t2, which is not restored with it; to set it again: "
                  "ALTER TABLE `acme-shop.back.lines` ADD FOREIGN KEY (`c`) REFERENCES "
                  "`acme-shop.sales.t2` (`id`) NOT ENFORCED",
                  "one that is not understood: {\"name\":\"odd\"}"));
}

TEST(ForeignKeysLeftOut, QuotesNamesSoThatNothingInThemIsRead) {
  const Json saved = {
      {"tableConstraints",
       ConstraintsWith(Json::array({KeyTo("t", "k`; DROP", Json::array({Column("a\\", "b")}))}))}};
  EXPECT_THAT(ForeignKeysLeftOut(saved, kLinesBack, {}),
              ElementsAre(HasSubstr("ADD CONSTRAINT `k\\`; DROP` FOREIGN KEY (`a\\\\`)")));
}

TEST(Restore, MakesATableWithoutItsForeignKeysAndNamesThem) {
  SimFixture fixture;
  AddTwo(fixture);
  fixture.cloud().AddTable(
      kLines, TwoColumns(), NumberedRows(1, 3),
      {{"tableConstraints",
        ConstraintsWith(Json::array({KeyTo("t2", "k", Json::array({Column("id", "id")}))}))}});
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto report = testing_support::Restore(fixture, To(kSales, "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Succeeded());
  const auto restored = fixture.cloud().warehouse().GetTable(kLinesBack);
  ASSERT_TRUE(restored.ok());
  EXPECT_EQ(restored->resource["tableConstraints"], (Json{{"primaryKey", {{"columns", {"id"}}}}}));
  ASSERT_EQ(report->tables[0].target, kLinesBack);
  EXPECT_THAT(report->tables[0].foreign_keys,
              ElementsAre(HasSubstr("REFERENCES `acme-shop.back.t2` (`id`)")));
  EXPECT_EQ(report->tables[0].ToJson()["foreign_keys_left_out"].size(), 1u);
}

}  // namespace
}  // namespace holdfast::restore
