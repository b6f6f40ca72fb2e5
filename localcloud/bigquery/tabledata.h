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

  // Rows in listing order, or the partitions of `table$__PARTITIONS_SUMMARY__`. Changes nothing.
  // Errors: reason "notFound"; "invalid" for a view, a bad decorator or a token of another table.
  Result<Json> List(const Request& request);

  // Rows that are refused are told in `insertErrors` of a successful answer. The rows that are
  // taken are durable when it answers; a repeated insertId is dropped for a minute. Errors: reason
  // "notFound"; "invalid" for no rows, over kInsertRowsMax of them, or a templateSuffix.
  Result<Json> InsertAll(const Request& request);

 private:
  const ServiceContext& context_;
};

}  // namespace holdfast::bigquery
