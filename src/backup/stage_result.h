// What a stage gives back: the messages that follow, and the outcomes of what it settled.
//
// Both are recorded in the one transaction that completes the stage's task (catalog/run_ledger.h).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "model/policy.h"
#include "model/run.h"
#include "model/work_message.h"

namespace holdfast::backup {

struct StageResult {
  std::vector<WorkMessage> follow_ups;
  std::vector<ItemOutcome> outcomes;
};

// The reason of an error of the catalog, which could not take a backup that is committed.
inline constexpr std::string_view kUnrecorded = "unrecorded";

// Whether the work itself was interrupted: then nothing has failed, and nothing is recorded;
// another worker, or the next start of the program, does it.
inline bool IsInterrupted(const Error& error) {
  return error.id == ErrorId::kCancelled || error.reason == kUnrecorded;
}

// The outcome of an object that could not be done, from the error.
inline ItemOutcome FailedOutcome(const TableRef& object, const Error& error) {
  return {.object = object,
          .outcome = Outcome::kFailed,
          .reason = error.message,
          .error_id = std::string(FindError(error.id).id)};
}

// The outcome of an object, dataset or project that the run's scope leaves out by name; nullopt: it
// does not.
inline std::optional<ItemOutcome> LeftOutOutcome(const Scope& scope, const TableRef& name) {
  const auto pattern = scope.ExcludedBy(name);
  if (!pattern) return std::nullopt;
  return ItemOutcome{.object = name,
                     .outcome = Outcome::kExcluded,
                     .reason = "excluded by the scope's pattern " + *pattern,
                     .error_id = {}};
}

// The outcome of an object that went away between the scan and its backup.
inline ItemOutcome VanishedOutcome(const TableRef& object) {
  return {.object = object,
          .outcome = Outcome::kVanished,
          .reason = "was there when scanned, and gone when it was to be read",
          .error_id = {}};
}

}  // namespace holdfast::backup
