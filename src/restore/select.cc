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

bool IsPattern(const std::string& text) { return text.find_first_of("*?") != text.npos; }

// What a name without a pattern means, from a dataset down; nullopt: a project, or a pattern.
std::optional<TableRef> NamedBy(const std::string& text) {
  if (IsPattern(text)) return std::nullopt;
  if (auto table = ParseTableRef(text); table.ok()) return *table;
  const auto dataset = ParseDatasetRef(text);
  if (!dataset.ok()) return std::nullopt;
  return TableRef{dataset->project, dataset->dataset, "", ""};
}

// The datasets that the scope may cover of which the catalog has a backup, or of which a run tells:
// the newest that looked at everything and those after it.
Result<std::set<DatasetRef>> DatasetsOf(catalog::Catalog& catalog, RunHistory& history,
                                        const Scope& scope, const RestoreRequest& request) {
  std::set<DatasetRef> datasets;
  const auto add = [&](const TableRef& object) {
    const DatasetRef dataset = object.dataset_ref();
    if (!dataset.dataset.empty() && scope.MayCoverDataset(dataset)) datasets.insert(dataset);
  };
  HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return catalog.FindBackups({.newest_only = true}, token); },
      [&](catalog::BackupRecord&& record) -> Status {
        add(record.object);
        return Ok();
      }));
  for (size_t place = 0;; ++place) {
    HF_ASSIGN_OR_RETURN(const Run* run, history.At(place));
    if (run == nullptr) return datasets;
    if (run->state != RunState::kFinished) continue;
    if (request.as_of_ms && run->started_ms > *request.as_of_ms) continue;
    const std::string id = run->id;
    const bool is_of_all = run->policy.scope.include.empty();
    HF_RETURN_IF_ERROR(cloud::ForEachPage<ItemOutcome>(
        [&](const std::string& token) { return catalog.ListOutcomes(id, token); },
        [&](ItemOutcome&& item) -> Status {
          if (item.outcome != Outcome::kVanished) add(item.object);
          return Ok();
        }));
    if (is_of_all) return datasets;
  }
}

// Adds what is not there yet.
void Append(Selection more, Selection& selection) {
  std::set<TableRef> known;
  for (const SelectedBackup& chosen : selection.backups) known.insert(chosen.record.object);
  for (const MissingObject& missing : selection.missing) known.insert(missing.object);
  for (SelectedBackup& chosen : more.backups) {
    if (known.insert(chosen.record.object).second) selection.backups.push_back(std::move(chosen));
  }
  for (MissingObject& missing : more.missing) {
    if (known.insert(missing.object).second) selection.missing.push_back(std::move(missing));
  }
  for (std::string& note : more.notes) {
    if (std::ranges::find(selection.notes, note) == selection.notes.end()) {
      selection.notes.push_back(std::move(note));
    }
  }
}

// Everything by its name is asked for by itself, as if it were the only one; patterns and projects
// by dataset.
Result<Selection> SelectScope(catalog::Catalog& catalog, const RestoreRequest& request) {
  const Scope& scope = *request.scope;
  RunHistory history(catalog);
  Selection selection;
  const auto ask = [&](const TableRef& source, const Scope& within, bool is_named) -> Status {
    HF_ASSIGN_OR_RETURN(Selection more, SelectSource(catalog, history,
                                                     {.source = source,
                                                      .as_of_ms = request.as_of_ms,
                                                      .include_deleted = request.include_deleted,
                                                      .within = &within,
                                                      .also_if_gone = is_named}));
    Append(std::move(more), selection);
    return Ok();
  };
  const Scope but_excluded{.include = {}, .exclude = scope.exclude};
  Scope patterns = but_excluded;
  for (const std::string& text : scope.include) {
    const auto named = NamedBy(text);
    if (!named) {
      patterns.include.push_back(text);
    } else if (scope.PartitionsOf(*named).empty()) {
      HF_RETURN_IF_ERROR(ask(*named, but_excluded, true));
    }
  }
  for (const TableRef& partition : scope.partitions) {
    HF_RETURN_IF_ERROR(ask(partition, but_excluded, true));
  }
  if (patterns.include.empty() && !scope.include.empty()) return selection;
  HF_ASSIGN_OR_RETURN(const auto datasets, DatasetsOf(catalog, history, patterns, request));
  for (const DatasetRef& dataset : datasets) {
    HF_RETURN_IF_ERROR(ask({dataset.project, dataset.dataset, "", ""}, patterns, false));
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

// What of the names and patterns of a scope met nothing at all; empty: each met something.
std::vector<std::string> Unmet(const Scope& scope, const Selection& selection) {
  std::vector<TableRef> met;
  for (const SelectedBackup& chosen : selection.backups) met.push_back(chosen.record.object);
  for (const MissingObject& missing : selection.missing) met.push_back(missing.object);
  std::vector<std::string> unmet;
  for (const std::string& text : scope.include) {
    const Scope one{.include = {text}, .exclude = {}};
    const bool is_met = std::ranges::any_of(met, [&](const TableRef& object) {
      return object.table.empty() ? one.MayCoverDataset(object.dataset_ref())
                                  : one.MayCoverTable(object.WholeTable());
    });
    if (!is_met) unmet.push_back(text);
  }
  for (const TableRef& partition : scope.partitions) {
    const bool is_met = std::ranges::any_of(met, [&](const TableRef& object) {
      return object == partition || object == partition.WholeTable();
    });
    if (!is_met) unmet.push_back(partition.ToString());
  }
  return unmet;
}

// A name among several that means nothing is a slip: it is not left out in silence.
Status CheckAllMet(catalog::Catalog& catalog, const Scope& scope, const Selection& selection) {
  for (const std::string& text : Unmet(scope, selection)) {
    std::string hint = kListOrRebuild;
    if (const auto named = NamedBy(text)) {
      HF_ASSIGN_OR_RETURN(const std::string nearest, Nearest(catalog, *named));
      if (!nearest.empty()) hint = "There are backups of: " + nearest;
    }
    return MakeError(ErrorId::kNothingToRestore, "there is no backup of " + text, hint);
  }
  return Ok();
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
  if (selection.backups.empty()) return NothingToRestore(catalog, request, selection);
  if (request.scope) HF_RETURN_IF_ERROR(CheckAllMet(catalog, *request.scope, selection));
  if (request.partition_days_max) KeepLastDays(selection, *request.partition_days_max, now);
  if (selection.backups.empty()) return NothingToRestore(catalog, request, selection);
  std::ranges::sort(selection.missing, {}, &MissingObject::object);
  return selection;
}

}  // namespace holdfast::restore
