// The exit codes of the program: a script's only sure way to know how a command ended.
//
// Unknown codes must be taken as failure. Source: interfaces.md "Exit codes".
#pragma once

#include "base/result.h"

namespace holdfast::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitPartial = 3,   // finished, but some objects failed
  kExitDamaged = 4,   // verification found damage
  kExitRefused = 13,  // a target exists, or a policy forbids it
  kExitNotFound = 14,
  kExitDenied = 15,       // authentication or permission
  kExitUnavailable = 16,  // the service did not answer in the end
  kExitCancelled = 130,
};

// The exit code of an error that ended a command.
ExitCode ExitCodeOf(const Error& error);

}  // namespace holdfast::cli
