#include "cli/run_verification.h"

#include "base/directory_lock.h"
#include "base/log.h"
#include "cli/policy_source.h"
#include "cli/verify_backups.h"

namespace holdfast::cli {

namespace {

constexpr Duration kPassInterval = std::chrono::hours{1};
constexpr Duration kStopPause = std::chrono::milliseconds{200};

void LogLooked(const Looked& looked) {
  if (!looked.report.ok()) {
    LogWarning("a backup could not be verified", {{"object", looked.look.record.object.ToString()},
                                                  {"backup", looked.look.record.backup},
                                                  {"error", looked.report.error().message}});
  } else if (!looked.report->Passed()) {
    const repository::Location place{looked.look.record.bucket, looked.look.record.prefix};
    LogError(
        looked.look.is_copy ? "a copy of a backup is damaged" : "a backup is damaged",
        {{"object", looked.look.record.object.ToString()},
         {"backup", looked.look.record.backup},
         {"repository", place.Uri()},
         {"finding", looked.report->findings.empty() ? "nothing of it could be looked at"
                                                     : looked.report->findings.front().message}});
  }
}

Status MakePass(const GlobalOptions& global, Environment& environment,
                const std::stop_token& stop) {
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  HF_ASSIGN_OR_RETURN(const auto document, LoadPolicyDocument(loaded));
  HF_ASSIGN_OR_RETURN(const DueLooks due,
                      FindDueLooks(environment, document, {.interval = kPassInterval}));
  if (due.looks.empty()) return Ok();
  HF_ASSIGN_OR_RETURN(
      const Verified verified,
      VerifyAll(environment, document, due.looks, [&](const Look&, size_t, size_t) -> Status {
        if (stop.stop_requested()) return MakeError(ErrorId::kCancelled, "told to stop");
        return Ok();
      }));
  for (const Looked& looked : verified.looked) LogLooked(looked);
  if (verified.stopped) return *verified.stopped;
  LogInfo("a pass of verification is done", {{"backups", std::to_string(verified.looked.size())},
                                             {"damaged", std::to_string(verified.damaged)},
                                             {"bytes", std::to_string(verified.bytes)}});
  return Ok();
}

}  // namespace

void RunVerification(const GlobalOptions& global, Environment& environment,
                     const std::stop_token& stop) {
  const auto lock = DirectoryLock::Take(environment.config().data_dir + "/verification");
  if (!lock.ok()) {
    LogWarning("verification is not run by this process", {{"error", lock.error().message}});
    return;
  }
  while (!stop.stop_requested()) {
    const Status made = MakePass(global, environment, stop);
    if (!made.ok() && made.error().id != ErrorId::kCancelled) {
      LogError("verification: this pass failed", {{"error", made.error().message}});
    }
    const Timestamp next = environment.clock().Now() + kPassInterval;
    while (!stop.stop_requested() && environment.clock().Now() < next) {
      environment.clock().SleepFor(kStopPause);
    }
  }
}

}  // namespace holdfast::cli
