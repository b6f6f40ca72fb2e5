// A thin, typed layer over SQLite: statements with bound values, transactions that roll back.
//
// The database is in WAL mode with synchronous=FULL: what was committed survives the loss of power.
// One thread at a time (TableStore serialises). Errors: kDiskFull when there is no space left,
// kWarehouseStorage with SQLite's message otherwise.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::warehouse {

// A prepared statement with its values bound. Move-only.
class SqliteStatement {
 public:
  // Advances to the next row; false after the last.
  Result<bool> Step();

  // Runs to the end, ignoring rows.
  Status Run();

  // Column `index` of the current row. A NULL reads as 0 or "".
  int64_t Int(int index) const;
  std::string Text(int index) const;
  bool IsNull(int index) const;
  std::optional<int64_t> OptionalInt(int index) const;

 private:
  friend class SqliteDatabase;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}

  void Bind(int index, int64_t value);
  void Bind(int index, const std::string& value);
  void Bind(int index, const std::optional<int64_t>& value);

  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

class SqliteDatabase {
 public:
  static Result<std::unique_ptr<SqliteDatabase>> Open(const std::string& path);

  // `sql` with `values` (int64_t, std::string, std::optional<int64_t>) bound to its ?s in order.
  template <typename... Values>
  Result<SqliteStatement> Prepare(std::string_view sql, const Values&... values) {
    HF_ASSIGN_OR_RETURN(SqliteStatement statement, PrepareUnbound(sql));
    int index = 0;
    (statement.Bind(++index, values), ...);
    return statement;
  }

  // Prepares and runs one statement.
  template <typename... Values>
  Status Run(std::string_view sql, const Values&... values) {
    HF_ASSIGN_OR_RETURN(SqliteStatement statement, Prepare(sql, values...));
    return statement.Run();
  }

  // The first column of the first row; nullopt if there is no row or it is NULL.
  template <typename... Values>
  Result<std::optional<int64_t>> ReadInt(std::string_view sql, const Values&... values) {
    HF_ASSIGN_OR_RETURN(SqliteStatement statement, Prepare(sql, values...));
    HF_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return std::optional<int64_t>();
    return statement.OptionalInt(0);
  }

  // Several statements without values.
  Status RunScript(const std::string& sql);

  int64_t rows_changed() const;     // by the last INSERT, UPDATE or DELETE
  int64_t last_insert_key() const;  // rowid of the last INSERT

 private:
  struct Closer {
    void operator()(sqlite3* database) const;
  };
  explicit SqliteDatabase(sqlite3* database) : database_(database) {}
  Result<SqliteStatement> PrepareUnbound(std::string_view sql);

  std::unique_ptr<sqlite3, Closer> database_;
};

// BEGIN IMMEDIATE on construction by `Begin`; rolled back on destruction unless committed.
class SqliteTransaction {
 public:
  static Result<SqliteTransaction> Begin(SqliteDatabase& database);
  ~SqliteTransaction();
  SqliteTransaction(SqliteTransaction&& other) noexcept : database_(other.database_) {
    other.database_ = nullptr;
  }
  SqliteTransaction& operator=(SqliteTransaction&&) = delete;

  Status Commit();

 private:
  explicit SqliteTransaction(SqliteDatabase& database) : database_(&database) {}
  SqliteDatabase* database_;
};

}  // namespace holdfast::warehouse
