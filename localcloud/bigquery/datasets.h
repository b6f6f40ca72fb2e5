// The REST methods of datasets: insert, get, list, patch, update, delete.
//
// Only translates between the API and the warehouse's catalog. Labels, access, descriptions and
// whatever else a dataset's document has are kept as given. Thread-safe.
// Source: BigQuery REST `datasets`.
#pragma once

#include "localcloud/bigquery/request.h"
#include "localcloud/bigquery/service_context.h"

namespace holdfast::bigquery {

class Datasets {
 public:
  explicit Datasets(const ServiceContext& context) : context_(context) {}

  Result<Json> Insert(const Request& request);
  Result<Json> Get(const Request& request);
  Result<Json> List(const Request& request);
  Result<Json> Patch(const Request& request);   // RFC 7396; null clears a member
  Result<Json> Update(const Request& request);  // replaces the document
  Result<Json> Delete(const Request& request);

 private:
  Result<Json> Edit(const Request& request, bool keep_others);

  const ServiceContext& context_;
};

}  // namespace holdfast::bigquery
