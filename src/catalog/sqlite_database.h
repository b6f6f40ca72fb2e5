// One SQLite connection and its statements.
//
// What a call committed is on the disk when it
// returns (WAL, synchronous=FULL). Errors become kDiskFull,
// kCatalogUnavailable (busy, cannot open) or kCatalogDamaged (corrupt, not a database). Not
// thread-safe: whoever opens it locks.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/sql_store.h"

namespace holdfast::catalog {

class SqliteDatabase final : public SqlSession {
 public:
  // Opens or makes the file, with a write-ahead log.
  static Result<std::unique_ptr<SqliteDatabase>> Open(const std::string& path, int busy_timeout_ms);
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;
  ~SqliteDatabase() override;

  // As SqlSession. The statement is kept.
  Status Query(std::string_view sql, const std::vector<SqlValue>& values,
               const std::function<Status(const SqlRow& row)>& visit) override;
  Result<int64_t> Execute(std::string_view sql, const std::vector<SqlValue>& values = {}) override;

  // Runs several statements without values.
  Status ExecuteScript(const char* sql);

  // As SqlSession; it holds the write lock from its start, so that nothing is left to serialize.
  Status Transact(const std::function<Status()>& body) override;
  Status Serialize(std::string_view) override { return Ok(); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  explicit SqliteDatabase(sqlite3* connection) : connection_(connection) {}
  Status UseWriteAheadLog(int busy_timeout_ms);
  Result<sqlite3_stmt*> Prepare(std::string_view sql);
  Status Bind(sqlite3_stmt* statement, const std::vector<SqlValue>& values);
  Error ErrorOf(int code, std::string_view what) const;

  sqlite3* connection_;
  std::map<std::string, Statement, std::less<>> statements_;
};

}  // namespace holdfast::catalog
