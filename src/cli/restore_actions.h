// What the restore commands do: each takes its options and gives the exit code; and the steps that
// they share.
#pragma once

#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/environment.h"
#include "cli/restore_options.h"
#include "restore/plan.h"
#include "restore/report.h"
#include "restore/request.h"
#include "restore/services.h"

namespace holdfast::cli {

struct RestoreRunOptions {
  RestoreFlags flags;
  bool dry_run = false;
  bool yes = false;  // do not ask
};

// Plans, asks on a terminal, and applies. Exit code kExitPartial when something of it is not
// restored, kExitDamaged when what was restored differs.
Result<int> RestoreRun(const GlobalOptions& global, const RestoreRunOptions& options);

struct RestorePlanOptions {
  RestoreFlags flags;
  std::string output;  // the file of the plan; empty: it is shown only
};

// Shows the plan with all conflicts; with a file keeps it there, and holds its backups until it is
// applied. Exit code: that of the first fatal conflict; kExitPartial when something is missing.
Result<int> RestorePlanShow(const GlobalOptions& global, const RestorePlanOptions& options);

// Applies the plan in the file. Errors: kPlanInvalid, kPlanStale.
Result<int> RestoreApplyFile(const GlobalOptions& global, const std::string& path);

// A restore that is planned and judged, with all that it takes to carry it out. `services` refer to
// the environment.
struct PlannedRestore {
  std::unique_ptr<Environment> environment;
  restore::RestoreRequest request;
  restore::Services services;
  restore::RestorePlan plan;
};

// Opens the environment, learns of others' backups, plans, and says what the plan goes on with.
Result<PlannedRestore> PlanOf(const GlobalOptions& global, const RestoreFlags& flags);

// Reads in the backups of what the request names that other catalogs know: one that is behind would
// restore an older backup without knowing.
Status LearnOfOthersBackups(const GlobalOptions& global, Environment& environment,
                            const restore::RestoreRequest& request);

// The error of a target that is there, as it is for one partition (restore_text.h).
Error CompleteConflict(Environment& environment, const restore::RestoreRequest& request,
                       const restore::RestorePlan& plan, Error error);

// Applies the plan with progress, prints the report and the errors in it.
Result<restore::RestoreReport> CarryOut(const GlobalOptions& global, Environment& environment,
                                        restore::Services services,
                                        const restore::RestoreRequest& request,
                                        const restore::RestorePlan& plan);

int ExitCodeOfReport(const restore::RestoreReport& report);

// Whether something is missing that should have had a backup.
bool LacksAnything(const restore::RestorePlan& plan);

// Says which restore the plan goes on with, if it does.
void SayWhatIsResumed(const restore::RestorePlan& plan);

}  // namespace holdfast::cli
