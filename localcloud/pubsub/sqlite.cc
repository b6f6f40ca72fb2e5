#include "localcloud/pubsub/sqlite.h"

#include <sqlite3.h>

namespace holdfast::pubsub {

namespace {

constexpr int kBusyTimeoutMs = 10'000;  // a reader waits for a checkpoint, never for long

Error StoreError(sqlite3* database) {
  const int code = sqlite3_errcode(database);
  std::string message = "pubsub.sqlite: ";
  message.append(sqlite3_errmsg(database));
  const bool full = code == SQLITE_FULL;
  return MakeError(full ? ErrorId::kDiskFull : ErrorId::kPubsubStoreFailed, std::move(message));
}

}  // namespace

Query::Query(sqlite3* database, sqlite3_stmt* statement)
    : database_(database), statement_(statement) {}

Query::~Query() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Query& Query::Bind(int parameter, int64_t value) {
  sqlite3_bind_int64(statement_, parameter, value);
  return *this;
}

Query& Query::BindText(int parameter, std::string_view value) {
  sqlite3_bind_text(statement_, parameter, value.data(), static_cast<int>(value.size()),
                    SQLITE_TRANSIENT);
  return *this;
}

Query& Query::BindBlob(int parameter, std::string_view value) {
  // An empty view may hold a null pointer, which SQLite would store as NULL.
  const char* bytes = value.empty() ? "" : value.data();
  sqlite3_bind_blob64(statement_, parameter, bytes, value.size(), SQLITE_STATIC);
  return *this;
}

Result<bool> Query::Step() {
  const int code = statement_ == nullptr ? SQLITE_MISUSE : sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return StoreError(database_);
}

Status Query::Run() {
  HF_ASSIGN_OR_RETURN(const bool row, Step());
  CHECK(!row, "a statement without result gave a row");
  return Ok();
}

int64_t Query::Int64(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Query::Bytes(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return {static_cast<const char*>(bytes), bytes == nullptr ? 0 : static_cast<size_t>(size)};
}

Result<std::unique_ptr<Database>> Database::Open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  auto database = std::unique_ptr<Database>(new Database(handle));
  if (code != SQLITE_OK) return StoreError(handle).WithContext(path);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  // auto_vacuum only takes effect in a file that has no tables yet.
  HF_RETURN_IF_ERROR(
      database->Execute("PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
                        "PRAGMA synchronous=FULL;"));
  return database;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(database_);
}

Status Database::Execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return StoreError(database_);
  }
  return Ok();
}

Query Database::Prepare(std::string_view sql) {
  const auto [entry, added] = statements_.try_emplace(sql, nullptr);
  if (entry->second == nullptr) {
    sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                       SQLITE_PREPARE_PERSISTENT, &entry->second, nullptr);
  }
  return Query(database_, entry->second);
}

int64_t Database::LastInsertId() const { return sqlite3_last_insert_rowid(database_); }

}  // namespace holdfast::pubsub
