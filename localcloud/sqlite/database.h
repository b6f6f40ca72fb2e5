// SQLite as values: one connection, prepared statements, transactions, for the stores of
// localcloud.
//
// Every value reaches SQL through a bound parameter. A database is opened in WAL mode with
// synchronous=FULL, so what a committed transaction wrote survives `kill -9` and a power cut. A
// Database and what it prepared are used by one thread at a time (the store that owns it holds a
// mutex); statements and transactions must not outlive their Database.
//
// Errors of all calls: kDiskFull when the device is full, otherwise kLocalDatabaseFailed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::sqlite {

// A prepared statement. Bind all parameters (numbered from 1, in order of the calls), then Step.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  ~Statement();

  // Each binds the next parameter. Text and blobs are copied and may hold any byte.
  Statement& Text(std::string_view value);
  Statement& Blob(std::string_view value);
  Statement& Int(int64_t value);
  Statement& Time(Timestamp value);  // microseconds since 1970
  Statement& OptionalTime(const std::optional<Timestamp>& value);
  Statement& OptionalInt(const std::optional<int64_t>& value);

  // Moves to the next row: false after the last.
  Result<bool> Step();

  // Steps to the end of a statement that returns no rows of interest.
  Status Run();

  // Columns of the current row, numbered from 0; an SQL NULL reads as "", 0 or nullopt.
  std::string ColumnText(int column) const;
  int64_t ColumnInt(int column) const;
  Timestamp ColumnTime(int column) const;
  std::optional<Timestamp> ColumnOptionalTime(int column) const;
  std::optional<int64_t> ColumnOptionalInt(int column) const;

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* statement_ = nullptr;
  int parameter_ = 0;
  int bind_failure_ = 0;  // the first SQLite code that a bind gave; reported by Step
};

class Database {
 public:
  // Opens or creates the database file at `path`.
  static Result<std::unique_ptr<Database>> Open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs statements without parameters, e.g. a schema.
  Status Execute(const std::string& sql);

  // `sql` is a constant of the program.
  Result<Statement> Prepare(std::string_view sql);

  // Rows that the last INSERT, UPDATE or DELETE changed.
  int64_t changes() const;

 private:
  explicit Database(sqlite3* handle) : handle_(handle) {}
  sqlite3* handle_;
};

// A write transaction: takes the write lock at once; rolls back unless committed.
class Transaction {
 public:
  static Result<Transaction> Begin(Database& database);
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  // Durable when it returns ok.
  Status Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;  // nullptr: finished
};

}  // namespace holdfast::sqlite
