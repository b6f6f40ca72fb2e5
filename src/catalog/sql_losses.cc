// The ledger of losses of a catalog in SQL.
#include <fmt/format.h>

#include "catalog/record_json.h"
#include "catalog/sql_catalog.h"
#include "catalog/sql_store.h"

namespace holdfast::catalog {

namespace {

constexpr size_t kLossesPageSize = 1000;
constexpr size_t kCopyKeySize = 7;      // object, backup, bucket, prefix
constexpr size_t kAcceptedKeySize = 5;  // object, backup

// `WHERE ...` for a filter and the place in the listing; what is bound is in `filter` and `key`.
std::string WhereOf(const LossFilter& filter, std::string_view fixed, std::string_view columns,
                    const Json& key, std::vector<SqlValue>& values) {
  std::string where(fixed);
  const auto add = [&](std::string_view condition) {
    where += where.empty() ? " WHERE " : " AND ";
    where += condition;
  };
  const auto add_if_set = [&](std::string_view condition, const std::string& value) {
    if (value.empty()) return;
    add(condition);
    values.emplace_back(value);
  };
  add_if_set("project = ?", filter.project);
  add_if_set("dataset = ?", filter.dataset);
  add_if_set("table_id = ?", filter.table);
  add_if_set("backup = ?", filter.backup);
  if (key.empty()) return where;
  std::string marks;
  for (const Json& part : key) {
    marks += marks.empty() ? "?" : ", ?";
    values.emplace_back(std::string_view(part.get_ref<const std::string&>()));
  }
  add(fmt::format("({}) > ({})", columns, marks));
  return where;
}

Result<Json> KeyOfLosses(const std::string& page_token, size_t size) {
  if (page_token.empty()) return Json::array();
  HF_ASSIGN_OR_RETURN(Json key, KeyOf(page_token, size));
  for (const Json& part : key) {
    if (!part.is_string()) {
      return MakeError(ErrorId::kInvalidJson, "a page token is not one of this listing");
    }
  }
  return key;
}

TableRef ObjectOfRow(const SqlRow& row) {
  return {row.Text(0), row.Text(1), row.Text(2), row.Text(3)};
}

constexpr std::string_view kCopyKey =
    "project, dataset, table_id, partition, backup, bucket, prefix";
constexpr std::string_view kAcceptedKey = "project, dataset, table_id, partition, backup";

// 2 is kDamaged, 3 is kLeft.
static_assert(static_cast<int>(CopyState::kDamaged) == 2 &&
              static_cast<int>(CopyState::kLeft) == 3);
// at_ms of a defect is when it was found first, seen_ms when it was looked at last.
constexpr std::string_view kAddCopy =
    "INSERT INTO backup_copies (project, dataset, table_id, partition, backup, bucket, prefix,"
    " state, level, at_ms, seen_ms, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (backup, bucket, prefix) DO UPDATE SET"
    " state = CASE WHEN backup_copies.state = 3 AND excluded.state < 3 AND excluded.state <> 1"
    " THEN 3 ELSE excluded.state END,"
    " level = excluded.level,"
    " at_ms = CASE WHEN backup_copies.state >= 2 AND excluded.state <> 1"
    " THEN backup_copies.at_ms ELSE excluded.at_ms END,"
    " seen_ms = excluded.seen_ms, detail = excluded.detail"
    " WHERE excluded.seen_ms >= backup_copies.seen_ms";

}  // namespace

Status AddCopy(SqlSession& session, const CopyRecord& record) {
  HF_RETURN_IF_ERROR(session.Execute(
      kAddCopy,
      {record.object.project, record.object.dataset, record.object.table, record.object.partition,
       record.backup, record.bucket, record.prefix, static_cast<int64_t>(record.state),
       static_cast<int64_t>(record.level), record.at_ms, record.at_ms, record.detail}));
  return Ok();
}

Status SqlCatalog::RecordCopy(const CopyRecord& record) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  return session->Transact([&]() -> Status {
    // Takes the backup's row, so that it cannot be removed meanwhile.
    HF_ASSIGN_OR_RETURN(
        const int64_t known,
        session->Execute("UPDATE backups SET verified_ms = verified_ms WHERE backup = ?",
                         {record.backup}));
    return known == 0 ? Ok() : AddCopy(*session, record);
  });
}

Result<cloud::Page<CopyRecord>> SqlCatalog::FindCopies(const LossFilter& filter,
                                                       const std::string& page_token) {
  HF_ASSIGN_OR_RETURN(const Json key, KeyOfLosses(page_token, kCopyKeySize));
  std::vector<SqlValue> values;
  const std::string where =
      WhereOf(filter, filter.defects_only ? " WHERE state >= 2" : "", kCopyKey, key, values);
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  cloud::Page<CopyRecord> page;
  HF_RETURN_IF_ERROR(session->Query(
      fmt::format("SELECT {0}, state, level, at_ms, detail FROM backup_copies{1} ORDER BY {0}"
                  " LIMIT {2}",
                  kCopyKey, where, kLossesPageSize),
      values, [&](const SqlRow& row) -> Status {
        page.items.push_back({.object = ObjectOfRow(row),
                              .backup = row.Text(4),
                              .bucket = row.Text(5),
                              .prefix = row.Text(6),
                              .state = static_cast<CopyState>(row.Int(7)),
                              .level = static_cast<VerifyLevel>(row.Int(8)),
                              .at_ms = row.Int(9),
                              .detail = row.Text(10)});
        return Ok();
      }));
  if (page.items.size() < kLossesPageSize) return page;
  const CopyRecord& last = page.items.back();
  page.next_page_token = TokenOf({last.object.project, last.object.dataset, last.object.table,
                                  last.object.partition, last.backup, last.bucket, last.prefix});
  return page;
}

Status SqlCatalog::RecordAcceptance(const AcceptedLoss& loss) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  HF_RETURN_IF_ERROR(session->Execute(
      "INSERT INTO accepted_losses (project, dataset, table_id, partition, backup, at_ms, actor,"
      " reason, withdrawn) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
      " ON CONFLICT (project, dataset, table_id, partition, backup) DO UPDATE SET"
      " at_ms = excluded.at_ms, actor = excluded.actor, reason = excluded.reason,"
      " withdrawn = excluded.withdrawn WHERE excluded.at_ms >= accepted_losses.at_ms",
      {loss.object.project, loss.object.dataset, loss.object.table, loss.object.partition,
       loss.backup, loss.at_ms, loss.actor, loss.reason, int64_t{loss.withdrawn ? 1 : 0}}));
  return Ok();
}

Result<cloud::Page<AcceptedLoss>> SqlCatalog::FindAccepted(const LossFilter& filter,
                                                           const std::string& page_token) {
  HF_ASSIGN_OR_RETURN(const Json key, KeyOfLosses(page_token, kAcceptedKeySize));
  std::vector<SqlValue> values;
  const std::string where = WhereOf(filter, " WHERE withdrawn = 0", kAcceptedKey, key, values);
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  cloud::Page<AcceptedLoss> page;
  HF_RETURN_IF_ERROR(session->Query(
      fmt::format("SELECT {0}, at_ms, actor, reason FROM accepted_losses{1} ORDER BY {0} LIMIT {2}",
                  kAcceptedKey, where, kLossesPageSize),
      values, [&](const SqlRow& row) -> Status {
        page.items.push_back({.object = ObjectOfRow(row),
                              .backup = row.Text(4),
                              .at_ms = row.Int(5),
                              .actor = row.Text(6),
                              .reason = row.Text(7)});
        return Ok();
      }));
  if (page.items.size() < kLossesPageSize) return page;
  const AcceptedLoss& last = page.items.back();
  page.next_page_token = TokenOf({last.object.project, last.object.dataset, last.object.table,
                                  last.object.partition, last.backup});
  return page;
}

}  // namespace holdfast::catalog
