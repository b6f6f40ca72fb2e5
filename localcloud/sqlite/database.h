// SQLite as values, for every store of localcloud: one connection, its statements, transactions.
//
// Every value reaches SQL through a bound parameter. A database is opened in WAL mode with
// synchronous=FULL, so what a committed transaction wrote survives `kill -9` and, if the disk keeps
// its word, a power cut. Statements are prepared once: a Statement that goes is kept for the next
// Prepare of the same text. A Database and what it prepared are used by one thread at a time (the
// store that owns it holds a mutex), and statements and transactions must not outlive it.
//
// Errors of all calls name the file: kDiskFull when the device is full (the statement changed
// nothing), kLocalDatabaseDamaged when the file is not a database or its pages contradict each
// other, otherwise kLocalDatabaseFailed. Source: sqlite.org/c3ref, sqlite.org/wal.html.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::sqlite {

class Database;

// Bytes for a BLOB column; a plain string is bound as TEXT.
struct Blob {
  std::string_view bytes;
};

// One run of a prepared statement with its values bound: Step through the rows, read the columns.
class Statement {
 public:
  Statement(Statement&&) noexcept = default;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Moves to the next row: false after the last.
  Result<bool> Step();

  // Steps to the end, ignoring rows.
  Status Run();

  // Columns of the current row, numbered from 0. An SQL NULL reads as 0, "" or nullopt.
  int64_t Int(int column) const;
  std::string Text(int column) const;        // any bytes, of TEXT or BLOB
  std::string_view Bytes(int column) const;  // the same in place: holds until the next Step
  Timestamp Time(int column) const;          // microseconds since 1970
  std::optional<int64_t> OptionalInt(int column) const;
  std::optional<Timestamp> OptionalTime(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Cache = std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>, std::less<>>;

  Statement(Database& database, Cache::node_type prepared)
      : database_(&database), prepared_(std::move(prepared)) {}
  sqlite3_stmt* handle() const { return prepared_.mapped().get(); }

  void Bind(int64_t value);
  void Bind(std::string_view value);
  void Bind(Blob value);
  void Bind(Timestamp value);
  void Bind(const std::optional<int64_t>& value);
  void Bind(const std::optional<Timestamp>& value);
  void NoteBinding(int code);

  Database* database_;
  Cache::node_type prepared_;  // its SQL and statement; empty once moved from
  int parameter_ = 0;
  int bind_failure_ = 0;  // the first SQLite code that a Bind gave; reported by Step
};

struct DatabaseOptions {
  int busy_timeout_ms = 10'000;  // another connection's write is waited for this long
  // Whether `PRAGMA incremental_vacuum` can give space back; takes effect when the file is made.
  bool incremental_vacuum = false;
};

class Database {
 public:
  // Opens or creates the database file at `path`.
  static Result<std::unique_ptr<Database>> Open(const std::string& path,
                                                const DatabaseOptions& options = {});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs statements without parameters, e.g. a schema.
  Status Execute(const std::string& sql);

  // `sql`, put together from constants of the program, with `values` bound to its parameters in
  // order: int64_t, text, Blob, Timestamp, or an optional of int64_t or Timestamp. Values are
  // copied.
  template <typename... Values>
  Result<Statement> Prepare(std::string_view sql, const Values&... values) {
    HF_ASSIGN_OR_RETURN(Statement statement, PrepareUnbound(sql));
    (statement.Bind(values), ...);
    return statement;
  }

  // Prepares a statement and runs it to its end.
  template <typename... Values>
  Status Run(std::string_view sql, const Values&... values) {
    HF_ASSIGN_OR_RETURN(Statement statement, Prepare(sql, values...));
    return statement.Run();
  }

  // The first column of the first row; nullopt if there is no row or it is NULL.
  template <typename... Values>
  Result<std::optional<int64_t>> ReadInt(std::string_view sql, const Values&... values) {
    HF_ASSIGN_OR_RETURN(Statement statement, Prepare(sql, values...));
    HF_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return std::optional<int64_t>();
    return statement.OptionalInt(0);
  }

  int64_t rows_changed() const;    // by the last INSERT, UPDATE or DELETE
  int64_t last_insert_id() const;  // the rowid of the last INSERT

  // Statements that wait for their next use.
  size_t kept_statements() const { return kept_.size(); }

 private:
  friend class Statement;
  Database(std::string path, sqlite3* handle) : path_(std::move(path)), handle_(handle) {}
  Result<Statement> PrepareUnbound(std::string_view sql);
  void Keep(Statement::Cache::node_type prepared);
  Error ErrorOf(int code, std::string_view sql) const;

  const std::string path_;
  sqlite3* const handle_;
  Statement::Cache kept_;
};

// A write transaction: takes the write lock at once; rolls back unless committed.
class Transaction {
 public:
  // Waits for another connection's write lock up to the busy timeout. One at a time per database,
  // which must outlive it.
  static Result<Transaction> Begin(Database& database);

  // What was moved from rolls nothing back.
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  // Durable when it returns ok. After kDiskFull nothing is committed; after another error it is
  // not known which of the two a crash would leave, only that it is all or nothing.
  Status Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;  // nullptr: finished
};

}  // namespace holdfast::sqlite
