// The backup index of a catalog in SQL.
#include <fmt/format.h>

#include <algorithm>

#include "catalog/record_json.h"
#include "catalog/sql_catalog.h"
#include "catalog/sql_store.h"

namespace holdfast::catalog {

namespace {

constexpr size_t kBackupsPageSize = 1000;
constexpr size_t kKeySize = 6;  // of a page token: object, consistent_through_ms, backup

// Conditions and the values bound to them, in order. The texts are constants.
class Conditions {
 public:
  void Add(std::string_view condition, const std::vector<SqlValue>& values) {
    text_ += text_.empty() ? " WHERE " : " AND ";
    text_ += condition;
    values_.insert(values_.end(), values.begin(), values.end());
  }
  void AddIfSet(std::string_view condition, const std::string& value) {
    if (!value.empty()) Add(condition, {value});
  }

  const std::string& text() const { return text_; }
  const std::vector<SqlValue>& values() const { return values_; }

 private:
  std::string text_;
  std::vector<SqlValue> values_;
};

// That of the object's backups that match it is the newest, for a database without DISTINCT ON.
// Only what can tell two backups of one object apart is asked for again. Looked up for each row, by
// the index: a ranking would read all that is left of the listing for every page.
void AddIsNewest(const BackupFilter& filter, const std::string& id_end, Conditions& conditions) {
  std::string newest =
      "backup = (SELECT other.backup FROM backups AS other WHERE other.project = backups.project"
      " AND other.dataset = backups.dataset AND other.table_id = backups.table_id"
      " AND other.partition = backups.partition";
  if (filter.good_only) newest += " AND other.suspect = 0";
  if (filter.good_only || filter.intact_only) newest += " AND other.damaged_level = 0";
  if (filter.damaged_only) newest += " AND other.damaged_level <> 0";
  std::vector<SqlValue> values;
  if (!filter.run.empty()) {
    newest += " AND other.run = ?";
    values.emplace_back(filter.run);
  }
  if (filter.method) {
    newest += " AND other.method = ?";
    values.emplace_back(MethodName(*filter.method));
  }
  if (!filter.id_prefix.empty()) {
    newest += " AND other.backup >= ? AND other.backup < ?";
    values.emplace_back(filter.id_prefix);
    values.emplace_back(id_end);
  }
  if (filter.as_of_ms) {
    newest += " AND other.consistent_through_ms <= ?";
    values.emplace_back(*filter.as_of_ms);
  }
  newest += " ORDER BY other.consistent_through_ms DESC, other.backup DESC LIMIT 1)";
  conditions.Add(newest, values);
}

// `id_end` and `key` hold what is bound, and must outlive the conditions. With `looks_up` they say
// which is the newest of its object; without, the statement does.
Conditions ConditionsOf(const BackupFilter& filter, const std::string& id_end, const Json& key,
                        bool looks_up) {
  Conditions conditions;
  conditions.AddIfSet("project = ?", filter.project);
  conditions.AddIfSet("dataset = ?", filter.dataset);
  conditions.AddIfSet("table_id = ?", filter.table);
  conditions.AddIfSet("table_id >= ?", filter.table_from);
  conditions.AddIfSet("table_id <= ?", filter.table_through);
  if (filter.partition) conditions.Add("partition = ?", {*filter.partition});
  conditions.AddIfSet("run = ?", filter.run);
  if (filter.method) conditions.Add("method = ?", {MethodName(*filter.method)});
  if (!filter.id_prefix.empty()) {
    conditions.Add("backup >= ? AND backup < ?", {filter.id_prefix, id_end});
  }
  if (filter.as_of_ms) conditions.Add("consistent_through_ms <= ?", {*filter.as_of_ms});
  if (filter.good_only) conditions.Add("suspect = 0 AND damaged_level = 0", {});
  if (filter.intact_only) conditions.Add("damaged_level = 0", {});
  if (filter.damaged_only) conditions.Add("damaged_level <> 0", {});
  if (filter.newest_only && looks_up) AddIsNewest(filter, id_end, conditions);
  if (key.empty()) return conditions;
  const auto text = [&](size_t i) {
    return std::string_view(key[i].get_ref<const std::string&>());
  };
  conditions.Add("(project, dataset, table_id, partition) >= (?, ?, ?, ?)",
                 {text(0), text(1), text(2), text(3)});
  if (filter.newest_only) {
    // Each object is shown once: of the last one shown nothing is left.
    conditions.Add("(project, dataset, table_id, partition) <> (?, ?, ?, ?)",
                   {text(0), text(1), text(2), text(3)});
  } else {
    conditions.Add(
        "((project, dataset, table_id, partition) <> (?, ?, ?, ?)"
        " OR (consistent_through_ms, backup) < (?, ?))",
        {text(0), text(1), text(2), text(3), key[4].get<int64_t>(), text(5)});
  }
  return conditions;
}

Result<Json> KeyOfBackups(const std::string& page_token) {
  if (page_token.empty()) return Json::array();
  HF_ASSIGN_OR_RETURN(Json key, KeyOf(page_token, kKeySize));
  for (size_t i = 0; i < kKeySize; ++i) {
    if (key[i].is_string() != (i != 4)) {
      return MakeError(ErrorId::kInvalidJson, "a page token is not one of this listing");
    }
  }
  return key;
}

// With `first_of_each`: of each object the first one only.
std::string SelectOf(const std::string& where, bool first_of_each) {
  constexpr std::string_view kColumns =
      "record, verified_level, verified_ms, damaged_level, suspect";
  constexpr std::string_view kOrder =
      "project, dataset, table_id, partition, consistent_through_ms DESC, backup DESC";
  return fmt::format("SELECT {}{} FROM backups{} ORDER BY {} LIMIT {}",
                     first_of_each ? "DISTINCT ON (project, dataset, table_id, partition) " : "",
                     kColumns, where, kOrder, kBackupsPageSize);
}

Result<BackupRecord> RecordOfRow(BackupRecordReader& reader, const SqlRow& row) {
  HF_ASSIGN_OR_RETURN(BackupRecord record, reader.Read(row.View(0)));
  record.verified = static_cast<VerifyLevel>(row.Int(1));
  record.verified_ms = row.Int(2);
  record.damaged = row.Int(3) != 0;
  if (row.Int(4) == 0) record.suspect.clear();  // it was accepted
  return record;
}

// The best level that passed, and when it did so last, in whatever order that is heard of.
constexpr std::string_view kNotePassed =
    "UPDATE backups SET verified_ms = CASE WHEN ?1 > verified_level THEN ?2"
    " WHEN ?1 = verified_level AND ?2 > verified_ms THEN ?2 ELSE verified_ms END,"
    " verified_level = CASE WHEN ?1 > verified_level THEN ?1 ELSE verified_level END"
    " WHERE backup = ?3";

// A verification that failed marks the backup until one of that level or a higher one passes later:
// of two at the same time the failure counts. One that read every row and found the manifest's
// content (kL2) speaks for the backup as well as a comparison of a restored table (kL3) does, which
// sees what happened to that table too. Asked of all that is recorded, since a rebuild hears of
// what happened in any order.
static_assert(static_cast<int>(VerifyLevel::kL2) == 3 && static_cast<int>(VerifyLevel::kL3) == 4);
constexpr std::string_view kNoteDamage =
    "UPDATE backups SET damaged_level = COALESCE((SELECT MAX(CASE WHEN failure.level > 1"
    " THEN failure.level ELSE 1 END) FROM verifications AS failure"
    " WHERE failure.backup = ?1 AND failure.passed = 0 AND NOT EXISTS (SELECT 1"
    " FROM verifications AS pass WHERE pass.backup = failure.backup AND pass.passed <> 0"
    " AND pass.at_ms > failure.at_ms AND (pass.level >= failure.level"
    " OR (pass.level >= 3 AND failure.level <= 4)))), 0)"
    " WHERE backup = ?1";

// Of two at the same time and level the failure is kept.
constexpr std::string_view kAddVerification =
    "INSERT INTO verifications (backup, at_ms, level, passed, detail) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (backup, at_ms, level) DO UPDATE SET passed = 0, detail = excluded.detail"
    " WHERE verifications.passed <> 0 AND excluded.passed = 0";

// Of a backup that was whole until now nobody accepted that it is damaged.
constexpr std::string_view kEndAcceptance =
    "DELETE FROM accepted_losses WHERE backup = ?1 AND at_ms < ?2 AND EXISTS (SELECT 1 FROM backups"
    " WHERE backups.backup = ?1 AND backups.damaged_level = 0)";

Error BackupNotFound(const std::string& backup) {
  return MakeError(ErrorId::kBackupNotFound, fmt::format("no backup {}", backup));
}

}  // namespace

Status SqlCatalog::RecordBackup(const BackupRecord& record) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  const std::string text = BackupRecordToText(record);
  HF_RETURN_IF_ERROR(session->Execute(
      "INSERT INTO backups (backup, project, dataset, table_id, partition, run, method,"
      " consistent_through_ms, suspect, verified_level, verified_ms, damaged_level, record)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      {record.backup, record.object.project, record.object.dataset, record.object.table,
       record.object.partition, record.run, MethodName(record.method), record.consistent_through_ms,
       int64_t{record.suspect.empty() ? 0 : 1}, static_cast<int64_t>(record.verified),
       record.verified_ms, int64_t{record.damaged ? 1 : 0}, text}));
  return Ok();
}

Result<cloud::Page<BackupRecord>> SqlCatalog::FindBackups(const BackupFilter& filter,
                                                          const std::string& page_token) {
  HF_ASSIGN_OR_RETURN(const Json key, KeyOfBackups(page_token));
  const std::string id_end = filter.id_prefix + "\x7F";
  cloud::Page<BackupRecord> page;
  BackupRecordReader reader;
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  const bool distinct = filter.newest_only && session->HasDistinctOn();
  const Conditions conditions = ConditionsOf(filter, id_end, key, !distinct);
  HF_RETURN_IF_ERROR(session->Query(
      SelectOf(conditions.text(), distinct), conditions.values(), [&](const SqlRow& row) -> Status {
        HF_ASSIGN_OR_RETURN(BackupRecord record, RecordOfRow(reader, row));
        page.items.push_back(std::move(record));
        return Ok();
      }));
  if (page.items.size() < kBackupsPageSize) return page;
  const BackupRecord& last = page.items.back();
  page.next_page_token = TokenOf({last.object.project, last.object.dataset, last.object.table,
                                  last.object.partition, last.consistent_through_ms, last.backup});
  return page;
}

Status SqlCatalog::MoveBackup(const BackupRecord& record, const CopyRecord& left) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  const std::string text = BackupRecordToText(record);
  return session->Transact([&]() -> Status {
    HF_ASSIGN_OR_RETURN(const int64_t known,
                        session->Execute("UPDATE backups SET verified_level = ?, verified_ms = ?,"
                                         " damaged_level = 0, record = ? WHERE backup = ?",
                                         {static_cast<int64_t>(record.verified), record.verified_ms,
                                          text, record.backup}));
    if (known == 0) return BackupNotFound(record.backup);
    HF_RETURN_IF_ERROR(
        session->Execute("DELETE FROM verifications WHERE backup = ?", {record.backup}));
    HF_RETURN_IF_ERROR(
        session->Execute("DELETE FROM backup_copies WHERE backup = ? AND bucket = ? AND prefix = ?",
                         {record.backup, record.bucket, record.prefix}));
    return AddCopy(*session, left);
  });
}

Status SqlCatalog::RemoveBackup(const std::string& backup) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  return session->Transact([&]() -> Status {
    // The backup first: it keeps a verification from being recorded between the two.
    HF_RETURN_IF_ERROR(session->Execute("DELETE FROM backups WHERE backup = ?", {backup}));
    for (const char* all_of_it : {"DELETE FROM verifications WHERE backup = ?",
                                  "DELETE FROM backup_copies WHERE backup = ?",
                                  "DELETE FROM accepted_losses WHERE backup = ?"}) {
      HF_RETURN_IF_ERROR(session->Execute(all_of_it, {backup}));
    }
    return Ok();
  });
}

Status SqlCatalog::RecordVerification(const VerificationRecord& record) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  const auto level = static_cast<int64_t>(record.level);
  return session->Transact([&]() -> Status {
    // Takes the backup's row, so that it cannot be removed meanwhile.
    HF_ASSIGN_OR_RETURN(
        const int64_t known,
        session->Execute("UPDATE backups SET verified_ms = verified_ms WHERE backup = ?",
                         {record.backup}));
    if (known == 0) return BackupNotFound(record.backup);
    HF_ASSIGN_OR_RETURN(
        const int64_t added,
        session->Execute(kAddVerification, {record.backup, record.at_ms, level,
                                            int64_t{record.passed ? 1 : 0}, record.detail}));
    if (added == 0) return Ok();  // recorded before
    if (record.passed) {
      HF_RETURN_IF_ERROR(session->Execute(kNotePassed, {level, record.at_ms, record.backup}));
    } else {
      HF_RETURN_IF_ERROR(session->Execute(kEndAcceptance, {record.backup, record.at_ms}));
    }
    HF_RETURN_IF_ERROR(session->Execute(kNoteDamage, {record.backup}));
    return Ok();
  });
}

Status SqlCatalog::AcceptBackup(const std::string& backup) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  HF_ASSIGN_OR_RETURN(
      const int64_t known,
      session->Execute("UPDATE backups SET suspect = 0 WHERE backup = ?", {backup}));
  if (known != 0) return Ok();
  return BackupNotFound(backup);
}

Result<std::vector<VerificationRecord>> SqlCatalog::ListVerifications(const std::string& backup) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  std::vector<VerificationRecord> records;
  HF_RETURN_IF_ERROR(
      session->Query("SELECT at_ms, level, passed, detail FROM verifications WHERE backup = ?"
                     " ORDER BY at_ms DESC, level DESC LIMIT 1000",
                     {backup}, [&](const SqlRow& row) -> Status {
                       records.push_back({.backup = backup,
                                          .at_ms = row.Int(0),
                                          .level = static_cast<VerifyLevel>(row.Int(1)),
                                          .passed = row.Int(2) != 0,
                                          .detail = row.Text(3)});
                       return Ok();
                     }));
  return records;
}

}  // namespace holdfast::catalog
