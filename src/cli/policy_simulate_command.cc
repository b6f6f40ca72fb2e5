#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <memory>

#include "adapters/system_clock.h"
#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/config_file.h"
#include "cli/retention_text.h"
#include "cli/text_file.h"
#include "model/effective_policy.h"
#include "model/policy_document.h"
#include "model/yaml_tree.h"

namespace holdfast::cli {

namespace {

constexpr size_t kPolicyBytesMax = size_t{1} << 20U;
constexpr size_t kHistoryBytesMax = size_t{256} << 20U;
constexpr std::array kPolicySections = {
    PolicyLevel::kDefaults, PolicyLevel::kClasses, PolicyLevel::kFolders, PolicyLevel::kProjects,
    PolicyLevel::kDatasets, PolicyLevel::kTables,  PolicyLevel::kLabels};

struct SimulateOptions {
  std::string policy;
  std::string history;
  std::string now;
};

// What a file says of retention: of each object by its name, or the same of all.
class RetentionByObject {
 public:
  explicit RetentionByObject(RetentionPolicy otherwise) : otherwise_(std::move(otherwise)) {}
  RetentionByObject(RetentionPolicy otherwise, PolicyDocument document)
      : otherwise_(std::move(otherwise)), document_(std::move(document)) {}

  // Of one for which the document says nothing it is what the file says beside it.
  Result<RetentionPolicy> Of(const std::string& object) const {
    if (!document_) return otherwise_;
    const auto table = ParseTableRef(object);
    // A name that is no table's can only have what holds for all.
    const PolicyResolver resolver(*document_, table.ok() ? table->project : object, {}, {});
    const EffectivePolicy policy =
        table.ok() ? resolver.OfTable(table->WholeTable(), {}, {}) : resolver.OfProject();
    const auto found = policy.fields.find("retention");
    if (found == policy.fields.end()) return otherwise_;
    return RetentionPolicy::FromJson(found->second.value);
  }

 private:
  RetentionPolicy otherwise_;
  std::optional<PolicyDocument> document_;
};

bool SaysRetention(const PolicyDocument& document) {
  return std::ranges::any_of(document.rules, [](const PolicyRule& rule) {
    return rule.fields.find("retention") != rule.fields.end();
  });
}

// A policy document; a configuration file, whose setting `retention` holds where its member
// `policies` says nothing, as for `backup prune`; a map whose member `retention` is the retention
// of everything; or that retention itself.
Result<RetentionByObject> ReadPolicy(const std::string& path) {
  HF_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kPolicyBytesMax));
  HF_ASSIGN_OR_RETURN(const YamlNode tree, ParseYamlTree(text).WithContext(path));
  const Json json = tree.ToJson();
  if (!json.is_object()) {
    return MakeError(ErrorId::kRetentionInvalid, path + ": the document is not a map");
  }
  const Json* const retention = FindField(json, "retention");
  const bool in_config = json.contains(kPoliciesMember);
  const bool is_document = std::ranges::any_of(kPolicySections, [&](PolicyLevel section) {
    return json.contains(PolicyLevelName(section));
  });
  RetentionPolicy otherwise;  // everything is kept
  if (retention != nullptr || (!in_config && !is_document)) {
    HF_ASSIGN_OR_RETURN(
        otherwise,
        RetentionPolicy::FromJson(retention == nullptr ? json : *retention).WithContext(path));
    if (!in_config) return RetentionByObject(std::move(otherwise));
  }
  HF_ASSIGN_OR_RETURN(PolicyDocument document,
                      ReadPolicyText(text, path, in_config ? kPoliciesMember : std::string_view()));
  if (!in_config && !SaysRetention(document)) {
    return MakeError(ErrorId::kRetentionInvalid,
                     path + ": the document says \"retention\" nowhere, not even in its defaults");
  }
  return RetentionByObject(std::move(otherwise), std::move(document));
}

Result<std::vector<retain::ObjectHistory>> ReadHistory(const std::string& path) {
  HF_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kHistoryBytesMax));
  auto histories = retain::ParseHistories(text, {.size_bytes_max = kHistoryBytesMax});
  if (!histories.ok()) return MakeError(ErrorId::kUsage, path + ": " + histories.error().message);
  return histories;
}

Result<Timestamp> ReadNow(const std::string& text) {
  if (text.empty()) return SystemClock().Now();
  const auto time = ParseTimestamp(text);
  if (time.ok()) return *time;
  return MakeError(ErrorId::kUsage, "--now: " + time.error().message,
                   "Give a time in RFC 3339: --now 2026-11-21T10:00:00Z");
}

Result<int> Simulate(const GlobalOptions& global, const SimulateOptions& options) {
  HF_ASSIGN_OR_RETURN(const RetentionByObject policies, ReadPolicy(options.policy));
  HF_ASSIGN_OR_RETURN(const auto histories, ReadHistory(options.history));
  HF_ASSIGN_OR_RETURN(const Timestamp now, ReadNow(options.now));
  // What is printed is made twice rather than held: all calendars come before the first verdict.
  const auto for_each_plan = [&](const auto& visit) -> Status {
    for (const retain::ObjectHistory& history : histories) {
      HF_ASSIGN_OR_RETURN(const RetentionPolicy policy, policies.Of(history.object));
      visit(retain::PlanRetention(history, policy, now), policy.calendar);
    }
    return Ok();
  };
  if (global.OutputFormat() == Format::kPretty) {
    HF_RETURN_IF_ERROR(
        for_each_plan([](const retain::RetentionPlan& plan, const Calendar& calendar) {
          PrintCalendar(std::cout, plan, calendar);
        }));
  }
  VerdictPrinter printer(std::cout, global.OutputFormat(), "The history holds no backup.");
  HF_RETURN_IF_ERROR(for_each_plan([&](const retain::RetentionPlan& plan, const Calendar&) {
    for (const retain::Verdict& verdict : plan.verdicts) {
      printer.Add(VerdictJson(plan.object, verdict));
    }
  }));
  printer.Finish();
  return kExitOk;
}

// The command group, which other files add to as well.
CLI::App* PolicyGroup(CLI::App& app) {
  const auto found =
      app.get_subcommands([](const CLI::App* group) { return group->get_name() == "policy"; });
  if (!found.empty()) return found.front();
  CLI::App* const group = app.add_subcommand("policy", "See what a policy does");
  group->require_subcommand(1);
  return group;
}

}  // namespace

void AddPolicySimulateCommand(CLI::App& app, CommandContext context) {
  CLI::App* command = PolicyGroup(app)->add_subcommand(
      "simulate", "Show what a retention policy keeps of a history of backups, and why");
  auto options = std::make_shared<SimulateOptions>();
  command
      ->add_option("--policy", options->policy,
                   "YAML or JSON: a policy document, a configuration file with one, or a map with "
                   "the member retention")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--history", options->history,
                   "JSON: an array of {object, id, time, state, rows, bytes, pinned, held, "
                   "source_deleted_at}")
      ->type_name("FILE")
      ->required();
  command->add_option("--now", options->now, "As of this time; without it, the present")
      ->type_name("TIME");
  SetExamples(*command,
              {{"holdfast policy simulate --policy policy.yaml --history history.json",
                "a calendar of what is kept, and each backup with the reasons"},
               {"holdfast policy simulate --policy policy.yaml --history history.json --now "
                "2027-01-01T00:00:00Z --json",
                "for a script, as of a day to come"}});
  command->callback([context, options] {
    context.action = [context, options] { return Simulate(context.global, *options); };
  });
}

}  // namespace holdfast::cli
