// A command of the program: its flags, and what it does with them.
//
// Each command is one file with one function `Add...Command`, which adds it to the parser; when the
// command was given, its action runs with the global options and gives the exit code. Source:
// interfaces.md "CLI shape and flags".
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "cli/config.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/progress.h"

namespace holdfast::cli {

// Flags that every command takes, before or after its name.
struct GlobalOptions {
  std::string config_path;
  std::string data_dir;
  std::string organization;
  std::string project;
  std::string format = "pretty";
  std::string progress = "auto";
  int workers = 0;  // 0: as configured
  bool verbose = false;
  bool quiet = false;  // no words on stderr but errors

  Format OutputFormat() const { return *FindFormat(format); }
  ProgressMode Mode() const { return *FindProgressMode(progress); }
};

// What a command does: the exit code, or the error that ended it.
using Action = std::function<Result<int>()>;

// Where a command leaves its action when the parser has seen it.
struct CommandContext {
  GlobalOptions& global;
  Action& action;
};

void AddBackupCommands(CLI::App& app, CommandContext context);   // backup run|list|show|verify
void AddRestoreCommands(CLI::App& app, CommandContext context);  // restore run
void AddServeCommands(CLI::App& app, CommandContext context);    // up, localcloud
void AddDemoCommand(CLI::App& app, CommandContext context);
void AddStatusCommand(CLI::App& app, CommandContext context);
void AddExplainCommand(CLI::App& app, CommandContext context);
void AddVersionCommand(CLI::App& app, CommandContext context);

// The configuration under the global flags.
Result<Config> EffectiveConfig(const GlobalOptions& global);

// Words for people, on stderr, unless --quiet.
void Say(const GlobalOptions& global, const std::string& text);

// Whether stderr is a terminal that understands escapes.
bool IsTerminal();

// Parses, runs the command, prints an error in the form of interfaces.md. The program's exit code.
int RunCommandLine(int argc, const char* const* argv);

}  // namespace holdfast::cli
