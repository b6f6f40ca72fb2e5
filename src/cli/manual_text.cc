#include "cli/manual_text.h"

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/settings.h"

namespace holdfast::cli {

namespace {

std::string Entry(std::string_view head, std::string_view text) {
  const std::string entry = fmt::format(".TP\n.B {}\n", RoffText(head));
  return text.empty() ? entry : entry + RoffText(text) + "\n";
}

std::string Flags(const std::vector<FlagDoc>& flags) {
  std::string text;
  for (const FlagDoc& flag : flags) text += Entry(FlagHead(flag), FlagText(flag) + ".");
  return text;
}

std::string Command(const CommandDoc& command) {
  std::string text = fmt::format(".SS {}\n{}.\n.PP\n.B {}\n", RoffText(command.path),
                                 RoffText(command.summary), RoffText(UsageOf(command)));
  for (const ArgumentDoc& argument : command.arguments) {
    text += Entry(ArgumentHead(argument), argument.doc + ".");
  }
  return text + Flags(command.flags);
}

std::string ManualExamples(const CommandDoc& program) {
  std::string text = ".SH EXAMPLES\n";
  for (const CommandDoc* command : AllCommands(program)) {
    for (const ExampleDoc& example : command->examples) {
      text += Entry(example.command, example.doc);
    }
  }
  return text;
}

}  // namespace

std::string RoffText(std::string_view text) {
  std::string roff;
  if (text.starts_with('.') || text.starts_with('\'')) roff += "\\&";
  for (const char c : text) {
    if (c == '\\') {
      roff += "\\e";
    } else if (c == '-') {
      roff += "\\-";
    } else if (c == '\n') {
      roff += ' ';
    } else if (c == '"') {
      // In a macro's argument a quote begins an argument with spaces.
      roff += "\\(dq";
    } else {
      roff += c;
    }
  }
  return roff;
}

std::string ManualPage(const CommandDoc& program, const std::string& version) {
  std::string text = fmt::format(
      ".TH HOLDFAST 1 \"\" \"holdfast {}\" \"Holdfast\"\n"
      ".SH NAME\nholdfast \\- back up BigQuery for a whole organization, and prove that it comes "
      "back\n"
      ".SH SYNOPSIS\n.B {}\n.SH DESCRIPTION\n{}.\n.SH COMMANDS\n",
      RoffText(version), RoffText(UsageOf(program)), RoffText(program.summary));
  for (const CommandDoc* command : AllCommands(program)) {
    if (command->commands.empty()) text += Command(*command);
  }
  text += ".SH OPTIONS\nEvery command takes these, before or after its name.\n";
  text += Flags(program.flags);
  text += ".SH ENVIRONMENT\n";
  for (const Setting& setting : AllSettings()) {
    text += Entry(VariableOf(setting),
                  fmt::format("The setting {} of the configuration file.", setting.name));
  }
  text += Entry("HOLDFAST_CONFIG", "The configuration file.");
  text += ".SH EXIT STATUS\n";
  for (const ExitCodeEntry& entry : AllExitCodes()) {
    text += Entry(std::to_string(entry.code), entry.meaning);
  }
  return text + ManualExamples(program);
}

}  // namespace holdfast::cli
