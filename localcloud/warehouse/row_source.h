// Rows of our own making that a query may read again: each scan opens them anew.
//
// A query that names a relation twice, or whose common table is inlined, scans it twice, at the
// same time perhaps; a BatchSource (batch_source.h) can be read once only. A scan asks for the
// columns that the query needs and no others. One thread reads each scan. Internal to the
// warehouse.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "localcloud/warehouse/duck.h"
#include "localcloud/warehouse/query.h"

namespace holdfast::warehouse {

// A source and the error that ended a scan of it.
class RowSource {
 public:
  explicit RowSource(SourceBinding source) : source_(std::move(source)) {}

  const Schema& schema() const { return source_.schema; }
  size_t parts() const { return source_.parts; }

  // A part from its first row, of those columns (places in the schema), in that order.
  Result<std::unique_ptr<BatchSource>> Open(const std::vector<size_t>& columns, size_t part) const;

  // The first error of any scan, which DuckDB's own message would hide. Thread-safe.
  void Fail(const Error& error);
  std::optional<Error> failure() const;

 private:
  SourceBinding source_;
  mutable std::mutex mutex_;
  std::optional<Error> failure_;
};

// Registers the table function; once per database.
Status RegisterRowFunction(Database& database, Connection& connection);

// Makes a source readable for as long as it lives.
class RowSourceRegistration {
 public:
  // `database` must outlive this.
  RowSourceRegistration(Database& database, SourceBinding source);
  ~RowSourceRegistration();
  RowSourceRegistration(const RowSourceRegistration&) = delete;
  RowSourceRegistration& operator=(const RowSourceRegistration&) = delete;

  // "holdfast_scan(7)": a relation with the source's columns.
  std::string relation() const { return "holdfast_scan(" + std::to_string(handle_) + ")"; }

  std::optional<Error> failure() const { return source_.failure(); }

 private:
  Database& database_;
  RowSource source_;
  int64_t handle_;
};

}  // namespace holdfast::warehouse
