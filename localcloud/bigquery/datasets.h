// The REST methods of datasets: insert, get, list, patch, update, delete.
//
// Only translates between the API and the warehouse's catalog. Labels, access, descriptions and
// whatever else a dataset's document has are kept as given. Errors: reason "notFound", "invalid",
// "required", "duplicate"; "conditionNotMet" for an If-Match of another version. Thread-safe.
// Source: BigQuery REST `datasets`.
#pragma once

#include "localcloud/bigquery/request.h"
#include "localcloud/bigquery/service_context.h"

namespace holdfast::bigquery {

class Datasets {
 public:
  // `context` must outlive this.
  explicit Datasets(const ServiceContext& context) : context_(context) {}

  // The location is "US" when absent, and never changes.
  Result<Json> Insert(const Request& request);

  // The whole document.
  Result<Json> Get(const Request& request);

  // By name; hidden ones (that begin with '_') only with all=true.
  Result<Json> List(const Request& request);
  Result<Json> Patch(const Request& request);   // RFC 7396; null clears a member
  Result<Json> Update(const Request& request);  // replaces the document

  // With deleteContents its tables go too; without it a dataset with tables is refused.
  Result<Json> Delete(const Request& request);

 private:
  Result<Json> Edit(const Request& request, bool keep_others);

  const ServiceContext& context_;
};

}  // namespace holdfast::bigquery
