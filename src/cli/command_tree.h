// The commands of the program as data: names, arguments, flags and examples, read off the parser.
//
// Help, completion, the manual page and docs/reference/cli.md are all written from it, so they say
// what the parser takes and nothing else. Plain values. Source: DESIGN §3 "Registries are data".
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::cli {

struct ExampleDoc {
  std::string command;  // the whole line
  std::string doc;      // what it does; may be empty
};

struct FlagDoc {
  std::vector<std::string> names;    // "--dry-run", "-n": the first is the one to write
  std::string value;                 // what it takes, "FILE"; empty: it is on or off
  std::string doc;                   // one sentence
  std::vector<std::string> choices;  // what the value may be; empty: see range
  std::string range;                 // of a number, "1 to 64"; empty: anything
  std::string fallback;              // the default, as it would be typed; empty: none
  bool repeatable = false;
};

struct ArgumentDoc {
  std::string name;  // "NAME"
  std::string doc;
  std::vector<std::string> choices;
  bool required = false;
  bool repeatable = false;
};

struct CommandDoc {
  std::string path;     // "holdfast backup run"
  std::string name;     // "run"
  std::string summary;  // one sentence without its full stop
  std::vector<ExampleDoc> examples;
  std::vector<ArgumentDoc> arguments;
  std::vector<FlagDoc> flags;        // its own; those of the program are taken by all
  std::vector<CommandDoc> commands;  // below it
};

// The tree from `app` down.
CommandDoc DescribeCommands(const CLI::App& app);

// The command at those names below `program` ("backup", "run"). kUsage with the nearest name.
Result<const CommandDoc*> FindCommand(const CommandDoc& program,
                                      const std::vector<std::string>& names);

// Each command of the tree, those above before those below.
std::vector<const CommandDoc*> AllCommands(const CommandDoc& program);

// The names of the commands right below it.
std::vector<std::string> NamesBelow(const CommandDoc& command);

// "holdfast backup run [SCOPE...] [flags]"
std::string UsageOf(const CommandDoc& command);

// The flag's sentence with choices, range and default.
std::string FlagText(const FlagDoc& flag);

// "--exclude PATTERN" or "-n, --dry-run", as a list of flags heads it.
std::string FlagHead(const FlagDoc& flag);

// "SCOPE...", "[NAME]"
std::string ArgumentHead(const ArgumentDoc& argument);

// For the makers of commands: examples, as lines "command  # what it does". To be called when the
// commands below it were added, which would inherit them.
void SetExamples(CLI::App& command, const std::vector<ExampleDoc>& examples);

// Checks of a flag's value that the tree understands, and whose refusal offers the nearest choice.
CLI::Validator OneOf(const std::vector<std::string>& choices);
CLI::Validator Between(int64_t minimum, int64_t maximum);

}  // namespace holdfast::cli
