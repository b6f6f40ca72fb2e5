// Upkeep of the catalog: what has expired, and what nothing can reach any more.
#include <fmt/format.h>

#include <set>

#include "localcloud/sqlite/database.h"
#include "localcloud/warehouse/catalog_rows.h"
#include "localcloud/warehouse/table_store.h"

namespace holdfast::warehouse {

namespace {

struct PastFile {
  int64_t key = 0;
  std::string path;
};

Result<std::vector<std::string>> ReadTexts(sqlite::Statement statement) {
  std::vector<std::string> texts;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return texts;
    texts.push_back(statement.Text(0));
  }
}

Result<std::vector<PastFile>> ReadPastFiles(sqlite::Statement statement) {
  std::vector<PastFile> files;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return files;
    files.push_back({.key = statement.Int(0), .path = statement.Text(1)});
  }
}

// Forgets the versions of a table that ended before `horizon_ms`, and gives the file rows that
// only they had. A deleted table that is out of reach loses all of its rows.
Result<std::vector<PastFile>> ForgetVersions(sqlite::Database& database, int64_t table_key,
                                             bool unreachable, int64_t horizon_ms) {
  if (unreachable) {
    HF_RETURN_IF_ERROR(database.Run("DELETE FROM versions WHERE table_key = ?", table_key));
    HF_RETURN_IF_ERROR(database.Run("DELETE FROM partitions WHERE table_key = ?", table_key));
    HF_ASSIGN_OR_RETURN(auto rows, database.Prepare("SELECT file_key, path FROM files "
                                                    "WHERE table_key = ?",
                                                    table_key));
    return ReadPastFiles(std::move(rows));
  }
  // The version that was current at the horizon is still needed.
  HF_ASSIGN_OR_RETURN(const auto oldest,
                      database.ReadInt("SELECT MAX(version) FROM versions WHERE table_key = ? AND "
                                       "committed_ms <= ?",
                                       table_key, horizon_ms));
  if (!oldest) return std::vector<PastFile>();
  HF_RETURN_IF_ERROR(
      database.Run("DELETE FROM versions WHERE table_key = ? AND version < ?", table_key, *oldest));
  HF_ASSIGN_OR_RETURN(auto rows, database.Prepare("SELECT file_key, path FROM files WHERE "
                                                  "table_key = ? AND removed <= ?",
                                                  table_key, *oldest));
  return ReadPastFiles(std::move(rows));
}

struct TableAge {
  int64_t table_key = 0;
  DatasetRef dataset;
  std::optional<int64_t> deleted_ms;
};

Result<std::vector<TableAge>> ReadTableAges(sqlite::Database& database) {
  HF_ASSIGN_OR_RETURN(
      auto rows, database.Prepare("SELECT table_key, project, dataset, deleted_ms FROM tables"));
  std::vector<TableAge> ages;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool found, rows.Step());
    if (!found) return ages;
    ages.push_back({rows.Int(0), {rows.Text(1), rows.Text(2)}, rows.OptionalInt(3)});
  }
}

}  // namespace

Status TableStore::DropExpired() {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(
      auto rows,
      database_->Prepare(fmt::format("SELECT {} FROM tables WHERE deleted_ms IS NULL AND "
                                     "(expiration_ms <= ? OR resource LIKE '%\"expirationMs\"%')",
                                     kTableColumns),
                         NowMs()));
  std::vector<TableRecord> candidates;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool found, rows.Step());
    if (!found) break;
    HF_ASSIGN_OR_RETURN(TableRecord table, ReadTableRow(*database_, rows));
    candidates.push_back(std::move(table));
  }
  if (candidates.empty()) return Ok();
  HF_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*database_));
  for (const TableRecord& table : candidates) {
    HF_RETURN_IF_ERROR(ExpireTable(*database_, table, NowMs()));
  }
  return transaction.Commit();
}

Result<std::vector<std::string>> TableStore::CollectGarbage() {
  const std::lock_guard lock(mutex_);
  std::set<std::string> pinned;
  for (const auto& pin : pins_) {
    if (const auto paths = pin.lock()) pinned.insert(paths->begin(), paths->end());
  }
  HF_ASSIGN_OR_RETURN(const std::vector<TableAge> ages, ReadTableAges(*database_));
  HF_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*database_));
  std::set<std::string> released;
  for (const TableAge& age : ages) {
    HF_ASSIGN_OR_RETURN(const int64_t window_ms, TimeTravelWindowMs(*database_, age.dataset));
    const int64_t horizon_ms = NowMs() - window_ms;
    const bool unreachable = age.deleted_ms && *age.deleted_ms < horizon_ms;
    HF_ASSIGN_OR_RETURN(const auto past,
                        ForgetVersions(*database_, age.table_key, unreachable, horizon_ms));
    bool any_pinned = false;
    for (const PastFile& file : past) {
      any_pinned = any_pinned || pinned.contains(file.path);
      if (pinned.contains(file.path)) continue;
      HF_RETURN_IF_ERROR(database_->Run("DELETE FROM files WHERE file_key = ?", file.key));
      released.insert(file.path);
    }
    if (unreachable && !any_pinned) {
      HF_RETURN_IF_ERROR(database_->Run("DELETE FROM tables WHERE table_key = ?", age.table_key));
    }
  }
  std::vector<std::string> garbage;
  for (const std::string& path : released) {
    HF_ASSIGN_OR_RETURN(const auto still_used,
                        database_->ReadInt("SELECT 1 FROM files WHERE path = ? LIMIT 1", path));
    if (!still_used) garbage.push_back(path);
  }
  HF_RETURN_IF_ERROR(transaction.Commit());
  return garbage;
}

Result<std::vector<std::string>> TableStore::AllPaths() {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(auto rows, database_->Prepare("SELECT DISTINCT path FROM files"));
  return ReadTexts(std::move(rows));
}

}  // namespace holdfast::warehouse
