// How far back the partitions of a restore go: those of the last N days, by what their names say.
//
// Pure. Days are of UTC, as BigQuery's partitions are.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "model/table.h"
#include "restore/selection.h"

namespace holdfast::restore {

// Whether any of the partition's time is on one of the last `days` days, the day of `now` being the
// first of them, or after. True also for what is of no time: a whole table, an integer range,
// `__NULL__`, `__UNPARTITIONED__`.
bool IsWithinDays(const Partitioning& partitioning, const std::string& partition, int64_t days,
                  Timestamp now);

// Leaves out the partitions that are older, and says in a note how many there were.
void KeepLastDays(Selection& selection, int64_t days, Timestamp now);

}  // namespace holdfast::restore
