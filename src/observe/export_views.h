// Views over an exported catalog: the questions that everyone asks of it, in GoogleSQL.
//
//   latest_backups       of each object the newest good backup
//   unprotected_objects  tables without a backup since their last change, and for how many days
//   differing_objects    tables unmodified for 3 days whose backups differ in rows or bytes
//
// The last two are the service levels of observe/service_levels.h as of the export, by the same
// rules: a test compares them. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/resource_names.h"

namespace holdfast::observe {

struct ExportView {
  std::string name;
  std::string description;
  std::string sql;
};

// In an order in which each is of those before it.
std::vector<ExportView> ExportViews(const DatasetRef& dataset);

}  // namespace holdfast::observe
