#include "retain/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

#include "base/json_elements.h"

namespace holdfast::retain {

namespace {

constexpr std::array<std::string_view, 4> kStateNames = {"good", "suspect", "damaged", "failed"};
constexpr std::array<std::string_view, 10> kMembers = {
    "object",          "id",   "time",
    "state",           "rows", "bytes",
    "pinned",          "held", "source_deleted_at",
    "source_last_seen"};

// One element of the array: a backup with what it says of its object.
struct ParsedEntry {
  std::string object;
  HistoryEntry backup;
  std::optional<Timestamp> source_deleted_at;
  std::optional<Timestamp> source_last_seen;
};

Result<std::optional<Timestamp>> OptionalTime(const Json& json, std::string_view name) {
  HF_ASSIGN_OR_RETURN(const auto text, OptionalString(json, name));
  if (!text) return std::optional<Timestamp>();
  auto time = ParseTimestamp(*text);
  if (!time.ok()) {
    return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\": {}", name, time.error().message));
  }
  return std::optional(*time);
}

Result<int64_t> OptionalCount(const Json& json, std::string_view name) {
  HF_ASSIGN_OR_RETURN(const auto count, OptionalInt64(json, name));
  if (count && *count < 0) {
    return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is negative", name));
  }
  return count.value_or(0);
}

Result<BackupState> StateOf(const Json& json) {
  HF_ASSIGN_OR_RETURN(const auto name, OptionalString(json, "state"));
  if (!name) return BackupState::kGood;
  const auto* const found = std::ranges::find(kStateNames, *name);
  if (found == kStateNames.end()) {
    return MakeError(
        ErrorId::kInvalidJson,
        fmt::format("\"state\" is \"{}\": expected good, suspect, damaged or failed", *name));
  }
  return static_cast<BackupState>(found - kStateNames.begin());
}

Status CheckMembers(const Json& json) {
  if (!json.is_object()) return MakeError(ErrorId::kInvalidJson, "is not an object");
  for (const auto& [name, value] : json.items()) {
    if (std::ranges::find(kMembers, name) == kMembers.end()) {
      return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is not a member of it", name));
    }
  }
  return Ok();
}

Result<ParsedEntry> ParseEntry(const Json& json) {
  HF_RETURN_IF_ERROR(CheckMembers(json));
  ParsedEntry entry;
  HF_ASSIGN_OR_RETURN(entry.object, RequiredString(json, "object"));
  HF_ASSIGN_OR_RETURN(entry.backup.id, RequiredString(json, "id"));
  HF_RETURN_IF_ERROR(RequiredString(json, "time"));
  HF_ASSIGN_OR_RETURN(const auto time, OptionalTime(json, "time"));
  entry.backup.time = *time;
  HF_ASSIGN_OR_RETURN(entry.backup.state, StateOf(json));
  HF_ASSIGN_OR_RETURN(entry.backup.rows, OptionalCount(json, "rows"));
  HF_ASSIGN_OR_RETURN(entry.backup.bytes, OptionalCount(json, "bytes"));
  HF_ASSIGN_OR_RETURN(const auto pinned, OptionalBool(json, "pinned"));
  HF_ASSIGN_OR_RETURN(const auto held, OptionalBool(json, "held"));
  entry.backup.pinned = pinned.value_or(false);
  entry.backup.held = held.value_or(false);
  HF_ASSIGN_OR_RETURN(entry.source_deleted_at, OptionalTime(json, "source_deleted_at"));
  HF_ASSIGN_OR_RETURN(entry.source_last_seen, OptionalTime(json, "source_last_seen"));
  return entry;
}

// What was read of one object: its history, and which entries of the array its backups were.
struct ReadObject {
  ObjectHistory history;
  std::vector<uint32_t> numbers;  // by backup
  size_t newest = 0;              // the backup that says what became of the source

  void Add(size_t number, ParsedEntry&& entry) {
    const auto is_newer = [](const HistoryEntry& a, const HistoryEntry& b) {
      return std::tie(a.time, a.id) > std::tie(b.time, b.id);
    };
    if (history.backups.empty() || is_newer(entry.backup, history.backups[newest])) {
      newest = history.backups.size();
      history.source_deleted_at = entry.source_deleted_at;
      history.source_last_seen = entry.source_last_seen;
    }
    history.backups.push_back(std::move(entry.backup));
    numbers.push_back(static_cast<uint32_t>(number));
  }

  // The first of its entries whose id came before, as its place among them; nullopt: there is none.
  std::optional<size_t> FindRepeated() const {
    std::vector<size_t> order(history.backups.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::sort(order, [&](size_t a, size_t b) {
      return std::tie(history.backups[a].id, a) < std::tie(history.backups[b].id, b);
    });
    std::optional<size_t> first;
    for (size_t i = 1; i < order.size(); ++i) {
      if (history.backups[order[i]].id != history.backups[order[i - 1]].id) continue;
      if (!first || order[i] < *first) first = order[i];
    }
    return first;
  }
};

}  // namespace

std::string_view BackupStateName(BackupState state) {
  return kStateNames[static_cast<size_t>(state)];
}

Result<std::vector<ObjectHistory>> ParseHistories(std::string_view text, JsonLimits limits) {
  std::map<std::string, ReadObject, std::less<>> objects;
  size_t fault_at = std::numeric_limits<size_t>::max();  // the number of the entry
  Status fault;
  const auto take = [&](size_t number, Json&& json) {
    if (!fault.ok()) return;
    auto entry = ParseEntry(json);
    if (entry.ok()) {
      ReadObject& object = objects[entry->object];
      object.Add(number, *std::move(entry));
    } else {
      fault_at = number;
      fault = entry.error().WithContext(fmt::format("entry {} of the history", number));
    }
  };
  HF_RETURN_IF_ERROR(ForEachElement(text, limits, take));
  for (const auto& [object, read] : objects) {
    const auto repeated = read.FindRepeated();
    if (!repeated || read.numbers[*repeated] >= fault_at) continue;
    fault_at = read.numbers[*repeated];
    fault = MakeError(ErrorId::kInvalidJson,
                      fmt::format("entry {} of the history: the id \"{}\" comes twice in {}",
                                  fault_at, read.history.backups[*repeated].id, object));
  }
  if (!fault.ok()) return fault.error();
  std::vector<ObjectHistory> histories;
  histories.reserve(objects.size());
  for (auto& [object, read] : objects) {
    read.history.object = object;
    histories.push_back(std::move(read.history));
  }
  return histories;
}

}  // namespace holdfast::retain
