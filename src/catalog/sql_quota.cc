// The quota ledger of a catalog in SQL.
#include "catalog/sql_catalog.h"
#include "catalog/sql_store.h"
#include "model/work_message.h"

namespace holdfast::catalog {

namespace {

constexpr int64_t kKeptMs = int64_t{30} * 24 * 60 * 60 * 1000;

}  // namespace

Status SqlCatalog::CountUse(int64_t day_ms, const std::vector<QuotaUse>& uses) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  return session->Transact([&]() -> Status {
    // Rows are written in any order: two who do so at once could each wait for the other.
    HF_RETURN_IF_ERROR(session->Serialize("quota use"));
    for (const QuotaUse& use : uses) {
      for (size_t i = 0; i < kPlannedQuotas; ++i) {
        // The first one is written even if it is zero: the key is counted.
        if (use.amounts[i] == 0 && i > 0) continue;
        HF_RETURN_IF_ERROR(session->Execute(
            "INSERT INTO quota_use (use_key, project, quota, day_ms, amount)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            {use.key, use.project, QuotaName(static_cast<Quota>(i)), day_ms, use.amounts[i]}));
      }
    }
    HF_RETURN_IF_ERROR(
        session->Execute("DELETE FROM quota_use WHERE day_ms < ?", {day_ms - kKeptMs}));
    return Ok();
  });
}

Result<bool> SqlCatalog::IsCounted(const std::string& key) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  bool found = false;
  HF_RETURN_IF_ERROR(session->Query("SELECT 1 FROM quota_use WHERE use_key = ? LIMIT 1", {key},
                                    [&](const SqlRow&) -> Status {
                                      found = true;
                                      return Ok();
                                    }));
  return found;
}

Result<std::map<std::string, QuotaAmounts>> SqlCatalog::UsedOn(int64_t day_ms) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  std::map<std::string, QuotaAmounts> used;
  HF_RETURN_IF_ERROR(
      session->Query("SELECT project, quota, SUM(amount) FROM quota_use WHERE day_ms = ?"
                     " GROUP BY project, quota",
                     {day_ms}, [&](const SqlRow& row) -> Status {
                       // One that another version of this program plans by is not ours to count.
                       const auto quota = FindPlannedQuota(row.Text(1));
                       if (quota) used[row.Text(0)][static_cast<size_t>(*quota)] = row.Int(2);
                       return Ok();
                     }));
  return used;
}

Status SqlCatalog::NoteWaiting(const std::vector<TableRef>& tables, int64_t now_ms) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  return session->Transact([&]() -> Status {
    HF_RETURN_IF_ERROR(session->Serialize("quota waiting"));
    for (const TableRef& table : tables) {
      HF_RETURN_IF_ERROR(session->Execute(
          "INSERT INTO quota_waiting (project, dataset, table_id, since_ms, seen_ms)"
          " VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (project, dataset, table_id)"
          " DO UPDATE SET seen_ms = ?4",
          {table.project, table.dataset, table.table, now_ms}));
    }
    HF_RETURN_IF_ERROR(
        session->Execute("DELETE FROM quota_waiting WHERE seen_ms < ?", {now_ms - kKeptMs}));
    return Ok();
  });
}

Status SqlCatalog::NoteServed(const std::vector<TableRef>& tables) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  return session->Transact([&]() -> Status {
    HF_RETURN_IF_ERROR(session->Serialize("quota waiting"));
    for (const TableRef& table : tables) {
      HF_RETURN_IF_ERROR(session->Execute(
          "DELETE FROM quota_waiting WHERE project = ? AND dataset = ? AND table_id = ?",
          {table.project, table.dataset, table.table}));
    }
    return Ok();
  });
}

Result<std::optional<int64_t>> SqlCatalog::WaitingSince(const TableRef& table) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  std::optional<int64_t> since;
  HF_RETURN_IF_ERROR(session->Query(
      "SELECT since_ms FROM quota_waiting WHERE project = ? AND dataset = ? AND table_id = ?",
      {table.project, table.dataset, table.table}, [&](const SqlRow& row) -> Status {
        since = row.Int(0);
        return Ok();
      }));
  return since;
}

Result<bool> SqlCatalog::IsLookingForWork(const std::string& run) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  bool found = false;
  // One look at an index for each of the topics.
  HF_RETURN_IF_ERROR(session->Query(
      "SELECT 1 FROM tasks WHERE run = ?1 AND done = 0 AND topic IN (?2, ?3) LIMIT 1",
      {run, kStartTopic, kCheckTopic}, [&](const SqlRow&) -> Status {
        found = true;
        return Ok();
      }));
  return found;
}

}  // namespace holdfast::catalog
