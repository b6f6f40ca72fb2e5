#include "localcloud/googlesql/bounds.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "localcloud/googlesql/constant.h"
#include "localcloud/googlesql/translate.h"

namespace holdfast::googlesql {
namespace {

Result<ResolvedTable> Anything(const RelationRef&) {
  ResolvedTable table;
  table.schema = Schema::FromJson({{"fields", Json::parse(R"([
      {"name": "id", "type": "INT64"}, {"name": "Day", "type": "DATE"},
      {"name": "ts", "type": "TIMESTAMP"}, {"name": "local", "type": "DATETIME"},
      {"name": "name", "type": "STRING"}, {"name": "items", "type": "INT64", "mode": "REPEATED"}])")}})
                     .value();
  table.pseudo_columns = Schema::FromJson({{"fields", Json::parse(R"([
      {"name": "_PARTITIONTIME", "type": "TIMESTAMP"}])")}})
                             .value()
                             .fields;
  return table;
}

std::string BoundText(const ColumnBound& bound) {
  const auto number = [](int64_t value) {
    if (value == INT64_MIN) return std::string("-inf");
    return value == INT64_MAX ? std::string("inf") : std::to_string(value);
  };
  std::string text = bound.column + " in";
  for (const ValueRange& range : bound.ranges) {
    text += fmt::format(" {}..{}", number(range.low), number(range.high));
  }
  return text + (bound.admits_null ? " or null" : "");
}

// The bounds of each relation of a query, in the order of the plan: "a; b | c".
std::string BoundsOfSql(const std::string& sql) {
  const auto plan =
      TranslateStatement(sql, {.project = "p", .dataset = "d", .now_us = 1'000'000}, Anything);
  if (!plan.ok()) return plan.error().message;
  std::string text;
  bool is_first = true;
  for (const Relation& relation : std::get<SelectPlan>(*plan).query.relations) {
    if (!is_first) text += " | ";
    is_first = false;
    for (size_t i = 0; i < relation.bounds.size(); ++i) {
      text += (i == 0 ? "" : "; ") + BoundText(relation.bounds[i]);
    }
  }
  return text;
}

std::string BoundsOfWhere(const std::string& where) {
  return BoundsOfSql("SELECT 1 FROM t WHERE " + where);
}

TEST(Bounds, AreReadFromComparisonsWithConstants) {
  const std::pair<const char*, const char*> cases[] = {
      {"id = 7", "id in 7..7"},
      {"7 < id", "id in 8..inf"},
      {"id <= -3", "id in -inf..-3"},
      {"id > 9223372036854775807", "id in"},
      {"id BETWEEN 2 AND 5", "id in 2..5"},
      {"id IN (5, 1, 3)", "id in 1..1 3..3 5..5"},
      {"id IS NULL", "id in or null"},
      {"id IS NOT NULL", "id in -inf..inf"},
      {"id > 3 AND name = 'x' AND id < 6", "id in 4..5"},
      {"id = 1 OR id IS NULL", "id in 1..1 or null"},
      {"id = 3 AND id = 4", "id in"},
      {"t.id = 7", "id in 7..7"},
      {"ts >= TIMESTAMP '1970-01-01 00:00:01'", "ts in 1000000..inf"},
      {"ts < '1970-01-01 00:00:01+00'", "ts in -inf..999999"},
      {"ts >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 SECOND)", "ts in 0..inf"},
      {"ts = TIMESTAMP_MICROS(5)", "ts in 5..5"},
      {"local = DATETIME '1970-01-01T00:00:02'", "local in 2000000..2000000"},
      {"_PARTITIONTIME = TIMESTAMP '1970-01-02'", "_partitiontime in 86400000000..86400000000"}};
  for (const auto& [where, bounds] : cases) EXPECT_EQ(BoundsOfWhere(where), bounds) << where;
}

TEST(Bounds, OfDaysAreWholeDays) {
  const std::pair<const char*, const char*> cases[] = {
      {"day = '1970-01-02'", "day in 86400000000..86400000000"},
      {"day > DATE '1970-01-01'", "day in 86400000000..inf"},
      {"day < DATE(1970, 1, 2)", "day in -inf..0"},
      {"DATE(ts) = DATE '1970-01-02'", "ts in 86400000000..172799999999"},
      {"DATE(local) <= '1970-01-01'", "local in -inf..86399999999"},
      {"CAST(ts AS DATE) > DATE '1970-01-01'", "ts in 86400000000..inf"},
      {"EXTRACT(DATE FROM local) = DATE '1970-01-01'", "local in 0..86399999999"},
      {"TIMESTAMP_TRUNC(ts, HOUR) = TIMESTAMP '1970-01-01 01:00:00'",
       "ts in 3600000000..7199999999"},
      {"DATETIME_TRUNC(local, DAY) = DATETIME '1970-01-01 01:00:00'", "local in"},
      {"DATE(ts) = DATE '1969-12-31'", "ts in -86400000000..-1"}};
  for (const auto& [where, bounds] : cases) EXPECT_EQ(BoundsOfWhere(where), bounds) << where;
}

TEST(Bounds, AreNoneWhereTheClauseIsNotUnderstood) {
  for (const char* where :
       {"NOT id = 7", "id = 7 OR name = 'x'", "id != 7", "id + 1 = 7", "id IN (1, id)",
        "id NOT IN (1)", "id NOT BETWEEN 1 AND 2", "id = 1.5", "ABS(id) = 7",
        "DATE(ts, 'America/New_York') = DATE '2024-01-01'", "EXTRACT(YEAR FROM ts) = 2024",
        "name = 'x'", "id = (SELECT 1)", "7 IN UNNEST(items)", "(id = 1) IS NOT TRUE",
        "id IS NOT DISTINCT FROM 1", "CASE WHEN id = 1 THEN TRUE ELSE FALSE END"}) {
    EXPECT_EQ(BoundsOfWhere(where), "") << where;
  }
}

TEST(Bounds, BelongToTheTableThatIsNamed) {
  EXPECT_EQ(BoundsOfSql("SELECT 1 FROM t AS a JOIN t AS b ON a.id = b.id "
                        "WHERE a.id = 1 AND b.id = 2"),
            "id in 1..1 | id in 2..2");
  EXPECT_EQ(BoundsOfSql("SELECT 1 FROM t WHERE id = 1 AND EXISTS ("
                        "SELECT 1 FROM u WHERE u.id = t.id AND u.day = '1970-01-01')"),
            "id in 1..1 | day in 0..0");
  EXPECT_EQ(BoundsOfSql("WITH w AS (SELECT * FROM t WHERE id = 1) SELECT 1 FROM w WHERE id = 2"),
            "id in 1..1");
  EXPECT_EQ(BoundsOfSql("SELECT 1 FROM (SELECT id + 1 AS id FROM t) WHERE id = 2"), "");
  EXPECT_EQ(BoundsOfSql("SELECT id = 1 FROM t"), "");
  EXPECT_EQ(BoundsOfSql("SELECT COUNT(*) FROM t GROUP BY id HAVING id = 1"), "");
}

// To leave out the other rows of b would make b.id NULL for every row of a.
TEST(Bounds, DoNotTurnAnOuterJoinsMatchesIntoNulls) {
  EXPECT_EQ(BoundsOfSql("SELECT 1 FROM t AS a LEFT JOIN t AS b ON a.id = b.id WHERE b.id IS NULL"),
            " | ");
  EXPECT_EQ(BoundsOfSql("SELECT 1 FROM t AS a LEFT JOIN t AS b ON a.id = b.id "
                        "WHERE a.id = 1 AND (b.id = 2 OR b.id IS NULL)"),
            "id in 1..1 | ");
  EXPECT_EQ(BoundsOfSql("SELECT 1 FROM t AS a FULL JOIN t AS b ON a.id = b.id WHERE b.id = 2"),
            " | id in 2..2");
  EXPECT_EQ(BoundsOfSql("SELECT 1 FROM t AS a FULL JOIN t AS b USING (id) WHERE id = 2"), " | ");
}

}  // namespace
}  // namespace holdfast::googlesql
