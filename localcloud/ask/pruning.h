// Which partitions of a table a query can do without. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "localcloud/googlesql/plan.h"
#include "model/table.h"

namespace holdfast::ask {

// The columns that an ingestion-time table has beside its own.
inline constexpr const char* kPartitionTime = "_PARTITIONTIME";
inline constexpr const char* kPartitionDate = "_PARTITIONDATE";

// Whether a table is divided by the time at which its rows came in.
bool IsByIngestionTime(const Partitioning& partitioning);

// Whether rows of that partition may lie within all bounds. Of what is not known the answer is yes:
// of a whole table, of rows that have no partition of their own, of an id of another form.
bool MayHold(const Partitioning& partitioning, const std::string& partition,
             const std::vector<googlesql::ColumnBound>& bounds);

}  // namespace holdfast::ask
