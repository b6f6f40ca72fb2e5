// The files of a load job as one relation in DuckDB. One maker per format; internal to the loader.
//
// A source is made for a destination schema: its relation has columns named as that schema's fields
// and of their stored types. The object keeps what the relation reads from; it must outlive the
// query.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "localcloud/warehouse/duck.h"
#include "localcloud/warehouse/loader.h"

namespace holdfast::warehouse {

inline constexpr size_t kBadRecordsKept = 100;

// Files of which the first rows are read to detect a schema; BigQuery reads one.
inline constexpr size_t kDetectFilesMax = 32;

// The bad records of a job: a count, and the first of them.
struct BadRecords {
  int64_t count = 0;
  std::vector<BadRecord> first;

  // Counts the record, and keeps it while fewer than kBadRecordsKept are.
  void Add(BadRecord record) {
    ++count;
    if (first.size() < kBadRecordsKept) first.push_back(std::move(record));
  }
};

class LoadInput {
 public:
  virtual ~LoadInput() = default;

  // The schema that the files have of themselves (autodetection, Avro, Parquet).
  virtual Result<Schema> Detect() = 0;

  // Whether `Detect` is needed even when the table has a schema: the files name their fields.
  virtual bool names_fields() const = 0;

  // SELECT of `schema`'s columns. Called once.
  virtual Result<std::string> Select(const Schema& schema) = 0;

  // After the rows were read, or reading them failed with `failure`: the bad records, and what is
  // to be reported in its place.
  virtual Status Finish(const Status& read, BadRecords& bad) = 0;
};

// `connection` carries the whole load. `staging`: a directory for links with plain names.
Result<std::unique_ptr<LoadInput>> MakeCsvInput(Connection& connection, const LoadRequest& request,
                                                const std::string& staging);
std::unique_ptr<LoadInput> MakeJsonInput(Warehouse& warehouse, const LoadRequest& request);
std::unique_ptr<LoadInput> MakeAvroInput(Warehouse& warehouse, const LoadRequest& request);
Result<std::unique_ptr<LoadInput>> MakeParquetInput(Connection& connection,
                                                    const LoadRequest& request,
                                                    const std::string& staging);

// Whether the file begins as gzip does, whatever its name. Errors: kFileError.
Result<bool> IsGzip(const LoadSource& source);

// Makes the source readable under a path without characters that DuckDB would take for a pattern.
Result<std::string> PlainPath(const std::string& path, const std::string& staging, size_t index);

// kLoadFailed, reason "invalid".
Error LoadError(std::string message);

// "Error while reading data": what a library says of the files, whose paths in it become the
// sources' names.
Error ReadingError(const LoadRequest& request, std::string message);

// `text` with the path of every source in it replaced by the source's name.
std::string WithSourceNames(const LoadRequest& request, std::string text);

}  // namespace holdfast::warehouse
