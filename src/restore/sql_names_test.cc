#include "restore/sql_names.h"

#include <gtest/gtest.h>

namespace holdfast::restore {
namespace {

const DatasetRef kHome{"acme-shop", "sales"};

std::string Names(std::string_view sql) {
  std::string text;
  for (const TableRef& name : NamesInSql(sql, kHome)) {
    text += (text.empty() ? "" : " ") + name.ToString();
  }
  return text;
}

std::string Rewritten(std::string_view sql) {
  const DatasetRef back{"acme-restore", "sales"};
  const Renames renames = {
      {{"acme-shop", "sales", "orders", ""}, {"acme-restore", "sales", "orders", ""}},
      {{"acme-shop", "sales", "people", ""}, {"acme-restore", "sales", "people", ""}},
      {RoutineObject(kHome, "net"), RoutineObject(back, "net")}};
  return RewriteSql(sql, kHome, renames);
}

TEST(NamesInSql, FindsTablesAndRoutinesWhereTheyStand) {
  struct Case {
    const char* sql;
    const char* names;
  };
  const Case cases[] = {
      {"SELECT * FROM `acme-shop.sales.orders`", "acme-shop.sales.orders"},
      {"SELECT * FROM `acme-shop`.sales.`orders` AS o", "acme-shop.sales.orders"},
      {"select * from acme-shop.sales.orders", "acme-shop.sales.orders"},
      {"SELECT * FROM sales.orders", "acme-shop.sales.orders"},
      {"SELECT o.id FROM sales.orders o JOIN web.hits h ON o.id = h.id",
       "acme-shop.sales.orders acme-shop.web.hits"},
      {"SELECT 1 FROM sales.orders, sales.people WHERE a.b = c.d",
       "acme-shop.sales.orders acme-shop.sales.people"},
      {"SELECT sales.net(o.price), f(o.x) FROM sales.orders o",
       "acme-shop.sales.orders acme-shop.sales.routine:net"},
      {"SELECT * FROM (SELECT a.b FROM sales.orders a), sales.people",
       "acme-shop.sales.orders acme-shop.sales.people"},
      {"SELECT a, o.b FROM t o", ""},
      {"WITH w AS (SELECT 1 AS x) SELECT w.x FROM w", ""},
      {"SELECT 'FROM sales.orders', \"\"\"FROM a.b \" FROM c.d\"\"\" FROM sales.people",
       "acme-shop.sales.people"},
      {"SELECT r'\\' FROM sales.x' FROM sales.people", "acme-shop.sales.people"},
      {"-- FROM sales.a\n# FROM sales.b\n/* FROM sales.c */ SELECT 1 FROM sales.people",
       "acme-shop.sales.people"},
      {"SELECT x-1.5, y--FROM sales.a\nFROM sales.people", "acme-shop.sales.people"},
      {"INSERT INTO sales.orders (id) SELECT id FROM sales.people",
       "acme-shop.sales.people acme-shop.sales.routine:orders"},
      {"CREATE TABLE IF NOT EXISTS sales.orders AS SELECT 1", "acme-shop.sales.orders"},
      {"SELECT * FROM `acme-shop.sales.INFORMATION_SCHEMA.TABLES`", ""},
      {"SELECT * FROM sales.INFORMATION_SCHEMA.TABLES", ""},
      {"SELECT EXTRACT(DAY FROM o.ordered) FROM sales.orders o", "acme-shop.sales.orders"},
      {"SELECT a FROM sales.orders o WHERE o.a IS DISTINCT FROM o.b", "acme-shop.sales.orders"},
      {"CALL sales.refresh()", "acme-shop.sales.routine:refresh"},
      {"SELECT * FROM UNNEST([1, 2]) AS n, sales.orders", "acme-shop.sales.orders"},
      {"", ""},
      {"'never ends", ""},
      {"`never ends", ""},
      {"/* never ends", ""},
  };
  for (const Case& item : cases) EXPECT_EQ(Names(item.sql), item.names) << item.sql;
}

TEST(RewriteSql, ReplacesWhatIsRestoredAndNothingElse) {
  struct Case {
    const char* sql;
    const char* rewritten;
  };
  const Case cases[] = {
      {"SELECT * FROM `acme-shop.sales.orders` WHERE x = 'sales.orders'",
       "SELECT * FROM `acme-restore`.`sales`.`orders` WHERE x = 'sales.orders'"},
      {"SELECT sales.net(p) FROM sales.orders -- sales.orders",
       "SELECT `acme-restore`.`sales`.`net`(p) FROM `acme-restore`.`sales`.`orders` -- "
       "sales.orders"},
      {"SELECT orders.id, sales.orders FROM sales.orders AS sales",
       "SELECT orders.id, sales.orders FROM `acme-restore`.`sales`.`orders` AS sales"},
      {"SELECT * FROM sales.customers", "SELECT * FROM sales.customers"},
      {"SELECT * FROM `acme-web.sales.orders`", "SELECT * FROM `acme-web.sales.orders`"},
      {"INSERT INTO sales.orders (id) VALUES (1)",
       "INSERT INTO `acme-restore`.`sales`.`orders` (id) VALUES (1)"},
      {"SELECT * FROM sales.orders, sales.people",
       "SELECT * FROM `acme-restore`.`sales`.`orders`, `acme-restore`.`sales`.`people`"},
      {"SELECT 'd\xc3\xa9j\xc3\xa0' FROM sales.people",
       "SELECT 'd\xc3\xa9j\xc3\xa0' FROM `acme-restore`.`sales`.`people`"},
  };
  for (const Case& item : cases) EXPECT_EQ(Rewritten(item.sql), item.rewritten) << item.sql;
}

TEST(RewriteSql, KeepsATextByteForByteWithoutRenames) {
  const std::string sql = "SELECT  *\nFROM sales.orders -- end";
  EXPECT_EQ(RewriteSql(sql, kHome, {}), sql);
}

TEST(RewriteSql, FindsNamesInTheLessCommonPlaces) {
  const DatasetRef home{"acme", "sales"};
  const Renames renames{{{"acme", "sales", "o", ""}, {"acme", "back", "o", ""}},
                        {{"acme", "sales", "2024_x", ""}, {"acme", "back", "2024_x", ""}}};
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT 1 FROM sales.o a JOIN sales.o b ON a.id = b.id, sales.o c",
       "SELECT 1 FROM `acme`.`back`.`o` a JOIN `acme`.`back`.`o` b ON a.id = b.id, "
       "`acme`.`back`.`o` c"},
      {"SELECT 1.5 FROM sales.2024_x", "SELECT 1.5 FROM `acme`.`back`.`2024_x`"},
      {"CREATE TABLE t CLONE sales.o", "CREATE TABLE t CLONE `acme`.`back`.`o`"}};
  for (const auto& [sql, rewritten] : cases) {
    EXPECT_EQ(RewriteSql(sql, home, renames), rewritten);
    EXPECT_FALSE(MayNameDataset(rewritten, home)) << rewritten;
  }
  EXPECT_TRUE(NamesInSql("SELECT SAFE.SUBSTR(a), NET.HOST(b) FROM UNNEST([1])", home).empty());
}

// A table of another name is still known in the text by its old one.
TEST(RewriteSql, GivesATableOfAnotherNameItsOldOneAsAlias) {
  const DatasetRef home{"acme", "sales"};
  const Renames renames{{{"acme", "sales", "o", ""}, {"acme", "sales", "o_2", ""}}};
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT o.id FROM sales.o WHERE o.id > 1",
       "SELECT o.id FROM `acme`.`sales`.`o_2` AS `o` WHERE o.id > 1"},
      {"SELECT 1 FROM sales.o AS x", "SELECT 1 FROM `acme`.`sales`.`o_2` AS x"},
      {"SELECT 1 FROM sales.o x", "SELECT 1 FROM `acme`.`sales`.`o_2` x"},
      {"SELECT 1 FROM sales.o `x`", "SELECT 1 FROM `acme`.`sales`.`o_2` `x`"},
      {"SELECT 1 FROM sales.o, UNNEST(o.items)",
       "SELECT 1 FROM `acme`.`sales`.`o_2` AS `o`, UNNEST(o.items)"},
      {"SELECT 1 FROM a x JOIN sales.o ON x.id = o.id",
       "SELECT 1 FROM a x JOIN `acme`.`sales`.`o_2` AS `o` ON x.id = o.id"},
      {"SELECT 1 FROM sales.o LEFT JOIN b y USING (id)",
       "SELECT 1 FROM `acme`.`sales`.`o_2` AS `o` LEFT JOIN b y USING (id)"},
      {"SELECT 1 FROM sales.o FOR SYSTEM_TIME AS OF t",
       "SELECT 1 FROM `acme`.`sales`.`o_2` AS `o` FOR SYSTEM_TIME AS OF t"},
      {"INSERT INTO sales.o SELECT 1", "INSERT INTO `acme`.`sales`.`o_2` SELECT 1"},
      {"MERGE INTO sales.o USING sales.o s ON o.id = s.id WHEN MATCHED THEN DELETE",
       "MERGE INTO `acme`.`sales`.`o_2` AS `o` USING `acme`.`sales`.`o_2` s ON o.id = s.id WHEN "
       "MATCHED THEN DELETE"},
      {"UPDATE sales.o SET a = 1 WHERE o.b",
       "UPDATE `acme`.`sales`.`o_2` AS `o` SET a = 1 WHERE "
       "o.b"},
      {"TRUNCATE TABLE sales.o", "TRUNCATE TABLE `acme`.`sales`.`o_2`"},
      {"SELECT (SELECT MAX(o.id) FROM sales.o)",
       "SELECT (SELECT MAX(o.id) FROM `acme`.`sales`.`o_2` AS `o`)"},
  };
  for (const auto& [sql, rewritten] : cases) EXPECT_EQ(RewriteSql(sql, home, renames), rewritten);
}

TEST(RewriteSql, LetsTheNameOfManyTablesFollowThem) {
  const DatasetRef home{"acme", "sales"};
  const Renames together{{{"acme", "sales", "events_1", ""}, {"acme", "back", "events_1", ""}},
                         {{"acme", "sales", "events_2", ""}, {"acme", "back", "events_2", ""}},
                         {{"acme", "sales", "other", ""}, {"acme", "x", "y", ""}}};
  EXPECT_EQ(RewriteSql("SELECT 1 FROM `sales.events_*` WHERE _TABLE_SUFFIX = '1'", home, together),
            "SELECT 1 FROM `acme`.`back`.`events_*` WHERE _TABLE_SUFFIX = '1'");
  Renames apart = together;
  apart[{"acme", "sales", "events_2", ""}].dataset = "elsewhere";
  EXPECT_EQ(RewriteSql("SELECT 1 FROM `sales.events_*`", home, apart),
            "SELECT 1 FROM `sales.events_*`");
}

TEST(RewriteSql, KnowsTheProjectsOfDomains) {
  const DatasetRef home{"example.com:shop", "sales"};
  const Renames renames{
      {{"example.com:shop", "sales", "o", ""}, {"example.com:back", "sales", "o", ""}}};
  EXPECT_EQ(RewriteSql("SELECT 1 FROM `example.com:shop.sales.o`", home, renames),
            "SELECT 1 FROM `example.com:back`.`sales`.`o`");
}

TEST(MayNameDataset, FindsWhatARewriteMayHaveMissed) {
  const DatasetRef home{"acme", "sales"};
  for (const char* sql : {"CREATE TABLE t LIKE sales.items", "SELECT x-sales.net(x)",
                          "SELECT 1 FROM `acme.sales.INFORMATION_SCHEMA.TABLES`",
                          "SELECT 1 FROM `sales.events_*`", "SELECT 1 FROM acme.sales.o"}) {
    EXPECT_TRUE(MayNameDataset(sql, home)) << sql;
  }
  for (const char* sql : {"SELECT 'sales.o' -- sales.o", "SELECT 1 FROM other.sales.o",
                          "SELECT sales FROM back.o", "SELECT o.sales FROM `acme`.`back`.`o` o"}) {
    EXPECT_FALSE(MayNameDataset(sql, home)) << sql;
  }
}

}  // namespace
}  // namespace holdfast::restore
