// What a column may hold, by every way in: STRING(n), BYTES(n), NUMERIC(p, s), REQUIRED, nested.
#include "localcloud/warehouse/conform.h"

#include <gmock/gmock.h>

#include "localcloud/warehouse/streaming_buffer.h"
#include "localcloud/warehouse/warehouse_fixture.h"

namespace holdfast::warehouse {
namespace {

using ::testing::HasSubstr;

constexpr char kLimitedFields[] = R"([
  {"name":"s","type":"STRING","maxLength":"3"}, {"name":"b","type":"BYTES","maxLength":2},
  {"name":"n","type":"NUMERIC","precision":"5","scale":"2"},
  {"name":"g","type":"BIGNUMERIC","precision":"40","scale":"2"},
  {"name":"tags","type":"STRING","mode":"REPEATED","maxLength":"3"},
  {"name":"r","type":"RECORD","fields":[{"name":"s","type":"STRING","maxLength":"3"},
    {"name":"q","type":"INTEGER","mode":"REQUIRED"}]},
  {"name":"l","type":"RECORD","mode":"REPEATED","fields":[
    {"name":"m","type":"NUMERIC","precision":"3","scale":"1"}]}])";

struct Refusal {
  const char* json;   // the row
  const char* sql;    // the same as DuckDB expressions for (s, b, n, g, tags, r, l)
  const char* field;  // what the error names
};

// Columns that are not under test are NULL.
constexpr Refusal kRefused[] = {
    {R"({"s":"abcd"})", "'abcd', NULL, NULL, NULL, NULL, NULL, NULL", "s"},
    {R"({"b":"AAAA"})", "NULL, '\\x00\\x00\\x00'::BLOB, NULL, NULL, NULL, NULL, NULL", "b"},
    {R"({"n":"1000"})", "NULL, NULL, 1000::DECIMAL(38,9), NULL, NULL, NULL, NULL", "n"},
    {R"({"g":"100000000000000000000000000000000000000"})",
     "NULL, NULL, NULL, '100000000000000000000000000000000000000', NULL, NULL, NULL", "g"},
    {R"({"tags":["a","abcd"]})", "NULL, NULL, NULL, NULL, ['a', 'abcd'], NULL, NULL", "tags"},
    {R"({"r":{"s":"abcd","q":1}})",
     "NULL, NULL, NULL, NULL, NULL, {'s': 'abcd', 'q': 1::BIGINT}, NULL", "r.s"},
    {R"({"r":{"s":"a","q":null}})",
     "NULL, NULL, NULL, NULL, NULL, {'s': 'a', 'q': NULL::BIGINT}, NULL", "r.q"},
    {R"({"l":[{"m":1},{"m":100}]})",
     "NULL, NULL, NULL, NULL, NULL, NULL, [{'m': 1::DECIMAL(38,9)}, {'m': 100::DECIMAL(38,9)}]",
     "l"},
};

class Conform : public WarehouseFixture {
 protected:
  Conform() : schema_(MakeSchema(kLimitedFields)) {
    Must(warehouse().store().CreateTable({.ref = Table("t"), .schema = schema_}));
  }

  Result<QueryToTableResult> Insert(const std::string& values) {
    QueryToTableRequest request;
    request.destination = Table("t");
    request.write_disposition = WriteDisposition::kAppend;
    request.query.sql = "SELECT * FROM (SELECT " + values + ") AS q(s, b, n, g, tags, r, l)";
    for (const Field& field : schema_.fields) request.query.column_hints.emplace_back(field);
    return QueryToTable(warehouse(), request, {"s", "b", "n", "g", "tags", "r", "l"});
  }

  Result<LoadResult> LoadLine(const std::string& line) {
    LoadRequest request;
    request.destination = Table("t");
    request.format = LoadFormat::kNewlineDelimitedJson;
    return LoadText(request, line);
  }

  Schema schema_;
};

TEST_F(Conform, ALoadRefusesWhatTheColumnCannotHold) {
  for (const Refusal& refused : kRefused) {
    const auto loaded = LoadLine(refused.json);
    ASSERT_FALSE(loaded.ok()) << refused.json;
    EXPECT_THAT(loaded.error().message, HasSubstr(refused.field)) << refused.json;
  }
  EXPECT_TRUE(AllRows(Table("t")).empty());
}

TEST_F(Conform, AStatementRefusesWhatTheColumnCannotHold) {
  for (const Refusal& refused : kRefused) {
    const auto inserted = Insert(refused.sql);
    ASSERT_FALSE(inserted.ok()) << refused.sql;
    EXPECT_THAT(inserted.error().message, HasSubstr(std::string("ield ") + refused.field))
        << refused.sql;
  }
  EXPECT_TRUE(AllRows(Table("t")).empty());
}

TEST_F(Conform, AStreamedRowIsRefusedByItself) {
  for (const Refusal& refused : kRefused) {
    InsertRequest insert;
    insert.table = Table("t");
    insert.rows.push_back({.insert_id = {}, .json = Json::parse(refused.json)});
    const auto errors = Must(InsertRows(warehouse(), insert));
    ASSERT_EQ(errors.size(), 1U) << refused.json;
    EXPECT_THAT(errors[0].location, HasSubstr(refused.field)) << refused.json;
  }
}

TEST_F(Conform, WhatFitsIsKeptAndDigitsBehindTheScaleAreRounded) {
  ASSERT_OK(LoadLine(R"({"s":"\u00e4\u00f6\u00fc","b":"AAA=","n":"-1.005","g":"7.25",)"
                     R"("tags":["abc"],"r":{"s":"abc","q":1},"l":[{"m":"99.94"}]})"));
  ASSERT_OK(
      Insert("'äöü', '\\x00\\x00'::BLOB, (-1.005)::DECIMAL(38,9), '7.25', ['abc'], "
             "{'s': 'abc', 'q': 1::BIGINT}, [{'m': 99.94::DECIMAL(38,9)}]"));
  const auto rows = AllRows(Table("t"));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0], rows[1]);
  EXPECT_EQ(rows[0]["n"], "-1.01");
  EXPECT_EQ(rows[0]["l"][0]["m"], "99.9");
}

TEST_F(Conform, AbsentRecordsHaveNoRequiredFields) {
  ASSERT_OK(Insert("NULL, NULL, NULL, NULL, NULL, NULL, NULL"));
  const auto rows = AllRows(Table("t"));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_TRUE(rows[0]["r"].is_null());
  EXPECT_EQ(rows[0]["tags"], Json::array());
}

}  // namespace
}  // namespace holdfast::warehouse
