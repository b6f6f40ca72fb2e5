#include "cli/exit_code.h"

namespace holdfast::cli {

ExitCode ExitCodeOf(const Error& error) {
  if (error.id == ErrorId::kConfigInvalid || error.id == ErrorId::kUsage) return kExitUsage;
  switch (error.code) {
    case Code::kOk:
      return kExitOk;
    case Code::kNotFound:
      return kExitNotFound;
    case Code::kPermissionDenied:
    case Code::kUnauthenticated:
      return kExitDenied;
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      return kExitUnavailable;
    case Code::kAlreadyExists:
    case Code::kFailedPrecondition:
      return kExitRefused;
    case Code::kDataLoss:
      return kExitDamaged;
    case Code::kCancelled:
      return kExitCancelled;
    default:
      return kExitFailed;
  }
}

}  // namespace holdfast::cli
