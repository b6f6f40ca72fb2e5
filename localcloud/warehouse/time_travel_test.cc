// Versions: time travel, deleted tables, snapshots, clones, copies and their dispositions.
#include "localcloud/warehouse/copier.h"
#include "localcloud/warehouse/dml.h"
#include "localcloud/warehouse/warehouse_fixture.h"

namespace holdfast::warehouse {
namespace {

constexpr int64_t kHourMs = 3'600'000;

class TimeTravel : public WarehouseFixture {
 protected:
  void Append(const std::string& name, int value) {
    LoadJson(Table(name), schema_, "{\"v\":" + std::to_string(value) + "}");
  }
  std::string Values(const TableRef& table, std::optional<int64_t> as_of_ms = {}) {
    return AskText("SELECT list(v ORDER BY v) AS v FROM t", TableBinding{table, as_of_ms, false});
  }
  Result<CopyResult> CopyTo(CopySource source, const TableRef& destination,
                            WriteDisposition disposition, CopyOperation operation) {
    CopyRequest request;
    request.sources = {std::move(source)};
    request.destination = destination;
    request.write_disposition = disposition;
    request.operation = operation;
    return Copy(warehouse(), request);
  }

  const Schema schema_ = MakeSchema(R"([{"name":"v","type":"INTEGER"}])");
};

TEST_F(TimeTravel, ReadsEveryVersionWithinTheWindow) {
  Append("t", 1);
  const int64_t first_ms = now_ms();
  AdvanceMs(kHourMs);
  Append("t", 2);
  const int64_t second_ms = now_ms();
  AdvanceMs(kHourMs);
  ASSERT_OK(Truncate(warehouse(), Table("t")));
  EXPECT_EQ(Values(Table("t"), first_ms), R"([{"v":[1]}])");
  EXPECT_EQ(Values(Table("t"), second_ms), R"([{"v":[1,2]}])");
  EXPECT_EQ(Values(Table("t")), R"([{"v":[]}])");
  EXPECT_ERROR(warehouse().store().Snapshot(Table("t"), first_ms - 1),
               ErrorId::kWarehouseTimeTravel);
}

TEST_F(TimeTravel, OldVersionsAndTheirFilesGoAfterTheWindow) {
  Append("t", 1);
  const int64_t first_ms = now_ms();
  AdvanceMs(kHourMs);
  LoadJson(Table("t"), schema_, R"({"v":2})", Json::object(), WriteDisposition::kTruncate);
  ASSERT_OK(warehouse().Maintain());
  EXPECT_EQ(CountFiles(), 2);
  {
    const TableSnapshot reader = Must(warehouse().store().Snapshot(Table("t"), first_ms));
    AdvanceMs(169 * kHourMs);
    ASSERT_OK(warehouse().Maintain());
    EXPECT_EQ(CountFiles(), 2) << "a reader still has the old file";
  }
  ASSERT_OK(warehouse().Maintain());
  EXPECT_EQ(CountFiles(), 1);
  EXPECT_ERROR(warehouse().store().Snapshot(Table("t"), first_ms), ErrorId::kWarehouseTimeTravel);
  EXPECT_EQ(Values(Table("t")), R"([{"v":[2]}])");
}

TEST_F(TimeTravel, ADeletedTableIsReadByItsTime) {
  Append("t", 1);
  AdvanceMs(kHourMs);
  const int64_t alive_ms = now_ms();
  AdvanceMs(kHourMs);
  ASSERT_OK(warehouse().store().DeleteTable(Table("t")));
  AdvanceMs(kHourMs);
  EXPECT_ERROR(warehouse().store().GetTable(Table("t")), ErrorId::kWarehouseNotFound);
  EXPECT_ERROR(warehouse().store().Snapshot(Table("t"), now_ms() - 1), ErrorId::kWarehouseNotFound);
  ASSERT_OK(CopyTo({Table("t"), alive_ms}, Table("back"), WriteDisposition::kEmpty,
                   CopyOperation::kCopy));
  EXPECT_EQ(Values(Table("back")), R"([{"v":[1]}])");
  Append("t", 9);
  EXPECT_ERROR(warehouse().store().Snapshot(Table("t"), alive_ms), ErrorId::kWarehouseTimeTravel)
      << "a recreated table hides the old one";
}

TEST_F(TimeTravel, ADeletedDatasetComesBackTableByTable) {
  Append("t", 1);
  const int64_t alive_ms = now_ms();
  AdvanceMs(kHourMs);
  EXPECT_ERROR(warehouse().store().DeleteDataset({"p", "d"}, false), ErrorId::kWarehouseNotEmpty);
  ASSERT_OK(warehouse().store().DeleteDataset({"p", "d"}, true));
  EXPECT_ERROR(warehouse().store().Snapshot(Table("t"), alive_ms), ErrorId::kWarehouseNotFound);
  ASSERT_OK(warehouse().store().CreateDataset({"p", "d"}, Json::object()));
  EXPECT_EQ(Values(Table("t"), alive_ms), R"([{"v":[1]}])");
}

TEST_F(TimeTravel, SnapshotsAndClonesKeepWhatTheyWereMadeOf) {
  Append("t", 1);
  ASSERT_OK(
      CopyTo({Table("t"), {}}, Table("s"), WriteDisposition::kEmpty, CopyOperation::kSnapshot));
  ASSERT_OK(CopyTo({Table("t"), {}}, Table("c"), WriteDisposition::kEmpty, CopyOperation::kClone));
  AdvanceMs(kHourMs);
  Append("t", 2);
  Append("c", 3);
  EXPECT_EQ(CountFiles(), 3) << "neither copied a file";
  EXPECT_EQ(Values(Table("t")), R"([{"v":[1,2]}])");
  EXPECT_EQ(Values(Table("s")), R"([{"v":[1]}])");
  EXPECT_EQ(Values(Table("c")), R"([{"v":[1,3]}])");
  const TableRecord snapshot = Must(warehouse().store().GetTable(Table("s")));
  EXPECT_EQ(snapshot.kind, TableKind::kSnapshot);
  EXPECT_EQ(snapshot.resource["snapshotDefinition"]["baseTableReference"]["tableId"], "t");
  EXPECT_ERROR(Truncate(warehouse(), Table("s")), ErrorId::kWarehouseReadOnly);
  EXPECT_ERROR(
      CopyTo({Table("t"), {}}, Table("s"), WriteDisposition::kTruncate, CopyOperation::kCopy),
      ErrorId::kWarehouseReadOnly);
  ASSERT_OK(warehouse().store().DeleteTable(Table("t")));
  AdvanceMs(200 * kHourMs);
  ASSERT_OK(warehouse().Maintain());
  EXPECT_EQ(Values(Table("s")), R"([{"v":[1]}])");
  ASSERT_OK(
      CopyTo({Table("s"), {}}, Table("t"), WriteDisposition::kEmpty, CopyOperation::kRestore));
  EXPECT_EQ(Values(Table("t")), R"([{"v":[1]}])");
}

TEST_F(TimeTravel, CopiesObeyTheirDisposition) {
  Append("a", 1);
  Append("b", 2);
  EXPECT_ERROR(CopyTo({Table("a"), {}}, Table("b"), WriteDisposition::kEmpty, CopyOperation::kCopy),
               ErrorId::kWarehouseExists);
  ASSERT_OK(CopyTo({Table("a"), {}}, Table("b"), WriteDisposition::kAppend, CopyOperation::kCopy));
  ASSERT_OK(CopyTo({Table("a"), {}}, Table("b"), WriteDisposition::kAppend, CopyOperation::kCopy));
  EXPECT_EQ(Values(Table("b")), R"([{"v":[1,1,2]}])");
  DeleteStatement statement;
  statement.table = Table("b");
  statement.target_name = "x";
  statement.where_sql = "v = 1";
  EXPECT_EQ(Must(Delete(warehouse(), statement)).affected_rows, 2)
      << "rows of a file that is there twice are two rows";
  EXPECT_EQ(Values(Table("a")), R"([{"v":[1]}])");
  ASSERT_OK(
      CopyTo({Table("a"), {}}, Table("b"), WriteDisposition::kTruncate, CopyOperation::kCopy));
  EXPECT_EQ(Values(Table("b")), R"([{"v":[1]}])");
}

TEST_F(TimeTravel, PartitionsAreCopiedByDecorator) {
  const Schema schema = MakeSchema(R"([{"name":"k","type":"DATE"}])");
  const Json daily = Json::parse(R"({"timePartitioning":{"type":"DAY","field":"k"}})");
  LoadJson(Table("t"), schema, "{\"k\":\"2026-01-01\"}\n{\"k\":\"2026-01-02\"}", daily);
  ASSERT_OK(CopyTo({Table("t", "20260102"), {}}, Table("u"), WriteDisposition::kEmpty,
                   CopyOperation::kCopy));
  EXPECT_EQ(Partitions(Table("u")).size(), 1U);
  ASSERT_OK(CopyTo({Table("t", "20260101"), {}}, Table("u", "20260101"),
                   WriteDisposition::kTruncate, CopyOperation::kCopy));
  EXPECT_EQ(Partitions(Table("u")).size(), 2U);
  EXPECT_ERROR(CopyTo({Table("t", "20260101"), {}}, Table("u", "20260105"),
                      WriteDisposition::kTruncate, CopyOperation::kCopy),
               ErrorId::kWarehouseInvalidRequest);
}

}  // namespace
}  // namespace holdfast::warehouse
