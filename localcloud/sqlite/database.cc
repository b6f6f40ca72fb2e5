#include "localcloud/sqlite/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace holdfast::sqlite {
namespace {

constexpr size_t kKeptStatementsMax = 256;
constexpr std::string_view kCommit = "COMMIT";

// SQLite says "full" of a write only. When it cannot make a file longer by other means, it says
// what it could not do, and the cause is in the system's error number or, for the index of the
// write-ahead log, in the code itself. A COMMIT that fails that way may have reached the disk, so
// it is not called "full": nothing may be undone on the strength of it.
bool IsDiskFull(sqlite3* handle, int code, std::string_view sql) {
  if ((code & 0xFF) == SQLITE_FULL) return true;
  if ((code & 0xFF) != SQLITE_IOERR && (code & 0xFF) != SQLITE_CANTOPEN) return false;
  const int cause = sqlite3_system_errno(handle);
  return sql != kCommit && (code == SQLITE_IOERR_SHMSIZE || cause == ENOSPC || cause == EDQUOT);
}

ErrorId IdOf(sqlite3* handle, int code, std::string_view sql) {
  if (IsDiskFull(handle, code, sql)) return ErrorId::kDiskFull;
  const int primary = code & 0xFF;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ? ErrorId::kLocalDatabaseDamaged
                                                               : ErrorId::kLocalDatabaseFailed;
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement::~Statement() {
  if (!prepared_.empty()) database_->Keep(std::move(prepared_));
}

void Statement::NoteBinding(int code) {
  if (code != SQLITE_OK && bind_failure_ == 0) bind_failure_ = code;
}

void Statement::Bind(int64_t value) {
  NoteBinding(sqlite3_bind_int64(handle(), ++parameter_, value));
}

void Statement::Bind(std::string_view value) {
  // An empty view may hold a null pointer, which SQLite would store as NULL; so below.
  const char* data = value.data() != nullptr ? value.data() : "";
  NoteBinding(sqlite3_bind_text64(handle(), ++parameter_, data, value.size(), SQLITE_TRANSIENT,
                                  SQLITE_UTF8));
}

void Statement::Bind(Blob value) {
  const char* data = value.bytes.data() != nullptr ? value.bytes.data() : "";
  NoteBinding(
      sqlite3_bind_blob64(handle(), ++parameter_, data, value.bytes.size(), SQLITE_TRANSIENT));
}

void Statement::Bind(Timestamp value) { Bind(int64_t{value.time_since_epoch().count()}); }

void Statement::Bind(const std::optional<int64_t>& value) {
  if (value) return Bind(*value);
  NoteBinding(sqlite3_bind_null(handle(), ++parameter_));
}

void Statement::Bind(const std::optional<Timestamp>& value) {
  if (value) return Bind(*value);
  NoteBinding(sqlite3_bind_null(handle(), ++parameter_));
}

Result<bool> Statement::Step() {
  if (bind_failure_ != 0) return database_->ErrorOf(bind_failure_, prepared_.key());
  const int code = sqlite3_step(handle());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return database_->ErrorOf(code, prepared_.key());
}

Status Statement::Run() {
  for (;;) {
    HF_ASSIGN_OR_RETURN(const bool row, Step());
    if (!row) return Ok();
  }
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(handle(), column); }

std::string Statement::Text(int column) const { return std::string(Bytes(column)); }

std::string_view Statement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(handle(), column);
  if (data == nullptr) return {};
  const int size = sqlite3_column_bytes(handle(), column);
  return {static_cast<const char*>(data), static_cast<size_t>(size)};
}

Timestamp Statement::Time(int column) const { return Timestamp{Duration{Int(column)}}; }

std::optional<int64_t> Statement::OptionalInt(int column) const {
  if (sqlite3_column_type(handle(), column) == SQLITE_NULL) return std::nullopt;
  return Int(column);
}

std::optional<Timestamp> Statement::OptionalTime(int column) const {
  const auto micros = OptionalInt(column);
  if (!micros) return std::nullopt;
  return Timestamp{Duration{*micros}};
}

Result<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                 const DatabaseOptions& options) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  // SQLite gives a handle even when it fails, for its message and to be closed.
  std::unique_ptr<Database> database(new Database(path, handle));
  if (code != SQLITE_OK) return database->ErrorOf(code, {});
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, options.busy_timeout_ms);
  // The kind of vacuum is part of the file's first page, which the change of journal mode writes.
  if (options.incremental_vacuum) {
    HF_RETURN_IF_ERROR(database->Execute("PRAGMA auto_vacuum=INCREMENTAL"));
  }
  HF_RETURN_IF_ERROR(
      database->Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                        "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"));
  return database;
}

Database::~Database() {
  kept_.clear();
  sqlite3_close_v2(handle_);
}

Error Database::ErrorOf(int code, std::string_view sql) const {
  const char* what = handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_);
  std::string message = fmt::format("{}: {}", path_, what);
  const int cause = handle_ == nullptr ? 0 : sqlite3_system_errno(handle_);
  const bool from_system = (code & 0xFF) == SQLITE_IOERR || (code & 0xFF) == SQLITE_CANTOPEN;
  if (from_system && cause != 0) message += fmt::format(" ({})", std::strerror(cause));
  const ErrorId id = IdOf(handle_, code, sql);
  if (id == ErrorId::kLocalDatabaseFailed && !sql.empty()) message += fmt::format(" in {}", sql);
  return MakeError(id, std::move(message));
}

Status Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return ErrorOf(code, sql);
  return Ok();
}

Result<Statement> Database::PrepareUnbound(std::string_view sql) {
  if (const auto kept = kept_.find(sql); kept != kept_.end()) {
    return Statement(*this, kept_.extract(kept));
  }
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) return ErrorOf(code, sql);
  Statement::Cache fresh;
  const auto [entry, added] =
      fresh.emplace(sql, std::unique_ptr<sqlite3_stmt, Statement::Finalize>(handle));
  return Statement(*this, fresh.extract(entry));
}

// A statement is kept without rows and values: an open one would hold back checkpoints. One whose
// text is kept already (two were in use at once), or is one too many, is finalized.
void Database::Keep(Statement::Cache::node_type prepared) {
  sqlite3_reset(prepared.mapped().get());
  sqlite3_clear_bindings(prepared.mapped().get());
  if (kept_.size() < kKeptStatementsMax) kept_.insert(std::move(prepared));
}

int64_t Database::rows_changed() const { return sqlite3_changes64(handle_); }

int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_); }

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
  HF_RETURN_IF_ERROR(database_->Execute(std::string(kCommit)));
  database_ = nullptr;
  return Ok();
}

}  // namespace holdfast::sqlite
