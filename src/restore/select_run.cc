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

class RunSelector {
 public:
  RunSelector(catalog::Catalog& catalog, const Run& run) : catalog_(catalog), run_(run) {}

  // Of several methods, the first that has a good backup: they are in the order of what survives
  // more.
  Status Take(const ItemOutcome& item) {
    std::string why;
    for (const ItemOutcome& part : item.by_method.empty() ? std::vector{item} : item.by_method) {
      if (part.outcome == Outcome::kVanished || part.backup.empty()) continue;
      auto record = catalog::GetBackup(catalog_, part.backup);
      if (!record.ok() && record.error().code != Code::kNotFound) return record.error();
      if (record.ok() && record->IsGood()) {
        selection_.backups.push_back({.record = *std::move(record), .note = {}});
        return Ok();
      }
      if (why.empty()) {
        why = fmt::format("its backup {} {}", part.backup,
                          record.ok() ? WhyNotGood(*record) : "is not there any more");
      }
    }
    if (!why.empty()) return Miss(item.object, why, false);
    if (item.outcome == Outcome::kVanished || item.outcome == Outcome::kExcluded) return Ok();
    return Miss(item.object, item.reason, item.outcome == Outcome::kUnsupported);
  }

  Selection Done() {
    std::ranges::sort(selection_.missing, {}, &MissingObject::object);
    return std::move(selection_);
  }

 private:
  Status Miss(const TableRef& object, const std::string& reason, bool unsupported) {
    MissingObject missing{.object = object, .reason = reason, .unsupported = unsupported};
    if (!unsupported && !object.table.empty()) {
      HF_ASSIGN_OR_RETURN(const auto before,
                          catalog::LatestGood(catalog_, object, run_.started_ms));
      if (before) missing.before_ms = before->consistent_through_ms;
      HF_ASSIGN_OR_RETURN(missing.after_ms, FirstAfter(catalog_, object, run_.started_ms));
    }
    selection_.missing.push_back(std::move(missing));
    return Ok();
  }

  catalog::Catalog& catalog_;
  const Run& run_;
  Selection selection_;
};

}  // namespace

Result<Selection> SelectRun(catalog::Catalog& catalog, const std::string& run, const Scope& scope) {
  HF_ASSIGN_OR_RETURN(const Run found, catalog.GetRun(run));
  RunSelector selector(catalog, found);
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
