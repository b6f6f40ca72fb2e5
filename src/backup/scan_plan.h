// Which objects of a table are to be backed up: the decision of the scan stage, pure.
//
// Known: what the warehouse tells of the table now, and the last good backups. Decided: for the
// table or for each of its partitions, whether there is something new. Nothing here asks a clock or
// a service. Source: google-semantics A2, DESIGN §4 "Backup".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/backup_index.h"
#include "model/policy.h"
#include "model/run.h"
#include "model/table.h"
#include "model/work_message.h"

namespace holdfast::backup {

// The newest intact backup by partition id, suspect or not; "" is the table as a whole.
using LastBackups = std::map<std::string, catalog::BackupRecord>;

// Whether a dataset is to be looked into: not the hidden ones in which the warehouse keeps results
// of queries for a day ("_" and 40 hexadecimal digits), and not those that hold our own copies.
// Other hidden datasets are a user's and are backed up.
bool IsBackedUpDataset(const DatasetInfo& info);

// No object of the table is in both.
struct TablePlan {
  Method method = Method::kExport;    // of the units: the policy's, or that of definitions
  std::optional<int64_t> as_of_ms;    // RunBackup::as_of_ms
  std::vector<BackupUnit> units;      // to back up; empty: nothing
  std::vector<ItemOutcome> outcomes;  // of objects that are settled already: unchanged, unsupported
};

// What can be said from the bulk listing alone, so that an unchanged or unsupported table costs no
// call of its own; nullopt: the table has to be looked at (`PlanTable`).
std::optional<ItemOutcome> PlanFromSummary(const TableSummary& summary, const LastBackups& last,
                                           const BackupPolicy& policy, int64_t now_ms);

// The same of a table that has partitions, with these of a bulk listing, all of it: the outcomes of
// all of them when none changed. A table that was modified at another time than the newest of its
// partitions is looked at, since that was more than a write of rows; so is one that has none.
std::optional<std::vector<ItemOutcome>> PlanFromPartitions(
    const TableSummary& summary, const std::vector<PartitionInfo>& partitions,
    const LastBackups& last, const BackupPolicy& policy, int64_t now_ms);

// What is to be done for a table by the policy's `method`. `partitions`: all of it when the table
// is partitioned, else empty. `now_ms` is before either was looked at: several partitions are taken
// as of then, so that they are of one moment, as of which what is unchanged was so too.
TablePlan PlanTable(const TableInfo& table, const std::vector<PartitionInfo>& partitions,
                    const LastBackups& last, const BackupPolicy& policy, int64_t now_ms);

// The moment as of which the policy of a run that began at `started_ms` takes the tables of a
// dataset; nullopt: as they are. At the edge of the time travel window an hour is left for the
// work. kTimeTravelWindow when it is beyond.
Result<std::optional<int64_t>> TimeTravelMoment(const BackupPolicy& policy,
                                                const DatasetInfo& dataset, int64_t started_ms);

// The plan of a table that is taken as of such a moment: what was made after it is not due yet.
TablePlan TakenAsOf(TablePlan plan, const TableInfo& table, int64_t as_of_ms);

// The same two for an object without data, of which `now` tells all. `policy`: of the run.
std::optional<ItemOutcome> PlanDefinitionFromSummary(const TableSummary& summary, ObjectKind kind,
                                                     const LastBackups& last,
                                                     const BackupPolicy& policy, int64_t now_ms);
TablePlan PlanDefinition(const TableRef& object, ObjectKind kind, Fingerprint now,
                         const LastBackups& last, const BackupPolicy& policy);

// The units in messages like `table`, whose own units are empty, of at most `units_max` each, so
// that one worker holds a bounded piece.
std::vector<WorkMessage> MessagesFor(const RunBackup& table, const std::vector<BackupUnit>& units,
                                     size_t units_max);

}  // namespace holdfast::backup
