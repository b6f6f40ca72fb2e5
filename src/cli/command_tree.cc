#include "cli/command_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/suggestion.h"

namespace holdfast::cli {

namespace {

constexpr std::string_view kExampleSeparator = "  # ";

std::vector<std::string> SplitAt(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string Upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

// CLI11 gives type and checks as one text, "FORMAT:{a,b}" or "N:1 to 64".
struct ValueDoc {
  std::string name;
  std::vector<std::string> choices;
  std::string range;
};

ValueDoc ValueOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t colon = std::min(type.find(':'), type.size());
  ValueDoc value{.name = type.substr(0, colon), .choices = {}, .range = {}};
  std::string check = colon == type.size() ? "" : type.substr(colon + 1);
  if (check.starts_with('{') && check.ends_with('}')) {
    value.choices = SplitAt(std::string_view(check).substr(1, check.size() - 2), ',');
  } else {
    value.range = std::move(check);
  }
  return value;
}

FlagDoc DescribeFlag(const CLI::Option& option) {
  ValueDoc value = ValueOf(option);
  const bool takes_value = option.get_items_expected() != 0;
  FlagDoc flag{.names = {},
               .value = takes_value ? value.name : "",
               .doc = option.get_description(),
               .choices = std::move(value.choices),
               .range = std::move(value.range),
               .fallback = takes_value ? option.get_default_str() : "",
               .repeatable = option.get_items_expected_max() > 1};
  for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
  if (flag.repeatable) flag.fallback.clear();
  return flag;
}

ArgumentDoc DescribeArgument(const CLI::Option& option) {
  return {.name = Upper(option.get_name(true)),
          .doc = option.get_description(),
          .choices = ValueOf(option).choices,
          .required = option.get_required(),
          .repeatable = option.get_items_expected_max() > 1};
}

CommandDoc Describe(const CLI::App& app, const std::string& above) {
  CommandDoc command{.path = above.empty() ? app.get_name() : above + " " + app.get_name(),
                     .name = app.get_name(),
                     .summary = app.get_description(),
                     .examples = {},
                     .arguments = {},
                     .flags = {},
                     .commands = {}};
  for (const std::string& line : SplitAt(app.get_footer(), '\n')) {
    const size_t end = std::min(line.find(kExampleSeparator), line.size());
    const size_t doc = std::min(end + kExampleSeparator.size(), line.size());
    command.examples.push_back({.command = line.substr(0, end), .doc = line.substr(doc)});
  }
  for (const CLI::Option* option : app.get_options()) {
    // Every command has --help; it is described once, with the program's flags.
    if (!above.empty() && option == app.get_help_ptr()) continue;
    if (option->get_positional()) {
      command.arguments.push_back(DescribeArgument(*option));
    } else {
      command.flags.push_back(DescribeFlag(*option));
    }
  }
  for (const CLI::App* below : app.get_subcommands([](const CLI::App*) { return true; })) {
    command.commands.push_back(Describe(*below, command.path));
  }
  return command;
}

void Collect(const CommandDoc& command, std::vector<const CommandDoc*>& into) {
  into.push_back(&command);
  for (const CommandDoc& below : command.commands) Collect(below, into);
}

}  // namespace

CommandDoc DescribeCommands(const CLI::App& app) { return Describe(app, ""); }

std::vector<std::string> NamesBelow(const CommandDoc& command) {
  std::vector<std::string> names;
  for (const CommandDoc& below : command.commands) names.push_back(below.name);
  return names;
}

Result<const CommandDoc*> FindCommand(const CommandDoc& program,
                                      const std::vector<std::string>& names) {
  const CommandDoc* at = &program;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(at->commands, name, &CommandDoc::name);
    if (found == at->commands.end()) {
      const std::string nearest = NearestWord(name, NamesBelow(*at));
      return MakeError(ErrorId::kUsage, fmt::format("\"{}\" is no command of `{}`", name, at->path),
                       nearest.empty() ? fmt::format("See `{} --help`", at->path)
                                       : fmt::format("Did you mean `{} {}`?", at->path, nearest));
    }
    at = &*found;
  }
  return at;
}

std::vector<const CommandDoc*> AllCommands(const CommandDoc& program) {
  std::vector<const CommandDoc*> commands;
  Collect(program, commands);
  return commands;
}

std::string UsageOf(const CommandDoc& command) {
  std::string usage = command.path;
  for (const ArgumentDoc& argument : command.arguments) usage += " " + ArgumentHead(argument);
  if (!command.commands.empty()) usage += " COMMAND";
  return usage + " [FLAGS]";
}

std::string FlagText(const FlagDoc& flag) {
  std::string text = flag.doc;
  if (!flag.choices.empty()) text += fmt::format(": {}", fmt::join(flag.choices, ", "));
  std::vector<std::string> notes;
  if (!flag.range.empty()) notes.push_back(flag.range);
  if (!flag.fallback.empty()) notes.push_back("default: " + flag.fallback);
  if (flag.repeatable) notes.emplace_back("may be repeated");
  if (!notes.empty()) text += fmt::format(" ({})", fmt::join(notes, "; "));
  return text;
}

std::string FlagHead(const FlagDoc& flag) {
  // The short name first, as everywhere.
  std::vector<std::string> names = flag.names;
  std::ranges::stable_sort(names, {}, [](const std::string& name) { return name.size() > 2; });
  std::string head = fmt::format("{}", fmt::join(names, ", "));
  return flag.value.empty() ? head : head + " " + flag.value;
}

std::string ArgumentHead(const ArgumentDoc& argument) {
  const std::string head = argument.name + (argument.repeatable ? "..." : "");
  return argument.required ? head : "[" + head + "]";
}

void SetExamples(CLI::App& command, const std::vector<ExampleDoc>& examples) {
  std::string footer;
  for (const ExampleDoc& example : examples) {
    footer += example.command;
    if (!example.doc.empty()) footer += std::string(kExampleSeparator) + example.doc;
    footer += '\n';
  }
  command.footer(footer);
}

CLI::Validator OneOf(const std::vector<std::string>& choices) {
  const auto check = [choices](const std::string& text) -> std::string {
    if (std::ranges::find(choices, text) != choices.end()) return {};
    const std::string nearest = DidYouMean(text, choices);
    return fmt::format("\"{}\" is not one of {}{}", text, fmt::join(choices, ", "),
                       nearest.empty() ? "" : "; " + nearest);
  };
  return {check, fmt::format("{{{}}}", fmt::join(choices, ","))};
}

CLI::Validator Between(int64_t minimum, int64_t maximum) {
  const auto check = [minimum, maximum](const std::string& text) -> std::string {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size() && value >= minimum &&
        value <= maximum) {
      return {};
    }
    return fmt::format("\"{}\" is not a number from {} to {}", text, minimum, maximum);
  };
  return {check, fmt::format("{} to {}", minimum, maximum)};
}

}  // namespace holdfast::cli
