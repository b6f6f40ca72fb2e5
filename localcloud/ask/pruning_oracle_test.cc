// Pruning against an oracle: the same question with every partition read gives the same rows.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>

#include "localcloud/ask/ask_fixture.h"
#include "localcloud/ask/pruning.h"
#include "model/partition_id.h"

namespace holdfast::ask {
namespace {

constexpr int64_t kHour = int64_t{3'600'000'000};
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kStart = int64_t{20'454} * kDay;  // 2026-01-01

// How a table is divided, and the forms in which a condition speaks of the dividing column.
struct Division {
  const char* name;
  Partitioning partitioning;
  const char* type;
  int64_t step;                        // between values of the column
  std::vector<const char*> forms;      // of the column
  std::vector<const char*> constants;  // with {} for a date, a time or a number
};

std::string DateText(int64_t micros) {
  return FormatTimestamp(Timestamp(Duration(micros))).substr(0, 10);
}

std::string CivilText(int64_t micros) {
  return FormatTimestamp(Timestamp(Duration(micros))).substr(0, 19);
}

class PruningOracle : public AskFixture, public ::testing::WithParamInterface<Division> {
 protected:
  uint64_t Draw(uint64_t below) {
    return std::uniform_int_distribution<uint64_t>(0, below - 1)(engine_);
  }

  template <typename T>
  const T& Pick(const std::vector<T>& from) {
    return from[Draw(from.size())];
  }

  // A random value of the column as JSON, and where it belongs.
  void FillTable() {
    const Division& division = GetParam();
    RowsByPartition rows;
    for (int id = 0; id < 60; ++id) {
      std::optional<int64_t> value;
      if (Draw(8) != 0) value = ValueAt(static_cast<int64_t>(Draw(40)));
      rows[PartitionOfValue(division.partitioning, value)].push_back(
          Json::array({id, value ? CellOf(*value) : Json(), static_cast<int>(Draw(5))}));
    }
    Schema schema = MakeSchema(
        R"([{"name": "id", "type": "INT64"}, {"name": "v", "type": "STRING"},
            {"name": "other", "type": "INT64"}])");
    schema.fields[1].type = ParseFieldType(division.type).value();
    Add(TableOf({"p", "d", "t", ""}, schema, division.partitioning, rows));
  }

  bool IsNumber() const { return std::string_view(GetParam().type) == "INT64"; }
  int64_t ValueAt(int64_t place) const {
    return IsNumber() ? place - 20 : kStart + place * GetParam().step;
  }

  Json CellOf(int64_t value) const {
    const std::string_view type = GetParam().type;
    if (type == "INT64") return value;
    if (type == "DATE") return DateText(value);
    return type == "TIMESTAMP" ? CivilText(value) + "Z" : CivilText(value);
  }

  std::string Constant() {
    const int64_t value = ValueAt(static_cast<int64_t>(Draw(44)) - 2);
    const std::string form = Pick(GetParam().constants);
    const std::string text = IsNumber() ? std::to_string(value)
                             : form.find("DATE '") != form.npos || form == "'{}'"
                                 ? DateText(value)
                                 : CivilText(value);
    return fmt::format(fmt::runtime(form), text);
  }

  std::string Condition(int depth) {
    switch (Draw(depth > 0 ? 9 : 6)) {
      case 0:
        return "other = " + std::to_string(Draw(5));
      case 1:
        return fmt::format("{} BETWEEN {} AND {}", Pick(GetParam().forms), Constant(), Constant());
      case 2:
        return fmt::format("{} IN ({}, {})", Pick(GetParam().forms), Constant(), Constant());
      case 3:
        return Draw(2) == 0 ? "v IS NULL" : "v IS NOT NULL";
      case 6:
        return fmt::format("({} AND {})", Condition(depth - 1), Condition(depth - 1));
      case 7:
        return fmt::format("({} OR {})", Condition(depth - 1), Condition(depth - 1));
      case 8:
        return fmt::format("NOT {}", Condition(depth - 1));
      default:
        break;
    }
    static const std::vector<const char*> kOperations = {"=", "<", "<=", ">", ">=", "!="};
    const std::string form = Pick(GetParam().forms);
    const std::string constant = Constant();
    return Draw(2) == 0 ? fmt::format("{} {} {}", form, Pick(kOperations), constant)
                        : fmt::format("{} {} {}", constant, Pick(kOperations), form);
  }

  std::string Sql() {
    const std::string where = Condition(3);
    switch (Draw(4)) {
      case 0:
        return "SELECT a.id, b.id AS b FROM t AS a LEFT JOIN t AS b ON a.other = b.id WHERE " +
               Qualified(where, "b") + " AND " + Qualified(Condition(1), "a");
      case 1:
        return "SELECT id, 0 AS b FROM t WHERE EXISTS (SELECT 1 FROM t AS u WHERE u.id = t.id "
               "AND " +
               Qualified(where, "u") + ")";
      default:
        return "SELECT id, 0 AS b FROM t WHERE " + where;
    }
  }

  // Puts the alias before the columns of a condition.
  static std::string Qualified(const std::string& condition, const std::string& alias) {
    std::string text;
    for (size_t i = 0; i < condition.size(); ++i) {
      const bool begins = i == 0 || condition[i - 1] == ' ' || condition[i - 1] == '(';
      const std::string_view rest = std::string_view(condition).substr(i);
      const bool is_column = rest.starts_with("v ") || rest.starts_with("v)") || rest == "v" ||
                             rest.starts_with("v,") || rest.starts_with("other");
      if (begins && is_column) text += alias + ".";
      text += condition[i];
    }
    return text;
  }

  Result<std::vector<std::string>> Rows(const std::string& sql, bool prunes, int64_t& read) {
    std::vector<Json> rows;
    HF_ASSIGN_OR_RETURN(const Answer answer, Ask({.sql = sql, .prunes = prunes}, rows));
    read += answer.statistics.files_read;
    std::vector<std::string> texts;
    for (const Json& row : rows) texts.push_back(row.dump());
    std::ranges::sort(texts);
    return texts;
  }

  std::mt19937_64 engine_{20'260'101};
};

TEST_P(PruningOracle, NeverChangesAnAnswer) {
  int64_t pruned = 0;
  int64_t whole = 0;
  for (int round = 0; round < 3; ++round) {
    FillTable();
    for (int i = 0; i < 25; ++i) {
      const std::string sql = Sql();
      const auto with = Rows(sql, true, pruned);
      const auto without = Rows(sql, false, whole);
      ASSERT_TRUE(without.ok()) << sql << "\n" << without.error().ToString();
      ASSERT_TRUE(with.ok()) << sql << "\n" << with.error().ToString();
      ASSERT_EQ(*with, *without) << sql;
    }
  }
  // It is worth something: a good part of the files is not read.
  EXPECT_LT(pruned, whole * 4 / 5);
}

Partitioning By(Partitioning::Kind kind) { return {.kind = kind, .field = "v"}; }

INSTANTIATE_TEST_SUITE_P(
    Divisions, PruningOracle,
    ::testing::Values(Division{"date",
                               By(Partitioning::Kind::kDay),
                               "DATE",
                               kDay,
                               {"v", "v", "DATE(v)"},
                               {"DATE '{}'", "'{}'"}},
                      Division{"month",
                               By(Partitioning::Kind::kMonth),
                               "DATE",
                               5 * kDay,
                               {"v"},
                               {"DATE '{}'", "'{}'"}},
                      Division{"hour",
                               By(Partitioning::Kind::kHour),
                               "TIMESTAMP",
                               kHour / 3,
                               {"v", "TIMESTAMP_TRUNC(v, HOUR)", "TIMESTAMP_TRUNC(v, DAY)"},
                               {"TIMESTAMP '{}'", "TIMESTAMP '{}+00'"}},
                      Division{"datetime",
                               By(Partitioning::Kind::kDay),
                               "DATETIME",
                               7 * kHour,
                               {"v", "DATETIME_TRUNC(v, DAY)"},
                               {"DATETIME '{}'"}},
                      Division{"day_of_datetime",
                               By(Partitioning::Kind::kDay),
                               "DATETIME",
                               7 * kHour,
                               {"DATE(v)", "CAST(v AS DATE)", "EXTRACT(DATE FROM v)"},
                               {"DATE '{}'", "'{}'"}},
                      Division{"number",
                               {.kind = Partitioning::Kind::kIntegerRange,
                                .field = "v",
                                .range_start = -10,
                                .range_end = 10,
                                .range_interval = 3},
                               "INT64",
                               1,
                               {"v"},
                               {"{}"}}),
    [](const auto& division) { return division.param.name; });

}  // namespace
}  // namespace holdfast::ask
