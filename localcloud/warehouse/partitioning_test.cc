#include "localcloud/warehouse/partitioning.h"

#include <limits>

#include "localcloud/warehouse/warehouse_fixture.h"

namespace holdfast::warehouse {
namespace {

using PartitionRouting = WarehouseFixture;

const char kDailyByK[] = R"({"timePartitioning": {"type": "DAY", "field": "k"}})";

struct RoutingCase {
  const char* name;
  const char* resource;
  const char* key_type;
  const char* lines;
  std::map<std::string, int64_t> rows;  // by partition id
};

TEST_F(PartitionRouting, EachRowGoesToThePartitionOfItsKey) {
  const RoutingCase cases[] = {
      {"day_of_date",
       kDailyByK,
       "DATE",
       R"({"k":"2026-01-31"}
{"k":"2026-01-31"}
{"k":"0001-01-01"}
{"k":"1969-12-31"}
{"k":null})",
       {{"20260131", 2}, {"00010101", 1}, {"19691231", 1}, {"__NULL__", 1}}},
      {"day_of_timestamp",
       kDailyByK,
       "TIMESTAMP",
       R"({"k":"1969-12-31T23:59:59.999999Z"}
{"k":"1970-01-01T00:00:00Z"}
{"k":"9999-12-31T23:59:59Z"})",
       {{"19691231", 1}, {"19700101", 1}, {"99991231", 1}}},
      {"hour_of_datetime",
       R"({"timePartitioning": {"type": "HOUR", "field": "k"}})",
       "DATETIME",
       R"({"k":"2024-02-29T23:59:59"}
{"k":"1960-01-01T00:00:00"})",
       {{"2024022923", 1}, {"1960010100", 1}}},
      {"month_of_timestamp",
       R"({"timePartitioning": {"type": "MONTH", "field": "k"}})",
       "TIMESTAMP",
       R"({"k":"1969-11-30T00:00:00Z"}
{"k":"2026-12-01T00:00:00Z"})",
       {{"196911", 1}, {"202612", 1}}},
      {"year_of_date",
       R"({"timePartitioning": {"type": "YEAR", "field": "k"}})",
       "DATE",
       R"({"k":"1950-05-05"}
{"k":"2026-12-31"})",
       {{"1950", 1}, {"2026", 1}}},
      {"integer_range",
       R"({"rangePartitioning": {"field": "k",
            "range": {"start": "-10", "end": "25", "interval": "10"}}})",
       "INTEGER",
       R"({"k":-10}
{"k":-1}
{"k":0}
{"k":24}
{"k":25}
{"k":-11}
{"k":null})",
       {{"-10", 2}, {"0", 1}, {"20", 1}, {"__UNPARTITIONED__", 2}, {"__NULL__", 1}}},
      {"ingestion_time",
       R"({"timePartitioning": {"type": "DAY"}})",
       "STRING",
       R"({"k":"x"})",
       {{"20260921", 1}}},
      {"none", "{}", "STRING", R"({"k":"x"})", {{"", 1}}},
  };
  for (const RoutingCase& test : cases) {
    SCOPED_TRACE(test.name);
    const Schema schema =
        MakeSchema((std::string(R"([{"name":"k","type":")") + test.key_type + R"("}])").c_str());
    LoadJson(Table(test.name), schema, test.lines, Json::parse(test.resource));
    std::map<std::string, int64_t> rows;
    for (const auto& [id, record] : Partitions(Table(test.name))) {
      rows[id] = record.num_rows;
    }
    EXPECT_EQ(rows, test.rows);
  }
}

TEST(Partitioning, IdsOfDaysReadBackOverTheWholeCalendar) {
  Partitioning daily;
  daily.kind = PartitionKind::kIngestionTime;
  for (int64_t day = -719'162; day <= 2'932'896; day += 97) {
    const std::string id = PartitionIdOfBucket(daily, day);
    const auto start = PartitionStart(daily, id);
    ASSERT_TRUE(start) << id;
    EXPECT_EQ(start->time_since_epoch(), std::chrono::days{day}) << id;
  }
}

TEST(Partitioning, RefusesIdsOfAnotherForm) {
  Partitioning hourly;
  hourly.kind = PartitionKind::kIngestionTime;
  hourly.unit = PartitionUnit::kHour;
  for (const char* id : {"", "20260101", "2026010124", "2026023000", "20260101 1", "-000010100"}) {
    EXPECT_FALSE(ValidatePartitionId(hourly, id).ok()) << id;
  }
  EXPECT_TRUE(ValidatePartitionId(hourly, "2026010123").ok());
  Partitioning range;
  range.kind = PartitionKind::kIntegerRange;
  range.range_start = 0;
  range.range_end = 100;
  range.range_interval = 10;
  for (const char* id : {"5", "100", "-10", "010", "+10"}) {
    EXPECT_FALSE(ValidatePartitionId(range, id).ok()) << id;
  }
  EXPECT_TRUE(ValidatePartitionId(range, "90").ok());
}

TEST(Partitioning, RefusesColumnsThatCannotPartition) {
  const Schema schema = MakeSchema(R"([{"name":"s","type":"STRING"},{"name":"d","type":"DATE"},
    {"name":"r","type":"DATE","mode":"REPEATED"}])");
  for (const char* resource : {
           R"({"timePartitioning":{"type":"DAY","field":"absent"}})",
           R"({"timePartitioning":{"type":"DAY","field":"s"}})",
           R"({"timePartitioning":{"type":"HOUR","field":"d"}})",
           R"({"timePartitioning":{"type":"WEEK","field":"d"}})",
           R"({"timePartitioning":{"type":"DAY","field":"r"}})",
           R"({"rangePartitioning":{"field":"d","range":{"start":0,"end":9,"interval":1}}})",
       }) {
    EXPECT_ERROR(Partitioning::FromResource(Json::parse(resource), schema),
                 ErrorId::kWarehouseInvalidSchema);
  }
}

TEST_F(PartitionRouting, OnlyTouchedPartitionsAreModified) {
  const Schema schema = MakeSchema(R"([{"name":"k","type":"DATE"}])");
  LoadJson(Table("t"), schema, "{\"k\":\"2026-01-01\"}\n{\"k\":\"2026-01-02\"}",
           Json::parse(kDailyByK));
  const auto before = Partitions(Table("t"));
  AdvanceMs(1000);
  LoadJson(Table("t"), schema, "{\"k\":\"2026-01-02\"}");
  const auto after = Partitions(Table("t"));
  EXPECT_EQ(after.at("20260101").last_modified_ms, before.at("20260101").last_modified_ms);
  EXPECT_EQ(after.at("20260102").last_modified_ms, now_ms());
  EXPECT_EQ(after.at("20260102").num_rows, 2);
}

TEST_F(PartitionRouting, ADecoratorTakesOnlyRowsOfItsPartition) {
  const Schema schema = MakeSchema(R"([{"name":"k","type":"DATE"}])");
  LoadJson(Table("t"), schema, "{\"k\":\"2026-01-01\"}\n{\"k\":\"2026-01-02\"}",
           Json::parse(kDailyByK));
  LoadRequest request;
  request.destination = Table("t", "20260102");
  request.format = LoadFormat::kNewlineDelimitedJson;
  request.write_disposition = WriteDisposition::kTruncate;
  EXPECT_ERROR(LoadText(request, "{\"k\":\"2026-01-03\"}"), ErrorId::kWarehouseInvalidRequest);
  ASSERT_OK(LoadText(request, "{\"k\":\"2026-01-02\"}\n{\"k\":\"2026-01-02\"}"));
  const auto partitions = Partitions(Table("t"));
  EXPECT_EQ(partitions.at("20260101").num_rows, 1);
  EXPECT_EQ(partitions.at("20260102").num_rows, 2);
}

TEST_F(PartitionRouting, ExpiredPartitionsGoOnArrival) {
  const Schema schema = MakeSchema(R"([{"name":"k","type":"DATE"}])");
  const TableRecord table = LoadJson(
      Table("t"), schema, "{\"k\":\"2026-01-01\"}\n{\"k\":\"2026-09-21\"}",
      Json::parse(R"({"timePartitioning":{"type":"DAY","field":"k","expirationMs":"86400000"}})"));
  EXPECT_EQ(table.num_rows, 1);
  AdvanceMs(2 * 86'400'000);
  EXPECT_EQ(Must(warehouse().store().GetTable(Table("t"))).num_rows, 0);
}

TEST_F(PartitionRouting, IngestionTimeShowsAsPseudoColumns) {
  const Schema schema = MakeSchema(R"([{"name":"k","type":"STRING"}])");
  LoadJson(Table("t"), schema, "{\"k\":\"a\"}",
           Json::parse(R"({"timePartitioning":{"type":"DAY"}})"));
  LoadJson(Table("t", "20260101"), schema, "{\"k\":\"b\"}");
  EXPECT_EQ(AskText("SELECT k, _PARTITIONDATE AS d FROM t WHERE _PARTITIONTIME < "
                    "TIMESTAMPTZ '2026-09-01 00:00:00Z'",
                    TableBinding{Table("t"), {}, true}),
            R"([{"d":"2026-01-01","k":"b"}])");
}

}  // namespace
}  // namespace holdfast::warehouse
