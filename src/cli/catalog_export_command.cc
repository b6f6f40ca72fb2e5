#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "cli/audit.h"
#include "cli/catalog_export.h"
#include "cli/command_tree.h"

namespace holdfast::cli {

namespace {

struct CatalogExportOptions {
  std::string to;
  std::string location;
  bool dry_run = false;
};

Result<observe::ExportRequest> RequestOf(const CatalogExportOptions& options,
                                         const Config& config) {
  observe::ExportRequest request{.dataset = {}, .location = options.location};
  if (!options.to.empty()) {
    HF_ASSIGN_OR_RETURN(request.dataset, ParseDatasetRef(options.to));
    return request;
  }
  if (!config.catalog_export.to) {
    return MakeError(ErrorId::kUsage, "no dataset is named",
                     "Give --to PROJECT.DATASET, or the setting catalog.export");
  }
  request.dataset = *config.catalog_export.to;
  if (request.location.empty()) request.location = config.catalog_export.location;
  return request;
}

void PrintExportPlan(const observe::ExportPlan& plan) {
  std::cout << fmt::format("Would {} dataset {} in {}, and stage in gs://{}\n",
                           plan.creates_dataset ? "create" : "use", plan.dataset.ToString(),
                           plan.location, plan.staging_bucket);
  for (const observe::ExportPlan::Item& item : plan.items) {
    std::cout << fmt::format("  {:<8} {:<5} {}\n", item.exists ? "replace" : "create",
                             item.is_view ? "view" : "table", item.name);
  }
}

void PrintExport(const GlobalOptions& global, const observe::ExportReport& report) {
  std::vector<Json> rows;
  for (const observe::ExportReport::Table& table : report.tables) {
    rows.push_back({{"table", table.name}, {"rows", table.rows}});
  }
  PrintRows(std::cout, Format::kPretty,
            {{.member = "table", .heading = "TABLE"},
             {.member = "rows", .heading = "ROWS", .align_right = true}},
            rows, "");
  Say(global, fmt::format("Exported to {}; ask its views first: latest_backups, "
                          "unprotected_objects, differing_objects.",
                          report.plan.dataset.ToString()));
  if (report.unseen > 0) {
    Say(global, fmt::format("{} could not be looked into: see the table `unseen`.",
                            Plural(report.unseen, "place")));
  }
}

Result<int> ExportNow(const GlobalOptions& global, const CatalogExportOptions& options) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  HF_ASSIGN_OR_RETURN(const observe::ExportRequest request, RequestOf(options, config));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  const bool pretty = global.OutputFormat() == Format::kPretty;
  if (options.dry_run) {
    HF_ASSIGN_OR_RETURN(const observe::ExportPlan plan, PlanCatalogExport(*environment, request));
    if (pretty) {
      PrintExportPlan(plan);
    } else {
      PrintDocument(std::cout, global.OutputFormat(), plan.ToJson());
    }
    return kExitOk;
  }
  Progress progress(global.Mode(), IsTerminal(), environment->clock());
  HF_ASSIGN_OR_RETURN(
      const observe::ExportReport report,
      ExportCatalogTo(*environment, request, Actor(), [&](const observe::ExportProgress& at) {
        progress.Show(fmt::format("{}: {}", at.step, Plural(at.rows, "row")),
                      {{"message_type", "status"}, {"step", at.step}, {"rows", at.rows}});
      }));
  progress.Clear();
  if (pretty) {
    PrintExport(global, report);
  } else {
    PrintDocument(std::cout, global.OutputFormat(), report.ToJson());
  }
  return report.unseen == 0 ? kExitOk : kExitPartial;
}

}  // namespace

void AddCatalogExportCommand(CLI::App& catalog, const CommandContext& context) {
  CLI::App* command = catalog.add_subcommand(
      "export", "Put the catalog into a BigQuery dataset, to be asked with SQL");
  auto options = std::make_shared<CatalogExportOptions>();
  command->add_option("--to", options->to, "The dataset; if not, what catalog.export says")
      ->type_name("PROJECT.DATASET");
  command
      ->add_option("--location", options->location,
                   "Where to create it; if not, US, or where it is")
      ->type_name("LOCATION");
  command->add_flag("--dry-run", options->dry_run, "Show what would be created and replaced");
  SetExamples(*command, {{"holdfast catalog export --to acme-ops.holdfast --dry-run",
                          "what it would create and replace"},
                         {"holdfast catalog export --to acme-ops.holdfast --location EU",
                          "then: SELECT * FROM `acme-ops.holdfast.unprotected_objects`"}});
  command->callback([context, options] {
    context.action = [context, options] { return ExportNow(context.global, *options); };
  });
}

}  // namespace holdfast::cli
