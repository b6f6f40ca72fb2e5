#include "restore/mapping.h"

#include <fmt/format.h>

#include <array>
#include <map>

namespace holdfast::restore {

namespace {

using Level = MapRule::Level;

struct LevelWords {
  std::string_view flag;
  std::string_view form;
};

LevelWords WordsOf(Level level) {
  switch (level) {
    case Level::kProject:
      return {"--map-project", "acme-shop:acme-restore"};
    case Level::kDataset:
      return {"--map-dataset", "acme-shop.sales:acme-restore.sales_rescued"};
    case Level::kTable:
      break;
  }
  return {"--map-table", "acme-shop.sales.orders:acme-restore.sales.orders_rescued"};
}

Error Malformed(Level level, const std::string& text, const std::string& why) {
  const LevelWords words = WordsOf(level);
  return MakeError(ErrorId::kUsage, fmt::format("{} \"{}\": {}", words.flag, text, why),
                   fmt::format("Give what becomes what: {} {}", words.flag, words.form));
}

// The name with as many parts as the level has; those in front that are left out are empty. Cut
// from the back: the project of a domain has dots in it.
Result<TableRef> NameOf(Level level, std::string text) {
  TableRef name;
  std::array<std::string*, 3> parts = {&name.project, &name.dataset, &name.table};
  for (size_t i = static_cast<size_t>(level);; --i) {
    const size_t dot = i == 0 ? text.npos : text.rfind('.');
    *parts[i] = dot == text.npos ? text : text.substr(dot + 1);
    if (dot == text.npos) break;
    text.resize(dot);
  }
  if (!name.project.empty()) HF_RETURN_IF_ERROR(ValidateProjectId(name.project));
  if (!name.dataset.empty()) HF_RETURN_IF_ERROR(ValidateDatasetId(name.dataset));
  if (!name.table.empty() && !ParseReservedName(name.table)) {
    HF_RETURN_IF_ERROR(ValidateTableId(name.table));
  }
  return name;
}

bool Fits(const MapRule& rule, const TableRef& source) {
  if (rule.from.project != source.project) return false;
  if (rule.level == Level::kProject) return true;
  if (rule.from.dataset != source.dataset) return false;
  return rule.level == Level::kDataset || rule.from.table == source.table;
}

}  // namespace

Result<MapRule> ParseMapRule(Level level, const std::string& text) {
  const char separator = text.find('=') == text.npos ? ':' : '=';
  const size_t at = text.rfind(separator);
  if (at == text.npos || at == 0 || at + 1 == text.size()) {
    return Malformed(level, text, "there are not two names");
  }
  MapRule rule{.level = level};
  HF_ASSIGN_OR_RETURN(rule.from, NameOf(level, text.substr(0, at)));
  HF_ASSIGN_OR_RETURN(rule.to, NameOf(level, text.substr(at + 1)));
  const bool whole = !rule.from.project.empty() &&
                     (level == Level::kProject || !rule.from.dataset.empty()) &&
                     (level != Level::kTable || !rule.from.table.empty());
  if (!whole) return Malformed(level, text, "the first name is not whole");
  if (!rule.to.table.empty() && ParseReservedName(rule.to.table) &&
      !ParseReservedName(rule.from.table)) {
    return Malformed(level, text, "a table does not become a routine or a dataset");
  }
  return rule;
}

std::string MapRuleFlag(const MapRule& rule) {
  const auto text = [](const TableRef& name) {
    std::string joined;
    for (const std::string* part : {&name.project, &name.dataset, &name.table}) {
      if (!part->empty()) joined += (joined.empty() ? "" : ".") + *part;
    }
    return joined;
  };
  return fmt::format("{} '{}={}'", WordsOf(rule.level).flag, text(rule.from), text(rule.to));
}

TableRef TargetOf(const RestoreRequest& request, const TableRef& source) {
  TableRef target = source.WholeTable();
  if (!request.to_project.empty()) target.project = request.to_project;
  if (!request.to_dataset.empty()) target.dataset = request.to_dataset;
  std::string table = request.to_table;
  for (const Level level : {Level::kProject, Level::kDataset, Level::kTable}) {
    for (const MapRule& rule : request.maps) {
      if (rule.level != level || !Fits(rule, source)) continue;
      if (!rule.to.project.empty()) target.project = rule.to.project;
      if (!rule.to.dataset.empty()) target.dataset = rule.to.dataset;
      if (!rule.to.table.empty()) table = rule.to.table;
    }
  }
  if (table.empty()) return target;
  target.table = ParseReservedName(source.table) && !ParseReservedName(table)
                     ? MakeReservedName({.routine = table})
                     : table;
  return target;
}

Status CheckTargetsApart(const std::vector<TableRestore>& tables) {
  std::map<TableRef, const TableRestore*> by_target;
  std::map<DatasetRef, const TableRestore*> by_dataset;
  for (const TableRestore& table : tables) {
    const auto [other, is_new] = by_target.emplace(table.target, &table);
    if (!is_new) {
      return MakeError(
          ErrorId::kTargetAmbiguous,
          fmt::format("{} and {} would both become {}", other->second->source.ToString(),
                      table.source.ToString(), table.target.ToString()));
    }
    const auto [first, first_of_dataset] = by_dataset.emplace(table.target.dataset_ref(), &table);
    if (first_of_dataset) continue;
    const std::string& here = table.backups.front().location;
    const std::string& there = first->second->backups.front().location;
    if (here == there) continue;
    return MakeError(ErrorId::kLocationMismatch,
                     fmt::format("{} (in {}) and {} (in {}) would both go to dataset {}, and a "
                                 "dataset is in one location",
                                 first->second->source.ToString(), there, table.source.ToString(),
                                 here, table.target.dataset_ref().ToString()),
                     "Give one of them another dataset with --map-dataset or --map-table");
  }
  return Ok();
}

}  // namespace holdfast::restore
