// The REST methods of tabledata: list and insertAll.
//
// Thread-safe. Source: BigQuery REST `tabledata`; quotas of streaming inserts.
#pragma once

#include "localcloud/bigquery/request.h"
#include "localcloud/bigquery/service_context.h"

namespace holdfast::bigquery {

inline constexpr size_t kInsertBytesMax = size_t{10} << 20U;  // google-semantics A8 #56
inline constexpr size_t kInsertRowsMax = 50'000;

class Tabledata {
 public:
  explicit Tabledata(const ServiceContext& context) : context_(context) {}

  Result<Json> List(const Request& request);

  // Rows that are refused are told in `insertErrors` of a successful answer.
  Result<Json> InsertAll(const Request& request);

 private:
  const ServiceContext& context_;
};

}  // namespace holdfast::bigquery
