#include "cli/alerting.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "adapters/notifiers.h"
#include "adapters/secret.h"
#include "base/directory_lock.h"
#include "base/log.h"
#include "cli/output.h"
#include "cli/replace_file.h"
#include "cli/run_schedules.h"
#include "cli/text_file.h"
#include "observe/findings.h"

namespace holdfast::cli {

namespace {

constexpr size_t kStateBytesMax = size_t{16} << 20U;

std::string AlertDirectory(const std::string& data_dir) { return data_dir + "/alerts"; }
std::string StatePath(const std::string& data_dir) {
  return AlertDirectory(data_dir) + "/sent.json";
}

// Sends what is planned, one channel after the other. A channel that failed is left alone for the
// rest of the pass: it would take a minute for each alert to fail again.
class Sending {
 public:
  Sending(Environment& environment, AlertPass& pass) : environment_(environment), pass_(pass) {}

  Status SendAll(const std::vector<observe::PlannedAlert>& planned, observe::AlertState& state) {
    for (const observe::PlannedAlert& alert : planned) {
      if (failed_.contains(alert.channel)) continue;
      const Status sent = SendOne(alert);
      if (!sent.ok()) {
        failed_[alert.channel] = true;
        pass_.failures.push_back(
            MakeError(ErrorId::kAlertNotSent, sent.error().code,
                      fmt::format("channel {}: {}", alert.channel, sent.error().message)));
        LogError("alert not sent", {{"channel", alert.channel}, {"error", sent.error().message}});
        continue;
      }
      observe::NoteSent(state, alert);
      HF_RETURN_IF_ERROR(WriteAlertState(environment_.config().data_dir, state));
      LogInfo("alert sent", {{"channel", alert.channel}, {"key", alert.alert.key}});
      pass_.sent.push_back(alert);
    }
    return Ok();
  }

 private:
  Status SendOne(const observe::PlannedAlert& planned) {
    auto& sender = senders_[planned.channel];
    if (!sender) {
      const auto* channel = environment_.config().alerts.FindChannel(planned.channel);
      HF_ASSIGN_OR_RETURN(sender,
                          AlertSender::Make(*channel, environment_.clock(), environment_.random()));
    }
    return sender->Notify(planned.alert);
  }

  Environment& environment_;
  AlertPass& pass_;
  std::map<std::string, std::unique_ptr<AlertSender>> senders_;
  std::map<std::string, bool> failed_;
};

}  // namespace

Result<std::unique_ptr<AlertSender>> AlertSender::Make(const observe::AlertChannel& channel,
                                                       Clock& clock, Random& random) {
  auto sender = std::make_unique<AlertSender>();
  if (channel.email) {
    const observe::EmailChannel& email = *channel.email;
    MailChannel mail{.url = email.smtp_url,
                     .require_tls = email.require_tls,
                     .username = email.username,
                     .password = {},
                     .addresses = {.from = email.from, .to = email.to}};
    if (!email.password.empty()) {
      HF_ASSIGN_OR_RETURN(mail.password, ReadSecret(email.password, ReadProcessVariable));
    }
    sender->smtp_ = net::MakeCurlSmtpClient({.ca_file = email.ca_file});
    sender->notifier_ = MakeMailNotifier(std::move(mail), *sender->smtp_, clock, random);
    return sender;
  }
  WebhookChannel webhook{.url = channel.webhook->url, .secret = {}};
  if (IsSecretReference(webhook.url)) {
    HF_ASSIGN_OR_RETURN(webhook.url, ReadSecret(channel.webhook->url, ReadProcessVariable));
  }
  if (!channel.webhook->secret.empty()) {
    HF_ASSIGN_OR_RETURN(webhook.secret, ReadSecret(channel.webhook->secret, ReadProcessVariable));
  }
  sender->http_ = net::MakeCurlHttpClient();
  sender->notifier_ = MakeWebhookNotifier(std::move(webhook), *sender->http_, clock, random);
  return sender;
}

Result<observe::AlertState> ReadAlertState(const std::string& data_dir) {
  const std::string path = StatePath(data_dir);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return observe::AlertState();
  HF_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kStateBytesMax));
  const auto json = ParseJson(text);
  if (!json.ok()) return MakeError(ErrorId::kAlertStateDamaged, path + ": " + json.error().message);
  return observe::AlertState::FromJson(*json);
}

Status WriteAlertState(const std::string& data_dir, const observe::AlertState& state) {
  return ReplaceFile(StatePath(data_dir), DumpPrettyJson(state.ToJson()) + "\n");
}

Result<std::vector<observe::Finding>> MissedSchedules(
    Environment& environment, const std::optional<PolicyDocument>& document) {
  if (!document || document->Schedules().empty()) return std::vector<observe::Finding>();
  HF_ASSIGN_OR_RETURN(const DueNow now, FindDue(environment, document));
  return FindingsOf(now.decision.missed);
}

std::vector<observe::Finding> FindingsOf(const std::vector<backup::MissedSchedule>& missed) {
  std::vector<observe::Finding> findings;
  for (const backup::MissedSchedule& at : missed) {
    findings.push_back({.kind = observe::AlertKind::kMissedSchedule,
                        .subject = at.schedule,
                        .count = at.times,
                        .objects = {},
                        .detail = backup::DescribeMissed(at)});
  }
  return findings;
}

observe::Finding FindingOfRun(const Error& error) {
  return {.kind = observe::AlertKind::kFailedStep,
          .subject = "the run itself",
          .count = 1,
          .objects = {},
          .detail = fmt::format("a run ended before it was done: {} [{}]", error.message,
                                FindError(error.id).id)};
}

Result<AlertPass> SendAlerts(Environment& environment,
                             const std::optional<PolicyDocument>& document,
                             const std::optional<std::vector<observe::Finding>>& missed,
                             const std::vector<observe::Finding>& further) {
  const Config& config = environment.config();
  AlertPass pass;
  const auto lock = DirectoryLock::Take(AlertDirectory(config.data_dir));
  if (!lock.ok()) {
    if (lock.error().id != ErrorId::kDirectoryInUse) return lock.error();
    pass.left_to_another = true;
    return pass;
  }
  HF_ASSIGN_OR_RETURN(observe::AlertState state, ReadAlertState(config.data_dir));
  const Timestamp now = environment.clock().Now();
  HF_ASSIGN_OR_RETURN(pass.findings,
                      observe::CollectFindings(environment.catalog(), WholeScope(config),
                                               observe::RpoByNames(document), now));
  std::vector<observe::Finding> late;
  if (missed) {
    late = *missed;
  } else {
    HF_ASSIGN_OR_RETURN(late, MissedSchedules(environment, document));
  }
  pass.findings.insert(pass.findings.end(), late.begin(), late.end());
  pass.findings.insert(pass.findings.end(), further.begin(), further.end());
  observe::Forget(state, config.alerts);
  const auto planned = observe::PlanAlerts(config.alerts, pass.findings, state, ToUnixMillis(now));
  HF_RETURN_IF_ERROR(Sending(environment, pass).SendAll(planned, state));
  return pass;
}

void TellAlerts(const GlobalOptions& global, Environment& environment,
                const std::optional<PolicyDocument>& document,
                const std::optional<std::vector<observe::Finding>>& missed,
                const std::vector<observe::Finding>& further) {
  if (environment.config().alerts.channels.empty()) return;
  const auto pass = SendAlerts(environment, document, missed, further);
  if (!pass.ok()) {
    LogError("alerts could not be looked for", {{"error", pass.error().message}});
    Say(global, "ALERTS WERE NOT SENT: " + pass.error().message);
    return;
  }
  for (const Error& failure : pass->failures) Say(global, "ALERT NOT SENT: " + failure.message);
  if (!pass->sent.empty()) {
    Say(global, Plural(static_cast<int64_t>(pass->sent.size()), "alert") + " sent.");
  }
}

}  // namespace holdfast::cli
