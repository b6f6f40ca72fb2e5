// Alerts, wired: the channels of the configuration, the memory of what was sent, and one pass of
// telling people what is wrong.
//
// The memory is alerts/sent.json in the data directory, replaced whole after each alert that was
// taken, so a process may die at any moment: at worst one alert comes twice. One process at a time
// sends (a lock); another leaves it to that one. What goes wrong with a channel never fails what
// the command was for. Source: observe/alert_plan.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backup/schedule_runner.h"
#include "base/result.h"
#include "cli/command.h"
#include "cli/environment.h"
#include "cloud/notifier.h"
#include "model/policy_document.h"
#include "net/http_client.h"
#include "net/smtp_client.h"
#include "observe/alert_plan.h"

namespace holdfast::cli {

// A channel that can be sent to. Errors: kSecretUnavailable. It lives no longer than `clock` and
// `random`.
class AlertSender {
 public:
  static Result<std::unique_ptr<AlertSender>> Make(const observe::AlertChannel& channel,
                                                   Clock& clock, Random& random);
  Status Notify(const cloud::Alert& alert) { return notifier_->Notify(alert); }

 private:
  std::unique_ptr<net::HttpClient> http_;
  std::unique_ptr<net::SmtpClient> smtp_;
  std::unique_ptr<cloud::Notifier> notifier_;
};

// What was sent before. Absent: nothing. Errors: kAlertStateDamaged, kFileError.
Result<observe::AlertState> ReadAlertState(const std::string& data_dir);

// Replaces it, synced to the disk. Errors: kFileError, kDiskFull.
Status WriteAlertState(const std::string& data_dir, const observe::AlertState& state);

// What one pass did.
struct AlertPass {
  std::vector<observe::Finding> findings;
  std::vector<observe::PlannedAlert> sent;
  std::vector<Error> failures;   // of channels
  bool left_to_another = false;  // another process is sending
};

// Finds what is wrong, and sends what is to be sent of it. `missed`: schedules that were missed;
// nullopt: they are asked for. `further`: what the catalog does not tell. Errors: the catalog's,
// those of the memory; a channel's are in the pass.
Result<AlertPass> SendAlerts(Environment& environment,
                             const std::optional<PolicyDocument>& document,
                             const std::optional<std::vector<observe::Finding>>& missed = {},
                             const std::vector<observe::Finding>& further = {});

// The same for the end of a command: says what was sent and what could not be, and fails nothing.
// Without a channel it does nothing at all.
void TellAlerts(const GlobalOptions& global, Environment& environment,
                const std::optional<PolicyDocument>& document,
                const std::optional<std::vector<observe::Finding>>& missed = {},
                const std::vector<observe::Finding>& further = {});

// A run that ended with an error and has no report: nothing in the catalog tells of it.
observe::Finding FindingOfRun(const Error& error);

// Schedules of the document that were missed and not caught up with yet.
Result<std::vector<observe::Finding>> MissedSchedules(
    Environment& environment, const std::optional<PolicyDocument>& document);

// What the schedules' decision says of it.
std::vector<observe::Finding> FindingsOf(const std::vector<backup::MissedSchedule>& missed);

}  // namespace holdfast::cli
