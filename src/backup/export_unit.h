// Method *export*: a table or partition as Avro objects in the repository.
//
// The extract writes to the staging bucket (BigQuery wants to delete and rewrite there); what is
// complete is copied server-side, create-only, into the repository, then every byte is read once:
// SHA-256, rows and content digest go into the manifest. Source: DESIGN §5; google-semantics traps
// 8, 11.
//
// An object that was written between scan and export, and again before it could be counted, is
// exported once more, from a copy that holds still (freeze.h).
#pragma once

#include <string>

#include "backup/unit.h"

namespace holdfast::backup {

// Where an attempt's extract writes: in the repository itself if the policy says so.
struct ExportPlace {
  std::string bucket;
  std::string prefix;
  bool is_staging = false;
};

// kInvalidName for an object that has no place; else those of EnsureBucket.
Result<ExportPlace> PlaceOfExport(const TableBackup& common, const Unit& unit);

// Starts the extract job, or attaches to it. Returns at once.
Result<cloud::JobStatus> StartExport(const TableBackup& common, const Unit& unit,
                                     const ExportPlace& place);

// Waits for the job, checks what it wrote, and commits the backup. Errors: kRowsMissing; those of
// the jobs, of the repository, of Freeze.
Result<ItemOutcome> FinishExport(const TableBackup& common, const Unit& unit,
                                 const ExportPlace& place, cloud::JobStatus job);

}  // namespace holdfast::backup
