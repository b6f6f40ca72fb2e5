#include "restore/plan.h"

#include <algorithm>
#include <map>

#include "base/hash.h"

namespace holdfast::restore {

namespace {

std::string PlanHash(const std::vector<TableRestore>& tables) {
  std::string text;
  for (const TableRestore& table : tables) {
    text += table.source.ToString() + "\n" + table.target.ToString() + "\n";
    for (const catalog::BackupRecord& backup : table.backups) text += backup.backup + "\n";
  }
  return Sha256Hex(text).substr(0, 16);
}

TableRef TargetOf(const RestoreRequest& request, const TableRef& source) {
  TableRef target = source.WholeTable();
  if (!request.to_project.empty()) target.project = request.to_project;
  if (!request.to_dataset.empty()) target.dataset = request.to_dataset;
  if (!request.to_table.empty()) target.table = request.to_table;
  return target;
}

Status ValidateTarget(const TableRef& target) {
  HF_RETURN_IF_ERROR(ValidateProjectId(target.project));
  HF_RETURN_IF_ERROR(ValidateDatasetId(target.dataset));
  return ValidateTableId(target.table);
}

}  // namespace

Result<RestorePlan> MakePlan(const RestoreRequest& request,
                             const std::vector<catalog::BackupRecord>& backups) {
  std::map<TableRef, TableRestore> by_source;
  for (const catalog::BackupRecord& backup : backups) {
    TableRestore& table = by_source[backup.object.WholeTable()];
    table.source = backup.object.WholeTable();
    table.rows += backup.rows;
    table.bytes += backup.stored_bytes;
    table.backups.push_back(backup);
  }
  if (by_source.empty()) {
    return MakeError(ErrorId::kNothingToRestore, "no backup was selected");
  }
  if (by_source.size() > 1 && !request.to_table.empty()) {
    return MakeError(ErrorId::kInvalidName,
                     "one table name was given for the target of several tables");
  }
  RestorePlan plan;
  for (auto& [source, table] : by_source) {
    table.target = TargetOf(request, source);
    HF_RETURN_IF_ERROR(ValidateTarget(table.target));
    std::ranges::sort(table.backups, {}, &catalog::BackupRecord::object);
    plan.rows += table.rows;
    plan.bytes += table.bytes;
    plan.tables.push_back(std::move(table));
  }
  std::ranges::sort(plan.tables, {}, &TableRestore::target);
  plan.hash = PlanHash(plan.tables);
  return plan;
}

Json RestorePlan::ToJson() const {
  Json list = Json::array();
  for (const TableRestore& table : tables) {
    Json backups = Json::array();
    for (const catalog::BackupRecord& backup : table.backups) {
      backups.push_back({{"backup", backup.backup},
                         {"object", backup.object.ToString()},
                         {"rows", std::to_string(backup.rows)}});
    }
    list.push_back({{"source", table.source.ToString()},
                    {"target", table.target.ToString()},
                    {"rows", std::to_string(table.rows)},
                    {"bytes", std::to_string(table.bytes)},
                    {"backups", std::move(backups)}});
  }
  return {{"plan", hash},
          {"tables", std::move(list)},
          {"rows", std::to_string(rows)},
          {"bytes", std::to_string(bytes)}};
}

}  // namespace holdfast::restore
