#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "base/suggestion.h"
#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/policy_source.h"

namespace holdfast::cli {

namespace {

struct ConfigShowOptions {
  std::vector<std::string> names;
  bool origin = false;
};

// The settings that a name means: itself, or those of a section.
Status CheckNames(const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const Setting& setting : AllSettings()) {
    known.emplace_back(setting.name);
    for (size_t at = 0; (at = setting.name.find('.', at)) != setting.name.npos; ++at) {
      known.emplace_back(setting.name.substr(0, at));
    }
  }
  for (const std::string& name : names) {
    const auto means = [&](const std::string& at) {
      return at == name || at.starts_with(name + ".");
    };
    if (std::ranges::any_of(known, means)) continue;
    const std::string nearest = NearestWord(name, known);
    return MakeError(
        ErrorId::kUsage, "there is no setting \"" + name + "\"",
        nearest.empty() ? "See `holdfast config show`" : "Did you mean " + nearest + "?");
  }
  return Ok();
}

bool IsNamed(std::string_view setting, const std::vector<std::string>& names) {
  return names.empty() || std::ranges::any_of(names, [&](const std::string& name) {
           return setting == name || setting.starts_with(name + ".");
         });
}

Result<int> ConfigShow(const GlobalOptions& global, const ConfigShowOptions& options) {
  HF_RETURN_IF_ERROR(CheckNames(options.names));
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  std::vector<Json> rows;
  for (const EffectiveSetting& at : loaded.settings) {
    if (!IsNamed(at.setting->name, options.names)) continue;
    rows.push_back({{"setting", at.setting->name},
                    {"value", at.value},
                    {"origin", at.origin},
                    {"variable", VariableOf(*at.setting)}});
  }
  std::vector<Column> columns = {{.member = "setting", .heading = "SETTING"},
                                 {.member = "value", .heading = "VALUE"}};
  if (options.origin) columns.push_back({.member = "origin", .heading = "ORIGIN"});
  PrintRows(std::cout, global.OutputFormat(), columns, rows, "");
  for (const std::string& sentence : UnknownVariables(ProcessVariableNames())) {
    Say(global, "Warning: " + sentence);
  }
  return kExitOk;
}

Result<int> ConfigValidate(GlobalOptions global, const std::string& file) {
  if (!file.empty()) global.config_path = file;
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  const std::vector<std::string> unknown = UnknownVariables(ProcessVariableNames());
  if (!unknown.empty()) {
    return MakeError(ErrorId::kConfigInvalid, fmt::format("{}", fmt::join(unknown, "; ")),
                     "Correct or unset that variable of the environment");
  }
  // As a run would: a mistake in it would be told at night.
  HF_RETURN_IF_ERROR(LoadPolicyDocument(loaded));
  const auto set = std::ranges::count_if(
      loaded.settings, [](const EffectiveSetting& at) { return at.origin != "default"; });
  if (global.OutputFormat() == Format::kPretty) {
    std::cout << fmt::format("{}: {}, {} set, the others as by default\n",
                             loaded.file.empty() ? "There is no configuration file"
                                                 : Printable(loaded.file) + " is valid",
                             Plural(static_cast<int64_t>(loaded.settings.size()), "setting"), set);
  } else {
    PrintDocument(std::cout, global.OutputFormat(),
                  {{"schema", "holdfast.config.v1"},
                   {"valid", true},
                   {"file", loaded.file},
                   {"settings_set", set}});
  }
  return kExitOk;
}

void AddShow(CLI::App& config, CommandContext context) {
  CLI::App* command = config.add_subcommand("show", "Show the settings in effect");
  auto options = std::make_shared<ConfigShowOptions>();
  command->add_option("setting", options->names, "Only these settings or sections");
  command->add_flag("--origin", options->origin,
                    "Where each was said: flag, variable, line of the file, or default");
  SetExamples(*command, {{"holdfast config show --origin", "what is in effect, and why"},
                         {"holdfast config show policy.scope --json", "a section, for a script"}});
  command->callback([context, options] {
    context.action = [context, options] { return ConfigShow(context.global, *options); };
  });
}

void AddValidate(CLI::App& config, CommandContext context) {
  CLI::App* command =
      config.add_subcommand("validate", "Check file and environment, and do nothing else");
  auto file = std::make_shared<std::string>();
  command->add_option("file", *file, "The file; default: the one that the others use");
  SetExamples(*command, {{"holdfast config validate holdfast.yaml", ""}});
  command->callback([context, file] {
    context.action = [context, file] { return ConfigValidate(context.global, *file); };
  });
}

}  // namespace

void AddConfigCommands(CLI::App& app, CommandContext context) {
  CLI::App* config = app.add_subcommand("config", "Show and check the configuration");
  config->require_subcommand(1);
  AddShow(*config, context);
  AddValidate(*config, context);
}

}  // namespace holdfast::cli
