// A command of the program: its flags, and what it does with them.
//
// Each command is one file with one function `Add...Command`, which adds it to the parser; when the
// command was given, its action runs with the global options and gives the exit code. Source:
// interfaces.md "CLI shape and flags".
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "cli/config.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/progress.h"

namespace holdfast::cli {

// Flags that every command takes, before or after its name.
struct GlobalOptions {
  std::string config_path;
  FlagTexts settings;  // the flags that set a setting (settings.h), those that were given
  std::string format = "pretty";
  std::string progress = "auto";
  bool verbose = false;
  bool quiet = false;  // no words on stderr but errors

  // The flags as values; the parser let nothing else pass.
  Format OutputFormat() const { return *FindFormat(format); }
  ProgressMode Mode() const { return quiet ? ProgressMode::kNone : *FindProgressMode(progress); }
};

// What a command does: the exit code, or the error that ended it.
using Action = std::function<Result<int>()>;

// Where a command leaves its action when the parser has seen it.
struct CommandContext {
  GlobalOptions& global;
  Action& action;
};

// Add the commands named behind each, or in its own name. `app` and `context` outlive the parsing.
void AddBackupCommands(CLI::App& app,
                       CommandContext context);  // backup run|list|show|verify|prune|pin|...
void AddRestoreCommands(CLI::App& app, CommandContext context);  // restore run|plan|apply
void AddServeCommands(CLI::App& app, CommandContext context);    // up, localcloud
void AddDemoCommand(CLI::App& app, CommandContext context);
void AddStatusCommand(CLI::App& app, CommandContext context);
void AddConfigCommands(CLI::App& app, CommandContext context);   // config show|validate
void AddPolicyCommands(CLI::App& app, CommandContext context);   // policy show|validate
void AddCatalogCommands(CLI::App& app, CommandContext context);  // catalog rebuild|check|export
void AddAuditCommands(CLI::App& app, CommandContext context);    // audit list|verify
void AddPolicySimulateCommand(CLI::App& app, CommandContext context);  // policy simulate
void AddAlertCommands(CLI::App& app, CommandContext context);          // alert test|list|check
void AddMetricsCommands(CLI::App& app, CommandContext context);        // metrics, report
void AddExplainCommand(CLI::App& app, CommandContext context);
void AddDocumentCommands(CLI::App& app, CommandContext context);  // help, completion, man
void AddVersionCommand(CLI::App& app, CommandContext context);

// The whole program's parser: what is parsed with, and what help, completion, manual and reference
// are written from. `context` outlives it.
std::unique_ptr<CLI::App> BuildCommandLine(CommandContext context);

// The configuration under the global flags.
Result<Config> EffectiveConfig(const GlobalOptions& global);
Result<LoadedConfig> EffectiveSettings(const GlobalOptions& global);

// Words for people, on stderr, unless --quiet; control characters in them do not reach a terminal.
void Say(const GlobalOptions& global, const std::string& text);

// Whether stderr is a terminal that understands escapes: not one that TERM calls dumb.
bool IsTerminal();

// Prints an error on stderr in the form of interfaces.md; in the json formats also as a last line
// for machines.
void PrintError(const GlobalOptions& global, const Error& error, int exit_code);

// Parses, runs the command, prints an error in the form of interfaces.md. The program's exit code.
int RunCommandLine(int argc, const char* const* argv);

}  // namespace holdfast::cli
