#include "localcloud/warehouse/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace holdfast::warehouse {

namespace {

constexpr int kBusyTimeoutMs = 10'000;

Error SqliteError(sqlite3* database, std::string_view doing) {
  const int code = sqlite3_errcode(database);
  const ErrorId id = code == SQLITE_FULL ? ErrorId::kDiskFull : ErrorId::kWarehouseStorage;
  Error error = MakeError(id, fmt::format("catalog.db: {}: {}", doing, sqlite3_errmsg(database)));
  error.reason = "backendError";
  return error;
}

}  // namespace

void SqliteStatement::Finalizer::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Result<bool> SqliteStatement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(sqlite3_db_handle(statement_.get()), sqlite3_sql(statement_.get()));
}

Status SqliteStatement::Run() {
  bool more = true;
  while (more) {
    HF_ASSIGN_OR_RETURN(more, Step());
  }
  return Ok();
}

int64_t SqliteStatement::Int(int index) const {
  return sqlite3_column_int64(statement_.get(), index);
}

std::string SqliteStatement::Text(int index) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), index));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), index))};
}

bool SqliteStatement::IsNull(int index) const {
  return sqlite3_column_type(statement_.get(), index) == SQLITE_NULL;
}

std::optional<int64_t> SqliteStatement::OptionalInt(int index) const {
  if (IsNull(index)) return std::nullopt;
  return Int(index);
}

// A bind fails only for an index or a size that our own SQL cannot have, or out of memory, which
// the following step reports.
void SqliteStatement::Bind(int index, int64_t value) {
  sqlite3_bind_int64(statement_.get(), index, value);
}

void SqliteStatement::Bind(int index, const std::string& value) {
  sqlite3_bind_text64(statement_.get(), index, value.data(), value.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
}

void SqliteStatement::Bind(int index, const std::optional<int64_t>& value) {
  if (value) Bind(index, *value);
}

void SqliteDatabase::Closer::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(handle));
  if (code != SQLITE_OK) return SqliteError(handle, "open");
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  HF_RETURN_IF_ERROR(database->RunScript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"));
  return database;
}

Result<SqliteStatement> SqliteDatabase::PrepareUnbound(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) return SqliteError(database_.get(), sql);
  return SqliteStatement(statement);
}

Status SqliteDatabase::RunScript(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return SqliteError(database_.get(), "statement");
  }
  return Ok();
}

int64_t SqliteDatabase::rows_changed() const { return sqlite3_changes64(database_.get()); }

int64_t SqliteDatabase::last_insert_key() const {
  return sqlite3_last_insert_rowid(database_.get());
}

Result<SqliteTransaction> SqliteTransaction::Begin(SqliteDatabase& database) {
  HF_RETURN_IF_ERROR(database.RunScript("BEGIN IMMEDIATE"));
  return SqliteTransaction(database);
}

SqliteTransaction::~SqliteTransaction() {
  // SQLite has already rolled back by itself after some errors; a second one is harmless.
  if (database_ != nullptr) (void)database_->RunScript("ROLLBACK");
}

Status SqliteTransaction::Commit() {
  HF_RETURN_IF_ERROR(database_->RunScript("COMMIT"));
  database_ = nullptr;
  return Ok();
}

}  // namespace holdfast::warehouse
