// What became of a restore: an outcome for each table of the plan, and what the plan lacked.
//
// Plain values. Partial failure is a value (DESIGN §1.5): what is missing counts as not restored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/object_kind.h"
#include "restore/compare.h"
#include "restore/selection.h"

namespace holdfast::restore {

enum class TableOutcome {
  kRestored,  // made, filled, and compared if that was asked for
  kSkipped,   // one of that name was there (IfExists::kSkip), or a dataset, which is left as it is
  kDiffers,   // restored, but what was read back is not the backup: not to be trusted
  kFailed,
};

// "restored", ...
std::string_view TableOutcomeName(TableOutcome outcome);

struct TableReport {
  TableRef source;
  TableRef target;
  ObjectKind kind = ObjectKind::kTable;
  TableOutcome outcome = TableOutcome::kFailed;
  bool resumed = false;      // an earlier process had begun it
  bool left_behind = false;  // it failed, and its unfinished target is there, with the label
  int64_t backups = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
  int64_t duration_ms = 0;
  std::vector<std::string> notes;         // the plan's, on the backups that were used
  std::vector<std::string> expirations;   // that the source had and the target has not
  std::vector<std::string> foreign_keys;  // likewise
  std::optional<TableComparison> comparison;
  std::optional<Error> error;

  // Stable: members are only ever added.
  Json ToJson() const;
};

struct RestoreReport {
  std::string plan;
  std::vector<TableReport> tables;     // in the plan's order
  std::vector<MissingObject> missing;  // the plan's
  std::vector<std::string> notes;      // the plan's
  std::optional<int64_t> resumes_ms;   // when the restore began that this went on with
  int64_t duration_ms = 0;

  // How many tables of the plan have that outcome.
  int64_t Count(TableOutcome outcome) const;
  // Of what is missing, that which should have had a backup.
  int64_t CountMissing() const;

  // Whether every object of the plan is there and as it was; what was skipped does not count
  // against it.
  bool Succeeded() const {
    return Count(TableOutcome::kFailed) + Count(TableOutcome::kDiffers) + CountMissing() == 0;
  }

  // As above, with the totals.
  Json ToJson() const;
};

}  // namespace holdfast::restore
