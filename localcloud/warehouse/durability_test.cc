// The streaming buffer, and what is left after a crash or a race.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "localcloud/warehouse/dml.h"
#include "localcloud/warehouse/streaming_buffer.h"
#include "localcloud/warehouse/warehouse_fixture.h"

namespace holdfast::warehouse {
namespace {

class Durability : public WarehouseFixture {
 protected:
  void MakeTable(const char* resource = "{}") {
    TableDefinition definition;
    definition.ref = Table("t");
    definition.schema = MakeSchema(R"([{"name":"k","type":"DATE"},{"name":"v","type":"INTEGER"}])");
    definition.resource = Json::parse(resource);
    Must(warehouse().store().CreateTable(definition));
  }
  Result<std::vector<InsertError>> Insert(std::vector<InsertRow> rows, bool skip_invalid = false) {
    InsertRequest request;
    request.table = Table("t");
    request.rows = std::move(rows);
    request.skip_invalid_rows = skip_invalid;
    return InsertRows(warehouse(), request);
  }
  std::string Count() { return AskText("SELECT count(*) AS n FROM t", Table("t")); }
};

const char kDaily[] = R"({"timePartitioning":{"type":"DAY","field":"k"}})";

TEST_F(Durability, StreamedRowsAreSeenAtOnceAndCountedWhenFlushed) {
  MakeTable(kDaily);
  EXPECT_TRUE(Must(Insert({{"", {{"k", "2026-01-01"}, {"v", 1}}}, {"", {{"v", "2"}}}})).empty());
  const int64_t streamed_ms = now_ms();
  EXPECT_EQ(Count(), R"([{"n":2}])");
  EXPECT_EQ(AllRows(Table("t")).size(), 2U);
  const TableRecord buffered = Must(warehouse().store().GetTable(Table("t")));
  EXPECT_EQ(buffered.num_rows, 0);
  ASSERT_TRUE(buffered.streaming_buffer);
  EXPECT_EQ(buffered.streaming_buffer->estimated_rows, 2);
  EXPECT_EQ(buffered.streaming_buffer->oldest_entry_ms, now_ms());
  EXPECT_TRUE(Partitions(Table("t")).empty());
  DeleteStatement statement;
  statement.table = Table("t");
  statement.target_name = "t";
  statement.where_sql = "true";
  EXPECT_ERROR(Delete(warehouse(), statement), ErrorId::kWarehouseStreaming);
  ASSERT_OK(warehouse().Maintain());
  EXPECT_EQ(Must(warehouse().store().GetTable(Table("t"))).num_rows, 0) << "not due yet";
  AdvanceMs(kBufferAgeMaxMs);
  ASSERT_OK(warehouse().Maintain());
  const TableRecord flushed = Must(warehouse().store().GetTable(Table("t")));
  EXPECT_EQ(flushed.num_rows, 2);
  EXPECT_FALSE(flushed.streaming_buffer);
  EXPECT_EQ(Partitions(Table("t")).at("20260101").last_modified_ms, streamed_ms);
  EXPECT_EQ(Count(), R"([{"n":2}])");
}

TEST_F(Durability, StreamedRowsSurviveTheProcess) {
  MakeTable();
  Must(Insert({{"", {{"v", 1}}}}));
  Reopen();
  EXPECT_EQ(Count(), R"([{"n":1}])");
}

TEST_F(Durability, ARepeatedInsertIdIsDroppedForAMinute) {
  MakeTable();
  Must(Insert({{"one", {{"v", 1}}}, {"one", {{"v", 1}}}}));
  Must(Insert({{"one", {{"v", 1}}}, {"two", {{"v", 2}}}, {"", {{"v", 3}}}, {"", {{"v", 3}}}}));
  EXPECT_EQ(Count(), R"([{"n":4}])");
  AdvanceMs(60'000);
  Must(Insert({{"one", {{"v", 1}}}}));
  EXPECT_EQ(Count(), R"([{"n":5}])");
}

TEST_F(Durability, ABadRowHoldsBackTheOthersUnlessSkipped) {
  MakeTable();
  const std::vector<InsertRow> rows = {{"", {{"v", 1}}}, {"", {{"w", 1}}}, {"", {{"v", "x"}}}};
  const auto errors = Must(Insert(rows));
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_EQ(errors[0].reason, "stopped");
  EXPECT_EQ(errors[1].location, "w");
  EXPECT_EQ(errors[1].message, "no such field: w.");
  EXPECT_EQ(errors[2].reason, "invalid");
  EXPECT_EQ(Count(), R"([{"n":0}])");
  EXPECT_EQ(Must(Insert(rows, true)).size(), 2U);
  EXPECT_EQ(Count(), R"([{"n":1}])");
}

TEST_F(Durability, ConcurrentAppendsAndFlushesLoseNothing) {
  MakeTable();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 5; ++i) {
        if (thread % 2 == 0) {
          Must(Insert({{"", {{"v", i}}}, {"", {{"v", i}}}}));
          const Status flushed = FlushBuffer(warehouse(), Table("t"));
          EXPECT_TRUE(flushed.ok()) << flushed.error().message;
          continue;
        }
        QueryToTableRequest request;
        request.query.sql = "SELECT CAST(i AS BIGINT) AS v FROM range(2) AS r(i)";
        request.destination = Table("t");
        request.write_disposition = WriteDisposition::kAppend;
        Must(QueryToTable(warehouse(), request));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Count(), R"([{"n":40}])");
}

TEST_F(Durability, ConcurrentUpdatesAreSerialized) {
  MakeTable();
  LoadJson(Table("t"), {}, R"({"v":0})");
  std::vector<std::thread> threads;
  std::atomic<int> done = 0;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&] {
      UpdateStatement statement;
      statement.table = Table("t");
      statement.target_name = "t";
      statement.assignments = {{"v", "v + 1"}};
      statement.where_sql = "true";
      for (int i = 0; i < 3; ++i) {
        const auto result = Update(warehouse(), statement);
        if (result.ok()) {
          ++done;
        } else {
          EXPECT_ERROR(result, ErrorId::kWarehouseConflict);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(done, 0);
  EXPECT_EQ(AllRows(Table("t")).at(0)["v"], done.load());
}

TEST_F(Durability, OrphansAndStagedFilesGoOnOpen) {
  MakeTable();
  LoadJson(Table("t"), {}, R"({"v":1})");
  std::filesystem::create_directories(directory() + "/warehouse/files/zz");
  std::ofstream(directory() + "/warehouse/files/zz/orphan.parquet") << "left by a crash";
  std::filesystem::create_directories(directory() + "/warehouse/staging/half");
  std::ofstream(directory() + "/warehouse/staging/half/x.parquet") << "half";
  Reopen();
  EXPECT_EQ(CountFiles(), 1);
  EXPECT_TRUE(std::filesystem::is_empty(directory() + "/warehouse/staging"));
  EXPECT_EQ(Count(), R"([{"n":1}])");
}

TEST_F(Durability, AFailedLoadLeavesNoFile) {
  MakeTable();
  LoadRequest request;
  request.destination = Table("t");
  request.format = LoadFormat::kNewlineDelimitedJson;
  EXPECT_ERROR(LoadText(request, "{\"v\":1}\n{\"v\":\"x\"}"), ErrorId::kLoadFailed);
  EXPECT_EQ(CountFiles(), 0);
  EXPECT_TRUE(std::filesystem::is_empty(directory() + "/warehouse/staging"));
}

TEST_F(Durability, AMissingFileIsDamageNotEmptiness) {
  MakeTable();
  LoadJson(Table("t"), {}, R"({"v":1})");
  const TableSnapshot snapshot = Must(warehouse().store().Snapshot(Table("t")));
  std::filesystem::remove(directory() + "/warehouse/files/" + snapshot.files[0].path);
  ExtractRequest request;
  request.source = Table("t");
  EXPECT_ERROR(ExtractFiles(request), ErrorId::kWarehouseCorrupt);
}

TEST_F(Durability, ASecondProcessIsKeptOut) {
  WarehouseOptions options;
  options.directory = directory() + "/warehouse";
  const auto random = MakeSeededRandom(1);
  EXPECT_ERROR(Warehouse::Open(options, clock(), *random), ErrorId::kDirectoryInUse);
}

// A child appends batches of three rows until it is killed; afterwards every batch is whole.
TEST(Kill, CommittedBatchesAreWholeAfterSigkill) {
  std::string pattern = (std::filesystem::temp_directory_path() / "warehouse.XXXXXX").string();
  WarehouseOptions options;
  options.directory = mkdtemp(pattern.data());
  options.threads = 1;
  int acknowledged[2];
  ASSERT_EQ(pipe(acknowledged), 0);
  const pid_t child = fork();
  if (child == 0) {
    VirtualClock clock(FromUnixMillis(1'790'000'000'000));
    const auto random = MakeSystemRandom();
    const auto warehouse = Must(Warehouse::Open(options, clock, *random));
    Must(warehouse->store().CreateDataset({"p", "d"}, Json::object()));
    while (true) {
      QueryToTableRequest request;
      request.query.sql = "SELECT CAST(i AS BIGINT) AS v FROM range(3) AS r(i)";
      request.destination = Table("t");
      request.write_disposition = WriteDisposition::kAppend;
      Must(QueryToTable(*warehouse, request));
      if (write(acknowledged[1], "x", 1) != 1) _exit(1);
    }
  }
  close(acknowledged[1]);  // so that a child that dies early ends the reads
  char byte = 0;
  for (int i = 0; i < 5; ++i) ASSERT_EQ(read(acknowledged[0], &byte, 1), 1);
  ASSERT_EQ(kill(child, SIGKILL), 0);
  waitpid(child, nullptr, 0);
  VirtualClock clock(FromUnixMillis(1'790'000'000'000));
  const auto random = MakeSystemRandom();
  const auto warehouse = Must(Warehouse::Open(options, clock, *random));
  const TableSnapshot snapshot = Must(warehouse->store().Snapshot(Table("t")));
  const int64_t rows = Must(ReadRows(*warehouse, snapshot, {.start = 0, .count = 1 << 20}, {},
                                     [](const Schema&, const avro::BatchView&) { return Ok(); }));
  EXPECT_GE(rows, 15);
  EXPECT_EQ(rows % 3, 0);
  EXPECT_EQ(rows, snapshot.table.num_rows);
  std::filesystem::remove_all(options.directory);
}

}  // namespace
}  // namespace holdfast::warehouse
