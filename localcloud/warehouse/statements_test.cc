// Queries, their results as tables, DML, paging; and what SQL must not reach.
#include <gmock/gmock.h>

#include "localcloud/warehouse/dml.h"
#include "localcloud/warehouse/warehouse_fixture.h"

namespace holdfast::warehouse {
namespace {

using ::testing::HasSubstr;

class Statements : public WarehouseFixture {
 protected:
  void SetUp() override {
    schema_ = MakeSchema(R"([{"name":"k","type":"DATE"},{"name":"v","type":"INTEGER"},
      {"name":"s","type":"STRING"}])");
    LoadJson(Table("t"), schema_,
             R"({"k":"2026-01-01","v":1,"s":"a"}
{"k":"2026-01-01","v":2,"s":"b"}
{"k":"2026-01-02","v":3,"s":"c"}
{"k":null,"v":4,"s":"d"})",
             Json::parse(R"({"timePartitioning":{"type":"DAY","field":"k"}})"));
  }
  UpdateStatement MakeUpdate(const std::string& column, const std::string& value,
                             const std::string& where) {
    UpdateStatement statement;
    statement.table = Table("t");
    statement.target_name = "t";
    statement.assignments = {{column, value}};
    statement.where_sql = where;
    return statement;
  }

  Schema schema_;
};

TEST_F(Statements, ResultsHaveBigQuerysTypes) {
  Query query;
  query.sql =
      "SELECT sum(v) AS a, avg(v) AS b, 1.5 AS c, NULL AS d, [1, 2] AS e, {'x': 1} AS f, "
      "now() AS g, current_date AS h, 'p' AS i, v > 1 AS j FROM t GROUP BY v";
  query.bindings = {{"t", TableBinding{Table("t"), {}, false}}};
  const Schema schema = Must(DescribeQuery(warehouse(), query));
  const FieldType types[] = {FieldType::kInt64,     FieldType::kFloat64, FieldType::kNumeric,
                             FieldType::kInt64,     FieldType::kInt64,   FieldType::kRecord,
                             FieldType::kTimestamp, FieldType::kDate,    FieldType::kString,
                             FieldType::kBool};
  ASSERT_EQ(schema.fields.size(), std::size(types));
  for (size_t i = 0; i < std::size(types); ++i) EXPECT_EQ(schema.fields[i].type, types[i]) << i;
  EXPECT_EQ(schema.fields[4].mode, FieldMode::kRepeated);
  EXPECT_EQ(Must(RunQuery(warehouse(), query,
                          [](const Schema&, const avro::BatchView&) { return Ok(); })),
            4);
}

TEST_F(Statements, BindingsAreTablesRowsAndViews) {
  const RowsBinding rows{
      MakeSchema(R"([{"name":"s","type":"STRING"},{"name":"n","type":"INTEGER"}])"),
      Json::parse(R"([{"s":"a","n":"10"},{"s":"c","n":30}])")};
  const auto result =
      Must(Ask("SELECT big.n + v AS n FROM big JOIN \"odd \"\"name\" USING (s) "
               "WHERE v >= CAST($least AS BIGINT) ORDER BY n DESC",
               {{"odd \"name", TableBinding{Table("t"), {}, false}},
                {"raw", rows},
                {"big", ViewBinding{"SELECT * FROM raw WHERE n > 5"}}},
               {{"least", "2"}}));
  EXPECT_EQ(Json(result).dump(), R"([{"n":33}])");
  EXPECT_EQ(AskText("SELECT list(v ORDER BY v) AS v FROM t", Table("t", "20260101")),
            R"([{"v":[1,2]}])");
}

TEST_F(Statements, SqlReachesNothingButItsBindings) {
  for (const char* sql :
       {"SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM '/etc/passwd'",
        "COPY (SELECT 1) TO '/tmp/x.csv'", "SELECT 1; SELECT 2", "INSTALL httpfs",
        "ATTACH '/tmp/x.db'", "SET memory_limit = '1TB'", "CREATE TABLE x (a INT)",
        "SELECT * FROM read_csv('https://example.com/x.csv')", "PRAGMA database_list",
        "SELECT 1) AS x; DROP TABLE y; --"}) {
    EXPECT_ERROR(Ask(sql, {}), ErrorId::kQueryFailed) << sql;
  }
}

TEST_F(Statements, AResultBecomesATable) {
  QueryToTableRequest request;
  request.query.sql = "SELECT k, sum(v) AS total FROM t GROUP BY k";
  request.query.bindings = {{"t", TableBinding{Table("t"), {}, false}}};
  request.destination = Table("result");
  request.table_resource = {{"expirationTime", std::to_string(now_ms() + 1000)}};
  const QueryToTableResult result = Must(QueryToTable(warehouse(), request));
  EXPECT_EQ(result.rows, 3);
  EXPECT_EQ(result.table.schema.fields[1].type, FieldType::kInt64);
  EXPECT_ERROR(QueryToTable(warehouse(), request), ErrorId::kWarehouseExists);
  AdvanceMs(1000);
  EXPECT_ERROR(warehouse().store().GetTable(Table("result")), ErrorId::kWarehouseNotFound);
}

TEST_F(Statements, InsertsAreMatchedByColumnAndChecked) {
  QueryToTableRequest request;
  request.query.sql = "SELECT 9, CAST($day AS VARCHAR)";
  request.query.parameters = {{"day", "2026-03-01"}};
  request.destination = Table("t");
  request.write_disposition = WriteDisposition::kAppend;
  ASSERT_OK(QueryToTable(warehouse(), request, {"v", "k"}));
  EXPECT_EQ(Partitions(Table("t")).at("20260301").num_rows, 1);
  EXPECT_ERROR(QueryToTable(warehouse(), request, {"v"}), ErrorId::kWarehouseInvalidSchema);
  EXPECT_ERROR(QueryToTable(warehouse(), request, {"v", "nope"}), ErrorId::kWarehouseInvalidSchema);
  request.query.sql = "SELECT true, CAST($day AS VARCHAR)";
  EXPECT_ERROR(QueryToTable(warehouse(), request, {"v", "k"}), ErrorId::kWarehouseInvalidSchema);
}

TEST_F(Statements, UpdatesWriteOnlyTouchedPartitions) {
  const auto before = Partitions(Table("t"));
  AdvanceMs(1000);
  const DmlResult result = Must(Update(warehouse(), MakeUpdate("v", "v * 10", "s = 'b'")));
  EXPECT_EQ(result.affected_rows, 1);
  const auto after = Partitions(Table("t"));
  EXPECT_EQ(after.at("20260101").last_modified_ms, now_ms());
  EXPECT_EQ(after.at("20260102").last_modified_ms, before.at("20260102").last_modified_ms);
  EXPECT_EQ(AskText("SELECT list(v ORDER BY v) AS v FROM t", Table("t")), R"([{"v":[1,3,4,20]}])");
}

TEST_F(Statements, AnUpdateMayMoveARowToAnotherPartition) {
  ASSERT_OK(Update(warehouse(), MakeUpdate("k", "DATE '2026-05-05'", "k IS NULL")));
  const auto after = Partitions(Table("t"));
  EXPECT_FALSE(after.contains("__NULL__"));
  EXPECT_EQ(after.at("20260505").num_rows, 1);
}

TEST_F(Statements, UpdatesFromAnotherTableMatchOnce) {
  UpdateStatement statement = MakeUpdate("v", "f.n", "t.s = f.s");
  statement.from_sql = "f";
  const Schema schema =
      MakeSchema(R"([{"name":"s","type":"STRING"},{"name":"n","type":"INTEGER"}])");
  statement.bindings = {{"f", RowsBinding{schema, Json::parse(R"([{"s":"a","n":7}])")}}};
  EXPECT_EQ(Must(Update(warehouse(), statement)).affected_rows, 1);
  statement.bindings = {
      {"f", RowsBinding{schema, Json::parse(R"([{"s":"a","n":7},{"s":"a","n":8}])")}}};
  const auto twice = Update(warehouse(), statement);
  EXPECT_ERROR(twice, ErrorId::kQueryFailed);
  EXPECT_THAT(twice.error().message, HasSubstr("at most one source row"));
}

TEST_F(Statements, DeletesTakeWholeFilesAway) {
  DeleteStatement statement;
  statement.table = Table("t");
  statement.target_name = "x";
  statement.where_sql = "x.v >= CAST(? AS BIGINT)";
  statement.parameters = {{"", "3"}};
  EXPECT_EQ(Must(Delete(warehouse(), statement)).affected_rows, 2);
  EXPECT_EQ(Partitions(Table("t")).size(), 1U);
  EXPECT_EQ(Must(Delete(warehouse(), statement)).affected_rows, 0);
  EXPECT_EQ(Must(Truncate(warehouse(), Table("t"))).affected_rows, 2);
  EXPECT_EQ(Must(warehouse().store().GetTable(Table("t"))).num_rows, 0);
}

TEST_F(Statements, PagesNeitherOverlapNorMissARow) {
  std::string lines;
  for (int i = 0; i < 5'000; ++i) lines += "{\"v\":" + std::to_string(i + 100) + "}\n";
  LoadJson(Table("t"), schema_, lines);
  const TableSnapshot snapshot = Must(warehouse().store().Snapshot(Table("t")));
  EXPECT_EQ(CountRows(snapshot), 5'004);
  std::vector<Json> paged;
  for (int64_t start = 0; start < 6'000; start += 701) {
    Must(ReadRows(warehouse(), snapshot, {.start = start, .count = 701}, {"v"}, Collect(paged)));
  }
  std::vector<Json> whole;
  Must(ReadRows(warehouse(), snapshot, {.start = 0, .count = 9'999}, {"V"}, Collect(whole)));
  EXPECT_EQ(whole.size(), 5'004U);
  EXPECT_EQ(whole[0].size(), 1U);
  EXPECT_EQ(paged, whole);
  EXPECT_ERROR(ReadRows(warehouse(), snapshot, {.start = 0, .count = 1}, {"w"}, Collect(paged)),
               ErrorId::kWarehouseInvalidRequest);
}

TEST_F(Statements, MetadataIsEditedUnderItsEtag) {
  TableStore& store = warehouse().store();
  const TableRecord before = Must(store.GetTable(Table("t")));
  AdvanceMs(1000);
  Json resource = before.resource;
  resource["description"] = "x";
  const TableRecord after = Must(store.UpdateTable(Table("t"), resource, {}, before.etag));
  EXPECT_NE(after.etag, before.etag);
  EXPECT_EQ(after.last_modified_ms, now_ms());
  EXPECT_EQ(Partitions(Table("t")).at("20260101").last_modified_ms, now_ms());
  EXPECT_ERROR(store.UpdateTable(Table("t"), resource, {}, before.etag), ErrorId::kWarehouseEtag);
  Schema narrower = schema_;
  narrower.fields.pop_back();
  EXPECT_ERROR(store.UpdateTable(Table("t"), resource, narrower, ""),
               ErrorId::kWarehouseInvalidSchema);
  EXPECT_ERROR(store.UpdateTable(Table("t"), Json::object(), {}, ""),
               ErrorId::kWarehouseInvalidSchema)
      << "the partitioning cannot go";
}

TEST_F(Statements, ListingsArePaged) {
  for (const char* name : {"u", "v", "w"}) LoadJson(Table(name), schema_, "");
  std::string names;
  PageRequest request{.results_max = 3, .token = {}};
  int pages = 0;
  while (true) {
    const auto page = Must(warehouse().store().ListTables({"p", "d"}, request));
    for (const TableRecord& table : page.items) names += table.ref.table;
    ++pages;
    if (!page.next_token) break;
    request.token = *page.next_token;
  }
  EXPECT_EQ(names, "tuvw");
  EXPECT_EQ(pages, 2);
}

TEST_F(Statements, LogicalBytesAreBigQuerys) {
  // Each row: DATE 8 (NULL 0), INT64 8, STRING 2 + 1.
  EXPECT_EQ(Must(warehouse().store().GetTable(Table("t"))).num_bytes, 3 * 8 + 4 * 8 + 4 * 3);
}

}  // namespace
}  // namespace holdfast::warehouse
