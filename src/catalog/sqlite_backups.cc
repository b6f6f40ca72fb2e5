// The backup index of the SQLite catalog.
#include <fmt/format.h>

#include "catalog/record_json.h"
#include "catalog/sqlite_catalog.h"
#include "catalog/sqlite_database.h"

namespace holdfast::catalog {

namespace {

constexpr size_t kPageSize = 1000;
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

// That no newer backup of the object matches what can tell two of its backups apart. Looked up for
// each row, by the index: a ranking would read all that is left of the listing for every page.
void AddIsNewest(const BackupFilter& filter, const std::string& id_end, Conditions& conditions) {
  std::string newer =
      "NOT EXISTS (SELECT 1 FROM backups AS newer WHERE newer.project = backups.project"
      " AND newer.dataset = backups.dataset AND newer.table_id = backups.table_id"
      " AND newer.partition = backups.partition"
      " AND (newer.consistent_through_ms, newer.backup) >"
      " (backups.consistent_through_ms, backups.backup)";
  if (filter.good_only) newer += " AND newer.suspect = 0";
  if (filter.good_only || filter.intact_only) newer += " AND newer.damaged_level = 0";
  std::vector<SqlValue> values;
  if (!filter.run.empty()) {
    newer += " AND newer.run = ?";
    values.emplace_back(filter.run);
  }
  if (filter.method) {
    newer += " AND json_extract(newer.record, '$.method') = ?";
    values.emplace_back(MethodName(*filter.method));
  }
  if (!filter.id_prefix.empty()) {
    newer += " AND newer.backup >= ? AND newer.backup < ?";
    values.emplace_back(filter.id_prefix);
    values.emplace_back(id_end);
  }
  if (filter.as_of_ms) {
    newer += " AND newer.consistent_through_ms <= ?";
    values.emplace_back(*filter.as_of_ms);
  }
  conditions.Add(newer + ")", values);
}

// `id_end` and `key` hold what is bound, and must outlive the conditions.
Conditions ConditionsOf(const BackupFilter& filter, const std::string& id_end, const Json& key) {
  Conditions conditions;
  conditions.AddIfSet("project = ?", filter.project);
  conditions.AddIfSet("dataset = ?", filter.dataset);
  conditions.AddIfSet("table_id = ?", filter.table);
  conditions.AddIfSet("table_id >= ?", filter.table_from);
  conditions.AddIfSet("table_id <= ?", filter.table_through);
  if (filter.partition) conditions.Add("partition = ?", {*filter.partition});
  conditions.AddIfSet("run = ?", filter.run);
  if (filter.method) {
    conditions.Add("json_extract(record, '$.method') = ?", {MethodName(*filter.method)});
  }
  if (!filter.id_prefix.empty()) {
    conditions.Add("backup >= ? AND backup < ?", {filter.id_prefix, id_end});
  }
  if (filter.as_of_ms) conditions.Add("consistent_through_ms <= ?", {*filter.as_of_ms});
  if (filter.good_only) conditions.Add("suspect = 0 AND damaged_level = 0", {});
  if (filter.intact_only) conditions.Add("damaged_level = 0", {});
  if (filter.newest_only) AddIsNewest(filter, id_end, conditions);
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

std::string SelectOf(const std::string& where) {
  constexpr std::string_view kColumns =
      "record, verified_level, verified_ms, damaged_level, suspect";
  constexpr std::string_view kOrder =
      "project, dataset, table_id, partition, consistent_through_ms DESC, backup DESC";
  return fmt::format("SELECT {} FROM backups{} ORDER BY {} LIMIT {}", kColumns, where, kOrder,
                     kPageSize);
}

Result<BackupRecord> RecordOfRow(const SqlRow& row) {
  HF_ASSIGN_OR_RETURN(BackupRecord record, BackupRecordFromText(row.Text(0)));
  record.verified = static_cast<VerifyLevel>(row.Int(1));
  record.verified_ms = row.Int(2);
  record.damaged = row.Int(3) != 0;
  if (row.Int(4) == 0) record.suspect.clear();  // it was accepted
  return record;
}

// A verification that failed marks the backup until one of that level or a higher one passes. One
// that read every row and found the manifest's content (kL2) speaks for the backup as well as a
// comparison of a restored table (kL3) does, which sees what happened to that table too.
static_assert(static_cast<int>(VerifyLevel::kL2) == 3 && static_cast<int>(VerifyLevel::kL3) == 4);
constexpr std::string_view kNotePassed =
    "UPDATE backups SET verified_ms = CASE WHEN ?1 >= verified_level THEN ?2 ELSE verified_ms END,"
    " verified_level = MAX(verified_level, ?1),"
    " damaged_level = CASE WHEN ?1 >= damaged_level OR (?1 >= 3 AND damaged_level <= 4) THEN 0"
    " ELSE damaged_level END"
    " WHERE backup = ?3";
constexpr std::string_view kNoteFailed =
    "UPDATE backups SET damaged_level = MAX(damaged_level, ?1, 1) WHERE backup = ?2";

}  // namespace

Status SqliteCatalog::RecordBackup(const BackupRecord& record) {
  const std::lock_guard lock(mutex_);
  const std::string text = BackupRecordToText(record);
  HF_RETURN_IF_ERROR(database_->Execute(
      "INSERT OR IGNORE INTO backups (backup, project, dataset, table_id, partition, run,"
      " consistent_through_ms, suspect, verified_level, verified_ms, damaged_level, record)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {record.backup, record.object.project, record.object.dataset, record.object.table,
       record.object.partition, record.run, record.consistent_through_ms,
       int64_t{record.suspect.empty() ? 0 : 1}, static_cast<int64_t>(record.verified),
       record.verified_ms, int64_t{record.damaged ? 1 : 0}, text}));
  return Ok();
}

Result<cloud::Page<BackupRecord>> SqliteCatalog::FindBackups(const BackupFilter& filter,
                                                             const std::string& page_token) {
  HF_ASSIGN_OR_RETURN(const Json key, KeyOfBackups(page_token));
  const std::string id_end = filter.id_prefix + "\x7F";
  const Conditions conditions = ConditionsOf(filter, id_end, key);
  cloud::Page<BackupRecord> page;
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(database_->Query(SelectOf(conditions.text()), conditions.values(),
                                      [&](const SqlRow& row) -> Status {
                                        HF_ASSIGN_OR_RETURN(BackupRecord record, RecordOfRow(row));
                                        page.items.push_back(std::move(record));
                                        return Ok();
                                      }));
  if (page.items.size() < kPageSize) return page;
  const BackupRecord& last = page.items.back();
  page.next_page_token = TokenOf({last.object.project, last.object.dataset, last.object.table,
                                  last.object.partition, last.consistent_through_ms, last.backup});
  return page;
}

Status SqliteCatalog::RemoveBackup(const std::string& backup) {
  const std::lock_guard lock(mutex_);
  return database_->Transact([&]() -> Status {
    HF_RETURN_IF_ERROR(database_->Execute("DELETE FROM verifications WHERE backup = ?", {backup}));
    HF_RETURN_IF_ERROR(database_->Execute("DELETE FROM backups WHERE backup = ?", {backup}));
    return Ok();
  });
}

Status SqliteCatalog::RecordVerification(const VerificationRecord& record) {
  const std::lock_guard lock(mutex_);
  const auto level = static_cast<int64_t>(record.level);
  return database_->Transact([&]() -> Status {
    HF_ASSIGN_OR_RETURN(
        const int64_t added,
        database_->Execute(
            "INSERT OR IGNORE INTO verifications (backup, at_ms, level, passed,"
            " detail) SELECT ?1, ?2, ?3, ?4, ?5"
            " WHERE EXISTS (SELECT 1 FROM backups WHERE backup = ?1)",
            {record.backup, record.at_ms, level, int64_t{record.passed ? 1 : 0}, record.detail}));
    // Nothing was added: the backup is unknown, or the verification was recorded before.
    if (added == 0) {
      int64_t known = 0;
      HF_RETURN_IF_ERROR(database_->Query("SELECT COUNT(*) FROM backups WHERE backup = ?",
                                          {record.backup}, [&](const SqlRow& row) -> Status {
                                            known = row.Int(0);
                                            return Ok();
                                          }));
      if (known != 0) return Ok();
      return MakeError(ErrorId::kBackupNotFound, fmt::format("no backup {}", record.backup));
    }
    if (record.passed) {
      HF_RETURN_IF_ERROR(database_->Execute(kNotePassed, {level, record.at_ms, record.backup}));
    } else {
      HF_RETURN_IF_ERROR(database_->Execute(kNoteFailed, {level, record.backup}));
    }
    return Ok();
  });
}

Status SqliteCatalog::AcceptBackup(const std::string& backup) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(
      const int64_t known,
      database_->Execute("UPDATE backups SET suspect = 0 WHERE backup = ?", {backup}));
  if (known != 0) return Ok();
  return MakeError(ErrorId::kBackupNotFound, fmt::format("no backup {}", backup));
}

Result<std::vector<VerificationRecord>> SqliteCatalog::ListVerifications(
    const std::string& backup) {
  const std::lock_guard lock(mutex_);
  std::vector<VerificationRecord> records;
  HF_RETURN_IF_ERROR(
      database_->Query("SELECT at_ms, level, passed, detail FROM verifications WHERE backup = ?"
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
