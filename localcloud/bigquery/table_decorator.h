// Table ids as paths and jobs give them: `table`, `table$partition`, `table@ms`, `table@-ms`.
//
// Pure. Source: BigQuery "Table decorators".
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "model/resource_names.h"

namespace holdfast::bigquery {

struct DecoratedTable {
  TableRef table;                   // with its partition
  std::optional<int64_t> as_of_ms;  // milliseconds since 1970; 0: as early as it can be read
};

// `now_ms`: what a negative time counts back from. Errors: reason "invalid".
Result<DecoratedTable> ParseTableId(const DatasetRef& dataset, std::string id, int64_t now_ms);

}  // namespace holdfast::bigquery
