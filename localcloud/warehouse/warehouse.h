// The embedded warehouse: one data directory, opened by one process.
//
//   <directory>/catalog.db      datasets, tables, versions, streaming buffer (table_store.h)
//   <directory>/files/          immutable Parquet files; none is ever changed in place
//   <directory>/staging/        files being written; emptied on open
//   <directory>/spill/          DuckDB's temporary files
//
// It owns the parts that the operations work on: loader.h, extractor.h, copier.h, query.h, dml.h,
// rows.h and streaming_buffer.h are functions over a Warehouse. A file is written in staging/,
// synced and renamed into files/ before the version that names it is committed: after a crash the
// directory holds every committed version, and at most files that nobody names, which the next open
// deletes. Thread-safe. Source: DESIGN §6.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/directory_lock.h"
#include "base/random.h"
#include "localcloud/warehouse/table_store.h"

namespace holdfast::warehouse {

class Database;  // duck.h
class FileArea;  // file_area.h

struct WarehouseOptions {
  std::string directory;
  std::vector<std::string>
      readable_directories;                     // where load sources lie; nothing else is readable
  int64_t memory_bytes_max = int64_t{1} << 30;  // DuckDB spills to disk beyond it
  int threads = 0;                              // 0: one per core
  int64_t spill_bytes_max = int64_t{64} << 30;
};

class Warehouse {
 public:
  // Creates the directory when it is absent. `clock` and `random` must outlive the warehouse.
  // Errors: kDirectoryInUse, kFileError, kDiskFull, kWarehouseStorage (DuckDB does not start).
  static Result<std::unique_ptr<Warehouse>> Open(const WarehouseOptions& options, Clock& clock,
                                                 Random& random);
  ~Warehouse();
  Warehouse(const Warehouse&) = delete;
  Warehouse& operator=(const Warehouse&) = delete;

  // The parts, owned here; each thread-safe.
  TableStore& store() { return *store_; }
  Database& database() { return *database_; }
  FileArea& files() { return *files_; }
  Clock& clock() { return clock_; }
  Random& random() { return random_; }

  // Held by whoever flushes a streaming buffer: two flushes of one buffer would write the same
  // rows, and only one of them could commit.
  std::mutex& flush_mutex() { return flush_mutex_; }

  // Drops what has expired, flushes streaming buffers that are due, deletes files that no version
  // within the time-travel window needs. Call it now and then (once a minute is plenty).
  // Idempotent.
  Status Maintain();

 private:
  Warehouse(Clock& clock, Random& random);

  Clock& clock_;
  Random& random_;
  std::mutex flush_mutex_;
  std::unique_ptr<DirectoryLock> lock_;  // first in, last out
  std::unique_ptr<FileArea> files_;
  std::unique_ptr<TableStore> store_;
  std::unique_ptr<Database> database_;
};

}  // namespace holdfast::warehouse
