// Questions to backups: GoogleSQL, comparisons and exports over their files, nothing restored.
//
// The embedded warehouse computes, in a directory of its own that is removed at the end; it holds
// no table, and reads files as the answer needs them. Memory beyond the limit spills into that
// directory. One question at a time. Errors of files and of the finder are returned as they are.
// Source: issue "Restore", "Ask without restoring".
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "localcloud/ask/asked_table.h"
#include "localcloud/ask/row_diff.h"
#include "localcloud/warehouse/extractor.h"
#include "localcloud/warehouse/query.h"
#include "localcloud/warehouse/warehouse.h"

namespace holdfast::ask {

struct AskerOptions {
  std::string scratch_parent;  // an existing directory, in which the asker makes its own
  int64_t memory_bytes_max = int64_t{1} << 30;
};

struct Question {
  std::string sql;       // GoogleSQL, one SELECT
  DatasetRef home;       // of names without one
  int64_t rows_max = 0;  // rows of the answer; 0: all
  bool prunes = true;    // false: every partition is read, to compare the answers
};

// Who gets the answer: its columns once, before any row, then the rows in order. An error of
// either ends the question and is returned.
struct AnswerConsumer {
  std::function<Status(const Schema& schema)> begin;
  warehouse::BatchConsumer rows;
};

struct Answer {
  AskStatistics statistics;
  bool is_cut = false;  // there are more rows than were asked for
};

struct Exported {
  int64_t files = 0;
  AskStatistics statistics;
};

class Asker {
 public:
  // Also removes what askers that were killed left in the same place. `clock` and `random` must
  // outlive it. Errors: as Warehouse::Open.
  static Result<std::unique_ptr<Asker>> Open(const AskerOptions& options, Clock& clock,
                                             Random& random);
  ~Asker();
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  // Where it keeps what does not fit into memory; gone when this is.
  const std::string& directory() const { return directory_; }

  // Answers a query. Errors: kNotAQuestion for a statement that is no SELECT, kInvalidQuery,
  // kUnsupportedQuery, kQueryFailed.
  Result<Answer> Query(const Question& question, const TableFinder& find,
                       const AnswerConsumer& consumer);

  // Writes the rows of a table into files, as an extract of it would: CSV and NDJSON in BigQuery's
  // forms, Parquet. `form`: format, compression, split and file_bytes_max. Errors: as
  // warehouse::ExtractSource.
  Result<Exported> Export(const AskedTable& table, const warehouse::ExtractRequest& form,
                          const warehouse::ExtractSinkFactory& sinks);

  // What changed between two tables. Errors: as DiffRows.
  Result<RowDiff> Diff(const RowDiffRequest& request);

 private:
  Asker(std::string directory, Clock& clock) : directory_(std::move(directory)), clock_(clock) {}

  std::string directory_;
  Clock& clock_;
  std::unique_ptr<warehouse::Warehouse> warehouse_;
};

}  // namespace holdfast::ask
