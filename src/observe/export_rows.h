// The tables of an exported catalog: their columns, and each record of the catalog as a row.
//
// Names of columns are no reserved words of GoogleSQL. An object is named in four columns;
// `partition_id` is "" for a whole table, so that it can be joined on. Times of 0 and texts that
// are not known are NULL. Columns are only ever added. Pure, but for the upload. Source: issue
// "Seeing it".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/audit_log.h"
#include "catalog/backup_index.h"
#include "model/run.h"
#include "observe/service_levels.h"
#include "observe/table_upload.h"

namespace holdfast::observe {

enum class ExportTable {
  kObjects,  // what the sources listed: who exports looks at all of them first
  kUnseen,   // what could not be looked into
  kBackups,
  kVerifications,
  kPins,
  kRuns,
  kOutcomes,
  kAudit,
  kExport,  // one row: which export this is; replaced last
};
inline constexpr int kExportTables = 9;

// "objects", "unseen", ...
std::string_view ExportTableName(ExportTable table);

// What it holds, for the table's own description.
std::string_view ExportTableDescription(ExportTable table);

Schema ExportTableSchema(ExportTable table);

// A pin or a hold of a backup.
struct ExportedPin {
  std::string backup;
  std::string kind;  // "pin", "hold"
  std::string reason;
  std::string actor;
  int64_t created_ms = 0;
};

// Which export it is.
struct ExportStamp {
  std::string id;
  int64_t at_ms = 0;
  std::string catalog;
  std::string tool_version;
};

// Append one row each. `policy`: the name of the run's; empty when the run is not known any more.
Status AppendObject(TableUpload& upload, const SeenObject& seen, int64_t seen_ms);
Status AppendUnseen(TableUpload& upload, const std::string& name, const std::string& reason);
Status AppendBackup(TableUpload& upload, const catalog::BackupRecord& record,
                    const std::string& policy);
Status AppendVerification(TableUpload& upload, const catalog::VerificationRecord& record);
Status AppendPin(TableUpload& upload, const ExportedPin& pin);
Status AppendRun(TableUpload& upload, const Run& run, const RunTotals& totals);
Status AppendOutcome(TableUpload& upload, const std::string& run, const ItemOutcome& item);
Status AppendAudit(TableUpload& upload, const catalog::AuditEntry& entry);
Status AppendStamp(TableUpload& upload, const ExportStamp& stamp);

}  // namespace holdfast::observe
