#include "restore/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/clock.h"
#include "base/hash.h"
#include "restore/mapping.h"

namespace holdfast::restore {

namespace {

std::string PlanHash(const std::vector<TableRestore>& tables) {
  std::string text;
  for (const TableRestore& table : tables) {
    text += table.source.ToString() + "\n" + table.target.ToString() + "\n";
    for (const catalog::BackupRecord& backup : table.backups) text += backup.backup + "\n";
    if (table.finished) text += "finished\n";
  }
  return Sha256Hex(text).substr(0, 16);
}

Json JobsToJson(const JobCounts& jobs) {
  return {{"load", jobs.load}, {"copy", jobs.copy}, {"extract", jobs.extract}};
}

Json QuotasToJson(const std::vector<QuotaNeed>& quotas) {
  Json list = Json::array();
  for (const QuotaNeed& need : quotas) {
    list.push_back(
        {{"of", need.of}, {"quota", need.quota}, {"needed", need.needed}, {"limit", need.limit}});
  }
  return list;
}

Json ConflictsToJson(const std::vector<Conflict>& conflicts) {
  Json list = Json::array();
  for (const Conflict& conflict : conflicts) {
    list.push_back({{"object", TargetText(conflict.object)},
                    {"error", FindError(conflict.error.id).id},
                    {"message", conflict.error.message},
                    {"hint", conflict.error.hint},
                    {"fatal", conflict.is_fatal}});
  }
  return list;
}

Json AccessChangesToJson(const std::vector<AccessChange>& changes) {
  Json list = Json::array();
  for (const AccessChange& change : changes) {
    list.push_back({{"dataset", change.dataset.ToString()}, {"change", change.what}});
  }
  return list;
}

Json TableToJson(const TableRestore& table) {
  Json backups = Json::array();
  for (const catalog::BackupRecord& backup : table.backups) {
    backups.push_back(
        {{"backup", backup.backup},
         {"object", backup.object.ToString()},
         {"consistent_through", FormatTimestamp(FromUnixMillis(backup.consistent_through_ms))},
         {"rows", std::to_string(backup.rows)}});
  }
  return {{"source", table.source.ToString()},
          {"target", table.target.ToString()},
          {"kind", ObjectKindName(table.backups.front().kind)},
          {"rows", std::to_string(table.rows)},
          {"bytes", std::to_string(table.bytes)},
          {"backups", std::move(backups)},
          {"notes", table.notes},
          {"finished", table.finished},
          {"exists", table.before.exists},
          {"jobs", JobsToJson(table.jobs)}};
}

// Tables first; what has no data is made from its definition (definitions.h tells when).
bool ComesBefore(const TableRestore& a, const TableRestore& b) {
  const bool a_has_data = !IsDefinitionOnly(a.backups.front().kind);
  const bool b_has_data = !IsDefinitionOnly(b.backups.front().kind);
  return a_has_data != b_has_data ? a_has_data : a.target < b.target;
}

}  // namespace

RestorePlan PlanOf(const RestoreRequest& request, std::vector<TableRestore> tables,
                   std::vector<MissingObject> missing, std::vector<std::string> notes) {
  RestorePlan plan{.key = RequestKey(request),
                   .tables = std::move(tables),
                   .missing = std::move(missing),
                   .notes = std::move(notes)};
  for (TableRestore& table : plan.tables) {
    std::ranges::sort(table.backups, {}, &catalog::BackupRecord::object);
    table.rows = table.bytes = 0;
    for (const catalog::BackupRecord& backup : table.backups) {
      table.rows += backup.rows;
      table.bytes += backup.stored_bytes;
    }
    plan.rows += table.rows;
    plan.bytes += table.bytes;
  }
  std::ranges::sort(plan.tables, ComesBefore);
  plan.hash = PlanHash(plan.tables);
  return plan;
}

Result<RestorePlan> MakePlan(const RestoreRequest& request, const Selection& selection) {
  HF_RETURN_IF_ERROR(ValidateRequest(request));
  std::map<TableRef, TableRestore> by_source;
  for (const SelectedBackup& selected : selection.backups) {
    const catalog::BackupRecord& backup = selected.record;
    TableRestore& table = by_source[backup.object.WholeTable()];
    table.source = backup.object.WholeTable();
    table.target = TargetOf(request, table.source);
    table.backups.push_back(backup);
    if (!selected.note.empty()) {
      table.notes.push_back(backup.object.ToString() + ": " + selected.note);
    }
  }
  if (by_source.empty()) {
    return MakeError(ErrorId::kNothingToRestore, "no backup was selected");
  }
  if (by_source.size() > 1 && !request.to_table.empty()) {
    return MakeError(ErrorId::kInvalidName,
                     "one table name was given for the target of several tables");
  }
  for (const auto& [source, table] : by_source) {
    const bool partitioned = !table.backups.front().object.partition.empty();
    const auto other =
        std::ranges::find_if(table.backups, [&](const catalog::BackupRecord& backup) {
          return backup.object.partition.empty() == partitioned;
        });
    if (other == table.backups.end()) continue;
    return MakeError(ErrorId::kTargetAmbiguous,
                     fmt::format("backups of {} as a whole and of its partitions were selected: "
                                 "together they would give rows twice",
                                 source.ToString()),
                     "Restore the partition by itself, into a table of its own (--to-table)");
  }
  std::vector<TableRestore> tables;
  for (auto& [source, table] : by_source) tables.push_back(std::move(table));
  HF_RETURN_IF_ERROR(CheckTargetsApart(tables));
  return PlanOf(request, std::move(tables), selection.missing, selection.notes);
}

Json RestorePlan::ToJson() const {
  Json list = Json::array();
  for (const TableRestore& table : tables) list.push_back(TableToJson(table));
  Json lacking = Json::array();
  for (const MissingObject& object : missing) lacking.push_back(object.ToJson());
  Json json = {{"plan", hash},
               {"tables", std::move(list)},
               {"missing", std::move(lacking)},
               {"notes", notes},
               {"rows", std::to_string(rows)},
               {"bytes", std::to_string(bytes)},
               {"jobs", JobsToJson(jobs)},
               {"quotas", QuotasToJson(quotas)},
               {"estimate", {{"duration_ms", estimate_ms}}},
               {"conflicts", ConflictsToJson(conflicts)},
               {"access_changes", AccessChangesToJson(access_changes)}};
  if (resumes_ms) json["resumes"] = FormatTimestamp(FromUnixMillis(*resumes_ms));
  if (id.empty()) return json;
  json["id"] = id;
  json["created"] = FormatTimestamp(FromUnixMillis(created_ms));
  json["held_until"] = FormatTimestamp(FromUnixMillis(held_until_ms));
  return json;
}

Json RestorePlan::Summary() const {
  Json json = {{"plan", hash},      {"objects", tables.size()}, {"missing", missing.size()},
               {"rows", rows},      {"bytes", bytes},           {"jobs", JobsToJson(jobs)},
               {"request_key", key}};
  if (!id.empty()) json["id"] = id;
  return json;
}

std::string TargetText(const TableRef& target) {
  if (target.dataset.empty()) return target.project;
  return target.table.empty() ? target.dataset_ref().ToString() : target.ToString();
}

}  // namespace holdfast::restore
