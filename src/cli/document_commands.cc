#include <iostream>
#include <memory>

#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/completion.h"
#include "cli/environment.h"
#include "cli/help_text.h"
#include "cli/manual_text.h"
#include "cli/reference_text.h"

namespace holdfast::cli {

namespace {

struct HelpOptions {
  std::vector<std::string> names;
  std::string markdown;  // empty: help for people
};

Result<int> Help(const CLI::App& app, const HelpOptions& options) {
  const CommandDoc program = DescribeCommands(app);
  if (options.markdown == "commands") {
    std::cout << CommandReference(program);
  } else if (options.markdown == "settings") {
    std::cout << SettingReference();
  } else if (options.markdown == "policy") {
    std::cout << PolicyReference();
  } else if (options.markdown == "quotas") {
    std::cout << QuotaReference();
  } else {
    HF_ASSIGN_OR_RETURN(const CommandDoc* command, FindCommand(program, options.names));
    std::cout << HelpText(*command, program);
  }
  return kExitOk;
}

void AddHelp(CLI::App& app, CommandContext context) {
  CLI::App* command = app.add_subcommand("help", "Say how the program or a command is used");
  auto options = std::make_shared<HelpOptions>();
  command->add_option("command", options->names, "The command's names; none: the program");
  command->add_option("--markdown", options->markdown, "Print a page of docs/reference instead")
      ->type_name("PAGE")
      ->check(OneOf({"commands", "settings", "policy", "quotas"}));
  SetExamples(*command, {{"holdfast help backup run", ""}});
  command->callback([&app, context, options] {
    context.action = [&app, options] { return Help(app, *options); };
  });
}

void AddCompletion(CLI::App& app, CommandContext context) {
  CLI::App* command = app.add_subcommand("completion", "Print a shell's completion script");
  auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(OneOf(CompletionShells()));
  SetExamples(
      *command,
      {{"source <(holdfast completion bash)", "for this shell"},
       {"holdfast completion bash > /etc/bash_completion.d/holdfast", "for all of bash"},
       {"holdfast completion zsh > \"${fpath[1]}/_holdfast\"", "for all of zsh"},
       {"holdfast completion fish > ~/.config/fish/completions/holdfast.fish", "for all of fish"}});
  command->callback([&app, context, shell] {
    context.action = [&app, shell]() -> Result<int> {
      HF_ASSIGN_OR_RETURN(const std::string script,
                          CompletionScript(DescribeCommands(app), *shell));
      std::cout << script;
      return kExitOk;
    };
  });
}

void AddManual(CLI::App& app, CommandContext context) {
  CLI::App* command = app.add_subcommand("man", "Print the manual page, in roff");
  SetExamples(*command, {{"holdfast man | man -l -", "read it"},
                         {"holdfast man > /usr/local/share/man/man1/holdfast.1", "install it"}});
  command->callback([&app, context] {
    context.action = [&app]() -> Result<int> {
      std::cout << ManualPage(DescribeCommands(app), ProgramVersion());
      return kExitOk;
    };
  });
}

}  // namespace

void AddDocumentCommands(CLI::App& app, CommandContext context) {
  AddHelp(app, context);
  AddCompletion(app, context);
  AddManual(app, context);
}

}  // namespace holdfast::cli
