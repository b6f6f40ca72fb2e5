// Copy jobs, snapshots, clones and restores: a destination that refers to its sources' files.
//
// Nothing is read or written but the catalog, whatever the size: files are immutable and shared.
// Rows in a streaming buffer are not copied. Source: BigQuery "jobs#JobConfigurationTableCopy";
// google-semantics A3.
#pragma once

#include <optional>
#include <vector>

#include "localcloud/warehouse/loader.h"
#include "localcloud/warehouse/warehouse.h"

namespace holdfast::warehouse {

enum class CopyOperation { kCopy, kSnapshot, kClone, kRestore };

struct CopySource {
  TableRef table;                   // ref.partition: only that partition
  std::optional<int64_t> as_of_ms;  // `table@ms`; also reads a deleted table
};

struct CopyRequest {
  std::vector<CopySource> sources;  // one, but for kCopy
  TableRef destination;             // ref.partition: the copied rows become that partition
  CopyOperation operation = CopyOperation::kCopy;
  WriteDisposition write_disposition = WriteDisposition::kEmpty;
  CreateDisposition create_disposition = CreateDisposition::kIfNeeded;
  std::optional<int64_t> destination_expiration_ms;
  bool replace =
      false;  // whatever lives under the destination's name is deleted in the same commit
  Json options = Json::object();  // merged over the document of a destination that is created
};

struct CopyResult {
  int64_t copied_rows = 0;
  int64_t copied_bytes = 0;  // logical
  TableRecord table;         // the destination afterwards
};

// kSnapshot makes a read-only table of kind kSnapshot with `snapshotDefinition`; kClone a table
// with `cloneDefinition`; kRestore a table from a snapshot. A new destination takes the first
// source's schema, partitioning, clustering, description and labels; not its expirations (a
// snapshot loses the partition expiration too: google-semantics A3 #19). Errors:
// kWarehouseNotFound, kWarehouseExists (kEmpty with data; an existing snapshot or clone
// destination, unless it is replaced), kWarehouseInvalidSchema (sources that differ),
// kWarehouseInvalidRequest (partitions that do not fit), kWarehouseTimeTravel.
Result<CopyResult> Copy(Warehouse& warehouse, const CopyRequest& request);

}  // namespace holdfast::warehouse
