// What the backup commands do: each takes its options and gives the exit code.
#pragma once

#include <string>
#include <vector>

#include "catalog/run_ledger.h"
#include "cli/command.h"
#include "retain/pins.h"

namespace holdfast::cli {

struct BackupRunOptions {
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  std::string method;  // empty: as configured
  bool dry_run = false;
  bool force = false;  // also what did not change
  bool due = false;    // only what the policy document's schedules say is due now
};

// Exit code kExitPartial when an object failed or is suspect.
Result<int> BackupRun(const GlobalOptions& global, const BackupRunOptions& options);

struct BackupListOptions {
  std::string name;
  int limit = 100;
  bool latest = false;
};

// Prints the catalog's backups that the options name, `limit` at most, and says when there are
// more. None at all is no failure; kBackupNotFound when there is none of what is named.
Result<int> BackupList(const GlobalOptions& global, const BackupListOptions& options);

// Prints one backup: its manifest's objects and schema, its verifications. `id`: the backup's, or a
// beginning of it that no other has. Errors: kBackupNotFound, kBackupAmbiguous, the repository's.
Result<int> BackupShow(const GlobalOptions& global, const std::string& id);

struct BackupReportOptions {
  std::string run;   // empty: the newest
  std::string page;  // a file to write the web page to; empty: the report is printed
};

// Prints what became of each object in a run, or writes it as a web page. kRunNotFound.
Result<int> BackupReport(const GlobalOptions& global, const BackupReportOptions& options);

struct BackupVerifyOptions {
  std::string name;
  std::string level = "L2";
  bool all = false;
  std::string repository;     // gs://bucket/prefix: what lies there; empty: what the catalog has
  bool due = false;           // what the verification policy says is due
  std::string every = "1d";   // with `due`: until the next pass
  int64_t mebibytes_max = 0;  // with `due`: read at most so much in this pass; 0: no limit
};

// Says of a suspect backup that it is good: in the catalog, and as evidence in its repository.
Result<int> BackupAccept(const GlobalOptions& global, const std::string& id);

struct BackupAcceptLossOptions {
  std::string name;                     // a backup's id, or a resource
  std::vector<std::string> partitions;  // of a table; empty: whatever is lost of it
  std::string reason;
  bool withdraw = false;  // take it back
  bool list = false;      // print what was accepted
};

// Says of what is lost of the name (partitions at the source, backups, copies of them) that people
// know: alerts are quiet about it. In the audit log, the catalog and the repositories. Errors:
// kBackupNotFound when nothing is known of what is named.
Result<int> BackupAcceptLoss(const GlobalOptions& global, const BackupAcceptLossOptions& options);

// Writes the page of a run (observe/run_page.h) into a file. Errors: kRunNotFound, kFileError.
Status WriteRunPageTo(catalog::RunLedger& ledger, const std::string& run, const std::string& path);

struct BackupPinOptions {
  std::string backup;
  std::string reason;
  retain::PinKind kind = retain::PinKind::kPin;
  bool release = false;  // take it away instead
};

// Pins a backup or holds it, or releases all pins or holds of it. Errors: kBackupNotFound,
// kBackupAmbiguous, kBackupBeingRemoved.
Result<int> BackupPin(const GlobalOptions& global, const BackupPinOptions& options);

struct BackupPruneOptions {
  bool yes = false;
  bool dry_run = false;  // the default, spelled out
  bool accept_clock = false;
  int limit = 10'000;  // verdicts to show
};

// Shows what retention keeps and removes, each with the reasons; with `yes` does it. Exit code
// kExitPartial when something could not be judged or deleted. Errors: kClockJumped.
Result<int> BackupPrune(const GlobalOptions& global, const BackupPruneOptions& options);

// Exit code kExitDamaged when damage was found; records every verification and keeps its evidence.
// Nothing to verify is a failure.
Result<int> BackupVerify(const GlobalOptions& global, const BackupVerifyOptions& options);

struct BackupQueryOptions {
  std::string table;  // TABLE[@TIME]
  std::string sql;
  int64_t limit = 1'000;  // rows of the answer
  int memory_mebibytes = 1'024;
};

// Prints what a SELECT answers over a table as it was backed up. Exit code kExitPartial, of this
// and the next two, when a part of a table has no good backup. Errors: as AskedTables::Find and
// ask::Asker::Query.
Result<int> BackupQuery(const GlobalOptions& global, const BackupQueryOptions& options);

struct BackupExportOptions {
  std::string table;   // TABLE[@TIME]
  std::string output;  // a directory, or gs://bucket/prefix
  std::string form = "parquet";
  std::string compression;     // empty: the form's own
  int file_mebibytes = 1'024;  // from which on a file is complete
  int memory_mebibytes = 1'024;
};

// Writes the rows of a table as it was backed up into files, all of them or none. Errors: as
// AskedTables::Find; kExportExists, those of the directory or bucket.
Result<int> BackupExport(const GlobalOptions& global, const BackupExportOptions& options);

struct BackupDiffOptions {
  std::string before;  // TABLE[@TIME]
  std::string after;
  std::vector<std::string> key;  // columns; empty: rows are compared whole
  bool no_rows = false;          // schema and partitions only, from what is known of the backups
  int examples_max = 20;
  int memory_mebibytes = 1'024;
};

// Prints what changed between two tables as they were backed up. Errors: as AskedTables::Find and
// ask::DiffRows.
Result<int> BackupDiff(const GlobalOptions& global, const BackupDiffOptions& options);

}  // namespace holdfast::cli
