#include "restore/method_choice.h"

#include <algorithm>
#include <set>

namespace holdfast::restore {

namespace {

// Whether a good backup speaks for its method more than another does for its own.
bool SpeaksMore(const catalog::BackupRecord& a, const catalog::BackupRecord& b) {
  if (a.run != b.run) return a.run > b.run;
  if (a.method != b.method) return a.method < b.method;
  return a.consistent_through_ms > b.consistent_through_ms;
}

}  // namespace

bool MethodChoice::NeedsNewestGood(const std::vector<catalog::BackupRecord>& newest) {
  struct Seen {
    std::set<Method> methods;
    bool all_good = true;
  };
  std::map<TableRef, Seen> tables;
  for (const catalog::BackupRecord& record : newest) {
    Seen& seen = tables[record.object.WholeTable()];
    seen.methods.insert(record.method);
    seen.all_good = seen.all_good && record.IsGood();
  }
  return std::ranges::any_of(tables, [](const auto& table) {
    return table.second.methods.size() > 1 && !table.second.all_good;
  });
}

MethodChoice::MethodChoice(const std::vector<catalog::BackupRecord>& newest,
                           const std::vector<catalog::BackupRecord>& newest_good,
                           const std::string& partition) {
  const auto is_named = [&](const catalog::BackupRecord& record) {
    return partition.empty() || record.object.partition == partition;
  };
  std::map<TableRef, const catalog::BackupRecord*> best;
  // What one list decides, the next has no say in.
  const auto decide = [&](const std::vector<catalog::BackupRecord>& records, bool good_only) {
    std::map<TableRef, const catalog::BackupRecord*> of_list;
    for (const catalog::BackupRecord& record : records) {
      if ((good_only && !record.IsGood()) || !is_named(record)) continue;
      const catalog::BackupRecord*& known = of_list[record.object.WholeTable()];
      if (known == nullptr || SpeaksMore(record, *known)) known = &record;
    }
    best.merge(of_list);
  };
  decide(newest_good, true);
  decide(newest, true);
  decide(newest, false);
  for (const auto& [table, record] : best) {
    chosen_[table] = {.method = record->method, .is_whole = record->object.partition.empty()};
  }
  std::map<TableRef, const catalog::BackupRecord*> taken;
  for (const catalog::BackupRecord& record : newest) {
    const auto chosen = chosen_.find(record.object.WholeTable());
    if (chosen == chosen_.end() || !is_named(record)) continue;
    const Method method = chosen->second.method;
    if (record.method != method && record.object.partition.empty() != chosen->second.is_whole) {
      continue;
    }
    const catalog::BackupRecord*& known = taken[record.object];
    const bool is_better =
        known == nullptr || record.method == method ||
        (known->method != method && record.consistent_through_ms > known->consistent_through_ms);
    if (is_better) known = &record;
  }
  for (const auto& [object, record] : taken) by_object_[object] = record->method;
}

bool MethodChoice::Takes(const catalog::BackupRecord& record) const {
  if (!chosen_.contains(record.object.WholeTable())) return true;
  const auto found = by_object_.find(record.object);
  return found != by_object_.end() && found->second == record.method;
}

std::optional<ItemOutcome> MethodChoice::PartOf(ItemOutcome item) const {
  const auto chosen = chosen_.find(item.object.WholeTable());
  if (chosen == chosen_.end()) return item;
  if (!item.by_method.empty()) {
    const auto part =
        std::ranges::find(item.by_method, chosen->second.method, &ItemOutcome::method);
    if (part == item.by_method.end()) return std::nullopt;
    return std::move(*part);
  }
  if (item.method && *item.method != chosen->second.method) return std::nullopt;
  return item;
}

}  // namespace holdfast::restore
