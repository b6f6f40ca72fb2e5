#include <iostream>

#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/environment.h"

namespace holdfast::cli {

void AddVersionCommand(CLI::App& app, CommandContext context) {
  CLI::App* command = app.add_subcommand("version", "Print the version");
  SetExamples(*command, {{"holdfast version --json", ""}});
  command->callback([context] {
    context.action = [context]() -> Result<int> {
      if (context.global.OutputFormat() == Format::kPretty) {
        std::cout << "holdfast " << ProgramVersion() << '\n';
      } else {
        PrintDocument(std::cout, context.global.OutputFormat(),
                      {{"schema", "holdfast.version.v1"}, {"version", ProgramVersion()}});
      }
      return kExitOk;
    };
  });
}

}  // namespace holdfast::cli
