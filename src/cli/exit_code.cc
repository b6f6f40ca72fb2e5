#include "cli/exit_code.h"

#include <array>
#include <optional>

namespace holdfast::cli {

namespace {

constexpr auto kExitCodes = std::to_array<ExitCodeEntry>({
    {kExitOk, "done"},
    {kExitFailed, "failed"},
    {kExitUsage, "a flag, a name or the configuration is wrong; nothing was done"},
    {kExitPartial, "finished, but some objects failed, are suspect or were carried to a later day"},
    {kExitDamaged, "damage was found"},
    {kExitNoRepository, "there is no repository"},
    {kExitLocked, "another process holds what the command needs"},
    {kExitRefused, "refused: a target exists, or a policy forbids it"},
    {kExitNotFound, "what was named does not exist"},
    {kExitDenied, "access denied"},
    {kExitUnavailable, "a service did not answer in the end"},
    {kExitCancelled, "interrupted (SIGINT); run the same command again"},
    {kExitTerminated, "terminated (SIGTERM); run the same command again"},
});

// Errors that mean something else to a script than their code says.
std::optional<ExitCode> ExitCodeOfId(ErrorId id) {
  switch (id) {
    case ErrorId::kUsage:
    case ErrorId::kConfigInvalid:
    case ErrorId::kInvalidName:
    case ErrorId::kInvalidPolicy:
    case ErrorId::kInvalidSchedule:
    case ErrorId::kBackupAmbiguous:
    case ErrorId::kRetentionInvalid:
    case ErrorId::kSecretUnavailable:
      return kExitUsage;
    case ErrorId::kRestorePartial:
      return kExitPartial;
    case ErrorId::kRepositoryNotFound:
      return kExitNoRepository;
    case ErrorId::kLocalcloudBusy:
    case ErrorId::kDirectoryInUse:
      return kExitLocked;
    case ErrorId::kNothingToVerify:
      return kExitNotFound;
    // This machine's, where 16 is for services that are elsewhere and may come back.
    case ErrorId::kFileError:
    case ErrorId::kHttpListenFailed:
    case ErrorId::kPubsubListenFailed:
    // Nothing forbade it: the service tried and failed.
    case ErrorId::kJobFailed:
      return kExitFailed;
    default:
      return std::nullopt;
  }
}

ExitCode ExitCodeOfCode(Code code) {
  switch (code) {
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
    case Code::kUnknown:
    case Code::kInvalidArgument:
    case Code::kResourceExhausted:
    case Code::kAborted:
    case Code::kOutOfRange:
    case Code::kUnimplemented:
    case Code::kInternal:
      break;
  }
  return kExitFailed;
}

}  // namespace

std::span<const ExitCodeEntry> AllExitCodes() { return kExitCodes; }

ExitCode ExitCodeOf(const Error& error) {
  return ExitCodeOfId(error.id).value_or(ExitCodeOfCode(error.code));
}

}  // namespace holdfast::cli
