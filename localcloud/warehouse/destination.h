// Where the rows of a load, a query or a copy go: an existing table, or one that is created with
// them.
//
// Internal to the jobs that write tables; the rules of createDisposition and writeDisposition are
// here.
#pragma once

#include <optional>

#include "localcloud/warehouse/loader.h"
#include "localcloud/warehouse/parquet_write.h"
#include "localcloud/warehouse/warehouse.h"

namespace holdfast::warehouse {

struct Destination {
  TableRef ref;  // with its partition decorator
  WriteDisposition disposition = WriteDisposition::kAppend;
  std::optional<TableRecord> existing;  // absent: created by the commit
  Json resource = Json::object();       // of the table that is created
  bool replace = false;                 // whatever lives under the name is deleted first

  // Whether the rows must fit the table's schema (true), or bring their own.
  bool KeepsSchema() const;
};

struct DestinationRequest {
  TableRef ref;
  CreateDisposition create = CreateDisposition::kIfNeeded;
  WriteDisposition disposition = WriteDisposition::kAppend;
  Json resource = Json::object();
  bool replace = false;
};

// Errors: kWarehouseNotFound (dataset, or table with kNever), kWarehouseReadOnly, kWarehouseExists
// (kEmpty and there is data).
Result<Destination> FindDestination(Warehouse& warehouse, const DestinationRequest& request);

// How the destination is partitioned once it has `schema`.
Result<Partitioning> PartitioningOf(const Destination& destination, const Schema& schema);

// Commits `files`, written with `schema`, as the destination's next version. A table that someone
// else created meanwhile is appended to. Errors: those of TableStore::Commit and CreateWithData.
Result<TableRecord> CommitFiles(Warehouse& warehouse, const Destination& destination,
                                const Schema& schema, const std::vector<DataFile>& files);

}  // namespace holdfast::warehouse
