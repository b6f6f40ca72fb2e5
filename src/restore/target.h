// The target table of a restore: made from the saved definition, and owned while it is filled.
//
// A table that is being restored carries a label with the request's key and a fresh number. Who
// finds the label of its own request goes on where an earlier process stopped, with the same job
// ids; any other table is a conflict. A target never expires: expirations of the source are left
// out and defaults of the target's dataset taken off again before the first row is loaded, or old
// partitions would vanish on arrival (google-semantics trap 2). Foreign keys are left out too
// (foreign_keys.h). A dataset that is absent is made with the access list of the source's
// (definitions.h).
#pragma once

#include <string>
#include <vector>

#include "model/manifest.h"
#include "restore/plan.h"
#include "restore/services.h"

namespace holdfast::restore {

// The label that marks a table as a restore's unfinished target; its value names the restore.
inline constexpr std::string_view kRestoreLabel = "holdfast-restore";

// The labels that BigQuery lets a table have.
inline constexpr size_t kTableLabelsMax = 64;

// A target that carries this restore's label: nobody else's table.
struct OwnedTable {
  TableInfo table;
  std::string restore_id;                 // the label's value: part of every job id
  Json labels_left_out = Json::object();  // the source's that its release brings back
  bool resumed = false;
};

// Makes dataset and table, or, for a plan that is resumed, finds them made before; without
// expirations. Errors:
// kTableExists (somebody else's), kLocationMismatch, kRestoreMismatch (it expires nevertheless).
Result<OwnedTable> TakeTarget(const Services& services, const RestorePlan& plan,
                              const TableRestore& restore, const Manifest& manifest);

// Takes the label off, and puts on what had to make room for it: the table is complete.
Result<TableInfo> ReleaseTarget(const Services& services, const OwnedTable& owned);

// Deletes the target if it still carries this restore's label and holds no row. False: it was left.
// No job that fills it may be under way.
Result<bool> DropIfEmpty(const Services& services, const OwnedTable& owned);

// The value of a table's restore label; empty: it has none.
std::string RestoreLabelOf(const TableInfo& table);

// The request's key in a label's value; empty when it is not of that form.
std::string RequestKeyOfLabel(const std::string& label);

// The labels of a saved definition that its target lacks while it carries the restore's: one of
// them, the same every time, where a table has as many as it may; else none. Pure.
Json LabelsLeftOut(const Json& saved_resource);

// The definition of a restored table while it is filled, from the saved one. Pure.
Json TargetResource(const Json& saved_resource, const std::string& label);

// In words, when the table or rows of it would be deleted by expiration; empty: never. Pure.
std::vector<std::string> ExpirationsOf(const Json& table_resource);

// In words, the expirations that table and dataset had at the source and that the restored table
// has not, each with how to set it again. Pure.
std::vector<std::string> ExpirationsLeftOut(const Manifest& manifest, const TableRef& target);

}  // namespace holdfast::restore
