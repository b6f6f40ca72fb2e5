#include "cli/completion.h"

#include <fmt/format.h>

namespace holdfast::cli {

namespace {

// A word that no shell takes for more than a word.
std::string Quote(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// What completes a flag's value.
enum class ValueKind { kNothing, kChoices, kFile, kDirectory, kOther };

ValueKind KindOf(const FlagDoc& flag) {
  if (flag.value.empty()) return ValueKind::kNothing;
  if (!flag.choices.empty()) return ValueKind::kChoices;
  if (flag.value == "FILE") return ValueKind::kFile;
  return flag.value == "DIRECTORY" ? ValueKind::kDirectory : ValueKind::kOther;
}

// What may stand at an argument's place: commands, and the choices of the first argument.
std::vector<std::string> WordsAt(const CommandDoc& command) {
  std::vector<std::string> words = NamesBelow(command);
  if (!command.arguments.empty()) {
    const std::vector<std::string>& choices = command.arguments.front().choices;
    words.insert(words.end(), choices.begin(), choices.end());
  }
  return words;
}

std::vector<std::string> NamesOf(const std::vector<FlagDoc>& flags) {
  std::vector<std::string> names;
  for (const FlagDoc& flag : flags) names.insert(names.end(), flag.names.begin(), flag.names.end());
  return names;
}

std::string Joined(const std::vector<std::string>& words) {
  return Quote(fmt::format("{}", fmt::join(words, " ")));
}

// Lines of a `case` over flags: "--format" offers its choices.
std::string BashValues(const std::vector<FlagDoc>& flags) {
  std::string text;
  for (const FlagDoc& flag : flags) {
    const ValueKind kind = KindOf(flag);
    if (kind == ValueKind::kNothing) continue;
    const std::string offer = kind == ValueKind::kChoices     ? "-W " + Joined(flag.choices)
                              : kind == ValueKind::kFile      ? "-f"
                              : kind == ValueKind::kDirectory ? "-d"
                                                              : "-W ''";
    text += fmt::format("        {}) offer=({}) ;;\n", fmt::join(flag.names, "|"), offer);
  }
  return text;
}

std::string BashCommand(const CommandDoc& command, const CommandDoc& program) {
  std::vector<std::string> words = WordsAt(command);
  std::string values;
  if (command.path != program.path) {
    const std::vector<std::string> names = NamesOf(command.flags);
    words.insert(words.end(), names.begin(), names.end());
    values = BashValues(command.flags);
  }
  if (!values.empty()) values = "      case $previous in\n" + values + "      esac\n";
  return fmt::format("    {})\n      words+={}\n{}      ;;\n", Quote(command.path),
                     Quote(fmt::format(" {}", fmt::join(words, " "))), values);
}

std::string Bash(const CommandDoc& program) {
  std::string paths;
  std::string commands;
  for (const CommandDoc* command : AllCommands(program)) {
    if (command != &program) paths += (paths.empty() ? "" : "|") + Quote(command->path);
    commands += BashCommand(*command, program);
  }
  return fmt::format(
      R"(# bash completion of {0}; to use it: source <({0} completion bash)
_{0}() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
  local path={0} words={1} i
  local -a offer=()
  # bash parts "--flag=value" at the "=".
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = ]]; then
    previous=${{COMP_WORDS[COMP_CWORD-2]}}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path ${{COMP_WORDS[i]}}" in
      {2}) path+=" ${{COMP_WORDS[i]}}" ;;
    esac
  done
  case $previous in
{3}  esac
  case $path in
{4}  esac
  if ((${{#offer[@]}} == 0)); then
    offer=(-W "$words")
  fi
  mapfile -t COMPREPLY < <(compgen "${{offer[@]}}" -- "$current")
}}
complete -F _{0} {0}
)",
      program.name, Joined(NamesOf(program.flags)), paths, BashValues(program.flags), commands);
}

// zsh's _arguments takes '[', ']' and ':' for marks of its own.
std::string ZshText(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// Arguments of _arguments, one a line.
std::string ZshFlags(const std::vector<FlagDoc>& flags) {
  std::string text;
  for (const FlagDoc& flag : flags) {
    const ValueKind kind = KindOf(flag);
    const std::string value =
        kind == ValueKind::kNothing ? ""
        : kind == ValueKind::kChoices
            ? fmt::format(":{}:({})", flag.value, fmt::join(flag.choices, " "))
        : kind == ValueKind::kFile      ? ":file:_files"
        : kind == ValueKind::kDirectory ? ":directory:_files -/"
                                        : fmt::format(":{}: ", flag.value);
    for (const std::string& name : flag.names) {
      // "--flag=" takes its value after "=" or as the next word.
      const bool equals = !value.empty() && name.starts_with("--");
      text += fmt::format(" \\\n        {}",
                          Quote(fmt::format("{}{}{}[{}]{}", flag.repeatable ? "*" : "", name,
                                            equals ? "=" : "", ZshText(flag.doc), value)));
    }
  }
  return text;
}

std::string ZshCommand(const CommandDoc& command, const CommandDoc& program) {
  std::string below;
  for (const CommandDoc& at : command.commands) {
    below += " " + Quote(ZshText(at.name) + ":" + at.summary);
  }
  std::string words;
  if (!below.empty()) {
    words = fmt::format("      local -a below=({} )\n      _describe command below\n", below);
  }
  const std::vector<std::string> choices =
      command.arguments.empty() ? std::vector<std::string>() : command.arguments.front().choices;
  if (!choices.empty()) words = fmt::format("      compadd {}\n", fmt::join(choices, " "));
  const std::string own = command.path == program.path ? "" : ZshFlags(command.flags);
  return fmt::format("    {})\n{}      _arguments -S $rest $common{} ;;\n", Quote(command.path),
                     words, own);
}

std::string Zsh(const CommandDoc& program) {
  std::string paths;
  std::string commands;
  for (const CommandDoc* command : AllCommands(program)) {
    if (command != &program) paths += (paths.empty() ? "" : "|") + Quote(command->path);
    commands += ZshCommand(*command, program);
  }
  return fmt::format(
      R"(#compdef {0}
# zsh completion of {0}; to use it: {0} completion zsh > "${{fpath[1]}}/_{0}"
_{0}() {{
  local cli_path={0} word
  # Without it, _arguments offers no flag after a word that it does not know.
  local rest='*:argument: '
  local -a common=({3})
  for word in "${{words[@]:1:$((CURRENT - 2))}}"; do
    case "$cli_path $word" in
      {1}) cli_path+=" $word" ;;
    esac
  done
  case $cli_path in
{2}  esac
}}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _{0} "$@"
else
  compdef _{0} {0}
fi
)",
      program.name, paths, commands, ZshFlags(program.flags));
}

std::string FishFlag(const std::string& condition, const FlagDoc& flag, std::string_view program) {
  std::string line = fmt::format("complete -c {} -n {}", program, Quote(condition));
  for (const std::string& name : flag.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  switch (KindOf(flag)) {
    case ValueKind::kNothing:
      break;
    case ValueKind::kChoices:
      line += " -x -a " + Quote(fmt::format("{}", fmt::join(flag.choices, " ")));
      break;
    case ValueKind::kFile:
      line += " -r -F";
      break;
    case ValueKind::kDirectory:
      line += " -x -a '(__fish_complete_directories)'";
      break;
    case ValueKind::kOther:
      line += " -x";
      break;
  }
  return line + " -d " + Quote(flag.doc) + "\n";
}

std::string FishCommand(const CommandDoc& command, const CommandDoc& program) {
  const std::string at = fmt::format("test \"$(__{}_path)\" = \"{}\"", program.name, command.path);
  std::string text;
  for (const CommandDoc& below : command.commands) {
    text += fmt::format("complete -c {} -n {} -a {} -d {}\n", program.name, Quote(at),
                        Quote(below.name), Quote(below.summary));
  }
  if (!command.arguments.empty() && !command.arguments.front().choices.empty()) {
    text +=
        fmt::format("complete -c {} -n {} -a {}\n", program.name, Quote(at),
                    Quote(fmt::format("{}", fmt::join(command.arguments.front().choices, " "))));
  }
  if (command.path == program.path) return text;
  for (const FlagDoc& flag : command.flags) text += FishFlag(at, flag, program.name);
  return text;
}

std::string Fish(const CommandDoc& program) {
  std::string paths;
  std::string commands;
  for (const CommandDoc* command : AllCommands(program)) {
    if (command != &program) paths += " " + Quote(command->path);
    commands += FishCommand(*command, program);
  }
  for (const FlagDoc& flag : program.flags) commands += FishFlag("true", flag, program.name);
  return fmt::format(
      R"(# fish completion of {0}; to use it: {0} completion fish | source
function __{0}_path
  set -l path {0}
  for word in (commandline -opc)[2..-1]
    if contains -- "$path $word"{1}
      set path "$path $word"
    end
  end
  echo $path
end
complete -c {0} -f
{2})",
      program.name, paths, commands);
}

}  // namespace

const std::vector<std::string>& CompletionShells() {
  static const std::vector<std::string> shells = {"bash", "zsh", "fish"};
  return shells;
}

Result<std::string> CompletionScript(const CommandDoc& program, const std::string& shell) {
  if (shell == "bash") return Bash(program);
  if (shell == "zsh") return Zsh(program);
  if (shell == "fish") return Fish(program);
  return MakeError(ErrorId::kUsage, "\"" + shell + "\" is not one of bash, zsh, fish");
}

}  // namespace holdfast::cli
