// A table of a backup as it is asked: what it is, and how its files are had, none of them read yet.
//
// The partitions are known before anything is read, so that those a question does not need are
// never touched. Plain values, but for the functions, which any thread may call, several at once.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "avro/reader.h"
#include "base/result.h"
#include "model/resource_names.h"
#include "model/schema.h"
#include "model/table.h"

namespace holdfast::ask {

// One Avro file.
struct AskedFile {
  std::string name;        // for errors: the file and its backup
  int64_t size_bytes = 0;  // that are read to have it
  int64_t rows = 0;        // that it must turn out to hold

  // The file's bytes, which have been compared with its checksums: what does not match them is an
  // error here, and never a row.
  std::function<Result<avro::ByteSource>()> open;
};

// What one partition consists of; of a table that was backed up as a whole, all of it.
struct AskedPart {
  std::string partition;  // empty: the whole table
  std::vector<AskedFile> files;
};

struct AskedTable {
  TableRef ref;  // .partition empty
  Schema schema;
  Partitioning partitioning;
  std::vector<std::string> partitions;  // {""}: it was backed up as a whole
  std::optional<std::string> view_sql;  // a view: its GoogleSQL; it has no partitions then
  std::function<Result<AskedPart>(const std::string& partition)> part;
};

// Finds what a query names, as of that time or, without one, of the time that the question is
// about. Errors say what there is instead.
using TableFinder =
    std::function<Result<AskedTable>(const TableRef& table, std::optional<int64_t> as_of_ms)>;

// What a question cost.
struct AskStatistics {
  int64_t rows = 0;             // of the answer
  int64_t files_read = 0;       // each time that one is read
  int64_t bytes_read = 0;       // of those
  int64_t partitions = 0;       // of the tables that the question names; a whole table is one
  int64_t partitions_read = 0;  // of those
};

}  // namespace holdfast::ask
