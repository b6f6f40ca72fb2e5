#include "cli/command.h"

#include <unistd.h>

#include <iostream>

#include "base/log.h"

namespace holdfast::cli {

namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  holdfast demo                                    see the whole thing on sample data\n"
    "  holdfast backup run                              back up what changed\n"
    "  holdfast backup list acme-sales.shop.orders      what backups there are\n"
    "  holdfast restore run acme-sales.shop.orders --to-project acme-restore\n"
    "\n"
    "Exit codes: 0 ok, 1 failed, 2 usage, 3 finished but some objects failed, 4 damage found,\n"
    "13 refused, 14 not found, 15 access denied, 16 service unavailable, 130 cancelled.\n"
    "Every error has an id; `holdfast explain ID` says more.";

// "--project_id=x" → "--project-id=x": both spellings are known from Google's tools.
std::string NormalizeFlag(std::string argument) {
  if (!argument.starts_with("--")) return argument;
  const size_t end = std::min(argument.find('='), argument.size());
  for (size_t i = 2; i < end; ++i) {
    if (argument[i] == '_') argument[i] = '-';
  }
  return argument;
}

void AddGlobalOptions(CLI::App& app, GlobalOptions& global) {
  app.add_option("--config", global.config_path, "Configuration file (YAML)");
  app.add_option("--data-dir", global.data_dir, "Directory of the catalog and of localcloud");
  app.add_option("--organization", global.organization,
                 "Organization to back up, as organizations/123");
  app.add_option("--project,--project-id", global.project,
                 "Central project, which holds the topics");
  app.add_option("--workers", global.workers, "Worker threads")->check(CLI::Range(1, 64));
  app.add_option("--format", global.format, "pretty, json, jsonl, csv or yaml")
      ->check(CLI::IsMember({"pretty", "json", "jsonl", "csv", "yaml"}));
  app.add_flag_callback(
      "--json", [&global] { global.format = "json"; }, "The same as --format=json");
  app.add_option("--progress", global.progress, "auto, plain, json or none")
      ->check(CLI::IsMember({"auto", "plain", "json", "none"}));
  app.add_flag("-v,--verbose", global.verbose, "Say more on stderr");
  app.add_flag("-q,--quiet", global.quiet, "Only errors on stderr");
}

// The error in the form of interfaces.md; in json modes also as a last line for machines.
void PrintError(const GlobalOptions& global, const Error& error, int exit_code) {
  std::cerr << error.ToString() << '\n';
  if (global.format == "json" || global.format == "jsonl") {
    const Json line = {{"message_type", "exit_error"},
                       {"code", exit_code},
                       {"id", FindError(error.id).id},
                       {"message", error.message}};
    std::cerr << DumpJson(line) << '\n';
  }
}

}  // namespace

bool IsTerminal() {
  const auto term = ReadProcessVariable("TERM");
  return isatty(STDERR_FILENO) == 1 && term != "dumb";
}

void Say(const GlobalOptions& global, const std::string& text) {
  if (!global.quiet) std::cerr << text << '\n';
}

Result<Config> EffectiveConfig(const GlobalOptions& global) {
  const ReadVariable variable = [&](const char* name) -> std::optional<std::string> {
    // A flag is the same setting, said louder.
    if (std::string_view(name) == "HOLDFAST_DATA_DIR" && !global.data_dir.empty()) {
      return global.data_dir;
    }
    return ReadProcessVariable(name);
  };
  HF_ASSIGN_OR_RETURN(Config config, LoadConfig(global.config_path, variable));
  if (!global.organization.empty()) config.organization = global.organization;
  if (!global.project.empty()) config.project = global.project;
  if (global.workers != 0) config.workers = global.workers;
  return config;
}

int RunCommandLine(int argc, const char* const* argv) {
  CLI::App app("Backs up BigQuery for a whole organization, and proves that it comes back.",
               "holdfast");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  GlobalOptions global;
  Action action;
  const CommandContext context{.global = global, .action = action};
  AddGlobalOptions(app, global);
  AddBackupCommands(app, context);
  AddRestoreCommands(app, context);
  AddStatusCommand(app, context);
  AddDemoCommand(app, context);
  AddServeCommands(app, context);
  AddExplainCommand(app, context);
  AddVersionCommand(app, context);

  // CLI11 takes the arguments last first, and throws; this is its edge.
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) arguments.push_back(NormalizeFlag(argv[i]));
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? kExitOk : kExitUsage;
  }
  ConfigureLog(global.verbose ? LogLevel::kInfo : LogLevel::kError, LogFormat::kText);
  const Result<int> result = action();
  if (result.ok()) return *result;
  const int exit_code = ExitCodeOf(result.error());
  PrintError(global, result.error(), exit_code);
  return exit_code;
}

}  // namespace holdfast::cli
