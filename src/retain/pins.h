// Pins and holds: what stops the deletion of a backup, kept in its repository.
//
// The restores that are under way keep theirs by leases (repository/leases.h), which count as pins
// where a deletion looks. Each pin is a small object pins/<backup>/<pin|hold>-<id>.json, created
// once and deleted by generation to release it. A pin that AddPin returned is seen by every
// deletion that had not begun: prune first writes its intent (tombstones.h) and then looks for
// pins, AddPin first writes the pin and then looks for an intent, so at least one of the two sees
// the other. Source: DESIGN §2 "pin, hold"; google-semantics R2.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "catalog/backup_index.h"
#include "repository/repository.h"

namespace holdfast::retain {

enum class PinKind {
  kPin,   // taken by a restore or a person
  kHold,  // taken by policy or for an incident
};
std::string_view PinKindName(PinKind kind);  // "pin", "hold"

// How many of each a backup has.
struct PinCounts {
  int64_t pins = 0;
  int64_t holds = 0;
};

struct PinRequest {
  PinKind kind = PinKind::kPin;
  std::string reason;  // for a person; not empty
  std::string actor;   // "cli:alice"
};

// Pins the backup. Not idempotent: twice is two pins, and both are released together. Errors:
// kManifestNotFound (there is no such backup any more), kBackupBeingRemoved (a deletion began),
// those of the store. After an error the pin may have been left, which keeps more, never less.
Status AddPin(repository::Repository& repository, const catalog::BackupRecord& record,
              const PinRequest& request, Timestamp now, Random& random);

// Releases all of that kind; how many there were. Idempotent.
Result<int64_t> ReleasePins(repository::Repository& repository, const std::string& backup,
                            PinKind kind);

// Of one backup, as of now.
Result<PinCounts> CountPins(repository::Repository& repository, const std::string& backup);

// One of them, for a person.
struct Pin {
  PinKind kind = PinKind::kPin;
  std::string reason;  // this and the next empty, when the object cannot be read
  std::string actor;
  int64_t created_ms = 0;  // the store's time
};

// Those of one backup, the first 100.
Result<std::vector<Pin>> ReadPins(repository::Repository& repository, const std::string& backup);

// By backup, of the whole repository. kLimitExceeded over a million.
Result<std::map<std::string, PinCounts>> ListPins(repository::Repository& repository);

// The same two with the leases of restores that are under way at `now` (repository/leases.h), each
// as a pin: what a deletion has to look at.
Result<PinCounts> CountKeepers(repository::Repository& repository, const std::string& backup,
                               Timestamp now);
Result<std::map<std::string, PinCounts>> ListKeepers(repository::Repository& repository,
                                                     Timestamp now);

}  // namespace holdfast::retain
