#include "localcloud/googlesql/translate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "localcloud/googlesql/constant.h"
#include "localcloud/googlesql/functions.h"

namespace holdfast::googlesql {
namespace {

constexpr int64_t kNowUs = 1'700'000'000'000'000;  // 2023-11-14 22:13:20 UTC

std::filesystem::path Root() {
  return std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
}

// The tables of the golden files, as tests/golden/googlesql/tables.json gives them.
Result<ResolvedTable> FindTable(const RelationRef& ref) {
  static const Json tables = [] {
    std::ifstream file(Root() / "tests/golden/googlesql/tables.json");
    std::stringstream text;
    text << file.rdbuf();
    return ParseJson(text.str()).value();
  }();
  const std::string name = ref.table.dataset + "." + ref.table.table;
  const Json* const table = FindField(tables, name);
  if (table == nullptr) {
    return MakeError(ErrorId::kTableNotFound, "Not found: Table " + ref.table.ToString());
  }
  ResolvedTable resolved;
  resolved.schema = Schema::FromJson(*table).value();
  if (const Json* pseudo = FindField(*table, "pseudo")) {
    resolved.pseudo_columns = Schema::FromJson(*pseudo).value().fields;
  }
  if (const Json* view = FindField(*table, "view")) resolved.view_sql = view->get<std::string>();
  return resolved;
}

TranslateOptions Options() {
  TranslateOptions options;
  options.project = "p";
  options.dataset = "d";
  options.now_us = kNowUs;
  options.parameters = {{"day", Type::Of(TypeKind::kDate)},
                        {"ids", Type::Array(Type::Of(TypeKind::kInt64))},
                        {"", Type::Of(TypeKind::kInt64)},
                        {"", Type::Of(TypeKind::kString)}};
  return options;
}

Result<Plan> Translate(std::string_view sql) {
  return TranslateStatement(sql, Options(), FindTable);
}

std::string Describe(const Result<Plan>& plan) {
  if (!plan.ok()) return "error: " + plan.error().message;
  if (const auto* select = std::get_if<SelectPlan>(&*plan)) return select->query.duckdb_sql;
  if (const auto* insert = std::get_if<InsertPlan>(&*plan)) return insert->query.duckdb_sql;
  if (const auto* create = std::get_if<CreateTablePlan>(&*plan)) {
    return create->query ? create->query->duckdb_sql : "CREATE TABLE " + create->table.ToString();
  }
  if (const auto* update = std::get_if<UpdatePlan>(&*plan)) {
    std::string text;
    for (const auto& [column, value] : update->assignments) text += column + " := " + value + "; ";
    return text + "FROM " + update->from_sql + " WHERE " + update->where_sql;
  }
  if (const auto* erase = std::get_if<DeletePlan>(&*plan))
    return "DELETE WHERE " + erase->where_sql;
  return StatementType(*plan);
}

struct GoldenCase {
  std::string sql;
  std::string expected;
};

// Cases are "GoogleSQL\n----\nexpected\n\n".
std::vector<GoldenCase> ReadGolden(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<GoldenCase> cases;
  GoldenCase current;
  bool in_expected = false;
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty()) {
      if (!current.sql.empty()) cases.push_back(std::exchange(current, {}));
      in_expected = false;
    } else if (line == "----") {
      in_expected = true;
    } else {
      std::string& part = in_expected ? current.expected : current.sql;
      part += (part.empty() ? "" : "\n") + line;
    }
  }
  if (!current.sql.empty()) cases.push_back(current);
  return cases;
}

void CheckGolden(std::string_view name) {
  const auto path = Root() / "tests/golden/googlesql" / name;
  const std::vector<GoldenCase> cases = ReadGolden(path);
  ASSERT_FALSE(cases.empty()) << path;
  std::string updated;
  for (const GoldenCase& entry : cases) {
    const std::string actual = Describe(Translate(entry.sql));
    updated += entry.sql + "\n----\n" + actual + "\n\n";
    if (std::getenv("HOLDFAST_GOLDEN_UPDATE") == nullptr) {
      EXPECT_EQ(actual, entry.expected) << entry.sql;
    }
  }
  if (std::getenv("HOLDFAST_GOLDEN_UPDATE") != nullptr) std::ofstream(path) << updated;
}

TEST(TranslateGolden, Clauses) { CheckGolden("clauses.txt"); }
TEST(TranslateGolden, Expressions) { CheckGolden("expressions.txt"); }
TEST(TranslateGolden, Functions) { CheckGolden("functions.txt"); }
TEST(TranslateGolden, Statements) { CheckGolden("statements.txt"); }
TEST(TranslateGolden, Errors) { CheckGolden("errors.txt"); }

TEST(Translate, NamesRelationsParametersAndResultColumns) {
  const auto plan = Translate(
      "SELECT o.id, o.tags, address, 1 FROM d.orders AS o JOIN `p.d.customers` USING (customer) "
      "WHERE day = @day AND id IN UNNEST(@ids) AND id > ? AND _PARTITIONDATE = @day");
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const QueryText& query = std::get<SelectPlan>(*plan).query;
  ASSERT_EQ(query.relations.size(), 2U);
  EXPECT_EQ(query.relations[0].ref.table.ToString(), "p.d.orders");
  EXPECT_TRUE(query.relations[0].with_pseudo_columns);
  EXPECT_FALSE(query.relations[1].with_pseudo_columns);
  ASSERT_EQ(query.parameters.size(), 3U);
  EXPECT_EQ(query.parameters[2].index, 2U);
  ASSERT_EQ(query.schema.fields.size(), 4U);
  EXPECT_EQ(query.schema.fields[1].mode, FieldMode::kRepeated);
  EXPECT_EQ(query.schema.fields[2].type, FieldType::kRecord);
  EXPECT_EQ(query.schema.fields[3].name, "f0_");
}

TEST(Translate, ResolvesMetadataViewsByScope) {
  struct Case {
    std::string_view from;
    RelationKind kind;
    std::string project;
    std::string dataset;
    std::string region;
    std::string table;
  };
  const std::vector<Case> cases = {
      {"d.INFORMATION_SCHEMA.TABLES", RelationKind::kInformationSchema, "p", "d", "", "TABLES"},
      {"`q.d`.INFORMATION_SCHEMA.COLUMNS", RelationKind::kInformationSchema, "q", "d", "",
       "COLUMNS"},
      {"`region-us`.INFORMATION_SCHEMA.JOBS", RelationKind::kInformationSchema, "p", "", "us",
       "JOBS"},
      {"`q`.`region-eu`.INFORMATION_SCHEMA.TABLES", RelationKind::kInformationSchema, "q", "", "eu",
       "TABLES"},
      {"INFORMATION_SCHEMA.SCHEMATA", RelationKind::kInformationSchema, "p", "", "", "SCHEMATA"},
      {"`q.d.__TABLES__`", RelationKind::kTablesMetadata, "q", "d", "", "__TABLES__"},
      {"my-proj-1.d.t", RelationKind::kTable, "my-proj-1", "d", "", "t"},
      {"`example.com:proj.d.t`", RelationKind::kTable, "example.com:proj", "d", "", "t"},
      {"d.2020_t", RelationKind::kTable, "p", "d", "", "2020_t"},
  };
  for (const Case& entry : cases) {
    RelationRef seen;
    const auto plan = TranslateStatement("SELECT 1 FROM " + std::string(entry.from), Options(),
                                         [&seen](const RelationRef& ref) {
                                           seen = ref;
                                           return Result<ResolvedTable>(ResolvedTable{});
                                         });
    ASSERT_TRUE(plan.ok()) << entry.from << ": " << plan.error().message;
    EXPECT_EQ(seen.kind, entry.kind) << entry.from;
    EXPECT_EQ(seen.table.project, entry.project) << entry.from;
    EXPECT_EQ(seen.table.dataset, entry.dataset) << entry.from;
    EXPECT_EQ(seen.table.table, entry.table) << entry.from;
    EXPECT_EQ(seen.region, entry.region) << entry.from;
  }
}

TEST(Translate, ReadsDdlIntoPlans) {
  const auto plan = Translate(
      "CREATE OR REPLACE TABLE d.n (id INT64 NOT NULL OPTIONS(description='key'), ts TIMESTAMP, "
      "n NUMERIC(10, 2), s STRUCT<a ARRAY<STRING>, b STRUCT<c INT64>>) PARTITION BY "
      "TIMESTAMP_TRUNC(ts, MONTH) CLUSTER BY id OPTIONS(labels=[('k', 'v')], "
      "expiration_timestamp=TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY))");
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const auto& create = std::get<CreateTablePlan>(*plan);
  EXPECT_EQ(create.if_exists, IfExists::kReplace);
  ASSERT_EQ(create.schema->fields.size(), 4U);
  EXPECT_EQ(create.schema->fields[0].mode, FieldMode::kRequired);
  EXPECT_EQ(create.schema->fields[0].description, "key");
  EXPECT_EQ(create.schema->fields[2].precision, 10);
  EXPECT_EQ(create.schema->fields[3].fields[0].mode, FieldMode::kRepeated);
  EXPECT_EQ(create.partitioning.kind, Partitioning::Kind::kMonth);
  EXPECT_EQ(create.partitioning.field, "ts");
  EXPECT_THAT(create.clustering, testing::ElementsAre("id"));
  EXPECT_EQ(create.options[0].value, Json::parse(R"([["k", "v"]])"));
  EXPECT_EQ(create.options[1].value, Json((kNowUs / 1000) + 86400000));
}

TEST(Translate, ReadsSnapshotsClonesDropsAndViews) {
  const auto snapshot = Translate(
      "CREATE SNAPSHOT TABLE IF NOT EXISTS d.s CLONE d.orders FOR SYSTEM_TIME AS OF "
      "TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR) OPTIONS(expiration_timestamp=TIMESTAMP "
      "'2024-01-01 00:00:00+01')");
  ASSERT_TRUE(snapshot.ok()) << snapshot.error().message;
  const auto& copy = std::get<CopyTablePlan>(*snapshot);
  EXPECT_EQ(copy.if_exists, IfExists::kKeep);
  EXPECT_EQ(copy.source.as_of_ms, (kNowUs / 1000) - 3600000);
  EXPECT_EQ(copy.options[0].value, Json(int64_t{1704063600000}));
  const auto view =
      Translate("CREATE VIEW d.v AS SELECT id, SUM(amount) AS total FROM d.orders GROUP BY 1;");
  ASSERT_TRUE(view.ok()) << view.error().message;
  EXPECT_EQ(std::get<CreateViewPlan>(*view).query_sql,
            "SELECT id, SUM(amount) AS total FROM d.orders GROUP BY 1");
  EXPECT_EQ(std::get<CreateViewPlan>(*view).schema.fields[1].type, FieldType::kNumeric);
  const auto drop = Translate("DROP SCHEMA IF EXISTS `q.d2` CASCADE");
  ASSERT_TRUE(drop.ok());
  EXPECT_EQ(std::get<DropPlan>(*drop).table.project, "q");
  EXPECT_TRUE(std::get<DropPlan>(*drop).cascade);
}

TEST(Translate, BoundsDepthAndLength) {
  const auto parens = [](size_t n) { return std::string(n, '(') + "1" + std::string(n, ')'); };
  EXPECT_TRUE(Translate("SELECT " + parens(100)).ok());
  const auto deep = Translate("SELECT " + parens(100000));
  ASSERT_FALSE(deep.ok());
  EXPECT_EQ(deep.error().id, ErrorId::kUnsupportedQuery);
  std::string sum = "SELECT 1";
  std::string either = "SELECT true";
  for (int i = 0; i < 5000; ++i) {
    sum += "+1";
    either += " OR id = 1";
  }
  EXPECT_FALSE(Translate(sum).ok());
  EXPECT_TRUE(Translate(either + " FROM d.orders").ok());
  std::string nested = "1.5";
  for (int i = 0; i < 60; ++i) nested = "SUBSTR('x', LENGTH(CONCAT('y', 'z')) / " + nested + ")";
  EXPECT_FALSE(Translate("SELECT " + nested).ok());
}

TEST(Translate, StopsAtViewsThatNameThemselves) {
  const auto plan = TranslateStatement("SELECT * FROM d.v", Options(), [](const RelationRef&) {
    ResolvedTable view;
    view.view_sql = "SELECT * FROM p.d.v";
    return Result<ResolvedTable>(view);
  });
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().message, "View p.d.v: View p.d.v reads itself at [1:15]");
}

TEST(Translate, StopsAtViewsNestedTooDeep) {
  const auto plan = TranslateStatement("SELECT * FROM d.v", Options(), [](const RelationRef& ref) {
    ResolvedTable view;
    view.view_sql = "SELECT * FROM p.d." + ref.table.table + "v";
    return Result<ResolvedTable>(view);
  });
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.error().message, testing::HasSubstr("views nested more than 16 levels"));
}

TEST(Translate, ChecksGroupsOfNestedSubqueriesOnce) {
  std::string nested = "1";
  for (int i = 0; i < 30; ++i) nested = "(SELECT MAX(id + " + nested + ") FROM d.orders)";
  const auto plan = Translate("SELECT " + nested);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(std::get<SelectPlan>(*plan).query.relations.size(), 30U);
}

TEST(Translate, TellsMetadataViewsWhichTableAloneIsAskedFor) {
  const auto find = [](const RelationRef&) -> Result<ResolvedTable> {
    ResolvedTable view;
    view.schema.fields = {{.name = "table_name"}, {.name = "table_type"}};
    return view;
  };
  const auto only_table = [&](const std::string& where) {
    const auto plan = TranslateStatement(
        "SELECT table_name FROM d.INFORMATION_SCHEMA.TABLES WHERE " + where, Options(), find);
    EXPECT_TRUE(plan.ok()) << where;
    return std::get<SelectPlan>(*plan).query.relations.at(0).only_table.value_or("");
  };
  EXPECT_EQ(only_table("table_name = 'a'"), "a");
  EXPECT_EQ(only_table("table_type = 'VIEW' AND table_name = 'a'"), "a");
  EXPECT_EQ(only_table("table_name = 'a' OR table_name = 'b'"), "");
  EXPECT_EQ(only_table("table_name != 'a'"), "");
}

TEST(FunctionRegistry, KeepsTheSignaturesOfANameTogether) {
  std::string_view last;
  std::vector<std::string_view> seen;
  for (const FunctionSignature& entry : AllFunctions()) {
    if (entry.name == last) continue;
    EXPECT_THAT(seen, testing::Not(testing::Contains(entry.name)));
    seen.push_back(entry.name);
    last = entry.name;
  }
}

TEST(FunctionRegistry, IsWhatTheReferencePageLists) {
  const auto path = Root() / "docs/reference/googlesql.md";
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const std::string begin = "<!-- functions: begin -->\n";
  const std::string end = "<!-- functions: end -->";
  const std::string page = text.str();
  const size_t from = page.find(begin);
  const size_t to = page.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  const std::string listed = page.substr(from + begin.size(), to - from - begin.size());
  if (std::getenv("HOLDFAST_GOLDEN_UPDATE") != nullptr) {
    std::ofstream(path) << page.substr(0, from + begin.size()) << RenderFunctionReference()
                        << page.substr(to);
    return;
  }
  EXPECT_EQ(listed, RenderFunctionReference());
}

TEST(ConstantTimestamps, AreReadWithOffsets) {
  EXPECT_EQ(ParseTimestampText("1970-01-02"), 86400000000);
  EXPECT_EQ(ParseTimestampText("1970-01-01 00:00:01.5+00"), 1500000);
  EXPECT_EQ(ParseTimestampText("1970-01-01T01:00:00+01:00"), 0);
  EXPECT_EQ(ParseTimestampText("1970-01-01 00:00:00 UTC"), 0);
  EXPECT_EQ(ParseTimestampText("1970-02-30"), std::nullopt);
  EXPECT_EQ(ParseTimestampText("1970-01-01 25:00:00"), std::nullopt);
}

TEST(ParameterTypes, AreReadFromTheApi) {
  const auto type = ParseParameterType(Json::parse(
      R"({"type": "ARRAY", "arrayType": {"type": "STRUCT", "structTypes": [{"name": "a", "type": {"type": "INT64"}}]}})"));
  ASSERT_TRUE(type.ok());
  EXPECT_EQ(TypeName(*type), "ARRAY<STRUCT<a INT64>>");
  EXPECT_FALSE(ParseParameterType(Json::parse(R"({"type": "POINT"})")).ok());
}

}  // namespace
}  // namespace holdfast::googlesql
