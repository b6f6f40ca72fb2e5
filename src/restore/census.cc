#include "restore/census.h"

#include <algorithm>

namespace holdfast::restore {

namespace {

// A failure to list what is above the tables: the dataset, its project, or all projects.
bool IsFailureAbove(const TableRef& source, const ItemOutcome& item) {
  if (!item.object.table.empty() || !IsUnseen(item)) return false;
  if (!item.object.dataset.empty()) return item.object.dataset_ref() == source.dataset_ref();
  const std::string& project = item.object.project;
  return project == source.project || project.find('/') != project.npos ||
         project == "organization";
}

ObjectState StateOf(const ItemOutcome& item, const Run& run) {
  ObjectState state{.object = item.object, .reason = item.reason, .seen_ms = run.started_ms};
  if (item.outcome == Outcome::kUnsupported) {
    state.presence = Presence::kUnsupported;
  } else if (item.outcome != Outcome::kFailed && !item.backup.empty()) {
    state.presence = Presence::kBackedUp;
    state.backup = item.backup;
  }
  return state;
}

}  // namespace

bool CoversWholeDataset(const Scope& scope, const DatasetRef& dataset) {
  // An include that names no part below the dataset would, as an exclude, leave nothing of it.
  const bool included =
      scope.include.empty() || std::ranges::any_of(scope.include, [&](const std::string& pattern) {
        return !Scope{.include = {}, .exclude = {pattern}}.MayCoverDataset(dataset);
      });
  return included && std::ranges::none_of(scope.exclude, [&](const std::string& pattern) {
           return Scope{.include = {pattern}, .exclude = {}}.MayCoverDataset(dataset);
         });
}

bool Census::Concerns(const TableRef& source, const Run& run) {
  const Scope& scope = run.policy.scope;
  return source.table.empty() ? scope.MayCoverDataset(source.dataset_ref())
                              : scope.CoversTable(source);
}

bool Census::Concerns(const TableRef& source, const ItemOutcome& item) {
  if (item.object.table.empty()) return IsFailureAbove(source, item);
  return item.object.dataset_ref() == source.dataset_ref() &&
         (source.table.empty() || item.object.table == source.table);
}

void Census::Add(const Run& run, const std::vector<ItemOutcome>& items) {
  if (!Concerns(source_, run)) return;
  bool looked = true;
  std::map<TableRef, std::vector<const ItemOutcome*>> by_table;
  for (const ItemOutcome& item : items) {
    if (!Concerns(source_, item)) continue;
    if (item.object.table.empty()) {
      looked = false;
    } else {
      by_table[item.object.WholeTable()].push_back(&item);
    }
  }
  for (const auto& [table, of_table] : by_table) {
    if (!tables_.contains(table) && IsGone(table, 0)) continue;
    // A run of some partitions tells nothing of the others.
    if (!run.policy.scope.CoversTable(table)) continue;
    AddTable(tables_[table], run, of_table, looked);
  }
  if (!looked) return;
  const Scope& scope = run.policy.scope;
  witnesses_.push_back({scope, run.finished_ms});
  covered_ = covered_ || !source_.table.empty() || CoversWholeDataset(scope, source_.dataset_ref());
}

Census::Layout Census::LayoutOf(const std::vector<const ItemOutcome*>& items) {
  for (const ItemOutcome* item : items) {
    if (!item->object.partition.empty()) return Layout::kPartitioned;
    if (!IsUnseen(*item) && item->outcome != Outcome::kVanished) {
      return Layout::kWhole;
    }
  }
  return Layout::kUnknown;
}

void Census::AddTable(TableCensus& table, const Run& run,
                      const std::vector<const ItemOutcome*>& items, bool looked) {
  if (table.closed) return;
  const bool is_first = table.objects.empty() && !table.failure;
  const bool vanished = std::ranges::all_of(
      items, [](const ItemOutcome* item) { return item->outcome == Outcome::kVanished; });
  // A newer run saw it: it came back, and older ones may tell what was in it.
  if (vanished && !is_first) return;
  const Layout layout = LayoutOf(items);
  if (table.layout == Layout::kUnknown) table.layout = layout;
  // Divided otherwise before: together the two would hold rows twice.
  if (layout != Layout::kUnknown && layout != table.layout) {
    table.closed = true;
    table.closed_ms = run.finished_ms;
    return;
  }
  // What is told again of a dataset that could not be looked into is not all that is in it.
  bool listed = looked;
  for (const ItemOutcome* item : items) {
    const bool was_not_saved =
        item->outcome == Outcome::kFailed || item->outcome == Outcome::kCarried;
    if (was_not_saved && item->object.partition.empty()) {
      listed = false;
      if (!table.failure) table.failure = StateOf(*item, run);
      continue;
    }
    if (IsUnseen(*item) && item->outcome != Outcome::kFailed) {
      listed = false;  // left out on purpose: an older run may tell
      continue;
    }
    std::optional<ObjectState> state;
    if (item->outcome != Outcome::kVanished) state = StateOf(*item, run);
    table.objects.try_emplace(item->object.partition, std::move(state));
    table.told_ms.try_emplace(item->object.partition, run.finished_ms);
  }
  table.closed = listed;
  if (listed) table.closed_ms = run.finished_ms;
}

bool Census::IsGone(const TableRef& table, int64_t since_ms) const {
  return std::ranges::any_of(witnesses_, [&](const Witness& witness) {
    return witness.finished_ms >= since_ms && witness.scope.CoversTable(table);
  });
}

bool Census::Knows(const TableRef& table, int64_t since_ms) const {
  return tables_.contains(table) || IsGone(table, since_ms);
}

bool Census::KnowsObject(const TableRef& object) const {
  const auto table = tables_.find(object.WholeTable());
  return table != tables_.end() && table->second.objects.contains(object.partition);
}

std::optional<int64_t> Census::ToldUntil(const TableRef& object) const {
  const auto table = tables_.find(object.WholeTable());
  if (table == tables_.end()) return std::nullopt;
  const auto told = table->second.told_ms.find(object.partition);
  if (told != table->second.told_ms.end()) return told->second;
  return table->second.closed ? std::optional(table->second.closed_ms) : std::nullopt;
}

bool Census::IsDividedAs(const TableRef& object) const {
  const auto table = tables_.find(object.WholeTable());
  if (table == tables_.end() || table->second.layout == Layout::kUnknown) return true;
  return (table->second.layout == Layout::kWhole) == object.partition.empty();
}

bool Census::IsComplete() const {
  return covered_ && std::ranges::all_of(tables_, [&](const auto& entry) {
           return entry.second.closed || !with_backups_.contains(entry.first);
         });
}

std::vector<ObjectState> Census::Objects() const {
  std::vector<ObjectState> states;
  const auto is_named = [&](const TableRef& object) {
    return source_.partition.empty() || object.partition == source_.partition;
  };
  for (const auto& [ref, table] : tables_) {
    for (const auto& [partition, state] : table.objects) {
      if (!state || !is_named(state->object)) continue;
      states.push_back(*state);
      if (table.failure && state->seen_ms < table.failure->seen_ms) {
        states.back().later_failure = table.failure->reason;
      }
    }
    if (table.closed || !table.failure) continue;
    // No run tells all that it consists of.
    states.push_back(*table.failure);
  }
  return states;
}

}  // namespace holdfast::restore
