// What the job kinds share in reading their configuration: decorators, URIs, dispositions, places.
//
// Pure but for the lookups of datasets and buckets. Errors carry BigQuery's reasons.
// Source: BigQuery REST `JobConfiguration*`; "Table decorators"; "Location considerations".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "localcloud/bigquery/service_context.h"
#include "localcloud/bigquery/table_decorator.h"
#include "localcloud/warehouse/loader.h"
#include "model/resource_names.h"

namespace holdfast::bigquery {

// The table that a job's reference names. Errors: reason "invalid".
Result<DecoratedTable> ParseDecoratedTable(const Json& reference, const std::string& project,
                                           int64_t now_ms);

struct ObjectUri {
  std::string bucket;
  std::string object;  // may hold one '*'

  std::string ToString() const { return "gs://" + bucket + "/" + object; }
};

// Errors: reason "invalid" for another scheme, no object, a generation, or more than one '*'.
Result<ObjectUri> ParseObjectUri(const std::string& uri);

// `fieldDelimiter` of CSV: "," when absent; "tab" and "\t" stand for a tab.
std::string FieldDelimiter(const Json& settings);

// WRITE_APPEND, WRITE_TRUNCATE or WRITE_EMPTY; `fallback` when absent. Errors: reason "invalid".
Result<warehouse::WriteDisposition> ParseWriteDisposition(const Json& settings,
                                                          warehouse::WriteDisposition fallback);

// CREATE_IF_NEEDED, also when absent, or CREATE_NEVER. Errors: reason "invalid".
Result<warehouse::CreateDisposition> ParseCreateDisposition(const Json& settings);

// The location of a dataset. Errors: reason "notFound".
Result<std::string> DatasetLocation(const ServiceContext& context, const DatasetRef& dataset);

// A dataset is where the job runs. Errors: "Not found: Dataset p:d was not found in location EU".
Status CheckDatasetIsIn(const ServiceContext& context, const DatasetRef& dataset,
                        const std::string& location);

// A bucket may be read and written by jobs in `location`: it is in the same place or in the
// multi-region around it; jobs in US reach every bucket.
Status CheckBucketIsNear(const ServiceContext& context, const std::string& bucket,
                         const std::string& location);

}  // namespace holdfast::bigquery
