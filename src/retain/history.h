// The history of one object as retention sees it: its backups, and what is known of its source.
//
// Plain values. Source: DESIGN §2 "suspect", "pin, hold"; google-semantics R1 to R4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace holdfast::retain {

enum class BackupState {
  kGood,     // verified, and neither of the others
  kSuspect,  // shrank or looks partial, or was never verified
  kDamaged,  // a verification failed
  kFailed,   // never became whole
};
std::string_view BackupStateName(BackupState state);  // "good", ...

struct HistoryEntry {
  std::string id;
  Timestamp time;  // what the backup holds is the source as of then
  BackupState state = BackupState::kGood;
  int64_t rows = 0;
  int64_t bytes = 0;
  bool pinned = false;
  bool held = false;

  bool operator==(const HistoryEntry&) const = default;
};

struct ObjectHistory {
  std::string object;                          // for people
  std::vector<HistoryEntry> backups;           // in any order, each id once
  std::optional<Timestamp> source_deleted_at;  // since when it is gone; nullopt: it is there
  std::optional<Timestamp> source_last_seen;   // nullopt: source_deleted_at stands for it
};

// Histories from the text of a JSON array of {object, id, time, state, rows, bytes, pinned, held,
// source_deleted_at, source_last_seen}, in order of object. Object, id and time must be there; a
// backup is good, unpinned and of a source that exists where nothing is said. Of one object the
// newest backup says what became of the source. The array is read an entry at a time: it takes some
// 200 bytes a backup beside the text. Errors: those of the text (ForEachElement); kInvalidJson
// naming the first entry with a fault, and the member (an unknown one, a wrong type, an id that
// comes twice in an object).
Result<std::vector<ObjectHistory>> ParseHistories(std::string_view text, JsonLimits limits = {});

}  // namespace holdfast::retain
