#include <iostream>
#include <memory>

#include "cli/command.h"
#include "cli/command_tree.h"

namespace holdfast::cli {

namespace {

Json EntryJson(const ErrorEntry& entry) {
  return {{"id", entry.id},     {"title", entry.title}, {"cause", entry.cause},
          {"data", entry.data}, {"next", entry.action}, {"code", CodeName(entry.code)}};
}

Result<int> Explain(const GlobalOptions& global, const std::string& id) {
  if (id.empty()) {
    std::vector<Json> rows;
    for (const ErrorEntry& entry : AllErrors()) rows.push_back(EntryJson(entry));
    PrintRows(std::cout, global.OutputFormat(),
              {{.member = "id", .heading = "ID"}, {.member = "title", .heading = "TITLE"}}, rows,
              "");
    return kExitOk;
  }
  const ErrorEntry* entry = FindError(id);
  if (entry == nullptr) {
    return MakeError(ErrorId::kUsage, "there is no error \"" + id + "\"",
                     "`holdfast explain` without an id lists them all");
  }
  if (global.OutputFormat() != Format::kPretty) {
    Json document = EntryJson(*entry);
    document["schema"] = "holdfast.error.v1";
    PrintDocument(std::cout, global.OutputFormat(), document);
    return kExitOk;
  }
  std::cout << entry->id << "  " << entry->title << "\n\n"
            << "Cause      " << entry->cause << '\n'
            << "Your data  " << entry->data << '\n'
            << "Next       " << entry->action << '\n';
  return kExitOk;
}

}  // namespace

void AddExplainCommand(CLI::App& app, CommandContext context) {
  CLI::App* command = app.add_subcommand("explain", "Say what an error id means and what to do");
  auto id = std::make_shared<std::string>();
  command->add_option("id", *id, "The id, such as B0001; none: list them all");
  SetExamples(*command, {{"holdfast explain B0001", ""}});
  command->callback(
      [context, id] { context.action = [context, id] { return Explain(context.global, *id); }; });
}

}  // namespace holdfast::cli
