// Comparing a restored table with the backups it came from, by content (verify level L3).
//
// The table is extracted into a scratch place and every row of it read; the sum over rows must be
// the sum of the backups' digests. A digest is that of rows of one schema, so a backup from before
// the table got a column is read again, with null in that column. Beside the content: the rows of
// each partition, where no column tells it (compare_partitions.h), schema, partitioning,
// clustering, description, labels, the filter that queries need, the primary key, the default
// collation, and that nothing of it is going to expire.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "model/manifest.h"
#include "restore/services.h"
#include "restore/target.h"

namespace holdfast::restore {

struct TableComparison {
  std::string expected_digest;  // of the backups together
  std::string actual_digest;    // of the restored table
  int64_t expected_rows = 0;
  int64_t actual_rows = 0;
  int64_t bytes_read = 0;
  bool content_differs = false;          // rows differ, not the definition alone
  std::vector<std::string> differences;  // for a person; empty: equal

  // Whether the restored table can be trusted.
  bool Equal() const { return differences.empty(); }
  Json ToJson() const;
};

// Errors mean that it could not be compared; a difference is a finding.
Result<TableComparison> CompareTarget(const Services& services, const OwnedTable& owned,
                                      const std::vector<Manifest>& manifests);

// The manifest that tells the table's definition: the newest. There is one at least. Pure.
const Manifest& NewestOf(const std::vector<Manifest>& manifests);

// Members of two definitions that a restore must keep, and how they differ. Pure.
std::vector<std::string> CompareDefinitions(const TableInfo& restored, const Manifest& manifest);

}  // namespace holdfast::restore
