// What the commands that read backups without restoring them share: the wiring, and what is said.
#pragma once

#include <memory>
#include <string>

#include "cli/asked_tables.h"
#include "cli/command.h"
#include "cli/environment.h"
#include "localcloud/ask/asker.h"

namespace holdfast::cli {

// The parts of one question, in the order in which they depend on one another.
struct Asking {
  std::unique_ptr<Environment> environment;
  std::unique_ptr<ask::Asker> asker;
  std::unique_ptr<AskedTables> tables;

  // Opens the configuration's environment, with that much memory for DuckDB. Errors: as
  // Environment::Open and Asker::Open.
  static Result<Asking> Open(const GlobalOptions& global, int memory_mebibytes);

  // Reads in what others backed up of a table since this catalog looked. Errors: the services'.
  Status LearnOfOthersBackups(const GlobalOptions& global, const TableRef& table);

  // Notes in the audit log who reads what of the backups, before it is read.
  Status Note(const std::string& action, const std::string& subject, const Json& detail);

  // The objects of which no good backup is had, as JSON; and the exit code that goes with them:
  // what was answered is not the whole of it.
  Json Missing() const;
  int ExitCode() const;

  // Tells of what the choice of backups left out, and of copies that were read: what is new of it.
  void SayNotes(const GlobalOptions& global);
  size_t notes_said = 0;
};

// "Read 93.1 KiB of 1 file: 1 of 182 partitions", for people.
std::string CostText(const ask::AskStatistics& statistics);

// The same for machines: "bytes_read", "files_read", "partitions", "partitions_read".
Json CostJson(const ask::AskStatistics& statistics);

}  // namespace holdfast::cli
