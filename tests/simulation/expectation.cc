#include "tests/simulation/expectation.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast::simulation {

void Expectation::Follow(const Run& run, const std::vector<ItemOutcome>& items,
                         const std::vector<Truth>& truths) {
  SCOPED_TRACE("run " + run.id);
  std::map<TableRef, std::vector<const ItemOutcome*>> by_table;
  std::set<TableRef> unseen;  // projects and datasets that could not be looked into
  for (const ItemOutcome& item : items) {
    if (item.object.table.empty()) {
      EXPECT_EQ(item.outcome, Outcome::kFailed) << item.object.ToString() << ": " << item.reason;
      unseen.insert(item.object);
    } else {
      by_table[item.object.WholeTable()].push_back(&item);
    }
  }
  std::set<TableRef> tables;
  for (const auto& [table, objects] : present_) tables.insert(table);
  for (const auto& [table, outcomes] : by_table) tables.insert(table);
  for (const TableRef& table : tables) {
    const bool seen = by_table.contains(table) ||
                      (!unseen.contains({.project = table.project}) &&
                       !unseen.contains({.project = table.project, .dataset = table.dataset}));
    if (seen) FollowTable(table, by_table[table], truths);
  }
}

void Expectation::FollowTable(const TableRef& table, const std::vector<const ItemOutcome*>& items,
                              const std::vector<Truth>& truths) {
  if (items.empty()) {  // it is gone
    present_.erase(table);
    uncertain_.erase(table);
    return;
  }
  const auto says = [&](Outcome outcome) {
    return std::ranges::any_of(items,
                               [&](const ItemOutcome* item) { return item->outcome == outcome; });
  };
  if (says(Outcome::kNotDue)) {
    // It came back and is not due yet: what it holds, no run has seen.
    if (!present_.contains(table)) uncertain_.insert(table);
    return;
  }
  const bool failed_whole =
      items.front()->object.partition.empty() && IsNotSaved(*items.front()) && items.size() == 1;
  if (failed_whole && present_.contains(table)) return;
  present_.erase(table);
  uncertain_.erase(table);
  if (says(Outcome::kVanished)) uncertain_.insert(table);
  for (const ItemOutcome* item : items) {
    present_[table].insert(item->object);
    FollowObject(*item, truths);
  }
}

void Expectation::FollowObject(const ItemOutcome& item, const std::vector<Truth>& truths) {
  const std::string name = item.object.ToString() + ": " + item.reason;
  if (IsNotSaved(item) || item.outcome == Outcome::kVanished) return;
  EXPECT_TRUE(item.outcome == Outcome::kBackedUp || item.outcome == Outcome::kUnchanged ||
              item.outcome == Outcome::kMetadataOnly)
      << name;
  EXPECT_FALSE(item.backup.empty()) << name;
  if (item.suspect) return;
  Good good{.backup = item.backup, .contents = {}, .definitions = {}};
  for (const Truth& truth : truths) {
    const auto& contents = of_ == Of::kSnapshots ? truth.wholes : truth.objects;
    const auto content = contents.find(item.object);
    if (content != contents.end()) good.contents.push_back(content->second);
    const auto definition = truth.definitions.find(item.object.WholeTable());
    if (definition != truth.definitions.end()) good.definitions.push_back(definition->second);
  }
  EXPECT_FALSE(good.contents.empty()) << "a backup of what never was: " << name;
  good_[item.object] = std::move(good);
}

void Expectation::ForgetRemoved(catalog::BackupIndex& index) {
  std::erase_if(good_, [&](const auto& entry) {
    const auto& [object, good] = entry;
    const auto table = present_.find(object.WholeTable());
    if (table != present_.end() && table->second.contains(object)) return false;
    const auto found = index.FindBackups({.id_prefix = good.backup}, "");
    return found.ok() && found->items.empty();
  });
}

std::vector<TableRef> Expectation::PresentIn(const DatasetRef& dataset) const {
  std::vector<TableRef> objects;
  for (const auto& [table, of_table] : present_) {
    if (table.dataset_ref() == dataset) {
      objects.insert(objects.end(), of_table.begin(), of_table.end());
    }
  }
  return objects;
}

std::string Expectation::NewestRunOf(const TableRef& table) const {
  constexpr size_t kTimeLength = std::string_view("20261121T101844Z").size();
  std::string newest;
  const auto objects = present_.find(table);
  if (objects == present_.end()) return newest;
  for (const TableRef& object : objects->second) {
    const Good* const good = GoodOf(object);
    if (good != nullptr) newest = std::max(newest, good->backup.substr(0, kTimeLength));
  }
  return newest;
}

const Good* Expectation::GoodOf(const TableRef& object) const {
  const auto found = good_.find(object);
  return found == good_.end() ? nullptr : &found->second;
}

}  // namespace holdfast::simulation
