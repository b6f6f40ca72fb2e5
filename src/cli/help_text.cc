#include "cli/help_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/exit_code.h"

namespace holdfast::cli {

namespace {

constexpr size_t kHeadMax = 34;
constexpr size_t kExampleMax = 50;  // a longer one does not push what the others do to the right
constexpr size_t kLineMax = 100;

using Entries = std::vector<std::pair<std::string, std::string>>;

// The text's words as lines of at most `width` bytes; a longer word is a line of its own.
std::vector<std::string> Wrap(std::string_view text, size_t width) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width) {
      lines.emplace_back();
    }
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
  }
  return lines;
}

std::string Section(std::string_view title, const Entries& entries) {
  return entries.empty() ? "" : fmt::format("\n{}:\n{}", title, TwoColumns(entries));
}

Entries FlagEntries(const std::vector<FlagDoc>& flags) {
  Entries entries;
  for (const FlagDoc& flag : flags) entries.emplace_back(FlagHead(flag), FlagText(flag));
  return entries;
}

Entries ExitCodeEntries() {
  Entries entries;
  for (const ExitCodeEntry& entry : AllExitCodes()) {
    entries.emplace_back(std::to_string(entry.code), entry.meaning);
  }
  return entries;
}

// Lines to copy: none is broken, however long.
std::string Examples(const CommandDoc& command) {
  if (command.examples.empty()) return {};
  size_t width = 0;
  for (const ExampleDoc& example : command.examples) {
    if (example.command.size() <= kExampleMax) width = std::max(width, example.command.size());
  }
  std::string text = "\nExamples:\n";
  for (const ExampleDoc& example : command.examples) {
    text += example.doc.empty()
                ? fmt::format("  {}\n", example.command)
                : fmt::format("  {:<{}}  # {}\n", example.command, width, example.doc);
  }
  return text;
}

std::string Ending(const CommandDoc& command, bool is_program) {
  if (is_program) {
    return Section("Exit codes", ExitCodeEntries()) +
           "\nEvery error has an id: `holdfast explain ID` says what it means and what to do.\n"
           "Start with `holdfast demo`; every command and setting is in docs/reference/.\n";
  }
  if (!command.commands.empty()) {
    return fmt::format("\n`{} COMMAND --help` says more of one.\n", command.path);
  }
  return "\n`holdfast --help` lists the commands and the exit codes.\n";
}

}  // namespace

std::string TwoColumns(const Entries& entries) {
  size_t width = 0;
  for (const auto& [head, text] : entries) {
    if (head.size() <= kHeadMax) width = std::max(width, head.size());
  }
  std::string columns;
  for (const auto& [head, text] : entries) {
    std::string line = fmt::format("  {:<{}}", head, width);
    if (head.size() > width) {
      columns += line + '\n';
      line = std::string(width + 2, ' ');
    }
    for (const std::string& part : Wrap(text, kLineMax - width - 4)) {
      line += (part.empty() ? "" : "  ") + part;
      line.erase(line.find_last_not_of(' ') + 1);
      columns += line + '\n';
      line = std::string(width + 2, ' ');
    }
  }
  return columns;
}

std::string HelpText(const CommandDoc& command, const CommandDoc& program) {
  const bool is_program = command.path == program.path;
  std::string text = command.summary + ".\n\nUsage: " + UsageOf(command) + "\n";
  text += Examples(command);
  Entries arguments;
  for (const ArgumentDoc& argument : command.arguments) {
    arguments.emplace_back(ArgumentHead(argument), argument.doc);
  }
  Entries commands;
  for (const CommandDoc& below : command.commands) {
    commands.emplace_back(below.name, below.summary);
  }
  text += Section("Commands", commands) + Section("Arguments", arguments);
  if (!is_program) text += Section("Flags", FlagEntries(command.flags));
  text += Section(is_program ? "Flags, before or after the command" : "Flags of every command",
                  FlagEntries(program.flags));
  return text + Ending(command, is_program);
}

}  // namespace holdfast::cli
