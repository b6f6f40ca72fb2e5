#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "restore/plan.h"

namespace holdfast::restore {

namespace {

constexpr size_t kSuggestionsMax = 5;

bool IsNamed(const TableRef& source, const TableRef& object) {
  return object.project == source.project && object.dataset == source.dataset &&
         (source.table.empty() || object.table == source.table) &&
         (source.partition.empty() || object.partition == source.partition);
}

// The backups that `run` found in place for what is named: an object that failed in that run counts
// with its newest good backup before it.
Result<std::vector<catalog::BackupRecord>> SetOfRun(catalog::Catalog& catalog,
                                                    const TableRef& source, const Run& run) {
  std::vector<catalog::BackupRecord> records;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<ItemOutcome>(
      [&](const std::string& token) { return catalog.ListOutcomes(run.id, token); },
      [&](ItemOutcome&& item) -> Status {
        if (item.object.table.empty() || !IsNamed(source, item.object)) return Ok();
        if (item.outcome == Outcome::kVanished || item.outcome == Outcome::kUnsupported)
          return Ok();
        if (item.backup.empty()) {
          HF_ASSIGN_OR_RETURN(auto latest,
                              catalog::LatestGood(catalog, item.object, run.finished_ms));
          if (latest) records.push_back(*std::move(latest));
          return Ok();
        }
        auto record = catalog::GetBackup(catalog, item.backup);
        if (record.ok()) {
          records.push_back(*std::move(record));
        } else if (record.error().code != Code::kNotFound) {
          return record.error();
        }
        return Ok();
      }));
  return records;
}

// Without runs (the catalog was rebuilt from manifests): the newest good backup of each object.
Result<std::vector<catalog::BackupRecord>> NewestOfEach(catalog::Catalog& catalog,
                                                        const RestoreRequest& request) {
  catalog::BackupFilter filter{.project = request.source.project,
                               .dataset = request.source.dataset,
                               .table = request.source.table,
                               .as_of_ms = request.as_of_ms,
                               .good_only = true,
                               .newest_only = true};
  if (!request.source.partition.empty()) filter.partition = request.source.partition;
  std::vector<catalog::BackupRecord> records;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return catalog.FindBackups(filter, token); },
      [&](catalog::BackupRecord&& record) -> Status {
        records.push_back(std::move(record));
        return Ok();
      }));
  return records;
}

// Tables of the same dataset, or datasets of the same project, that do have backups.
Result<std::string> Nearest(catalog::Catalog& catalog, const TableRef& source) {
  std::set<std::string> names;
  for (const bool same_dataset : {true, false}) {
    const catalog::BackupFilter filter{.project = source.project,
                                       .dataset = same_dataset ? source.dataset : "",
                                       .newest_only = true};
    HF_ASSIGN_OR_RETURN(const auto page, catalog.FindBackups(filter, ""));
    for (const catalog::BackupRecord& record : page.items) {
      names.insert(record.object.WholeTable().ToString());
    }
    if (!names.empty()) break;
  }
  std::string text;
  size_t count = 0;
  for (const std::string& name : names) {
    if (count++ == kSuggestionsMax) break;
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

}  // namespace

Result<std::vector<catalog::BackupRecord>> Select(catalog::Catalog& catalog,
                                                  const RestoreRequest& request) {
  if (!request.backup.empty()) {
    HF_ASSIGN_OR_RETURN(catalog::BackupRecord record, catalog::GetBackup(catalog, request.backup));
    return std::vector{std::move(record)};
  }
  std::string token;
  do {
    HF_ASSIGN_OR_RETURN(const auto page, catalog.ListRuns(false, token));
    for (const Run& run : page.items) {
      if (run.state != RunState::kFinished) continue;
      if (request.as_of_ms && run.started_ms > *request.as_of_ms) continue;
      HF_ASSIGN_OR_RETURN(auto records, SetOfRun(catalog, request.source, run));
      if (!records.empty()) return records;
    }
    token = page.next_page_token;
  } while (!token.empty());

  HF_ASSIGN_OR_RETURN(auto records, NewestOfEach(catalog, request));
  if (!records.empty()) return records;
  HF_ASSIGN_OR_RETURN(const std::string nearest, Nearest(catalog, request.source));
  const std::string name = request.source.table.empty() ? request.source.dataset_ref().ToString()
                                                        : request.source.ToString();
  return MakeError(ErrorId::kNothingToRestore,
                   fmt::format("there is no good backup of {}{}", name,
                               request.as_of_ms ? " at or before that time" : ""),
                   nearest.empty() ? "" : "There are backups of: " + nearest);
}

}  // namespace holdfast::restore
