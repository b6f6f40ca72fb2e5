// One SQLite connection and its statements: the only place of the catalog where SQL meets C.
//
// SQL is made of constants, and values are bound. What a call committed is on the disk when it
// returns (WAL, synchronous=FULL). Errors become kDiskFull,
// kCatalogUnavailable (busy, cannot open) or kCatalogDamaged (corrupt, not a database). Not
// thread-safe: SqliteCatalog locks.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace holdfast::catalog {

// A value to bind: text must outlive the call.
using SqlValue = std::variant<std::nullptr_t, int64_t, std::string_view>;

// One row of an answer, valid during the visit.
class SqlRow {
 public:
  // `statement` stands on a row. Columns count from 0.
  explicit SqlRow(sqlite3_stmt* statement) : statement_(statement) {}

  // NULL is 0, or "".
  int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string Text(int column) const;

 private:
  sqlite3_stmt* statement_;
};

class SqliteDatabase {
 public:
  // Opens or makes the file, with a write-ahead log.
  static Result<std::unique_ptr<SqliteDatabase>> Open(const std::string& path, int busy_timeout_ms);
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;
  ~SqliteDatabase();

  // Runs one statement and visits its rows; an error of `visit` ends it. The statement is kept.
  Status Query(std::string_view sql, const std::vector<SqlValue>& values,
               const std::function<Status(const SqlRow& row)>& visit);

  // Runs one statement that answers nothing, and returns how many rows it changed.
  Result<int64_t> Execute(std::string_view sql, const std::vector<SqlValue>& values = {});

  // Runs several statements without values.
  Status ExecuteScript(const char* sql);

  // Runs `body` in one transaction that holds the write lock from its start; an error takes all
  // back.
  Status Transact(const std::function<Status()>& body);

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
