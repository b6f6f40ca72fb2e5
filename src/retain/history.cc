#include "retain/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

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

ObjectHistory ToHistory(std::string object, std::vector<ParsedEntry> entries) {
  const auto newest = std::ranges::max_element(entries, {}, [](const ParsedEntry& entry) {
    return std::pair<Timestamp, const std::string&>(entry.backup.time, entry.backup.id);
  });
  ObjectHistory history{.object = std::move(object),
                        .backups = {},
                        .source_deleted_at = newest->source_deleted_at,
                        .source_last_seen = newest->source_last_seen};
  for (ParsedEntry& entry : entries) history.backups.push_back(std::move(entry.backup));
  return history;
}

}  // namespace

std::string_view BackupStateName(BackupState state) {
  return kStateNames[static_cast<size_t>(state)];
}

Result<std::vector<ObjectHistory>> ParseHistories(const Json& json) {
  if (!json.is_array()) return MakeError(ErrorId::kInvalidJson, "the history is not an array");
  std::map<std::string, std::vector<ParsedEntry>> objects;
  std::set<std::pair<std::string, std::string>> seen;
  for (size_t i = 0; i < json.size(); ++i) {
    auto entry = ParseEntry(json[i]).WithContext(fmt::format("entry {} of the history", i + 1));
    HF_RETURN_IF_ERROR(entry);
    if (!seen.emplace(entry->object, entry->backup.id).second) {
      return MakeError(ErrorId::kInvalidJson,
                       fmt::format("entry {} of the history: the id \"{}\" comes twice in {}",
                                   i + 1, entry->backup.id, entry->object));
    }
    objects[entry->object].push_back(*std::move(entry));
  }
  std::vector<ObjectHistory> histories;
  for (auto& [object, entries] : objects) {
    histories.push_back(ToHistory(object, std::move(entries)));
  }
  return histories;
}

}  // namespace holdfast::retain
