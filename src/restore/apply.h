// Applying a plan: each table is made, filled, compared and released, and has its outcome.
//
// A table that fails does not keep the others from being restored. Applying the same plan again,
// after a crash or a failure, goes on with what is missing. Source: DESIGN §1.5, §4 "Restore".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "restore/compare.h"
#include "restore/plan.h"
#include "restore/request.h"
#include "restore/services.h"

namespace holdfast::restore {

enum class TableOutcome {
  kRestored,  // made, filled, and compared if that was asked for
  kSkipped,   // a table of that name was there (IfExists::kSkip)
  kDiffers,   // restored, but what was read back is not the backup: not to be trusted
  kFailed,
};
std::string_view TableOutcomeName(TableOutcome outcome);

struct TableReport {
  TableRef source;
  TableRef target;
  TableOutcome outcome = TableOutcome::kFailed;
  bool resumed = false;  // an earlier process had begun it
  int64_t backups = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
  int64_t duration_ms = 0;
  std::optional<TableComparison> comparison;
  std::optional<Error> error;

  Json ToJson() const;
};

struct RestoreReport {
  std::string plan;
  std::vector<TableReport> tables;  // in the plan's order
  int64_t duration_ms = 0;

  int64_t Count(TableOutcome outcome) const;
  bool Succeeded() const {
    return Count(TableOutcome::kFailed) + Count(TableOutcome::kDiffers) == 0;
  }
  Json ToJson() const;
};

// Errors only of what concerns the plan as a whole: with IfExists::kFail, kTableExists for the
// first target that is somebody else's, before anything is begun.
Result<RestoreReport> Apply(const RestoreRequest& request, const RestorePlan& plan,
                            const Services& services);

}  // namespace holdfast::restore
