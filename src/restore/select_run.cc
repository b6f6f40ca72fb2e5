#include "restore/select_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "restore/select_source.h"

namespace holdfast::restore {

namespace {

bool Covers(const Scope& scope, const TableRef& object) {
  if (object.table.empty()) {
    return object.dataset.empty() ? object.project.find('/') != std::string::npos ||
                                        scope.MayCoverProject(object.project)
                                  : scope.MayCoverDataset(object.dataset_ref());
  }
  const auto partitions = scope.PartitionsOf(object);
  return scope.MayCoverTable(object.WholeTable()) &&
         (partitions.empty() || partitions.contains(object.partition));
}

// Of several methods, the one whose copy survives most: they are in that order.
std::string BackupOf(const ItemOutcome& item) {
  for (const ItemOutcome& of_method : item.by_method) {
    if (!of_method.backup.empty()) return of_method.backup;
  }
  return item.backup;
}

class RunSelector {
 public:
  explicit RunSelector(catalog::Catalog& catalog) : catalog_(catalog) {}

  Status Take(const ItemOutcome& item) {
    if (item.outcome == Outcome::kVanished) return Ok();
    const std::string backup = BackupOf(item);
    if (backup.empty()) {
      if (item.outcome == Outcome::kExcluded) return Ok();
      return Miss(item.object, item.reason, item.outcome == Outcome::kUnsupported);
    }
    auto record = catalog::GetBackup(catalog_, backup);
    if (!record.ok() && record.error().code != Code::kNotFound) return record.error();
    if (!record.ok()) {
      return Miss(item.object, fmt::format("its backup {} is not there any more", backup), false);
    }
    if (!record->IsGood()) {
      return Miss(item.object, fmt::format("its backup {} {}", backup, WhyNotGood(*record)), false);
    }
    selection_.backups.push_back({.record = *std::move(record), .note = {}});
    return Ok();
  }

  Selection Done() {
    std::ranges::sort(selection_.missing, {}, &MissingObject::object);
    return std::move(selection_);
  }

 private:
  Status Miss(const TableRef& object, const std::string& reason, bool unsupported) {
    MissingObject missing{.object = object, .reason = reason, .unsupported = unsupported};
    if (!unsupported && !object.table.empty()) {
      HF_ASSIGN_OR_RETURN(const auto good, catalog::LatestGood(catalog_, object));
      if (good) missing.before_ms = good->consistent_through_ms;
    }
    selection_.missing.push_back(std::move(missing));
    return Ok();
  }

  catalog::Catalog& catalog_;
  Selection selection_;
};

}  // namespace

Result<Selection> SelectRun(catalog::Catalog& catalog, const std::string& run, const Scope& scope) {
  HF_ASSIGN_OR_RETURN(const Run found, catalog.GetRun(run));
  RunSelector selector(catalog);
  HF_RETURN_IF_ERROR(cloud::ForEachPage<ItemOutcome>(
      [&](const std::string& token) { return catalog.ListOutcomes(run, token); },
      [&](ItemOutcome&& item) { return Covers(scope, item.object) ? selector.Take(item) : Ok(); }));
  Selection selection = selector.Done();
  if (found.state != RunState::kFinished) {
    selection.notes.push_back(
        fmt::format("run {} has not finished: what it has not come to yet is not in the set", run));
  }
  return selection;
}

}  // namespace holdfast::restore
