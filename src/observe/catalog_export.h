// The catalog as tables of the warehouse, so that anyone can ask it with SQL.
//
// All rows are read first, into Avro objects of a staging bucket; then loaded into tables of their
// own that expire; then each table of the export is replaced by one copy job. So a reader sees the
// last export or this one, in one table never a mixture, and the tables are of one export but for
// the moment in which they are replaced. Repeatable: the same catalog gives the same rows. Only
// tables that an export made are replaced. Memory is bounded by a page, a batch and a part.
// Source: issue "Seeing it".
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "cloud/object_store.h"
#include "cloud/run_job.h"
#include "cloud/warehouse.h"
#include "observe/export_rows.h"
#include "observe/service_levels.h"
#include "repository/layout.h"

namespace holdfast::observe {

// The label of the tables and views that an export made, and may therefore replace.
inline constexpr std::string_view kExportLabel = "holdfast-catalog-export";

// How far it is: what is being done, and to how many rows it was.
struct ExportProgress {
  std::string step;  // "reading outcomes", "loading", "replacing"
  int64_t rows = 0;
};

// What an export works with. References outlive it; all of it is thread-safe.
struct ExportServices {
  cloud::Warehouse& warehouse;
  cloud::ObjectStore& objects;
  catalog::Catalog& catalog;
  Clock& clock;
  Random& random;
  std::string staging_bucket_pattern;  // {project} and {location} are the dataset's
  std::string tool_version;
  // Gives the pins of a repository, which the catalog does not hold; empty: there are none.
  std::function<Status(const repository::Location& repository,
                       const std::function<Status(const ExportedPin& pin)>& visit)>
      visit_pins;
  std::function<void(const ExportProgress& progress)> on_progress = [](const ExportProgress&) {};
  // Asked for each row and between the polls of a job: its error ends the export.
  cloud::KeepAlive keep_alive = [] { return Status(); };
  // Who exports, where one does at a time: what it left staged when it died it takes away
  // (model/staged_table.h). kStagedHolderDigits digits.
  std::string holder = "00000000";
  size_t part_bytes = kUploadPartBytes;
};

struct ExportRequest {
  DatasetRef dataset;
  std::string location;  // of the dataset; empty: where it is, or "US" if it is not there
};

// What an export would do.
struct ExportPlan {
  struct Item {
    std::string name;
    bool is_view = false;
    bool exists = false;  // and is replaced
  };

  DatasetRef dataset;
  std::string location;
  bool creates_dataset = false;
  std::string staging_bucket;
  std::vector<Item> items;

  Json ToJson() const;
};

// What it did.
struct ExportReport {
  struct Table {
    std::string name;
    int64_t rows = 0;
  };

  ExportStamp stamp;
  ExportPlan plan;
  std::vector<Table> tables;
  ServiceLevels levels;  // as measured while the sources were looked at
  int64_t unseen = 0;    // rows of the table of that name: what could not be looked into

  Json ToJson() const;
};

// Looks at the dataset; changes nothing. Errors: kLocationMismatch, kExportTableForeign (a table of
// such a name that no export made), the warehouse's.
Result<ExportPlan> PlanExport(const ExportServices& services, const ExportRequest& request);

// Carries it out. `sources` and `scope` say what is looked at (service_levels.h). A source or a
// repository that cannot be looked into is a row of the table "unseen", not an error. What an
// earlier export of the same holder left staged is deleted first. Errors: the warehouse's, the
// store's, the catalog's, keep_alive's; then every table is as it was or replaced whole, and what
// was staged is deleted, or expires.
Result<ExportReport> ExportCatalog(const ExportServices& services,
                                   const ServiceLevelSources& sources, const Scope& scope,
                                   const ExportPlan& plan);

}  // namespace holdfast::observe
