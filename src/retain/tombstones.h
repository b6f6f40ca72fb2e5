// Tombstones: the first phase of a deletion, written to the repository; and intents, the second.
//
//   tombstones/marked/<backup>.json    this backup is to go, and what it consists of; write-once
//   tombstones/deleting/<backup>.json  its deletion has begun: whoever pins it now comes too late
//
// A tombstone lists every data object with its generation, so that the data can still be found when
// the manifest, which goes first, is gone. It is due a grace period after the store's own time of
// its creation. Source: DESIGN §5 "Deletion is two-phase"; google-semantics trap 7.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/manifest.h"
#include "repository/repository.h"

namespace holdfast::retain {

// A copy of a backup in a further repository.
struct Replica {
  repository::Location repository;
  int64_t manifest_generation = 0;
  std::vector<cloud::ObjectRef> data;  // each with its generation
};

struct Tombstone {
  std::string backup;
  TableRef object;
  int64_t manifest_generation = 0;
  std::vector<cloud::ObjectRef> data;  // each with its generation
  std::optional<TableRef> copy;        // the table that holds the data of a copy
  int64_t copy_modified_ms = 0;        // of it, when it was made
  int attempt = 1;                     // part of the copy's name
  int64_t bytes = 0;                   // stored
  int64_t marked_ms = 0;               // by the clock of whoever wrote it
  std::vector<std::string> reasons;    // why it goes
  std::vector<Replica> replicas;       // which go with it

  Json ToJson() const;
  // Strict. Errors: kInvalidJson.
  static Result<Tombstone> FromJson(const Json& json);
};

// The tombstone of a backup whose manifest lies there in that generation.
Tombstone MakeTombstone(const Manifest& manifest, int64_t manifest_generation, Timestamp now,
                        std::vector<std::string> reasons);

// The objects that the manifest names, each with its generation.
std::vector<cloud::ObjectRef> DataOf(const Manifest& manifest);

// A tombstone as a listing shows it.
struct TombstoneEntry {
  std::string backup;
  cloud::ObjectRef ref;    // with its generation
  int64_t created_ms = 0;  // server time
};

// Writes it. One of that backup that is there stays as it is, and is success.
Status WriteTombstone(repository::Repository& repository, const Tombstone& tombstone);

// By backup. kLimitExceeded over a million.
Result<std::map<std::string, TombstoneEntry>> ListTombstones(repository::Repository& repository);

// Errors: kTombstoneDamaged (also when it tells of another backup than its name),
// kObjectNotFound.
Result<Tombstone> ReadTombstone(repository::Repository& repository, const TombstoneEntry& entry);

// Takes tombstone and intent away: the backup stays, or nothing is left of it. Idempotent.
Status ClearTombstone(repository::Repository& repository, const TombstoneEntry& entry);

// Says that the deletion of the backup begins. Idempotent.
Status WriteIntent(repository::Repository& repository, const std::string& backup);

// Says for good, in the repository's evidence, that the backup is gone: other catalogs would take
// it for lost. Of what the tombstone says only: a prune that was killed writes the same again.
Status LeaveWord(repository::Repository& repository, const Tombstone& tombstone);

// Takes it back, when nothing was deleted. Idempotent.
Status WithdrawIntent(repository::Repository& repository, const std::string& backup);

// Whether one is there.
Result<bool> HasIntent(repository::Repository& repository, const std::string& backup);

}  // namespace holdfast::retain
