#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/suggestion.h"
#include "restore/partition_window.h"
#include "restore/select_run.h"
#include "restore/select_source.h"
#include "restore/selection.h"

namespace holdfast::restore {

namespace {

constexpr size_t kSuggestionsMax = 5;

// The catalog is an index only: what it does not have may be in a repository.
constexpr const char* kListOrRebuild =
    "See what there is with `holdfast backup list`; if the catalog is new or was lost, "
    "`holdfast catalog rebuild` reads the repositories in again";

std::string TimeOf(int64_t ms) { return FormatTimestamp(FromUnixMillis(ms)); }

// The datasets of which the catalog has a backup that `scope` may cover.
Result<std::set<DatasetRef>> DatasetsOf(catalog::BackupIndex& index, const Scope& scope) {
  std::set<DatasetRef> datasets;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return index.FindBackups({.newest_only = true}, token); },
      [&](catalog::BackupRecord&& record) -> Status {
        const DatasetRef dataset = record.object.dataset_ref();
        if (scope.MayCoverDataset(dataset)) datasets.insert(dataset);
        return Ok();
      }));
  return datasets;
}

// Whether the scope names the dataset, or something in it, and does not just meet it by a pattern
// or by its project.
bool IsNamed(const Scope& scope, const DatasetRef& dataset) {
  const std::string name = dataset.ToString();
  return std::ranges::any_of(scope.include, [&](const std::string& pattern) {
    return pattern == name || pattern.starts_with(name + ".");
  });
}

void Append(Selection more, Selection& selection) {
  std::ranges::move(more.backups, std::back_inserter(selection.backups));
  std::ranges::move(more.missing, std::back_inserter(selection.missing));
  for (std::string& note : more.notes) {
    if (std::ranges::find(selection.notes, note) == selection.notes.end()) {
      selection.notes.push_back(std::move(note));
    }
  }
}

Result<Selection> SelectScope(catalog::Catalog& catalog, const RestoreRequest& request) {
  HF_ASSIGN_OR_RETURN(const auto datasets, DatasetsOf(catalog, *request.scope));
  RunHistory history(catalog);
  Selection selection;
  for (const DatasetRef& dataset : datasets) {
    HF_ASSIGN_OR_RETURN(Selection of_dataset,
                        SelectSource(catalog, history,
                                     {.source = {dataset.project, dataset.dataset, "", ""},
                                      .as_of_ms = request.as_of_ms,
                                      .include_deleted = request.include_deleted,
                                      .within = &*request.scope,
                                      .also_if_gone = IsNamed(*request.scope, dataset)}));
    Append(std::move(of_dataset), selection);
  }
  return selection;
}

// A scope of exactly what the source names.
Scope ScopeOf(const TableRef& source) {
  if (source.project.empty()) return {};
  Scope scope{
      .include = {source.dataset.empty() ? source.project : SourceText(source.WholeTable())},
      .exclude = {}};
  if (!source.partition.empty()) scope.partitions.insert(source);
  return scope;
}

Result<Selection> SelectLatest(catalog::Catalog& catalog, const RestoreRequest& request) {
  if (!request.run.empty()) {
    return SelectRun(catalog, request.run,
                     request.scope ? *request.scope : ScopeOf(request.source));
  }
  if (request.scope) return SelectScope(catalog, request);
  RunHistory history(catalog);
  return SelectSource(catalog, history,
                      {.source = request.source,
                       .as_of_ms = request.as_of_ms,
                       .include_deleted = request.include_deleted});
}

// A backup that is named is taken whatever it is worth, but only for what it is a backup of.
Result<Selection> SelectNamed(catalog::Catalog& catalog, const RestoreRequest& request) {
  auto found = catalog::GetBackup(catalog, request.backup);
  if (!found.ok() && found.error().id == ErrorId::kBackupNotFound) {
    return MakeError(ErrorId::kBackupNotFound, found.error().message, kListOrRebuild);
  }
  HF_ASSIGN_OR_RETURN(catalog::BackupRecord record, std::move(found));
  const TableRef& source = request.source;
  const bool unnamed = source.dataset.empty();
  if (source != record.object && !(unnamed && record.object.partition.empty())) {
    const std::string asked = unnamed ? "no table is named" : "not of " + SourceText(source);
    return MakeError(
        ErrorId::kUsage,
        fmt::format("backup {} is a backup of {}; {}", record.backup, record.object.ToString(),
                    asked),
        fmt::format("Name what it is a backup of: holdfast restore run '{}' --backup {}",
                    record.object.ToString(), record.backup));
  }
  std::string note;
  if (!record.IsGood()) note = "this backup " + WhyNotGood(record) + "; it is used as named";
  Selection selection;
  selection.backups.push_back({.record = std::move(record), .note = std::move(note)});
  return selection;
}

// Names that have backups and are near to what was asked for: first those that a slip of the
// fingers would explain, then any of the same dataset or project.
Result<std::string> Nearest(catalog::Catalog& catalog, const TableRef& source) {
  std::set<std::string> names;
  for (const bool same_dataset : {true, false}) {
    const catalog::BackupFilter filter{.project = source.project,
                                       .dataset = same_dataset ? source.dataset : "",
                                       .newest_only = true};
    HF_ASSIGN_OR_RETURN(const auto page, catalog.FindBackups(filter, ""));
    for (const catalog::BackupRecord& record : page.items) {
      names.insert(source.table.empty() ? record.object.dataset_ref().ToString()
                                        : record.object.WholeTable().ToString());
    }
    if (!names.empty()) break;
  }
  std::vector<std::string> candidates(names.begin(), names.end());
  const std::string nearest = NearestWord(SourceText(source.WholeTable()), candidates);
  std::string text = nearest;
  for (const std::string& name : candidates) {
    if (std::ranges::count(text, ',') + 1 >= static_cast<ptrdiff_t>(kSuggestionsMax)) break;
    if (name != nearest) text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

Error NothingToRestore(catalog::Catalog& catalog, const RestoreRequest& request,
                       const Selection& selection) {
  std::string message = fmt::format("there is no good backup of {}{}", SourceText(request),
                                    request.as_of_ms ? " at or before that time" : "");
  std::optional<int64_t> first_ms;
  for (const MissingObject& missing : selection.missing) {
    if (missing.after_ms) {
      first_ms = std::min(first_ms.value_or(*missing.after_ms), *missing.after_ms);
    }
  }
  if (!first_ms && request.as_of_ms && !request.source.table.empty()) {
    auto after = FirstAfter(catalog, request.source, *request.as_of_ms);
    if (!after.ok()) return std::move(after).error();
    first_ms = *after;
  }
  if (first_ms) {
    return MakeError(ErrorId::kBeforeFirstBackup,
                     fmt::format("{}; the first one is of {}", message, TimeOf(*first_ms)),
                     fmt::format("Give that time or a later one: --as-of {}", TimeOf(*first_ms)));
  }
  if (!selection.missing.empty()) {
    const MissingObject& first = selection.missing.front();
    message += fmt::format(": {}: {}", first.object.ToString(), first.reason);
    return MakeError(ErrorId::kNothingToRestore, std::move(message),
                     "See all its backups with `holdfast backup list`; one that is suspect or "
                     "damaged is restored only with --backup ID");
  }
  if (request.scope) return MakeError(ErrorId::kNothingToRestore, message, kListOrRebuild);
  const auto nearest = Nearest(catalog, request.source);
  if (!nearest.ok()) return nearest.error();
  return MakeError(ErrorId::kNothingToRestore, std::move(message),
                   nearest->empty()
                       ? kListOrRebuild
                       : fmt::format("There are backups of: {}. If there should be one of this "
                                     "as well, `holdfast catalog rebuild` reads the repositories "
                                     "in again",
                                     *nearest));
}

}  // namespace

Json MissingObject::ToJson() const {
  Json json = {{"object", object.ToString()}, {"reason", reason}, {"unsupported", unsupported}};
  if (before_ms) json["nearest_before"] = TimeOf(*before_ms);
  if (after_ms) json["nearest_after"] = TimeOf(*after_ms);
  return json;
}

Result<Selection> Select(catalog::Catalog& catalog, const RestoreRequest& request, Timestamp now) {
  if (!request.backup.empty()) return SelectNamed(catalog, request);
  HF_ASSIGN_OR_RETURN(Selection selection, SelectLatest(catalog, request));
  if (request.partition_days_max) KeepLastDays(selection, *request.partition_days_max, now);
  if (selection.backups.empty()) return NothingToRestore(catalog, request, selection);
  return selection;
}

}  // namespace holdfast::restore
