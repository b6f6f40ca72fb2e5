#include "catalog/sqlite_catalog.h"

#include "catalog/record_json.h"
#include "catalog/sqlite_database.h"
#include "catalog/sqlite_schema.h"

namespace holdfast::catalog {

SqliteCatalog::SqliteCatalog(std::unique_ptr<SqliteDatabase> database)
    : database_(std::move(database)) {}
SqliteCatalog::~SqliteCatalog() = default;

Result<std::unique_ptr<SqliteCatalog>> SqliteCatalog::Open(const std::string& path,
                                                           const SqliteCatalogOptions& options) {
  HF_ASSIGN_OR_RETURN(auto database, SqliteDatabase::Open(path, options.busy_timeout_ms));
  HF_RETURN_IF_ERROR(PrepareSchema(*database).WithContext(path));
  return std::unique_ptr<SqliteCatalog>(new SqliteCatalog(std::move(database)));
}

Result<std::string> SqliteCatalog::Id() {
  const std::lock_guard lock(mutex_);
  std::string id;
  HF_RETURN_IF_ERROR(
      database_->Query("SELECT id FROM identity", {}, [&](const SqlRow& row) -> Status {
        id = row.Text(0);
        return Ok();
      }));
  if (id.empty()) return MakeError(ErrorId::kCatalogDamaged, "the catalog has no identity");
  return id;
}

Result<AuditEntry> SqliteCatalog::AppendAudit(const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  AuditEntry entry{.sequence = 1, .event = event, .hash = {}};
  const auto append = [&]() -> Status {
    std::string previous;
    HF_RETURN_IF_ERROR(
        database_->Query("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1", {},
                         [&](const SqlRow& row) -> Status {
                           entry.sequence = row.Int(0) + 1;
                           previous = row.Text(1);
                           return Ok();
                         }));
    entry.hash = AuditHash(previous, entry.sequence, event);
    const std::string detail = DumpJson(event.detail);
    HF_RETURN_IF_ERROR(database_->Execute(
        "INSERT INTO audit (sequence, at_ms, actor, action, subject, detail, hash)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        {entry.sequence, event.at_ms, event.actor, event.action, event.subject, detail,
         entry.hash}));
    return Ok();
  };
  HF_RETURN_IF_ERROR(database_->Transact(append));
  return entry;
}

Result<std::vector<AuditEntry>> SqliteCatalog::ListAudit(int64_t sequence) {
  const std::lock_guard lock(mutex_);
  std::vector<AuditEntry> entries;
  HF_RETURN_IF_ERROR(
      database_->Query("SELECT sequence, at_ms, actor, action, subject, detail, hash FROM audit"
                       " WHERE sequence > ? ORDER BY sequence LIMIT 1000",
                       {sequence}, [&](const SqlRow& row) -> Status {
                         AuditEntry entry{.sequence = row.Int(0),
                                          .event = {.at_ms = row.Int(1),
                                                    .actor = row.Text(2),
                                                    .action = row.Text(3),
                                                    .subject = row.Text(4)},
                                          .hash = row.Text(6)};
                         auto detail = ParseJson(row.Text(5));
                         if (!detail.ok()) return AsDamaged(detail.error());
                         entry.event.detail = std::move(*detail);
                         entries.push_back(std::move(entry));
                         return Ok();
                       }));
  return entries;
}

}  // namespace holdfast::catalog
