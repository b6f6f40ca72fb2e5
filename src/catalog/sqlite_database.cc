#include "catalog/sqlite_database.h"

#include <fmt/format.h>

#include <cerrno>

namespace holdfast::catalog {

namespace {

// SQLite says "full" of a write only; of a file that it cannot make or lengthen otherwise it says
// that, with the cause in the system's error number or, for the log's index, in the code itself.
bool IsDiskFull(sqlite3* connection, int code) {
  if ((code & 0xFF) == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE) return true;
  if ((code & 0xFF) != SQLITE_IOERR && (code & 0xFF) != SQLITE_CANTOPEN) return false;
  const int cause = sqlite3_system_errno(connection);
  return cause == ENOSPC || cause == EDQUOT;
}

// Leaves the kept statement without rows and values, however its use ends.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(sqlite3_stmt* statement) : statement_(statement) {}
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;
  ~ResetAtEnd() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

 private:
  sqlite3_stmt* statement_;
};

class SqliteRow final : public SqlRow {
 public:
  // `statement` stands on a row.
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}

  int64_t Int(int column) const override { return sqlite3_column_int64(statement_, column); }
  std::string_view View(int column) const override {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    if (text == nullptr) return {};
    return {text, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  sqlite3_stmt* statement_;
};

}  // namespace

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::string& path,
                                                             int busy_timeout_ms) {
  sqlite3* connection = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(connection));
  if (code != SQLITE_OK) return database->ErrorOf(code, path);
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, busy_timeout_ms);
  HF_RETURN_IF_ERROR(database->UseWriteAheadLog(busy_timeout_ms).WithContext(path));
  return database;
}

// Of several processes that make the file at once all but one are told "busy" without being made to
// wait: SQLite's own waiting does not cover the change of journal mode.
Status SqliteDatabase::UseWriteAheadLog(int busy_timeout_ms) {
  constexpr int kPauseMs = 20;
  constexpr const char* kSettings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
  for (int waited_ms = 0;; waited_ms += kPauseMs) {
    const int code = sqlite3_exec(connection_, kSettings, nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) return Ok();
    if ((code & 0xFF) != SQLITE_BUSY || waited_ms >= busy_timeout_ms) {
      return ErrorOf(code, "the write-ahead log could not be set up");
    }
    sqlite3_sleep(kPauseMs);
  }
}

SqliteDatabase::~SqliteDatabase() {
  statements_.clear();
  sqlite3_close_v2(connection_);
}

Error SqliteDatabase::ErrorOf(int code, std::string_view what) const {
  const char* message = connection_ == nullptr ? "out of memory" : sqlite3_errmsg(connection_);
  const char* path = connection_ == nullptr ? nullptr : sqlite3_db_filename(connection_, "main");
  if (IsDiskFull(connection_, code)) {
    return MakeError(ErrorId::kDiskFull,
                     fmt::format("catalog {}: {}", path == nullptr ? "" : path, message));
  }
  const bool damaged = (code & 0xFF) == SQLITE_CORRUPT || (code & 0xFF) == SQLITE_NOTADB;
  return MakeError(damaged ? ErrorId::kCatalogDamaged : ErrorId::kCatalogUnavailable,
                   fmt::format("catalog: {}: {}", what, message));
}

Result<sqlite3_stmt*> SqliteDatabase::Prepare(std::string_view sql) {
  const auto kept = statements_.find(sql);
  if (kept != statements_.end()) return kept->second.get();
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return ErrorOf(code, sql);
  statements_.emplace(std::string(sql), Statement(statement));
  return statement;
}

Status SqliteDatabase::Bind(sqlite3_stmt* statement, const std::vector<SqlValue>& values) {
  int index = 0;
  for (const SqlValue& value : values) {
    int code = SQLITE_OK;
    ++index;
    if (const auto* number = std::get_if<int64_t>(&value)) {
      code = sqlite3_bind_int64(statement, index, *number);
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
      // An empty view may hold no pointer, which would bind NULL.
      const char* data = text->data() == nullptr ? "" : text->data();
      code = sqlite3_bind_text64(statement, index, data, text->size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    if (code != SQLITE_OK) return ErrorOf(code, "a value could not be bound");
  }
  return Ok();
}

Status SqliteDatabase::Query(std::string_view sql, const std::vector<SqlValue>& values,
                             const std::function<Status(const SqlRow& row)>& visit) {
  HF_ASSIGN_OR_RETURN(sqlite3_stmt * statement, Prepare(sql));
  const ResetAtEnd reset(statement);
  HF_RETURN_IF_ERROR(Bind(statement, values));
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    HF_RETURN_IF_ERROR(visit(SqliteRow(statement)));
  }
  if (code != SQLITE_DONE) return ErrorOf(code, "a statement failed");
  return Ok();
}

Result<int64_t> SqliteDatabase::Execute(std::string_view sql, const std::vector<SqlValue>& values) {
  HF_RETURN_IF_ERROR(Query(sql, values, [](const SqlRow&) { return Ok(); }));
  return static_cast<int64_t>(sqlite3_changes64(connection_));
}

Status SqliteDatabase::ExecuteScript(const char* sql) {
  const int code = sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return ErrorOf(code, "a script failed");
  return Ok();
}

Status SqliteDatabase::Transact(const std::function<Status()>& body) {
  HF_RETURN_IF_ERROR(Execute("BEGIN IMMEDIATE"));
  Status status = body();
  if (status.ok()) {
    const auto committed = Execute("COMMIT");
    if (committed.ok()) return Ok();
    status = committed.error();
  }
  // The statement's own error is what matters; a rollback that fails was done by SQLite already.
  const auto rolled_back = Execute("ROLLBACK");
  static_cast<void>(rolled_back);
  return status;
}

}  // namespace holdfast::catalog
