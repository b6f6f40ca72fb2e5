// A thin layer over DuckDB's C API: a locked-down database, connections, statements, chunks.
//
// The database lives in memory and holds no data of ours: it reads and writes Parquet files in the
// warehouse's directories and nothing else. External access, extension loading and configuration
// are closed before the first query, so that SQL which slipped through the translator can reach no
// other file. The time zone is UTC. DuckDB's errors become Errors here; its memory is freed here.
// A Database is thread-safe; a Connection and what it makes belong to one thread at a time.
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace holdfast::warehouse {

class BatchSource;  // batch_source.h
class RowSource;    // row_source.h

// Things that SQL names by a number, for the table functions. They stay the caller's, who removes
// one before it dies. Thread-safe.
template <typename T>
class HandleMap {
 public:
  int64_t Add(T* thing) {
    const std::lock_guard lock(mutex_);
    things_[next_] = thing;
    return next_++;
  }
  void Remove(int64_t handle) {
    const std::lock_guard lock(mutex_);
    things_.erase(handle);
  }

  // nullptr: there is none of that handle.
  T* Find(int64_t handle) {
    const std::lock_guard lock(mutex_);
    const auto found = things_.find(handle);
    return found == things_.end() ? nullptr : found->second;
  }

 private:
  std::mutex mutex_;
  std::map<int64_t, T*> things_;
  int64_t next_ = 1;
};

// Turns DuckDB's message and error type into an Error: kDiskFull, kCancelled, else kQueryFailed.
Error DuckError(const char* message, duckdb_error_type type);

// Owns one object of the C API and destroys it with the function that the API has for it.
// Move-only; empty when moved from.
template <typename Handle, void (*Destroy)(Handle*)>
class DuckHandle {
 public:
  DuckHandle() = default;
  explicit DuckHandle(Handle handle) : handle_(handle) {}
  ~DuckHandle() { Reset(); }
  DuckHandle(DuckHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  DuckHandle& operator=(DuckHandle&& other) noexcept {
    if (this != &other) {
      Reset();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  Handle get() const { return handle_; }  // nullptr: empty
  Handle* out() { return &handle_; }      // for the API to fill; only while empty

 private:
  void Reset() {
    if (handle_ != nullptr) Destroy(&handle_);
    handle_ = nullptr;
  }
  Handle handle_ = nullptr;
};

using DuckLogicalType = DuckHandle<duckdb_logical_type, duckdb_destroy_logical_type>;
using DuckChunk = DuckHandle<duckdb_data_chunk, duckdb_destroy_data_chunk>;

// A result whose chunks are fetched one after the other.
class DuckResult {
 public:
  DuckResult();
  ~DuckResult();
  DuckResult(DuckResult&& other) noexcept;
  DuckResult& operator=(DuckResult&&) = delete;

  // The next chunk, or a handle of nullptr after the last. Blocks while a streamed result is
  // computed. Errors as DuckError.
  Result<DuckChunk> Fetch();

  // For the API; stays owned here.
  duckdb_result* get() { return &result_; }

 private:
  duckdb_result result_{};
};

// A prepared statement. Must not outlive its connection.
class DuckStatement {
 public:
  // Its type and the columns of its result, known before it runs. `index` counts from 0.
  bool is_select() const;
  size_t column_count() const;
  std::string column_name(size_t index) const;
  DuckLogicalType column_type(size_t index) const;

  // Binds text (or NULL) to the parameter of that name, or at that position from 1. Errors:
  // kQueryFailed for a parameter that the statement does not have.
  Status Bind(const std::string& name, const std::optional<std::string>& value);
  Status Bind(size_t position, const std::optional<std::string>& value);

  // Runs the statement; a streamed result is computed as it is fetched. `cancel` interrupts Run,
  // not what is fetched later. Errors as DuckError.
  Result<DuckResult> Run(const std::stop_token& cancel = {});
  Result<DuckResult> Stream();

 private:
  friend class Connection;
  explicit DuckStatement(duckdb_connection connection) : connection_(connection) {}

  duckdb_connection connection_;
  DuckHandle<duckdb_prepared_statement, duckdb_destroy_prepare> statement_;
};

// A session of the database. Must not outlive it.
class Connection {
 public:
  // Parses and binds one statement. Errors: kQueryFailed.
  Result<DuckStatement> Prepare(const std::string& sql);

  // Runs one statement and drops its result.
  Status Execute(const std::string& sql, const std::stop_token& cancel = {});

  // Makes a table function known to the whole database. Errors: kWarehouseStorage.
  Status Register(duckdb_table_function function);

  // Stops whatever the connection runs, from any thread.
  void Interrupt() { duckdb_interrupt(connection_.get()); }

 private:
  friend class Database;
  DuckHandle<duckdb_connection, duckdb_disconnect> connection_;
};

struct DatabaseOptions {
  std::vector<std::string> directories;  // all that SQL may read and write
  std::string spill_directory;
  int64_t memory_bytes_max = 0;
  int64_t spill_bytes_max = 0;
  int threads = 0;  // 0: DuckDB's choice, one per core
};

// DuckDB in this process. Connections and sources must be gone before it is.
class Database {
 public:
  // Starts DuckDB and closes it off. Errors: kWarehouseStorage when it does not start.
  static Result<std::unique_ptr<Database>> Open(const DatabaseOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Errors: kWarehouseStorage.
  Result<Connection> Connect();

  // What the table functions of batch_source.h and row_source.h read.
  HandleMap<BatchSource>& sources() { return sources_; }
  HandleMap<RowSource>& row_sources() { return row_sources_; }

 private:
  Database() = default;
  Status Configure(const DatabaseOptions& options);

  DuckHandle<duckdb_database, duckdb_close> database_;
  HandleMap<BatchSource> sources_;
  HandleMap<RowSource> row_sources_;
};

// Reads a whole result of few rows: cells as text, NULL as nullopt. Cast columns to VARCHAR in SQL.
using TextRow = std::vector<std::optional<std::string>>;
Result<std::vector<TextRow>> ReadTextRows(Connection& connection, const std::string& sql,
                                          const std::stop_token& cancel = {});

// The bytes of a string_t, which must stay where it is.
inline std::string_view TextOf(const duckdb_string_t& text) {
  const uint32_t length = text.value.inlined.length;
  return {length <= sizeof(text.value.inlined.inlined) ? text.value.inlined.inlined
                                                       : text.value.pointer.ptr,
          length};
}

}  // namespace holdfast::warehouse
