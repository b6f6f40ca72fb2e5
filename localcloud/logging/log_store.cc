#include "localcloud/logging/log_store.h"

#include <utility>

namespace holdfast::logging {
namespace {

constexpr Duration kAheadMax = std::chrono::hours{24};
constexpr int64_t kMicrosMax = INT64_MAX;

constexpr const char* kLogSchema = R"(
CREATE TABLE IF NOT EXISTS entries (
  project TEXT NOT NULL,
  at INTEGER NOT NULL,
  insert_id TEXT NOT NULL,
  entry TEXT NOT NULL,
  PRIMARY KEY (project, at, insert_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_by_time ON entries (at);
)";

constexpr std::string_view kAscending =
    "SELECT at, insert_id, entry FROM entries WHERE project = ? AND (at, insert_id) > (?, ?) "
    "ORDER BY at, insert_id";
constexpr std::string_view kDescending =
    "SELECT at, insert_id, entry FROM entries WHERE project = ? AND (at, insert_id) < (?, ?) "
    "ORDER BY at DESC, insert_id DESC";

}  // namespace

Result<std::unique_ptr<LogStore>> LogStore::Open(const std::string& path, const Clock& clock,
                                                 LogStoreOptions options) {
  HF_ASSIGN_OR_RETURN(auto database, sqlite::Database::Open(path));
  HF_RETURN_IF_ERROR(database->Execute(kLogSchema));
  return std::unique_ptr<LogStore>(new LogStore(std::move(database), clock, options));
}

Status LogStore::Write(const std::vector<StoredEntry>& entries) {
  const std::lock_guard lock(mutex_);
  const Timestamp now = clock_.Now();
  HF_ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::Begin(*database_));
  for (const StoredEntry& entry : entries) {
    if (entry.at < now - options_.retention || entry.at > now + kAheadMax) continue;
    HF_RETURN_IF_ERROR(database_->Run(
        "INSERT OR IGNORE INTO entries (project, at, insert_id, entry) VALUES (?, ?, ?, ?)",
        entry.project, entry.at, entry.insert_id, DumpJson(entry.entry)));
  }
  HF_RETURN_IF_ERROR(Trim());
  return transaction.Commit();
}

Status LogStore::Trim() {
  HF_RETURN_IF_ERROR(
      database_->Run("DELETE FROM entries WHERE at < ?", clock_.Now() - options_.retention));
  HF_ASSIGN_OR_RETURN(const auto count, database_->ReadInt("SELECT COUNT(*) FROM entries"));
  const int64_t excess = count.value_or(0) - options_.entries_max;
  if (excess <= 0) return Ok();
  return database_->Run(
      "DELETE FROM entries WHERE (project, at, insert_id) IN (SELECT project, at, insert_id FROM "
      "entries ORDER BY at, insert_id LIMIT ?)",
      excess);
}

Status LogStore::Visit(const std::string& project, bool descending, const LogPosition& after,
                       const std::function<bool(const StoredEntry& entry)>& visit) {
  const std::lock_guard lock(mutex_);
  const int64_t begin = descending ? kMicrosMax : -kMicrosMax;
  const int64_t at = after.at ? after.at->time_since_epoch().count() : begin;
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement rows,
      database_->Prepare(descending ? kDescending : kAscending, project, at, after.insert_id));
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool found, rows.Step());
    if (!found) return Ok();
    StoredEntry entry{
        .project = project, .at = rows.Time(0), .insert_id = rows.Text(1), .entry = {}};
    HF_ASSIGN_OR_RETURN(entry.entry, ParseJson(rows.Text(2)));
    if (!visit(entry)) return Ok();
  }
}

}  // namespace holdfast::logging
