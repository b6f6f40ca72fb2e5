// The quota ledger of a catalog in SQL.
#include <algorithm>
#include <span>

#include "catalog/sql_catalog.h"
#include "catalog/sql_store.h"
#include "model/work_message.h"

namespace holdfast::catalog {

namespace {

constexpr int64_t kKeptMs = int64_t{30} * 24 * 60 * 60 * 1000;

// Rows are written in any order: two who do so at once could each wait for the other. Who decides
// by what was counted so far is not to be overtaken either.
Status SerializeUse(SqlSession& session) { return session.Serialize("quota use"); }

Status InsertUse(SqlSession& session, int64_t day_ms, const QuotaUse& use) {
  for (size_t i = 0; i < kPlannedQuotas; ++i) {
    // The first one is written even if it is zero: the key is counted.
    if (use.amounts[i] == 0 && i > 0) continue;
    HF_RETURN_IF_ERROR(session.Execute(
        "INSERT INTO quota_use (use_key, project, quota, day_ms, amount)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        {use.key, use.project, QuotaName(static_cast<Quota>(i)), day_ms, use.amounts[i]}));
  }
  return Ok();
}

Status ForgetOldUse(SqlSession& session, int64_t day_ms) {
  HF_RETURN_IF_ERROR(session.Execute("DELETE FROM quota_use WHERE day_ms < ?", {day_ms - kKeptMs}));
  return Ok();
}

Result<bool> FindUse(SqlSession& session, const std::string& key) {
  bool found = false;
  HF_RETURN_IF_ERROR(session.Query("SELECT 1 FROM quota_use WHERE use_key = ? LIMIT 1", {key},
                                   [&](const SqlRow&) -> Status {
                                     found = true;
                                     return Ok();
                                   }));
  return found;
}

// What of the day is taken, by project: read when it is first asked for, then kept by what is
// added.
class DayUse {
 public:
  DayUse(SqlSession& session, int64_t day_ms) : session_(session), day_ms_(day_ms) {}

  Result<QuotaAmounts*> Of(const std::string& project) {
    const auto known = taken_.find(project);
    if (known != taken_.end()) return &known->second;
    QuotaAmounts taken{};
    HF_RETURN_IF_ERROR(session_.Query(
        "SELECT quota, SUM(amount) FROM quota_use WHERE day_ms = ? AND project = ? GROUP BY quota",
        {day_ms_, project}, [&](const SqlRow& row) -> Status {
          const auto quota = FindPlannedQuota(row.Text(0));
          if (quota) taken[static_cast<size_t>(*quota)] = row.Int(1);
          return Ok();
        }));
    return &(taken_[project] = taken);
  }

 private:
  SqlSession& session_;
  int64_t day_ms_;
  std::map<std::string, QuotaAmounts> taken_;
};

bool HasRoom(const QuotaAmounts& limit, const QuotaAmounts& taken, const QuotaAmounts& more) {
  for (size_t i = 0; i < kPlannedQuotas; ++i) {
    if (more[i] > std::max<int64_t>(limit[i] - taken[i], 0)) return false;
  }
  return true;
}

// Counts the uses of one key; false, and nothing is done, where one of them has no room.
Result<bool> ReserveKey(SqlSession& session, int64_t day_ms, std::span<const QuotaUse> uses,
                        const QuotaLimits& limits, DayUse& day) {
  HF_ASSIGN_OR_RETURN(const bool counted, FindUse(session, uses.front().key));
  if (counted) return true;
  for (const QuotaUse& use : uses) {
    HF_ASSIGN_OR_RETURN(const QuotaAmounts* taken, day.Of(use.project));
    if (!HasRoom(limits.Of(use.project), *taken, use.amounts)) return false;
  }
  for (const QuotaUse& use : uses) {
    HF_RETURN_IF_ERROR(InsertUse(session, day_ms, use));
    HF_ASSIGN_OR_RETURN(QuotaAmounts* const taken, day.Of(use.project));
    for (size_t i = 0; i < kPlannedQuotas; ++i) (*taken)[i] += use.amounts[i];
  }
  return true;
}

}  // namespace

Status SqlCatalog::CountUse(int64_t day_ms, const std::vector<QuotaUse>& uses) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  return session->Transact([&]() -> Status {
    HF_RETURN_IF_ERROR(SerializeUse(*session));
    for (const QuotaUse& use : uses) HF_RETURN_IF_ERROR(InsertUse(*session, day_ms, use));
    return ForgetOldUse(*session, day_ms);
  });
}

Result<std::vector<std::string>> SqlCatalog::ReserveUse(int64_t day_ms,
                                                        const std::vector<QuotaUse>& uses,
                                                        const QuotaLimits& limits) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  std::vector<std::string> refused;
  const auto reserve = [&]() -> Status {
    refused.clear();
    HF_RETURN_IF_ERROR(SerializeUse(*session));
    DayUse day(*session, day_ms);
    for (size_t first = 0, end = 0; first < uses.size(); first = end) {
      while (end < uses.size() && uses[end].key == uses[first].key) ++end;
      HF_ASSIGN_OR_RETURN(
          const bool reserved,
          ReserveKey(*session, day_ms, std::span(uses).subspan(first, end - first), limits, day));
      if (!reserved) refused.push_back(uses[first].key);
    }
    return ForgetOldUse(*session, day_ms);
  };
  HF_RETURN_IF_ERROR(session->Transact(reserve));
  return refused;
}

Result<bool> SqlCatalog::IsCounted(const std::string& key) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  return FindUse(*session, key);
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
