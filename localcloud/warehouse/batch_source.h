// Rows of our own making as a relation of DuckDB: pulled batch by batch, never staged.
//
// A registered source is read by `SELECT ... FROM holdfast_rows(handle)`, once. DuckDB pulls as it
// needs, so a load of any size takes the memory of a few batches. The source is called by one
// thread at a time, not always the same.
#pragma once

#include <optional>
#include <string>

#include "avro/batch.h"
#include "localcloud/warehouse/duck.h"
#include "model/schema.h"

namespace holdfast::warehouse {

class BatchSource {
 public:
  virtual ~BatchSource() = default;

  // The columns of every batch.
  virtual const Schema& schema() const = 0;

  // The next rows, or nullopt after the last. An error ends the query that pulls.
  virtual Result<std::optional<avro::Batch>> Next() = 0;

  // The error with which Next ended, which DuckDB's own message would hide.
  const std::optional<Error>& failure() const { return failure_; }
  void set_failure(Error error) { failure_ = std::move(error); }

 private:
  std::optional<Error> failure_;
};

// Registers the table function; once per database.
Status RegisterBatchFunction(Database& database, Connection& connection);

// Makes `source` readable for as long as it lives.
class SourceRegistration {
 public:
  // Both must outlive this.
  SourceRegistration(Database& database, BatchSource& source)
      : database_(database), handle_(database.sources().Add(&source)) {}
  ~SourceRegistration() { database_.sources().Remove(handle_); }
  SourceRegistration(const SourceRegistration&) = delete;
  SourceRegistration& operator=(const SourceRegistration&) = delete;

  // "holdfast_rows(7)": a relation with the source's columns.
  std::string relation() const { return "holdfast_rows(" + std::to_string(handle_) + ")"; }

 private:
  Database& database_;
  int64_t handle_;
};

}  // namespace holdfast::warehouse
