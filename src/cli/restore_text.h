// A restore's plan and report in words, or for machines.
#pragma once

#include <iosfwd>

#include "cli/output.h"
#include "restore/apply.h"
#include "restore/plan.h"

namespace holdfast::cli {

void PrintRestorePlan(std::ostream& out, Format format, const restore::RestorePlan& plan);

void PrintRestoreReport(std::ostream& out, Format format, const restore::RestoreReport& report);

}  // namespace holdfast::cli
