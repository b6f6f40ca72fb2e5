#include "cli/reference_text.h"

#include <fmt/format.h>

#include <vector>

#include "cli/exit_code.h"
#include "cli/settings.h"

namespace holdfast::cli {

namespace {

constexpr const char* kSettingIntroduction = R"(
One YAML file: the one named by `--config`, else by `HOLDFAST_CONFIG`, else
`$XDG_CONFIG_HOME/holdfast/config.yaml` (or `~/.config/holdfast/config.yaml`). Flags win over the
environment, which wins over the file. A dot in a name is a section of the file:

```yaml
cloud: google
policy:
  codec: DEFLATE
  scope:
    exclude: ["*-sandbox", "acme-shop.scratch"]
```

An unknown setting is an error with its line and column. `holdfast config show --origin` says what is in
effect and where it was said; `holdfast config validate` checks file and environment and does nothing
else. There are no secrets in any of them: `env:NAME` or `file:PATH` says where one is.

| setting | default | meaning | variable | flag |
|---|---|---|---|---|
)";

constexpr const char* kSettingEnding = R"(
In a variable, a list is parted by commas. A boolean is `true`, `false`, `yes`, `no`, `on`, `off`, `1` or
`0`.

`BIGQUERY_EMULATOR_HOST`, `STORAGE_EMULATOR_HOST`, `PUBSUB_EMULATOR_HOST` and
`RESOURCE_MANAGER_EMULATOR_HOST` choose an emulator, as for Google's own clients, over what the file says;
they are not looked at when `HOLDFAST_CLOUD` is set. `GOOGLE_APPLICATION_CREDENTIALS` names the
credentials for Google Cloud.
)";

constexpr const char* kJsonSection = R"(
## JSON

Counts are numbers, times are texts in RFC 3339 (UTC), and a member named `..._ms` is a duration in
milliseconds. What is listed is an array; any other document says its form in `schema` (but `backup show`,
where that is the table's). Members are only ever added.
)";

std::string Written(std::string_view page, std::string_view file) {
  return fmt::format(
      "<!-- Written by the program itself; a test fails when they differ. To write it anew:\n"
      "holdfast help --markdown {} > docs/reference/{} -->\n",
      page, file);
}

// A '|' would end a table's cell.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c;
  }
  return cell;
}

std::string FlagTable(const std::vector<FlagDoc>& flags) {
  std::string text = "| flag | meaning |\n|---|---|\n";
  for (const FlagDoc& flag : flags) {
    text += fmt::format("| `{}` | {} |\n", Cell(FlagHead(flag)), Cell(FlagText(flag)));
  }
  return text;
}

std::string CommandSection(const CommandDoc& command) {
  std::string text = fmt::format("\n## {}\n\n{}.\n\n```\n{}\n```\n", command.path, command.summary,
                                 UsageOf(command));
  if (!command.examples.empty()) {
    text += "\nExamples:\n\n```\n";
    for (const ExampleDoc& example : command.examples) {
      text += example.doc.empty() ? "" : "# " + example.doc + "\n";
      text += example.command + "\n";
    }
    text += "```\n";
  }
  if (!command.arguments.empty()) {
    text += "\n| argument | meaning |\n|---|---|\n";
    for (const ArgumentDoc& argument : command.arguments) {
      text += fmt::format("| `{}` | {} |\n", Cell(ArgumentHead(argument)), Cell(argument.doc));
    }
  }
  return command.flags.empty() ? text : text + "\n" + FlagTable(command.flags);
}

std::string ExitCodeTable() {
  std::string text = "| code | meaning |\n|---|---|\n";
  for (const ExitCodeEntry& entry : AllExitCodes()) {
    text += fmt::format("| {} | {} |\n", static_cast<int>(entry.code), entry.meaning);
  }
  return text;
}

}  // namespace

std::string CommandReference(const CommandDoc& program) {
  std::string text =
      fmt::format("# Commands\n\n{}\n{}.\n\n", Written("commands", "cli.md"), program.summary);
  text +=
      "## Flags of every command\n\nBefore or after the command's name, with `-` or `_` between "
      "words. What is on or off is also\n`--flag=false` or `--no-flag`.\n\n";
  text += FlagTable(program.flags);
  text +=
      "\n## Exit codes\n\nA code that is not in the table must be taken for a failure. "
      "Objects of a kind that is not backed\nup (snapshots that others made) are "
      "named in the report of a backup and of a restore,\nand do not change its code: with "
      "nothing else amiss it is 0.\n\n";
  text += ExitCodeTable() + kJsonSection;
  for (const CommandDoc* command : AllCommands(program)) {
    if (command->commands.empty()) text += CommandSection(*command);
  }
  return text;
}

std::string SettingReference() {
  std::string text = fmt::format("# Configuration\n\n{}{}", Written("settings", "configuration.md"),
                                 kSettingIntroduction);
  for (const Setting& setting : AllSettings()) {
    const std::string fallback = setting.fallback.empty() ? std::string(setting.unset)
                                                          : fmt::format("`{}`", setting.fallback);
    const std::string flag = setting.flag.empty() ? "" : fmt::format("`{}`", setting.flag);
    text += fmt::format("| `{}` | {} | {} | `{}` | {} |\n", setting.name, Cell(fallback),
                        Cell(setting.doc), VariableOf(setting), flag);
  }
  return text + kSettingEnding;
}

}  // namespace holdfast::cli
