#include "model/resource_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace holdfast {

namespace {

constexpr std::string_view kRoutinePrefix = "routine:";
constexpr std::string_view kDatasetName = "dataset:definition";

Error BadName(std::string_view what, std::string_view text, std::string_view wanted) {
  return MakeError(ErrorId::kInvalidName,
                   fmt::format("\"{}\" is not a {}: expected {}", text, what, wanted));
}

bool IsAsciiAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Splits "project.dataset" or "project:dataset", where the project may hold a domain with dots and
// a colon ("example.com:project"): the dataset is what follows the last separator.
bool SplitProject(std::string_view text, std::string_view& project, std::string_view& dataset) {
  const size_t at = text.find_last_of(".:");
  if (at == text.npos) return false;
  project = text.substr(0, at);
  dataset = text.substr(at + 1);
  return true;
}

}  // namespace

std::string DatasetRef::ToString() const { return project + "." + dataset; }

std::string TableRef::ToString() const {
  std::string text = project + "." + dataset + "." + table;
  if (!partition.empty()) text.append("$").append(partition);
  return text;
}

Status ValidateProjectId(std::string_view project) {
  const size_t colon = project.rfind(':');
  const std::string_view domain = colon == project.npos ? "" : project.substr(0, colon);
  const std::string_view id = colon == project.npos ? project : project.substr(colon + 1);
  const bool id_ok = !id.empty() && id.size() <= 63 && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  const bool domain_ok =
      std::ranges::all_of(domain, [](char c) { return IsAsciiAlnum(c) || c == '.' || c == '-'; });
  if (id_ok && domain_ok) return Ok();
  return BadName("project id", project, "lower-case letters, digits and dashes");
}

Status ValidateDatasetId(std::string_view dataset) {
  const bool ok = !dataset.empty() && dataset.size() <= 1024 &&
                  std::ranges::all_of(dataset, [](char c) { return IsAsciiAlnum(c) || c == '_'; });
  if (ok) return Ok();
  return BadName("dataset id", dataset, "1 to 1024 letters, digits and underscores");
}

Status ValidateTableId(std::string_view table) {
  // Bytes above 0x7F are parts of letters outside ASCII, which BigQuery allows.
  const bool ok = !table.empty() && table.size() <= 1024 && std::ranges::all_of(table, [](char c) {
    return IsAsciiAlnum(c) || c == '_' || c == '-' || c == ' ' ||
           (static_cast<unsigned char>(c) & 0x80U) != 0;
  });
  if (ok) return Ok();
  return BadName("table id", table,
                 "1 to 1024 bytes of letters, digits, dashes, underscores or spaces");
}

Status ValidateRoutineId(std::string_view routine) {
  const bool ok = !routine.empty() && routine.size() <= 256 &&
                  std::ranges::all_of(routine, [](char c) { return IsAsciiAlnum(c) || c == '_'; });
  if (ok) return Ok();
  return BadName("routine id", routine, "1 to 256 letters, digits and underscores");
}

std::string MakeReservedName(const ReservedName& name) {
  return name.routine.empty() ? std::string(kDatasetName)
                              : std::string(kRoutinePrefix) + name.routine;
}

std::optional<ReservedName> ParseReservedName(std::string_view table) {
  if (table == kDatasetName) return ReservedName{};
  if (!table.starts_with(kRoutinePrefix)) return std::nullopt;
  const std::string_view routine = table.substr(kRoutinePrefix.size());
  if (!ValidateRoutineId(routine).ok()) return std::nullopt;
  return ReservedName{.routine = std::string(routine)};
}

TableRef DatasetObject(const DatasetRef& dataset) {
  return {dataset.project, dataset.dataset, MakeReservedName({}), {}};
}

TableRef RoutineObject(const DatasetRef& dataset, std::string_view routine) {
  return {
      dataset.project, dataset.dataset, MakeReservedName({.routine = std::string(routine)}), {}};
}

Result<DatasetRef> ParseDatasetRef(std::string_view text) {
  std::string_view project;
  std::string_view dataset;
  if (!SplitProject(text, project, dataset)) return BadName("dataset", text, "project.dataset");
  HF_RETURN_IF_ERROR(ValidateProjectId(project));
  HF_RETURN_IF_ERROR(ValidateDatasetId(dataset));
  return DatasetRef{std::string(project), std::string(dataset)};
}

Result<TableRef> ParseTableRef(std::string_view text) {
  std::string_view name = text;
  std::string_view partition;
  if (const size_t dollar = name.rfind('$'); dollar != name.npos) {
    partition = name.substr(dollar + 1);
    name = name.substr(0, dollar);
    if (partition.empty()) return BadName("table", text, "a partition id after '$'");
  }
  const size_t dot = name.rfind('.');
  std::string_view project;
  std::string_view dataset;
  if (dot == name.npos || !SplitProject(name.substr(0, dot), project, dataset)) {
    return BadName("table", text, "project.dataset.table");
  }
  const std::string_view table = name.substr(dot + 1);
  HF_RETURN_IF_ERROR(ValidateProjectId(project));
  HF_RETURN_IF_ERROR(ValidateDatasetId(dataset));
  if (!ParseReservedName(table)) {
    HF_RETURN_IF_ERROR(ValidateTableId(table));
  } else if (!partition.empty()) {
    return BadName("table", text, "no partition after a name that is not a table's");
  }
  return TableRef{std::string(project), std::string(dataset), std::string(table),
                  std::string(partition)};
}

bool MatchesGlob(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = pattern.npos;
  size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace holdfast
