// What changed between two schemas: columns that came, went, or hold something else now. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "model/schema.h"

namespace holdfast::cli {

struct ColumnChange {
  enum class Kind { kAdded, kRemoved, kChanged };
  Kind kind = Kind::kAdded;
  std::string column;  // "items.price" for a column of a record
  std::string before;  // "NUMERIC(10, 2) REQUIRED"; empty: it was not there
  std::string after;   // empty: it is not there

  // "column total added: INT64".
  std::string ToText() const;

  // Members "change", "column", "before", "after".
  Json ToJson() const;
};

// In the order of the schemas, those of `after` first. Descriptions do not count; names are
// compared without case. A record that came or went is one change, whatever is in it.
std::vector<ColumnChange> CompareColumns(const Schema& before, const Schema& after);

}  // namespace holdfast::cli
