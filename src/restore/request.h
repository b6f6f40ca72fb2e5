// What a person asks of a restore: which objects, as of when, and to where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/resource_names.h"

namespace holdfast::restore {

enum class IfExists {
  kFail,  // a table that is there is a conflict: nothing of the plan is begun
  kSkip,  // it is left as it is, and reported
};

struct RestoreRequest {
  // The source names: a dataset (table empty), a table, or a partition of one.
  TableRef source;
  std::string backup;               // a backup's id or the beginning of one; empty: the latest
  std::optional<int64_t> as_of_ms;  // the latest at or before this time; unset: now

  // The target: members left empty are the source's.
  std::string to_project;
  std::string to_dataset;
  std::string to_table;  // only for a table or partition

  IfExists if_exists = IfExists::kFail;
  bool compare = true;  // read what was restored and compare it with the backup (L3)
};

}  // namespace holdfast::restore
