// Verification in this process: what `holdfast up` runs beside its workers.
//
// A pass an hour over what the policy says is due (verify/rotation.h). One process at a time per
// data directory does it (a lock). Damage is logged as an error, recorded, and its object backed
// up again by the next run.
#pragma once

#include <stop_token>

#include "cli/command.h"
#include "cli/environment.h"

namespace holdfast::cli {

// Until `stop`. What goes wrong is logged, and tried again by the next pass. Returns at once, with
// a word, when another process does it.
void RunVerification(const GlobalOptions& global, Environment& environment,
                     const std::stop_token& stop);

}  // namespace holdfast::cli
