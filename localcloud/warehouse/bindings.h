// A connection on which relations stand under the names that a query gives them.
//
// Each is a temporary view of this connection, so that queries cannot see each other's. Buffered
// rows and literal rows become temporary tables. The snapshots stay pinned as long as the object
// lives.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "localcloud/warehouse/duck.h"
#include "localcloud/warehouse/query.h"
#include "localcloud/warehouse/relation.h"
#include "localcloud/warehouse/row_source.h"

namespace holdfast::warehouse {

class BoundConnection {
 public:
  // Errors: those of TableStore::Snapshot, named by the binding; kQueryFailed for a bad view.
  static Result<BoundConnection> Open(Warehouse& warehouse, const std::vector<Binding>& bindings);

  // The connection, on which statements may be run beside PrepareSelect. Belongs to this.
  Connection& connection() { return connection_; }

  // Adds one more relation under its name, which must be new. A snapshot shows buffered rows unless
  // the options ask for row identity. Errors: as Open.
  Status Bind(Warehouse& warehouse, const Binding& binding);
  Status BindSnapshot(Warehouse& warehouse, const std::string& name, const TableSnapshot& snapshot,
                      const RelationOptions& options);

  // Prepares `sql`, which must be one SELECT, with its parameters bound. Errors: kQueryFailed,
  // reason "invalidQuery", for anything else.
  Result<DuckStatement> PrepareSelect(const std::string& sql,
                                      const std::vector<QueryParameter>& parameters);

  // The error of a source that was read here, if one failed; else `error`, which DuckDB gave.
  Error ErrorOf(Error error) const;

 private:
  explicit BoundConnection(Connection connection) : connection_(std::move(connection)) {}
  Result<std::string> MakeRowsTable(Warehouse& warehouse, const Schema& schema,
                                    const std::vector<std::string>& rows);
  Result<std::string> MakeBufferTable(Warehouse& warehouse, const TableSnapshot& snapshot);

  Connection connection_;
  std::vector<TableSnapshot> snapshots_;
  std::vector<std::unique_ptr<RowSourceRegistration>> sources_;
  int tables_ = 0;
};

}  // namespace holdfast::warehouse
