// All of a catalog, and all that its sources list, as rows on their way into an export.
//
// Reads page by page; what others write meanwhile may be in it or not. One thread.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "observe/catalog_export.h"

namespace holdfast::observe {

class CatalogReading {
 public:
  // Parts are written below `place`, a folder for each table. Borrows the services.
  CatalogReading(const ExportServices& services, const cloud::ObjectRef& place);

  // Looks at the sources, then reads the catalog. Errors: the catalog's, the store's, those of
  // listing the organization.
  Result<ServiceLevels> ReadAll(const ServiceLevelSources& sources, const Scope& scope,
                                const ExportStamp& stamp);

  // What was read of a table; after ReadAll.
  int64_t RowsOf(ExportTable table) const { return At(table).rows(); }
  Result<std::vector<std::string>> FinishTable(ExportTable table) { return At(table).Finish(); }

 private:
  TableUpload& At(ExportTable table) const { return *uploads_[static_cast<size_t>(table)]; }
  Result<ServiceLevels> LookAtSources(const ServiceLevelSources& sources, const Scope& scope,
                                      const ExportStamp& stamp);
  Status ReadBackups();
  Status ReadOneBackup(const catalog::BackupRecord& record);
  Status ReadPins();
  Status ReadRuns();
  Status ReadAuditLog();
  Result<std::string> PolicyOf(const std::string& run);
  // Shows how far it is; asks whether to go on.
  Status BeginRow(std::string_view what, ExportTable table) const;

  const ExportServices& services_;
  std::array<std::unique_ptr<TableUpload>, kExportTables> uploads_;
  std::set<repository::Location> repositories_;  // that hold backups
  std::map<std::string, std::string> policies_;  // by run, the last ones asked for
};

}  // namespace holdfast::observe
