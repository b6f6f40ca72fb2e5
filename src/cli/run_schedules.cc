#include "cli/run_schedules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "backup/run_backup.h"
#include "base/log.h"
#include "cli/alerting.h"
#include "cli/audit.h"
#include "cli/policy_source.h"
#include "cli/run_text.h"

namespace holdfast::cli {

namespace {

constexpr Duration kLookInterval = std::chrono::seconds{20};
// How often alerts are looked for while nothing runs: a recovery point grows too old by itself.
constexpr Duration kAlertInterval = std::chrono::minutes{10};
constexpr Duration kStopInterval = std::chrono::milliseconds{200};

class ScheduleLoop {
 public:
  ScheduleLoop(const GlobalOptions& global, Environment& environment, const std::stop_token& stop)
      : global_(global), environment_(environment), stop_(stop) {}

  void Run() {
    while (!stop_.stop_requested()) {
      const Status looked = LookOnce();
      if (!looked.ok() && looked.error().id != ErrorId::kCancelled) {
        LogError("schedules: this look failed", {{"error", looked.error().message}});
        failure_ = {FindingOfRun(looked.error())};
        alerts_told_ = {};
      }
      TellAlertsAtTimes();
      Pause();
    }
  }

 private:
  void Pause() {
    for (Duration waited{0}; waited < kLookInterval && !stop_.stop_requested();
         waited += kStopInterval) {
      environment_.clock().SleepFor(kStopInterval);
    }
  }

  void TellAlertsAtTimes() {
    const Timestamp now = environment_.clock().Now();
    if (now - alerts_told_ < kAlertInterval) return;
    alerts_told_ = now;
    TellAlerts(global_, environment_, document_, {}, failure_);
  }

  // The configuration as it is now, or as it last was without a mistake.
  void ReadDocument() {
    auto loaded = EffectiveSettings(global_);
    auto document = loaded.ok() ? LoadPolicyDocument(*loaded)
                                : Result<std::optional<PolicyDocument>>(loaded.error());
    if (document.ok()) {
      document_ = *std::move(document);
      mistake_.clear();
    } else if (document.error().message != mistake_) {
      mistake_ = document.error().message;
      LogError("the policy has a mistake: the last good one goes on", {{"error", mistake_}});
    }
  }

  Status LookOnce() {
    ReadDocument();
    if (!document_ || document_->Schedules().empty()) return Ok();
    HF_ASSIGN_OR_RETURN(const DueNow now, FindDue(environment_, document_));
    for (const backup::MissedSchedule& missed : now.decision.missed) {
      LogWarning("a schedule was missed and is caught up now",
                 {{"schedule", missed.schedule},
                  {"times", std::to_string(missed.times)},
                  {"since", FormatTimestamp(missed.first)}});
    }
    if (now.decision.due.empty()) return Ok();
    if (!now.decision.missed.empty()) {
      TellAlerts(global_, environment_, document_, FindingsOf(now.decision.missed), failure_);
    }
    LogInfo("a run begins by schedule",
            {{"schedules", fmt::format("{}", fmt::join(now.decision.due, ", "))}});
    const Config& config = environment_.config();
    backup::BackupRequest request{.policy = config.policy,
                                  .document = document_,
                                  .due = now.decision.due,
                                  .stop = stop_,
                                  .workers = 0};
    request.policy.scope = WholeScope(config);
    HF_RETURN_IF_ERROR(Audit(environment_, "backup.run", request.policy.name,
                             {{"schedules", now.decision.due}}, "schedule"));
    const backup::BusSetup setup = environment_.bus_setup();
    const backup::Services services = environment_.backup_services();
    HF_ASSIGN_OR_RETURN(
        const RunSummary report,
        backup::RunToEnd(request, setup, services, [](const backup::BackupProgress&) {}));
    Say(global_, "Run " + report.run.id + ": " + SummarizeRun(report));
    failure_.clear();
    alerts_told_ = {};  // a run is news
    return Ok();
  }

  const GlobalOptions& global_;
  Environment& environment_;
  const std::stop_token& stop_;
  std::optional<PolicyDocument> document_;
  std::string mistake_;  // that was said already
  Timestamp alerts_told_{};
  std::vector<observe::Finding> failure_;  // how the last run ended, if with an error
};

}  // namespace

Result<std::unique_ptr<DirectoryLock>> LockSchedules(const Config& config) {
  return DirectoryLock::Take(config.data_dir + "/schedules");
}

Result<DueNow> FindDue(Environment& environment, const std::optional<PolicyDocument>& document) {
  const std::vector<Schedule> schedules =
      document ? document->Schedules() : std::vector<Schedule>();
  if (schedules.empty()) {
    return MakeError(ErrorId::kConfigInvalid, "no policy document gives a schedule",
                     "Give `schedule` in the policy document; see docs/reference/policy.md");
  }
  const Timestamp now = environment.clock().Now();
  HF_ASSIGN_OR_RETURN(const auto history,
                      backup::ReadScheduleHistory(environment.catalog(), schedules, now));
  return DueNow{.decision = backup::DecideDue(schedules, history, now),
                .is_run_under_way = history.is_run_under_way};
}

void RunSchedules(const GlobalOptions& global, Environment& environment,
                  const std::stop_token& stop) {
  const auto lock = LockSchedules(environment.config());
  if (!lock.ok()) {
    LogWarning("schedules are not run by this process", {{"error", lock.error().message}});
    return;
  }
  ScheduleLoop(global, environment, stop).Run();
}

}  // namespace holdfast::cli
