#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/config_file.h"
#include "cli/environment.h"
#include "cli/policy_source.h"
#include "cli/table_policies.h"
#include "model/policy_field.h"

namespace holdfast::cli {

namespace {

// What is in effect where the document says nothing: the settings of `policy`, and `retention`.
std::optional<Json> FieldFromSettings(const PolicyField& field, const LoadedConfig& loaded) {
  std::string name =
      "policy." + (field.name == "methods" ? std::string("method") : std::string(field.name));
  if (field.name == "retention") name = "retention";
  for (const EffectiveSetting& at : loaded.settings) {
    if (at.setting->name != name) continue;
    const Json value = field.name == "methods" ? Json::array({at.value}) : at.value;
    return Json{{"field", field.name}, {"value", value}, {"origin", at.origin}};
  }
  return std::nullopt;
}

std::vector<Json> FieldRows(const EffectivePolicy& policy, const LoadedConfig& loaded) {
  std::vector<Json> rows;
  for (const PolicyField& field : AllPolicyFields()) {
    const auto found = policy.fields.find(field.name);
    if (found != policy.fields.end()) {
      rows.push_back({{"field", field.name},
                      {"value", found->second.value},
                      {"origin", found->second.origin}});
    } else if (auto row = FieldFromSettings(field, loaded)) {
      rows.push_back(*std::move(row));
    }
  }
  return rows;
}

// Whether the table is there, or was and has backups: a policy of names holds for one that is not,
// and a name that was mistyped has one as well.
Result<bool> IsKnown(Environment& environment, const TableRef& table) {
  if (!ParseReservedName(table.table)) {
    const auto found = environment.warehouse().GetTable(table);
    if (found.ok()) return true;
    if (found.error().code != Code::kNotFound) return found.error();
  }
  HF_ASSIGN_OR_RETURN(
      const auto backups,
      environment.catalog().FindBackups(
          {.project = table.project, .dataset = table.dataset, .table = table.table}, ""));
  return !backups.items.empty();
}

Result<int> PolicyShow(const GlobalOptions& global, const std::string& name) {
  HF_ASSIGN_OR_RETURN(const TableRef table, ParseTableRef(name));
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  HF_ASSIGN_OR_RETURN(const auto document, LoadPolicyDocument(loaded));
  EffectivePolicy policy;
  bool known = true;
  if (document) {
    HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(loaded.config));
    HF_ASSIGN_OR_RETURN(known, IsKnown(*environment, table.WholeTable()));
    TablePolicies policies(*environment, *document);
    HF_ASSIGN_OR_RETURN(policy, policies.Of(table.WholeTable()));
  }
  const std::vector<Json> rows = FieldRows(policy, loaded);
  const Format format = global.OutputFormat();
  if (format == Format::kJson || format == Format::kPrettyJson || format == Format::kYaml) {
    Json refusals = Json::array();
    for (const PolicyRefusal& refusal : policy.refusals) {
      refusals.push_back(
          {{"field", refusal.field}, {"origin", refusal.origin}, {"reason", refusal.reason}});
    }
    PrintDocument(std::cout, format,
                  {{"schema", "holdfast.policy.v1"},
                   {"object", table.WholeTable().ToString()},
                   {"known", known},
                   {"enabled", policy.enabled()},
                   {"fields", rows},
                   {"refusals", std::move(refusals)}});
    return kExitOk;
  }
  PrintRows(std::cout, format,
            {{.member = "field", .heading = "FIELD"},
             {.member = "value", .heading = "VALUE"},
             {.member = "origin", .heading = "ORIGIN"}},
            rows, "");
  std::string kept;
  for (const PolicyField& field : AllPolicyFields()) {
    if (field.is_kept_only && policy.fields.contains(field.name)) {
      kept += (kept.empty() ? "" : ", ") + std::string(field.name);
    }
  }
  if (!kept.empty()) Say(global, "Kept and shown, not acted on yet: " + kept + ".");
  if (!known) {
    Say(global, table.WholeTable().ToString() +
                    " is not there and has no backup: this would hold for a table of that name.");
  }
  if (!document) Say(global, "There is no policy document: the settings hold for every table.");
  for (const PolicyRefusal& refusal : policy.refusals) {
    Say(global, "Refused: " + refusal.ToString());
  }
  return kExitOk;
}

Result<std::optional<PolicySource>> SourceToValidate(const GlobalOptions& global,
                                                     const std::string& file) {
  if (!file.empty()) {
    HF_ASSIGN_OR_RETURN(std::string text, ReadConfigFile(file));
    return std::optional(PolicySource{.file = file, .member = {}, .text = std::move(text)});
  }
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  return FindPolicySource(loaded);
}

Result<int> PolicyValidate(const GlobalOptions& global, const std::string& file) {
  HF_ASSIGN_OR_RETURN(const auto source, SourceToValidate(global, file));
  if (!source) {
    return MakeError(ErrorId::kConfigInvalid, "no policy document is configured",
                     "Name a file, set policy_file, or give the configuration file `policies`");
  }
  const ParsedPolicy parsed = source->Parse();
  const bool pretty = global.OutputFormat() == Format::kPretty;
  std::vector<Json> problems;
  for (const PolicyProblem& problem : parsed.problems) {
    problems.push_back(
        {{"line", problem.line}, {"column", problem.column}, {"message", problem.message}});
    if (!pretty) continue;
    std::cout << Printable(fmt::format("{}:{}:{}: {}", source->file, problem.line, problem.column,
                                       problem.message))
              << '\n';
  }
  const auto rules = static_cast<int64_t>(parsed.document.rules.size());
  if (!pretty) {
    PrintDocument(std::cout, global.OutputFormat(),
                  {{"schema", "holdfast.policy_validation.v1"},
                   {"valid", problems.empty()},
                   {"file", source->file},
                   {"rules", rules},
                   {"schedules", parsed.document.Schedules().size()},
                   {"problems", problems}});
  } else if (problems.empty()) {
    std::cout << Printable(fmt::format(
                     "{} is valid: {}, {}", source->file, Plural(rules, "rule"),
                     Plural(static_cast<int64_t>(parsed.document.Schedules().size()), "schedule")))
              << '\n';
  }
  if (problems.empty()) return kExitOk;
  return MakeError(ErrorId::kInvalidPolicy,
                   fmt::format("{} has {}", source->file,
                               Plural(static_cast<int64_t>(problems.size()), "mistake")));
}

void AddPolicyShow(CLI::App& policy, CommandContext context) {
  CLI::App* command = policy.add_subcommand(
      "show", "Show what holds for a table, field by field, and where that is said");
  auto table = std::make_shared<std::string>();
  command->add_option("table", *table, "project.dataset.table")->required();
  SetExamples(*command, {{"holdfast policy show acme-shop.sales.orders", "what holds, and why"},
                         {"holdfast policy show acme-shop.sales.orders --json", "for a script"}});
  command->callback([context, table] {
    context.action = [context, table] { return PolicyShow(context.global, *table); };
  });
}

void AddPolicyValidate(CLI::App& policy, CommandContext context) {
  CLI::App* command =
      policy.add_subcommand("validate", "Check a policy document and tell every mistake");
  auto file = std::make_shared<std::string>();
  command->add_option("file", *file, "The document; default: the one that is configured");
  SetExamples(*command, {{"holdfast policy validate policy.yaml", "before it is put in place"}});
  command->callback([context, file] {
    context.action = [context, file] { return PolicyValidate(context.global, *file); };
  });
}

}  // namespace

void AddPolicyCommands(CLI::App& app, CommandContext context) {
  CLI::App* policy = app.add_subcommand("policy", "Show and check the policy document");
  policy->require_subcommand(1);
  AddPolicyShow(*policy, context);
  AddPolicyValidate(*policy, context);
}

}  // namespace holdfast::cli
