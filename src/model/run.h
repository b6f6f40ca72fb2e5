// Run: one pass of the backup workflow over its scope, and what became of each object in it.
//
// Every object of the scope has exactly one outcome in the end; the totals are sums of outcomes and
// nothing else, so they add up. Partial failure is a value (DESIGN §1.5). Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/object_kind.h"
#include "model/policy.h"
#include "model/policy_document.h"
#include "model/resource_names.h"

namespace holdfast {

enum class RunState {
  kRunning,   // also one whose process died: it is resumed
  kFinished,  // every object has its outcome, failures included
};
std::string_view RunStateName(RunState state);  // "running", "finished"

struct Run {
  std::string id;
  RunState state = RunState::kRunning;
  int64_t started_ms = 0;
  int64_t finished_ms = 0;  // 0 while it runs
  BackupPolicy policy;      // as it was when the run began, scope included
  // What holds for each object beyond that, as it was when the run began; nullopt: nothing does.
  std::optional<PolicyDocument> document;
  // The schedules that the run is of ("0 23 * * * America/New_York"): objects of others are not
  // due. Empty: every object is, whatever its schedule.
  std::vector<std::string> due;

  // JSON and back, without loss. Errors: kInvalidJson naming the member, those of the policy.
  static Result<Run> FromJson(const Json& json);
  Json ToJson() const;
};

enum class Outcome {
  kBackedUp,      // a new backup with the data
  kUnchanged,     // the last good backup still holds what is there
  kMetadataOnly,  // only the description of it changed (fingerprint.h)
  kUnsupported,   // of a kind that is not backed up: NOT protected
  kFailed,        // see error_id and reason
  kVanished,      // was listed, then gone before it could be read (google-semantics A2 #16)
  kExcluded,      // the policy document says that it is not backed up: NOT protected
  kNotDue,        // its schedule is not one that the run is of
  kCarried,       // changed, and did not fit the day's quotas: taken on a later day, NOT protected
                  // as it is now until then
};
inline constexpr int kOutcomes = 9;
std::string_view OutcomeName(Outcome outcome);  // "backed_up", ...

// The inverse; nullopt for another text.
std::optional<Outcome> FindOutcome(std::string_view name);

struct ItemOutcome {
  TableRef object;  // a partition, a table, an object of a reserved name; table empty: a dataset or
                    // project that failed whole
  ObjectKind kind = ObjectKind::kTable;  // kTable also when it could not be looked at
  Outcome outcome = Outcome::kFailed;
  std::string reason;  // for a person: why
  std::string backup;  // the backup that holds the object now; empty: none
  int64_t rows = 0;    // captured in this run
  int64_t bytes = 0;   // stored in this run
  int64_t duration_ms = 0;
  std::string error_id;  // "G0006"; empty unless it failed
  bool suspect = false;  // the backup that holds it is suspect: a person is to look at it
  std::string note;      // what its owner asked for and was refused; empty: nothing
  // Where the policy has several methods: of which one this is the outcome; nullopt: of all of them
  // together, or of the object as such.
  std::optional<Method> method;
  // Of all together: the outcome of each by itself, in order of method. Empty: there is one method.
  std::vector<ItemOutcome> by_method;

  std::string expected;  // carried: the day on which it is expected to fit, "2026-11-22"
  // Vanished, with too much of its table: when the run began that found it so, whichever run tells
  // of it since. 0: it is no loss, or one that was told of before runs said when.
  int64_t lost_ms = 0;

  // As Run's; a document without error_id, suspect, note, expected, lost_ms, kind or the methods'
  // is one without that.
  static Result<ItemOutcome> FromJson(const Json& json);
  Json ToJson() const;
};

// One outcome of an object from two of different methods, each of one or of several: what either
// says stands in `by_method`, an earlier one of the same method stays. The whole is as bad as the
// worst of them, the reason names the methods, and `backup` is the first that holds the object.
ItemOutcome MergeMethods(const ItemOutcome& a, const ItemOutcome& b);

// Whether the run did not look at the object: then nothing follows about what is, or is not, in it
// or below it.
bool IsUnseen(const ItemOutcome& item);

// Whether it is a partition that is gone with too much of its table, accepted by a person or not.
bool IsLoss(const ItemOutcome& item);

// Sums over outcomes.
struct RunTotals {
  int64_t objects = 0;            // all of them
  int64_t count[kOutcomes] = {};  // by Outcome; the sum is `objects`
  int64_t rows = 0;
  int64_t bytes = 0;

  // Counts one more object; nothing keeps one from being counted twice.
  void Add(const ItemOutcome& item);
  int64_t Of(Outcome outcome) const { return count[static_cast<int>(outcome)]; }

  // One member per outcome, by its name, beside objects, rows and bytes; and back, an outcome that
  // is not named being 0.
  static Result<RunTotals> FromJson(const Json& json);
  Json ToJson() const;
  bool operator==(const RunTotals&) const = default;
};

// What is known of a run without its outcomes one by one.
struct RunSummary {
  Run run;
  RunTotals totals;
  int64_t suspects = 0;  // outcomes that are suspect: what a person is to look at

  // As Run's.
  static Result<RunSummary> FromJson(const Json& json);
  Json ToJson() const;
};

// A run with all of its outcomes: for runs of which it is known that they are small.
struct RunReport {
  Run run;
  std::vector<ItemOutcome> items;  // in order of object
  RunTotals totals;                // of `items`

  Json ToJson() const;  // stable; what runs/<run>.json held before its outcomes were in parts

  // The inverse; the totals are added up anew. Errors: kInvalidJson naming the member.
  static Result<RunReport> FromJson(const Json& json);
};

// How many of them are suspect: what a person is to look at.
int64_t CountSuspects(const std::vector<ItemOutcome>& items);

// The report of these outcomes: sorts them and adds them up.
RunReport MakeRunReport(Run run, std::vector<ItemOutcome> items);

}  // namespace holdfast
