// The catalog of the embedded warehouse: datasets, tables and their versions, in SQLite.
//
// A version is a schema plus a list of immutable Parquet files; committing one is a single SQLite
// transaction, so a reader sees either all of it or nothing and a crash leaves the last version
// whole. Older versions stay readable for the time-travel window. Concurrency is by files: an
// append never conflicts; a change that replaces files fails with kWarehouseConflict if one of them
// is gone.
//
// Names are looked up as BigQuery does: case-sensitive, a live table hides older incarnations of
// its name. A table past its expiration is not found. Thread-safe; every call is short. Errors of
// all calls: kWarehouseNotFound, and those of
// localcloud/sqlite/database.h.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "localcloud/warehouse/metadata.h"

namespace holdfast::sqlite {
class Database;
}

namespace holdfast::warehouse {

// What a new table is made of. `resource` may carry expirationTime and partitioning.
struct TableDefinition {
  TableRef ref;
  TableKind kind = TableKind::kTable;
  Json resource = Json::object();
  Schema schema;
  bool replace = false;  // CREATE OR REPLACE: a live table of the name is deleted first
};

// Rows of a streaming buffer: all up to a sequence number. If there are no longer just as many,
// some were taken up by another flush, and the commit fails with kWarehouseConflict.
struct StreamedRows {
  int64_t through = 0;
  int64_t count = 0;
};

// One change of a table's data, committed at once.
struct VersionChange {
  TableRef table;
  int64_t table_key = 0;  // the incarnation that was read; 0: whichever is there
  WriteDisposition disposition = WriteDisposition::kAppend;
  std::string partition;                 // kTruncate, kEmpty: only this partition; "": the table
  std::optional<Schema> schema;          // the new schema; absent: unchanged
  std::vector<DataFile> added;           // schema_key 0: `added_schema`
  std::optional<Schema> added_schema;    // what they were written with; absent: the new schema
  std::vector<std::string> removed;      // paths that must still be there (DML)
  std::optional<StreamedRows> streamed;  // the buffered rows that `added` takes up
  std::optional<int64_t> modified_ms;    // default: now
};

class TableStore {
 public:
  // Opens or creates the catalog at `path`. `clock` must outlive the store.
  static Result<std::unique_ptr<TableStore>> Open(const std::string& path, Clock& clock);
  ~TableStore();
  TableStore(const TableStore&) = delete;
  TableStore& operator=(const TableStore&) = delete;

  // --- Datasets. Errors: kWarehouseExists, kWarehouseEtag, kWarehouseNotEmpty.
  // Keeps `resource` as it is.
  Result<DatasetRecord> CreateDataset(const DatasetRef& ref, Json resource);

  // kWarehouseNotFound when there is none.
  Result<DatasetRecord> GetDataset(const DatasetRef& ref);
  // Replaces the document (the caller has merged a patch). `if_match` empty: unconditional.
  Result<DatasetRecord> UpdateDataset(const DatasetRef& ref, Json resource,
                                      const std::string& if_match);
  // With `delete_contents` its tables go too (and stay readable through @ms, once the dataset has
  // been recreated). `if_match` as above.
  Status DeleteDataset(const DatasetRef& ref, bool delete_contents,
                       const std::string& if_match = {});

  // By name; none in a project that nobody used is no error.
  Result<Page<DatasetRecord>> ListDatasets(const std::string& project, const PageRequest& page);

  // --- Tables. Errors: kWarehouseExists, kWarehouseEtag, kWarehouseInvalidSchema.
  // Applies the dataset's default expirations where the resource has none.
  Result<TableRecord> CreateTable(const TableDefinition& definition);

  // The live table; `ref.partition` is ignored.
  Result<TableRecord> GetTable(const TableRef& ref);
  // Replaces the document, and the schema if given, which may only add or relax fields (of a table
  // with data). An edit of metadata counts as a modification of the table and every partition.
  Result<TableRecord> UpdateTable(const TableRef& ref, Json resource, std::optional<Schema> schema,
                                  const std::string& if_match);
  // The table stays readable through @ms within the time-travel window. `if_match` as above.
  Status DeleteTable(const TableRef& ref, const std::string& if_match = {});

  // Tables of every kind, by name; the dataset must exist.
  Result<Page<TableRecord>> ListTables(const DatasetRef& ref, const PageRequest& page);

  // --- Data.
  // Partitions with data, by id. `__UNPARTITIONED__` of a streaming buffer is not among them.
  Result<std::vector<PartitionRecord>> ListPartitions(const TableRef& ref);

  // The table now, or as it was at `as_of_ms` (0: as early as it can be read); `ref.partition`
  // restricts the files (a partition without data gives none). Errors: kWarehouseTimeTravel outside
  // the window or before creation.
  Result<TableSnapshot> Snapshot(const TableRef& ref, std::optional<int64_t> as_of_ms = {});

  // Makes `change` the table's next version and returns the table as it is then. Partitions that
  // have expired are dropped in the same transaction. Errors: kWarehouseExists (kEmpty, data there;
  // reason "duplicate"), kWarehouseConflict (nothing changed: read again and retry),
  // kWarehouseReadOnly (not a table that holds data).
  Result<TableRecord> Commit(const VersionChange& change);

  // Creates `definition` and commits `change` to it in one transaction.
  // A kSnapshot gets its rows this way and no other.
  Result<TableRecord> CreateWithData(const TableDefinition& definition, VersionChange change);

  // --- Maintenance.
  // Deletes tables and partitions that have expired. Idempotent.
  Status DropExpired();
  // Forgets versions and deleted tables older than their time-travel window, and returns the paths
  // of files that nothing refers to any more and no snapshot pins: the caller deletes them.
  // Idempotent.
  Result<std::vector<std::string>> CollectGarbage();
  // Every path that a version refers to.
  Result<std::vector<std::string>> AllPaths();

  // The SQLite database, for the streaming buffer, whose rows leave it in the transaction of the
  // version that takes them up. Hold `mutex()` while using it.
  sqlite::Database& database() { return *database_; }
  std::recursive_mutex& mutex() { return mutex_; }

 private:
  TableStore(std::unique_ptr<sqlite::Database> database, Clock& clock);
  int64_t NowMs() const;
  Result<TableRecord> FindUnexpired(const TableRef& ref);
  Result<int64_t> Create(const TableDefinition& definition);
  Status Apply(const TableRecord& table, const VersionChange& change);
  Result<TableRecord> FindAsOf(const TableRef& ref, int64_t as_of_ms);
  void Pin(TableSnapshot& snapshot);

  std::recursive_mutex mutex_;
  std::unique_ptr<sqlite::Database> database_;
  Clock& clock_;
  std::vector<std::weak_ptr<const std::vector<std::string>>> pins_;
};

}  // namespace holdfast::warehouse
