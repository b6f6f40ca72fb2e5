#include <iostream>

#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/environment.h"
#include "cli/status_text.h"

namespace holdfast::cli {

namespace {

Result<int> ShowStatus(const GlobalOptions& global) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  HF_ASSIGN_OR_RETURN(const StatusSummary summary,
                      SummarizeStatus(environment->catalog(), WholeScope(config)));
  PrintStatus(std::cout, global.OutputFormat(), summary, environment->DescribeCloud());
  return kExitOk;
}

}  // namespace

void AddStatusCommand(CLI::App& app, CommandContext context) {
  CLI::App* command = app.add_subcommand(
      "status",
      "What is protected, what is not, and how the last run went; exits with 0 either way");
  SetExamples(*command, {{"holdfast status", ""}, {"holdfast status --json", "for a script"}});
  command->callback(
      [context] { context.action = [context] { return ShowStatus(context.global); }; });
}

}  // namespace holdfast::cli
