// Whether the rows of a restored table lie in the partitions they came from.
//
// A table that is partitioned by ingestion time keeps the partition in no column of its schema, so
// that no digest of its content tells it; its rows are counted by partition instead. Tables that
// are partitioned by a column need no such look: the column is in the digest. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/manifest.h"

namespace holdfast::restore {

// For a person, the partitions that hold more or fewer rows than their backups do; empty: none.
// `actual` is the rows of each partition of the target, by its id. Rows that were backed up without
// a partition (those of `__UNPARTITIONED__`, `__NULL__`, or of a whole table) are in the partition
// of the day, or hour, at which they were loaded: which one is not asked, their number is.
std::vector<std::string> ComparePartitions(const std::map<std::string, int64_t>& actual,
                                           const std::vector<Manifest>& manifests);

}  // namespace holdfast::restore
