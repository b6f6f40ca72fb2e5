#include "catalog/sql_catalog.h"

#include "catalog/record_json.h"
#include "catalog/sql_store.h"

namespace holdfast::catalog {

SqlCatalog::SqlCatalog(std::unique_ptr<SqlStore> store) : store_(std::move(store)) {}
SqlCatalog::~SqlCatalog() = default;

Result<std::string> SqlCatalog::Id() {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  std::string id;
  HF_RETURN_IF_ERROR(
      session->Query("SELECT id FROM identity", {}, [&](const SqlRow& row) -> Status {
        id = row.Text(0);
        return Ok();
      }));
  if (id.empty()) return MakeError(ErrorId::kCatalogDamaged, "the catalog has no identity");
  return id;
}

Result<AuditEntry> SqlCatalog::AppendAudit(const AuditEvent& event) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  AuditEntry entry{.event = event};
  const auto append = [&]() -> Status {
    // Else two could follow the same entry.
    HF_RETURN_IF_ERROR(session->Serialize("audit"));
    entry.sequence = 1;
    std::string previous;
    HF_RETURN_IF_ERROR(
        session->Query("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1", {},
                       [&](const SqlRow& row) -> Status {
                         entry.sequence = row.Int(0) + 1;
                         previous = row.Text(1);
                         return Ok();
                       }));
    entry.hash = AuditHash(previous, entry.sequence, event);
    const std::string detail = DumpJson(event.detail);
    HF_RETURN_IF_ERROR(
        session->Execute("INSERT INTO audit (sequence, at_ms, actor, action, subject, detail, hash)"
                         " VALUES (?, ?, ?, ?, ?, ?, ?)",
                         {entry.sequence, event.at_ms, event.actor, event.action, event.subject,
                          detail, entry.hash}));
    return Ok();
  };
  HF_RETURN_IF_ERROR(session->Transact(append));
  return entry;
}

Result<std::vector<AuditEntry>> SqlCatalog::ListAudit(int64_t sequence) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  std::vector<AuditEntry> entries;
  HF_RETURN_IF_ERROR(
      session->Query("SELECT sequence, at_ms, actor, action, subject, detail, hash FROM audit"
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

Result<std::optional<AuditEntry>> SqlCatalog::LastAudit() {
  int64_t last = 0;
  {
    HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
    HF_RETURN_IF_ERROR(session->Query("SELECT sequence FROM audit ORDER BY sequence DESC LIMIT 1",
                                      {}, [&](const SqlRow& row) -> Status {
                                        last = row.Int(0);
                                        return Ok();
                                      }));
  }
  if (last == 0) return std::optional<AuditEntry>();
  HF_ASSIGN_OR_RETURN(std::vector<AuditEntry> entries, ListAudit(last - 1));
  if (entries.empty()) return std::optional<AuditEntry>();
  return std::optional(std::move(entries.front()));
}

}  // namespace holdfast::catalog
