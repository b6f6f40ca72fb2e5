// The demo's organization: folders, projects, datasets, and tables with real data.
//
// Data: the npm package vega-datasets (flights of 2001, airports, bird strikes, species, US zip
// codes, the S&P 500, a week of earthquakes). Everything is made through the services' own
// protocols, as a user would: objects are uploaded, load jobs read them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/environment.h"
#include "model/resource_names.h"

namespace holdfast::cli {

inline constexpr const char* kDemoOrganization = "example.com";
inline constexpr const char* kDemoCentralProject = "acme-platform";
inline constexpr const char* kDemoRestoreProject = "acme-restore";

// One table as the demo loads it.
struct DemoTable {
  TableRef table;
  std::string location;
  std::string file;           // in the folder of the sample data
  std::string source_format;  // "CSV", "PARQUET", "NEWLINE_DELIMITED_JSON"
  std::string schema;         // "name:TYPE,..." or JSON (fields) when it begins with '['
  std::string description;
  std::string partition_field;  // by day; empty: not partitioned
};

// A view on the flights, and a function in the same dataset.
inline const TableRef kDemoView{"acme-aviation", "operations", "late_flights", ""};
inline const TableRef kDemoRoutine =
    RoutineObject({"acme-aviation", "operations"}, "minutes_to_hours");

// In the order of loading.
const std::vector<DemoTable>& DemoTables();

// Makes organization, folders and projects in the localcloud of this process; its resource name.
Result<std::string> CreateDemoOrganization(Environment& environment);

struct LoadedTable {
  TableRef table;
  int64_t rows = 0;
  int64_t bytes = 0;  // of the file
};

// Creates datasets and tables and loads the files. `on_loaded` is called after each.
Status LoadDemoTables(Environment& environment, const std::string& sample_data,
                      const std::function<void(const LoadedTable&)>& on_loaded);

// Makes a view and a function beside the tables.
Status MakeDemoDefinitions(Environment& environment);

// Runs one GoogleSQL statement to its end.
Status RunDemoStatement(Environment& environment, const std::string& project,
                        const std::string& sql);

// Deletes one partition of a table, as `bq rm 'dataset.table$partition'` does.
Status DeleteDemoPartition(Environment& environment, const TableRef& partition);

}  // namespace holdfast::cli
