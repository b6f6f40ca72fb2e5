#include "cli/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/suggestion.h"

namespace holdfast::cli {

namespace {

struct KnownFlags {
  std::set<std::string> all;
  std::set<std::string> on_or_off;
};

KnownFlags CollectFlags(const CommandDoc& program) {
  KnownFlags known;
  for (const CommandDoc* command : AllCommands(program)) {
    for (const FlagDoc& flag : command->flags) {
      known.all.insert(flag.names.begin(), flag.names.end());
      if (flag.value.empty()) known.on_or_off.insert(flag.names.begin(), flag.names.end());
    }
  }
  return known;
}

std::string Normalize(const std::string& argument, const KnownFlags& known) {
  if (!argument.starts_with("--")) return argument;
  const size_t end = std::min(argument.find('='), argument.size());
  std::string name = argument.substr(0, end);
  std::replace(name.begin() + 2, name.end(), '_', '-');
  if (end == argument.size() && !known.all.contains(name) && name.starts_with("--no")) {
    const std::string rest = name.substr(4);
    const std::string flag = "--" + (rest.starts_with('-') ? rest.substr(1) : rest);
    if (known.on_or_off.contains(flag)) return flag + "=false";
  }
  return name + argument.substr(end);
}

// The names of the commands that were understood, and the last of them as the parser has it.
struct Understood {
  std::vector<std::string> names;
  const CLI::App* app;
};

Understood FindUnderstood(const CLI::App& program) {
  Understood understood{.names = {}, .app = &program};
  while (!understood.app->get_subcommands().empty()) {
    understood.app = understood.app->get_subcommands().front();
    understood.names.push_back(understood.app->get_name());
  }
  return understood;
}

Error UnknownFlag(const std::string& argument, const CommandDoc& command,
                  const CommandDoc& program) {
  std::vector<std::string> names;
  for (const std::vector<FlagDoc>* flags : {&command.flags, &program.flags}) {
    for (const FlagDoc& flag : *flags)
      names.insert(names.end(), flag.names.begin(), flag.names.end());
  }
  const std::string name = argument.substr(0, argument.find('='));
  // A short flag is one letter from every other.
  const std::string nearest = name.starts_with("--") ? NearestWord(name, names) : "";
  return MakeError(ErrorId::kUsage, fmt::format("`{}` has no flag {}", command.path, name),
                   nearest.empty() ? fmt::format("See `{} --help`", command.path)
                                   : fmt::format("Did you mean {}?", nearest));
}

}  // namespace

std::vector<std::string> NormalizeArguments(std::vector<std::string> arguments,
                                            const CommandDoc& program) {
  const KnownFlags known = CollectFlags(program);
  for (std::string& argument : arguments) {
    if (argument == "--") break;
    argument = Normalize(argument, known);
  }
  return arguments;
}

Error DiagnoseArguments(const CLI::App& app, const CommandDoc& program,
                        const CLI::ParseError& refusal) {
  const Understood understood = FindUnderstood(app);
  const auto found = FindCommand(program, understood.names);
  const CommandDoc& command = found.ok() ? **found : program;
  std::vector<std::string> left = app.remaining(true);
  std::erase(left, "--");
  const bool is_extra =
      dynamic_cast<const CLI::ExtrasError*>(&refusal) != nullptr || !command.commands.empty();
  if (is_extra && !left.empty()) {
    if (left.front().starts_with('-')) return UnknownFlag(left.front(), command, program);
    if (!command.commands.empty()) {
      std::vector<std::string> names = understood.names;
      names.push_back(left.front());
      const auto named = FindCommand(program, names);
      if (!named.ok()) return named.error();
    }
    return MakeError(ErrorId::kUsage,
                     fmt::format("`{}` takes no argument \"{}\"", command.path, left.front()),
                     fmt::format("See `{} --help`", command.path));
  }
  if (!command.commands.empty() && dynamic_cast<const CLI::RequiredError*>(&refusal) != nullptr) {
    return MakeError(
        ErrorId::kUsage,
        fmt::format("`{}` needs a command: {}", command.path, fmt::join(NamesBelow(command), ", ")),
        fmt::format("See `{} --help`", command.path));
  }
  return MakeError(ErrorId::kUsage, refusal.what(), fmt::format("See `{} --help`", command.path));
}

}  // namespace holdfast::cli
