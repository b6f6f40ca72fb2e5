#include "cli/command.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "base/log.h"
#include "cli/arguments.h"
#include "cli/command_tree.h"
#include "cli/environment.h"
#include "cli/help_text.h"
#include "cli/interrupt.h"

namespace holdfast::cli {

namespace {

void AddSettingFlags(CLI::App& app, GlobalOptions& global) {
  for (const Setting& setting : AllSettings()) {
    if (setting.flag.empty()) continue;
    std::string names(setting.flag);
    if (!setting.flag_alias.empty()) names += "," + std::string(setting.flag_alias);
    const std::string name(setting.name);
    app.add_option_function<std::string>(
           names, [&global, name](const std::string& text) { global.settings[name] = text; },
           std::string(setting.flag_doc))
        ->type_name(std::string(setting.flag_value));
  }
}

void AddGlobalOptions(CLI::App& app, GlobalOptions& global) {
  app.set_help_flag("-h,--help", "Say how a command is used");
  app.set_version_flag("--version", "holdfast " + ProgramVersion(), "Print the version");
  app.add_option("--config", global.config_path, "Configuration file (YAML)")->type_name("FILE");
  AddSettingFlags(app, global);
  app.add_option("--format", global.format, "Form of the data on stdout")
      ->type_name("FORMAT")
      ->check(OneOf(FormatNames()));
  app.add_flag_callback(
      "--json", [&global] { global.format = "json"; }, "The same as --format=json");
  app.add_option("--progress", global.progress, "Form of the progress on stderr")
      ->type_name("MODE")
      ->check(OneOf({"auto", "plain", "json", "none"}));
  app.add_flag("-v,--verbose", global.verbose, "Say more on stderr");
  app.add_flag("-q,--quiet", global.quiet, "Only errors on stderr");
}

const CLI::App& ProgramOf(const CLI::App& app) {
  const CLI::App* at = &app;
  while (at->get_parent() != nullptr) at = at->get_parent();
  return *at;
}

// CLI11 asks for the help of one command, and knows of it no more than where it is.
std::string FormatHelp(const CLI::App& app) {
  const CommandDoc program = DescribeCommands(ProgramOf(app));
  std::vector<std::string> names;
  for (const CLI::App* at = &app; at->get_parent() != nullptr; at = at->get_parent()) {
    names.insert(names.begin(), at->get_name());
  }
  const auto command = FindCommand(program, names);
  return HelpText(command.ok() ? **command : program, program);
}

// What the parser refused, or the help or version that it was asked for. The exit code.
int AnswerParser(const CLI::App& app, const CommandDoc& program, const GlobalOptions& global,
                 const CLI::ParseError& refusal) {
  if (refusal.get_exit_code() == 0) return app.exit(refusal);
  const Error error = DiagnoseArguments(app, program, refusal);
  PrintError(global, error, kExitUsage);
  return kExitUsage;
}

}  // namespace

bool IsTerminal() {
  const auto term = ReadProcessVariable("TERM");
  return isatty(STDERR_FILENO) == 1 && term.has_value() && *term != "dumb";
}

void Say(const GlobalOptions& global, const std::string& text) {
  if (!global.quiet) std::cerr << PrintableLines(text) << '\n';
}

void PrintError(const GlobalOptions& global, const Error& error, int exit_code) {
  std::cerr << PrintableLines(error.ToString()) << '\n';
  if (global.format.find("json") == std::string::npos) return;
  PrintDocument(std::cerr, Format::kJsonLines,
                {{"message_type", "exit_error"},
                 {"code", exit_code},
                 {"id", FindError(error.id).id},
                 {"message", error.message}});
}

Result<LoadedConfig> EffectiveSettings(const GlobalOptions& global) {
  auto loaded = LoadConfig(global.config_path, ReadProcessVariable, global.settings);
  if (loaded.ok()) {
    const Config& config = loaded->config;
    ConfigureLog(global.verbose ? std::min(LogLevel::kInfo, config.log_level) : config.log_level,
                 config.log_format);
  }
  return loaded;
}

Result<Config> EffectiveConfig(const GlobalOptions& global) {
  HF_ASSIGN_OR_RETURN(LoadedConfig loaded, EffectiveSettings(global));
  return std::move(loaded.config);
}

std::unique_ptr<CLI::App> BuildCommandLine(CommandContext context) {
  auto app = std::make_unique<CLI::App>(
      "Backs up BigQuery for a whole organization, and proves that it comes back", "holdfast");
  app->require_subcommand(1);
  app->fallthrough();
  app->option_defaults()->always_capture_default();
  app->formatter_fn(
      [](const CLI::App* at, const std::string&, CLI::AppFormatMode) { return FormatHelp(*at); });
  AddGlobalOptions(*app, context.global);
  AddBackupCommands(*app, context);
  AddRestoreCommands(*app, context);
  AddStatusCommand(*app, context);
  AddDemoCommand(*app, context);
  AddServeCommands(*app, context);
  AddCatalogCommands(*app, context);
  AddAuditCommands(*app, context);
  AddConfigCommands(*app, context);
  AddPolicyCommands(*app, context);
  AddPolicySimulateCommand(*app, context);
  AddAlertCommands(*app, context);
  AddMetricsCommands(*app, context);
  AddExplainCommand(*app, context);
  AddDocumentCommands(*app, context);
  AddVersionCommand(*app, context);
  SetExamples(*app, {{"holdfast demo", "see the whole thing on sample data"},
                     {"holdfast backup run", "back up what changed"},
                     {"holdfast backup list acme-shop.sales.orders", "what backups there are"},
                     {"holdfast restore run acme-shop.sales.orders --to-project acme-restore",
                      "get a table back"}});
  return app;
}

int RunCommandLine(int argc, const char* const* argv) {
  GlobalOptions global;
  Action action;
  const auto app = BuildCommandLine({.global = global, .action = action});
  const CommandDoc program = DescribeCommands(*app);
  std::vector<std::string> arguments =
      NormalizeArguments(std::vector<std::string>(argv + std::min(argc, 1), argv + argc), program);
  if (arguments.empty()) {
    std::cerr << HelpText(program, program);
    return kExitUsage;
  }
  // CLI11 takes the arguments last first, and throws; this is its edge.
  std::reverse(arguments.begin(), arguments.end());
  try {
    app->parse(std::move(arguments));
  } catch (const CLI::ParseError& refusal) {
    return AnswerParser(*app, program, global, refusal);
  }
  ConfigureLog(global.verbose ? LogLevel::kInfo : LogLevel::kError, LogFormat::kText);
  EndOnInterrupt();
  const Result<int> result = action();
  if (result.ok()) return *result;
  const int exit_code = ExitCodeOf(result.error());
  PrintError(global, result.error(), exit_code);
  return exit_code;
}

}  // namespace holdfast::cli
