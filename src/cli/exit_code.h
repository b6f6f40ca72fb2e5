// The exit codes of the program: a script's only sure way to know how a command ended.
//
// Unknown codes must be taken as failure; a number never changes its meaning. The table is data:
// the help, the manual and docs/reference/cli.md print it. Source: interfaces.md "Exit codes".
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"

namespace holdfast::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitPartial = 3,  // finished, but some objects failed, are suspect or were carried
  kExitDamaged = 4,  // verification found damage
  kExitNoRepository = 10,
  kExitLocked = 11,   // another process holds what the command needs
  kExitRefused = 13,  // a target exists, or a policy forbids it
  kExitNotFound = 14,
  kExitDenied = 15,       // authentication or permission
  kExitUnavailable = 16,  // the service did not answer in the end
  kExitCancelled = 130,   // SIGINT
  kExitTerminated = 143,  // SIGTERM
};

struct ExitCodeEntry {
  ExitCode code;
  std::string_view meaning;
};

// Every code, in ascending order.
std::span<const ExitCodeEntry> AllExitCodes();

// The exit code of an error that ended a command.
ExitCode ExitCodeOf(const Error& error);

}  // namespace holdfast::cli
