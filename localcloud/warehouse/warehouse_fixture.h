// For tests: a warehouse in a directory of its own, with a virtual clock and a dataset `p.d`.
//
// Not thread-safe but for `warehouse()`. The directory goes with the fixture.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "avro/cell_json.h"
#include "base/virtual_clock.h"
#include "localcloud/warehouse/extractor.h"
#include "localcloud/warehouse/loader.h"
#include "localcloud/warehouse/query.h"
#include "localcloud/warehouse/rows.h"

namespace holdfast::warehouse {

#define ASSERT_OK(expression)                                    \
  do {                                                           \
    const auto& ok_result = (expression);                        \
    ASSERT_TRUE(ok_result.ok()) << ok_result.error().ToString(); \
  } while (false)
#define EXPECT_ERROR(expression, error_id) \
  EXPECT_EQ(::holdfast::warehouse::IdOf(expression), ::std::optional<ErrorId>(error_id))

// The error's id, or nothing for a success.
template <typename T>
std::optional<ErrorId> IdOf(const Result<T>& result) {
  if (result.ok()) return std::nullopt;
  return result.error().id;
}

// The value of a result that must be there.
template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) ADD_FAILURE() << result.error().ToString();
  return std::move(result).value();
}

inline TableRef Table(const std::string& name, const std::string& partition = {}) {
  return {"p", "d", name, partition};
}

inline Schema MakeSchema(const char* fields) {
  return Must(Schema::FromJson({{"fields", Json::parse(fields)}}));
}

class WarehouseFixture : public ::testing::Test {
 protected:
  WarehouseFixture() {
    std::string pattern = (std::filesystem::temp_directory_path() / "warehouse.XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    Reopen();
    Must(warehouse().store().CreateDataset({"p", "d"}, Json::object()));
  }
  ~WarehouseFixture() override {
    warehouse_.reset();
    std::filesystem::remove_all(directory_);
  }

  Warehouse& warehouse() { return *warehouse_; }
  VirtualClock& clock() { return clock_; }
  int64_t now_ms() const { return ToUnixMillis(clock_.Now()); }
  void AdvanceMs(int64_t millis) { clock_.Advance(std::chrono::milliseconds{millis}); }
  const std::string& directory() const { return directory_; }

  // As after the death of the process.
  void Reopen() {
    warehouse_.reset();
    WarehouseOptions options;
    options.directory = directory_ + "/warehouse";
    options.readable_directories = {directory_ + "/input"};
    options.threads = 2;
    std::filesystem::create_directories(directory_ + "/input");
    warehouse_ = Must(Warehouse::Open(options, clock_, *random_));
  }

  LoadSource Input(const std::string& name, const std::string& contents) {
    const std::string path = directory_ + "/input/" + name;
    std::ofstream(path, std::ios::binary) << contents;
    return {path, "gs://b/" + name};
  }

  Result<LoadResult> LoadText(LoadRequest request, const std::string& contents,
                              std::vector<BadRecord>* bad = nullptr) {
    request.sources = {Input("in" + std::to_string(next_input_++), contents)};
    return Load(warehouse(), request, bad);
  }

  // Loads NDJSON into a table that is created with this schema and document if absent.
  TableRecord LoadJson(const TableRef& table, const Schema& schema, const std::string& lines,
                       Json resource = Json::object(),
                       WriteDisposition disposition = WriteDisposition::kAppend) {
    LoadRequest request;
    request.destination = table;
    request.format = LoadFormat::kNewlineDelimitedJson;
    if (!warehouse().store().GetTable(table).ok()) request.schema = schema;
    request.table_resource = std::move(resource);
    request.write_disposition = disposition;
    return Must(LoadText(request, lines)).table;
  }

  // The result's rows as JSON objects.
  Result<std::vector<Json>> Ask(const std::string& sql, std::vector<Binding> bindings,
                                std::vector<QueryParameter> parameters = {}) {
    Query query;
    query.sql = sql;
    query.bindings = std::move(bindings);
    query.parameters = std::move(parameters);
    std::vector<Json> rows;
    HF_RETURN_IF_ERROR(RunQuery(warehouse(), query, Collect(rows)));
    return rows;
  }

  // `sql` over the table bound as t.
  std::string AskText(const std::string& sql, TableBinding table) {
    return Json(Must(Ask(sql, {{"t", table}}))).dump();
  }
  std::string AskText(const std::string& sql, const TableRef& table) {
    return AskText(sql, TableBinding{table, {}, false});
  }

  static BatchConsumer Collect(std::vector<Json>& rows) {
    return [&rows](const Schema& schema, const avro::BatchView& batch) {
      for (size_t row = 0; row < batch.rows; ++row) {
        rows.push_back(avro::RowToJson(schema, batch, row));
      }
      return Ok();
    };
  }

  // All rows of a version, in listing order.
  std::vector<Json> AllRows(const TableRef& table, std::optional<int64_t> as_of_ms = {}) {
    const TableSnapshot snapshot = Must(warehouse().store().Snapshot(table, as_of_ms));
    std::vector<Json> rows;
    Must(ReadRows(warehouse(), snapshot, {.start = 0, .count = 1 << 30}, {}, Collect(rows)));
    return rows;
  }

  std::map<std::string, PartitionRecord> Partitions(const TableRef& table) {
    std::map<std::string, PartitionRecord> partitions;
    for (const PartitionRecord& record : Must(warehouse().store().ListPartitions(table))) {
      partitions[record.id] = record;
    }
    return partitions;
  }

  // The files of an extract, as paths in the input directory.
  Result<std::vector<LoadSource>> ExtractFiles(const ExtractRequest& request) {
    class FileSink final : public ExtractSink {
     public:
      explicit FileSink(const std::string& path) : file_(path, std::ios::binary) {}
      Status Write(std::string_view bytes) override {
        file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        return Ok();
      }
      Status Finish() override {
        file_.close();
        return Ok();
      }

     private:
      std::ofstream file_;
    };
    std::vector<LoadSource> files;
    HF_RETURN_IF_ERROR(Extract(warehouse(), request, [&](int64_t index) {
      const std::string name = "out" + std::to_string(next_input_++);
      files.push_back({directory_ + "/input/" + name, "gs://b/" + name});
      EXPECT_EQ(index + 1, static_cast<int64_t>(files.size()));
      return Result<std::unique_ptr<ExtractSink>>(std::make_unique<FileSink>(files.back().path));
    }));
    return files;
  }

  int64_t CountFiles() {
    int64_t count = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(directory_ + "/warehouse/files")) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

 private:
  VirtualClock clock_{FromUnixMillis(1'790'000'000'000)};  // 2026-09-21
  std::unique_ptr<Random> random_ = MakeSystemRandom();
  std::string directory_;
  std::unique_ptr<Warehouse> warehouse_;
  int next_input_ = 0;
};

}  // namespace holdfast::warehouse
