// Exporting the catalog, wired: what `holdfast catalog export` and `holdfast up` do alike.
//
// One process per data directory exports at a time (a lock). When it was last done, and where to,
// is kept in the data directory. Source: observe/catalog_export.h.
#pragma once

#include <functional>
#include <stop_token>

#include "base/result.h"
#include "cli/command.h"
#include "cli/environment.h"
#include "observe/catalog_export.h"

namespace holdfast::cli {

// What an export would do; changes nothing. Errors: as PlanExport.
Result<observe::ExportPlan> PlanCatalogExport(Environment& environment,
                                              const observe::ExportRequest& request);

// Exports, and leaves an entry of `actor` in the audit log before; ends early where `stop` says so.
// Errors: kDirectoryInUse (another process is at it), kCancelled (it was stopped), as PlanExport
// and ExportCatalog.
Result<observe::ExportReport> ExportCatalogTo(
    Environment& environment, const observe::ExportRequest& request, const std::string& actor,
    const std::function<void(const observe::ExportProgress& progress)>& on_progress,
    const std::stop_token& stop = {});

// Exports as often as the setting `catalog.export` says, until `stop`, also in the middle of one;
// returns at once where it says nothing. What goes wrong is logged, and tried again an hour later,
// or sooner if it is due.
void RunCatalogExports(const GlobalOptions& global, Environment& environment,
                       const std::stop_token& stop);

// catalog export
void AddCatalogExportCommand(CLI::App& catalog, const CommandContext& context);

}  // namespace holdfast::cli
