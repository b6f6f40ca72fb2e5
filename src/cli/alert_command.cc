#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "cli/alerting.h"
#include "cli/audit.h"
#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/environment.h"
#include "cli/policy_source.h"

namespace holdfast::cli {

namespace {

std::string ChannelText(const observe::AlertChannel& channel) {
  if (channel.email) {
    std::string to;
    for (const std::string& address : channel.email->to) to += (to.empty() ? "" : ", ") + address;
    return "mail to " + to;
  }
  // A webhook's path may be all the secret there is.
  const std::string& url = channel.webhook->url;
  const size_t host = url.find("://");
  if (host == std::string::npos) return "webhook at " + url;
  const std::string authority = url.substr(0, url.find_first_of("/?#", host + 3));
  const size_t login = authority.find('@');
  return "webhook at " + (login == authority.npos ? authority : authority.substr(login + 1));
}

// Channels to send a test to: the one that is named, or all.
Result<std::vector<observe::AlertChannel>> ChannelsNamed(const observe::AlertSettings& settings,
                                                         const std::string& name) {
  if (name.empty() && settings.channels.empty()) {
    return MakeError(ErrorId::kAlertChannelNotFound, "the configuration has no alert channel",
                     "Add one under alerts.channels; see docs/reference/alerts.md");
  }
  if (name.empty()) return settings.channels;
  const observe::AlertChannel* channel = settings.FindChannel(name);
  if (channel == nullptr) {
    return MakeError(ErrorId::kAlertChannelNotFound, "no alert channel is called \"" + name + "\"");
  }
  return std::vector{*channel};
}

Result<int> TestChannels(const GlobalOptions& global, const std::string& name) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  HF_ASSIGN_OR_RETURN(const auto channels, ChannelsNamed(config.alerts, name));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  std::vector<Json> rows;
  std::optional<Error> first;
  for (const observe::AlertChannel& channel : channels) {
    const auto sender = AlertSender::Make(channel, environment->clock(), environment->random());
    const Status sent =
        sender.ok()
            ? (*sender)->Notify(observe::TestAlert(ToUnixMillis(environment->clock().Now())))
            : Status(sender.error());
    rows.push_back({{"channel", channel.name},
                    {"where", ChannelText(channel)},
                    {"result", sent.ok() ? "sent" : "FAILED"},
                    {"error", sent.ok() ? "" : sent.error().message}});
    if (!sent.ok() && !first) first = sent.error();
  }
  PrintRows(std::cout, global.OutputFormat(),
            {{.member = "channel", .heading = "CHANNEL"},
             {.member = "where", .heading = "WHERE"},
             {.member = "result", .heading = "RESULT"},
             {.member = "error", .heading = "ERROR"}},
            rows, "");
  if (first) return std::move(*first);
  return kExitOk;
}

Result<int> ListAlerts(const GlobalOptions& global) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  HF_ASSIGN_OR_RETURN(const auto state, ReadAlertState(config.data_dir));
  Json channels = Json::array();
  for (const observe::AlertChannel& channel : config.alerts.channels) {
    Json kinds = Json::array();
    for (const observe::AlertKindEntry& kind : observe::AllAlertKinds()) {
      if (config.alerts.RepeatAfter(kind.kind, channel.name)) kinds.push_back(kind.id);
    }
    channels.push_back(
        {{"channel", channel.name}, {"where", ChannelText(channel)}, {"kinds", kinds}});
  }
  std::vector<Json> rows;
  for (const observe::SentAlert& sent : state.sent) {
    rows.push_back({{"channel", sent.channel},
                    {"kind", observe::EntryOf(sent.kind).id},
                    {"title", sent.title},
                    {"count", sent.count},
                    {"since", FormatTimestamp(FromUnixMillis(sent.since_ms))},
                    {"sent", FormatTimestamp(FromUnixMillis(sent.sent_ms))}});
  }
  if (global.OutputFormat() != Format::kPretty) {
    PrintDocument(std::cout, global.OutputFormat(),
                  {{"schema", "holdfast.alert_list.v1"}, {"channels", channels}, {"open", rows}});
    return kExitOk;
  }
  for (const Json& channel : channels) {
    std::string kinds;
    for (const Json& kind : channel["kinds"]) {
      kinds += (kinds.empty() ? "" : ", ") + kind.get<std::string>();
    }
    std::cout << Printable(fmt::format("Channel {}: {}: {}", StringOr(channel, "channel", ""),
                                       StringOr(channel, "where", ""), kinds))
              << '\n';
  }
  if (channels.empty()) std::cout << "No channel is configured: no one is told of anything.\n";
  PrintRows(std::cout, global.OutputFormat(),
            {{.member = "channel", .heading = "TOLD"},
             {.member = "title", .heading = "OF"},
             {.member = "since", .heading = "SINCE"},
             {.member = "sent", .heading = "LAST SENT"}},
            rows, "Nothing that was told of is still open.");
  return kExitOk;
}

Result<int> CheckAlerts(const GlobalOptions& global) {
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  HF_ASSIGN_OR_RETURN(const auto document, LoadPolicyDocument(loaded));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(loaded.config));
  HF_ASSIGN_OR_RETURN(const AlertPass pass, SendAlerts(*environment, document));
  if (pass.left_to_another) {
    Say(global, "Another process is sending alerts just now; nothing was done.");
    return kExitOk;
  }
  std::vector<Json> rows;
  for (const observe::Finding& finding : pass.findings) {
    rows.push_back({{"kind", observe::EntryOf(finding.kind).id},
                    {"subject", finding.subject},
                    {"count", finding.count},
                    {"objects", finding.objects},
                    {"first", finding.objects.empty() ? finding.subject : finding.objects.front()},
                    {"detail", finding.detail}});
  }
  PrintRows(std::cout, global.OutputFormat(),
            {{.member = "kind", .heading = "KIND"},
             {.member = "count", .heading = "COUNT", .align_right = true},
             {.member = "first", .heading = "FIRST"},
             {.member = "detail", .heading = "DETAIL"}},
            rows, "Nothing is wrong that an alert would tell of.");
  Say(global, Plural(static_cast<int64_t>(pass.sent.size()), "alert") + " sent.");
  for (const Error& failure : pass.failures) Say(global, "ALERT NOT SENT: " + failure.message);
  if (!pass.failures.empty()) return pass.failures.front();
  return kExitOk;
}

}  // namespace

void AddAlertCommands(CLI::App& app, CommandContext context) {
  CLI::App* alert = app.add_subcommand("alert", "Who is told of what went wrong, and of what");
  alert->require_subcommand(1);

  CLI::App* test = alert->add_subcommand("test", "Send a test to the alert channels");
  auto name = std::make_shared<std::string>();
  test->add_option("--channel", *name, "Only this one; none: all")->type_name("NAME");
  SetExamples(*test, {{"holdfast alert test", "to every channel"},
                      {"holdfast alert test --channel oncall", "to one"}});
  test->callback([context, name] {
    context.action = [context, name] { return TestChannels(context.global, *name); };
  });

  CLI::App* list = alert->add_subcommand("list", "List the channels, and what they were told of");
  SetExamples(*list, {{"holdfast alert list", ""}, {"holdfast alert list --json", "for a script"}});
  list->callback([context] { context.action = [context] { return ListAlerts(context.global); }; });

  CLI::App* check = alert->add_subcommand(
      "check", "Find what is wrong, and send the alerts that are due: for a cron job");
  SetExamples(*check, {{"holdfast alert check", "missed schedules and recovery points included"}});
  check->callback(
      [context] { context.action = [context] { return CheckAlerts(context.global); }; });
}

}  // namespace holdfast::cli
