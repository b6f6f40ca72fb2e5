#include "localcloud/sqlite/database.h"

#include <sqlite3.h>

#include <utility>

namespace holdfast::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

Error SqliteError(sqlite3* handle, int code, std::string_view doing) {
  std::string message = std::string(doing) + ": " +
                        (handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
  const ErrorId id =
      (code & 0xFF) == SQLITE_FULL ? ErrorId::kDiskFull : ErrorId::kLocalDatabaseFailed;
  return MakeError(id, std::move(message));
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      parameter_(other.parameter_),
      bind_failure_(other.bind_failure_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  if (this == &other) return *this;
  sqlite3_finalize(statement_);
  statement_ = std::exchange(other.statement_, nullptr);
  parameter_ = other.parameter_;
  bind_failure_ = other.bind_failure_;
  return *this;
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::Text(std::string_view value) {
  const char* data = value.data() != nullptr ? value.data() : "";
  const int code = sqlite3_bind_text64(statement_, ++parameter_, data, value.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK && bind_failure_ == 0) bind_failure_ = code;
  return *this;
}

Statement& Statement::Blob(std::string_view value) {
  const char* data = value.data() != nullptr ? value.data() : "";
  const int code =
      sqlite3_bind_blob64(statement_, ++parameter_, data, value.size(), SQLITE_TRANSIENT);
  if (code != SQLITE_OK && bind_failure_ == 0) bind_failure_ = code;
  return *this;
}

Statement& Statement::Int(int64_t value) {
  const int code = sqlite3_bind_int64(statement_, ++parameter_, value);
  if (code != SQLITE_OK && bind_failure_ == 0) bind_failure_ = code;
  return *this;
}

Statement& Statement::Time(Timestamp value) { return Int(value.time_since_epoch().count()); }

Statement& Statement::OptionalInt(const std::optional<int64_t>& value) {
  if (value) return Int(*value);
  const int code = sqlite3_bind_null(statement_, ++parameter_);
  if (code != SQLITE_OK && bind_failure_ == 0) bind_failure_ = code;
  return *this;
}

Statement& Statement::OptionalTime(const std::optional<Timestamp>& value) {
  return OptionalInt(value ? std::optional(value->time_since_epoch().count()) : std::nullopt);
}

Result<bool> Statement::Step() {
  sqlite3* handle = sqlite3_db_handle(statement_);
  if (bind_failure_ != 0) return SqliteError(nullptr, bind_failure_, "binding a parameter");
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(handle, code, "running a statement");
}

Status Statement::Run() {
  for (;;) {
    HF_ASSIGN_OR_RETURN(const bool row, Step());
    if (!row) return Ok();
  }
}

std::string Statement::ColumnText(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  if (data == nullptr) return {};
  const int size = sqlite3_column_bytes(statement_, column);
  return {static_cast<const char*>(data), static_cast<size_t>(size)};
}

int64_t Statement::ColumnInt(int column) const { return sqlite3_column_int64(statement_, column); }

Timestamp Statement::ColumnTime(int column) const { return Timestamp{Duration{ColumnInt(column)}}; }

std::optional<int64_t> Statement::ColumnOptionalInt(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return ColumnInt(column);
}

std::optional<Timestamp> Statement::ColumnOptionalTime(int column) const {
  const auto micros = ColumnOptionalInt(column);
  if (!micros) return std::nullopt;
  return Timestamp{Duration{*micros}};
}

Result<std::unique_ptr<Database>> Database::Open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  // SQLite gives a handle even when it fails, for its message and to be closed.
  std::unique_ptr<Database> database(new Database(handle));
  if (code != SQLITE_OK) return SqliteError(handle, code, "opening " + path);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  HF_RETURN_IF_ERROR(database
                         ->Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                   "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;")
                         .WithContext("opening " + path));
  return database;
}

Database::~Database() { sqlite3_close_v2(handle_); }

Status Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return SqliteError(handle_, code, "running a statement");
  return Ok();
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return SqliteError(handle_, code, "preparing a statement");
  return Statement(statement);
}

int64_t Database::changes() const { return sqlite3_changes64(handle_); }

Result<Transaction> Transaction::Begin(Database& database) {
  HF_RETURN_IF_ERROR(database.Execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  // A failure here leaves nothing to do: SQLite has rolled back by itself (disk full, I/O error).
  if (database_ != nullptr) (void)database_->Execute("ROLLBACK");
}

Status Transaction::Commit() {
  HF_RETURN_IF_ERROR(database_->Execute("COMMIT"));
  database_ = nullptr;
  return Ok();
}

}  // namespace holdfast::sqlite
