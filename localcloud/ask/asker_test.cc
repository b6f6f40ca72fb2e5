#include "localcloud/ask/asker.h"

#include <gtest/gtest.h>

#include "localcloud/ask/ask_fixture.h"

namespace holdfast::ask {
namespace {

constexpr const char* kOrders = R"([{"name": "id", "type": "INT64", "mode": "REQUIRED"},
    {"name": "day", "type": "DATE"}, {"name": "note", "type": "STRING"}])";

Partitioning ByDay(const std::string& field) {
  return {.kind = Partitioning::Kind::kDay, .field = field};
}

AskedTable Orders() {
  return TableOf({"p", "d", "orders", ""}, MakeSchema(kOrders), ByDay("day"),
                 {{"20260101", {{1, "2026-01-01", "a"}, {2, "2026-01-01", "b"}}},
                  {"20260102", {{3, "2026-01-02", "c"}}},
                  {"__NULL__", {{4, nullptr, "d"}}}});
}

using AskerTest = AskFixture;

TEST_F(AskerTest, AnswersAQueryOverAWholeTable) {
  Add(TableOf({"p", "d", "orders", ""}, MakeSchema(kOrders), {},
              {{"", {{1, "2026-01-01", "a"}, {2, "2026-01-02", "b"}}}}));
  EXPECT_EQ(AskText("SELECT note, id FROM orders ORDER BY id DESC"),
            R"([{"id":2,"note":"b"},{"id":1,"note":"a"}])");
  EXPECT_EQ(AskText("SELECT COUNT(*) AS n FROM `p.d.orders`"), R"([{"n":2}])");
  EXPECT_EQ(statistics_.partitions, 1);
  EXPECT_EQ(statistics_.files_read, 1);
}

TEST_F(AskerTest, ReadsOnlyThePartitionsThatAQuestionNeeds) {
  Add(Orders());
  EXPECT_EQ(AskText("SELECT id FROM orders WHERE day = '2026-01-02'"), R"([{"id":3}])");
  EXPECT_EQ(statistics_.partitions, 3);
  EXPECT_EQ(statistics_.partitions_read, 1);
  EXPECT_EQ(statistics_.bytes_read,
            tables_.at("orders").part("20260102").value().files.front().size_bytes);
  EXPECT_EQ(AskText("SELECT id FROM orders WHERE day IS NULL"), R"([{"id":4}])");
  EXPECT_EQ(statistics_.partitions_read, 1);
  EXPECT_EQ(AskText("SELECT id FROM orders WHERE day > '2027-01-01'"), "[]");
  EXPECT_EQ(statistics_.bytes_read, 0);
}

// A source that could be read once gave no rows to the second.
TEST_F(AskerTest, ReadsATableAsOftenAsItIsNamed) {
  Add(Orders());
  EXPECT_EQ(AskText("WITH w AS (SELECT id FROM orders) "
                    "SELECT COUNT(*) AS n FROM w AS a JOIN w AS b ON a.id >= b.id"),
            R"([{"n":10}])");
  EXPECT_EQ(AskText("SELECT a.id FROM orders AS a, orders AS b WHERE a.day = '2026-01-02' AND "
                    "b.day = '2026-01-01' AND b.id = 2"),
            R"([{"id":3}])");
  EXPECT_EQ(statistics_.files_read, 2);
}

TEST_F(AskerTest, KnowsThePartitionOfAnIngestionTimeTable) {
  Add(TableOf({"p", "d", "log", ""}, MakeSchema(R"([{"name": "line", "type": "STRING"}])"),
              ByDay(""), {{"20260101", {{"a"}, {"b"}}}, {"20260102", {{"c"}}}}));
  EXPECT_EQ(AskText("SELECT line, _PARTITIONTIME AS t, _PARTITIONDATE AS d FROM log "
                    "WHERE _PARTITIONDATE = '2026-01-02'"),
            R"([{"d":"2026-01-02","line":"c","t":"2026-01-02T00:00:00Z"}])");
  EXPECT_EQ(statistics_.partitions_read, 1);
  EXPECT_EQ(AskText("SELECT COUNT(*) AS n FROM log WHERE _PARTITIONTIME < TIMESTAMP '2026-01-02'"),
            R"([{"n":2}])");
  EXPECT_EQ(AskText("SELECT * FROM log WHERE line = 'a'"), R"([{"line":"a"}])");
}

TEST_F(AskerTest, ReadsFilesFromBeforeAColumnWasAdded) {
  AskedTable table = Orders();
  Schema now = table.schema;
  now.fields.push_back(avro::MakeField("total", FieldType::kInt64, FieldMode::kRequired));
  now.fields.push_back(avro::MakeField("tags", FieldType::kString, FieldMode::kRepeated));
  table.schema = now;
  Add(table);
  EXPECT_EQ(AskText("SELECT id, total, tags FROM orders WHERE id = 3"),
            R"([{"id":3,"tags":[],"total":null}])");
}

TEST_F(AskerTest, InlinesAViewOverBackupsOfItsTables) {
  Add(Orders());
  AskedTable view{.ref = {"p", "d", "notes", ""}};
  view.view_sql = "SELECT note FROM d.orders WHERE day = '2026-01-02'";
  Add(view);
  EXPECT_EQ(AskText("SELECT * FROM notes"), R"([{"note":"c"}])");
  EXPECT_EQ(statistics_.partitions_read, 1);
}

TEST_F(AskerTest, CutsTheAnswerAndSaysSo) {
  Add(Orders());
  std::vector<Json> rows;
  const auto cut = Ask({.sql = "SELECT id FROM orders ORDER BY id DESC", .rows_max = 2}, rows);
  ASSERT_TRUE(cut.ok()) << cut.error().ToString();
  EXPECT_TRUE(cut->is_cut);
  EXPECT_EQ(Json(rows).dump(), R"([{"id":4},{"id":3}])");
  rows.clear();
  const auto whole = Ask({.sql = "SELECT id FROM orders", .rows_max = 4}, rows);
  ASSERT_TRUE(whole.ok());
  EXPECT_FALSE(whole->is_cut);
  EXPECT_EQ(whole->statistics.rows, 4);
}

TEST_F(AskerTest, RefusesWhatIsNoQuestion) {
  Add(Orders());
  for (const char* sql : {"DELETE FROM orders WHERE TRUE", "DROP TABLE orders",
                          "INSERT INTO orders (id) VALUES (1)", "CREATE TABLE d.x AS SELECT 1"}) {
    std::vector<Json> rows;
    const auto answer = Ask({.sql = sql}, rows);
    ASSERT_FALSE(answer.ok()) << sql;
    EXPECT_EQ(answer.error().id, ErrorId::kNotAQuestion) << sql;
  }
  EXPECT_EQ(AskText("SELECT nome FROM orders"), "Unrecognized name: nome at [1:8]");
  EXPECT_EQ(AskText("SELECT 1 FROM other"), "no backup of p.d.other at [1:15]");
  EXPECT_EQ(AskText("SELECT * FROM INFORMATION_SCHEMA.TABLES"),
            "A metadata view cannot be asked of backups at [1:15]");
}

TEST_F(AskerTest, GivesTheErrorOfAFileAndNoRows) {
  AskedTable table = Orders();
  table.part = [](const std::string& partition) -> Result<AskedPart> {
    AskedPart part{partition, {{.name = "the file", .size_bytes = 1, .rows = 1}}};
    part.files.front().open = []() -> Result<avro::ByteSource> {
      return MakeError(ErrorId::kObjectCorrupt, "gs://b/o of backup B: damaged", "take another");
    };
    return part;
  };
  Add(table);
  std::vector<Json> rows;
  const auto answer = Ask({.sql = "SELECT id FROM orders"}, rows);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().id, ErrorId::kObjectCorrupt);
  EXPECT_EQ(answer.error().message, "gs://b/o of backup B: damaged");
  EXPECT_EQ(answer.error().hint, "take another");
  EXPECT_TRUE(rows.empty());
}

TEST_F(AskerTest, RefusesAFileThatLacksRows) {
  AskedTable table = Orders();
  const auto whole = table.part;
  table.part = [whole](const std::string& partition) -> Result<AskedPart> {
    AskedPart part = whole(partition).value();
    part.files.front().rows += 1;
    return part;
  };
  Add(table);
  EXPECT_EQ(AskText("SELECT COUNT(*) FROM orders WHERE day = '2026-01-01'"),
            "file of 20260101 holds 2 rows, and its manifest says 3");
}

TEST_F(AskerTest, LeavesNothingBehind) {
  asker_.reset();
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

}  // namespace
}  // namespace holdfast::ask
