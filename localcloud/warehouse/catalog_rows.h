// Rows of the catalog database, read and written inside a transaction of the caller's.
//
// The tables, and what makes versions cheap: a file row is live in the versions
// [added, removed), so a commit writes only what it changes, whatever the size of the table.
//
//   datasets    one row per live dataset
//   tables      one per incarnation of a table; deleted_ms is set when it was deleted
//   schemas     each different schema once
//   versions    (table, version) → when committed, schema, counts
//   files       (table, partition, path) with [added, removed)
//   partitions  when a partition's data was last changed
//   buffer_rows, recent_inserts   the streaming buffer (streaming_buffer.h)
//
// Internal to TableStore and the streaming buffer.
#pragma once

#include <optional>
#include <string>

#include "localcloud/sqlite/database.h"
#include "localcloud/warehouse/metadata.h"
#include "localcloud/warehouse/table_store.h"

namespace holdfast::warehouse {

inline constexpr int64_t kTimeTravelHoursDefault = 168;  // google-semantics A3 #22: 2 to 7 days
inline constexpr int64_t kTablePartitionsMax = 10'000;   // google-semantics A2 #17

// Creates the tables that are absent.
Status CreateCatalog(sqlite::Database& database);

// kWarehouseNotFound, reason "notFound", and kWarehouseExists, reason "duplicate", in BigQuery's
// words. A partition is not named.
Error NotFoundError(const TableRef& ref);
Error NotFoundError(const DatasetRef& ref);
Error DuplicateError(std::string message);

// How long the past of the dataset's tables can be read, in milliseconds: `maxTimeTravelHours`, or
// the default when that or the dataset is absent.
Result<int64_t> TimeTravelWindowMs(sqlite::Database& database, const DatasetRef& ref);

// The key of `schema` in `schemas`, which gets it if it is new; and back.
Result<int64_t> InternSchema(sqlite::Database& database, const Schema& schema);
Result<Schema> ReadSchema(sqlite::Database& database, int64_t schema_key);

// The row under FROM tables: columns in the order that ReadTableRow expects.
extern const std::string_view kTableColumns;
Result<TableRecord> ReadTableRow(sqlite::Database& database, const sqlite::Statement& row);

// The live table of that name (partition ignored); kWarehouseNotFound if there is none.
Result<TableRecord> FindLiveTable(sqlite::Database& database, const TableRef& ref);

// Inserts the table and its empty version 1. kWarehouseExists if a live one has the name.
Result<int64_t> InsertTable(sqlite::Database& database, const TableDefinition& definition,
                            int64_t now_ms);

// Ends the life of a table at `deleted_ms`: its rows stay, its streaming buffer goes.
Status MarkTableDeleted(sqlite::Database& database, int64_t table_key, int64_t deleted_ms);

// Deletes the table if it has expired and drops its expired partitions, as one more version.
// Returns whether the table is gone.
Result<bool> ExpireTable(sqlite::Database& database, const TableRecord& table, int64_t now_ms);

// The version after `table.version`, never older than it although the clock was set back; and
// recording it, once its files are in place: counts are summed over the live files. The building
// blocks of commits and expiry.
struct NewVersion {
  int64_t version = 0;
  int64_t committed_ms = 0;
};
NewVersion NextVersion(const TableRecord& table, int64_t now_ms);
Status RecordVersion(sqlite::Database& database, const TableRecord& table, const NewVersion& next,
                     int64_t schema_key);

// Takes live files out of the table from version `next` on: one partition's, or all if nullopt.
Status RemoveLiveFiles(sqlite::Database& database, int64_t table_key,
                       const std::optional<std::string>& partition, const NewVersion& next);

// Notes that the partition's data changed at `modified_ms`; never moves backwards.
Status TouchPartition(sqlite::Database& database, int64_t table_key, const std::string& partition,
                      int64_t modified_ms);

}  // namespace holdfast::warehouse
