#include <fmt/format.h>

#include <iostream>
#include <map>
#include <optional>

#include "cli/asking.h"
#include "cli/backup_actions.h"
#include "cli/schema_diff.h"
#include "localcloud/ask/row_diff.h"

namespace holdfast::cli {

namespace {

// One of the two, as the catalog and its newest manifest tell it.
struct DiffSide {
  AskedName name;
  std::map<std::string, catalog::BackupRecord> parts;  // by partition; "": the whole table
  Schema schema;
};

struct PartitionDiff {
  std::vector<std::string> added;
  std::vector<std::string> removed;
  std::vector<std::string> changed;
  int64_t equal = 0;
};

Result<DiffSide> SideOf(Asking& asking, AskedName name) {
  HF_ASSIGN_OR_RETURN(const restore::Selection selection, asking.tables->Choose(name));
  DiffSide side{.name = std::move(name)};
  const catalog::BackupRecord* newest = &selection.backups.front().record;
  for (const restore::SelectedBackup& chosen : selection.backups) {
    side.parts.emplace(chosen.record.object.partition, chosen.record);
    if (chosen.record.created_ms > newest->created_ms) newest = &chosen.record;
  }
  HF_ASSIGN_OR_RETURN(const std::shared_ptr<const Manifest> manifest,
                      asking.tables->ReadManifest(*newest));
  side.schema = manifest->schema;
  return side;
}

// Whether the two hold the same rows for certain.
bool HoldSameRows(const catalog::BackupRecord& before, const catalog::BackupRecord& after) {
  if (before.backup == after.backup) return true;
  return !before.content_digest.empty() && before.content_digest == after.content_digest &&
         before.rows == after.rows;
}

PartitionDiff ComparePartitions(const DiffSide& before, const DiffSide& after) {
  PartitionDiff diff;
  for (const auto& [partition, record] : before.parts) {
    const auto other = after.parts.find(partition);
    if (other == after.parts.end()) {
      diff.removed.push_back(partition);
    } else if (HoldSameRows(record, other->second)) {
      ++diff.equal;
    } else {
      diff.changed.push_back(partition);
    }
  }
  for (const auto& [partition, record] : after.parts) {
    if (!before.parts.contains(partition)) diff.added.push_back(partition);
  }
  return diff;
}

// The tables' rows, of the partitions alone in which the two differ.
Result<ask::RowDiff> CompareRows(Asking& asking, const DiffSide& before, const DiffSide& after,
                                 const PartitionDiff& partitions,
                                 const BackupDiffOptions& options) {
  ask::RowDiffRequest request;
  request.key = options.key;
  request.examples_max = static_cast<size_t>(options.examples_max);
  if (partitions.added.empty() && partitions.removed.empty() && partitions.changed.empty()) {
    return ask::RowDiff();
  }
  HF_ASSIGN_OR_RETURN(request.before, asking.tables->Find(before.name));
  HF_ASSIGN_OR_RETURN(request.after, asking.tables->Find(after.name));
  for (const auto* side : {&request.before, &request.after}) {
    if (!side->view_sql) continue;
    return MakeError(ErrorId::kBackupWithoutFiles,
                     side->ref.ToString() + " is a view: it has no rows",
                     "Give --no-rows to compare the columns alone");
  }
  request.before.partitions = partitions.changed;
  request.after.partitions = partitions.changed;
  request.before.partitions.insert(request.before.partitions.end(), partitions.removed.begin(),
                                   partitions.removed.end());
  request.after.partitions.insert(request.after.partitions.end(), partitions.added.begin(),
                                  partitions.added.end());
  HF_ASSIGN_OR_RETURN(ask::RowDiff rows, asking.asker->Diff(request));
  rows.statistics.partitions = static_cast<int64_t>(before.parts.size() + after.parts.size());
  return rows;
}

Json ExampleJson(const ask::RowChange& change) {
  return {{"change", ask::RowChangeName(change.kind)},
          {"key", change.key},
          {"before", change.before},
          {"after", change.after},
          {"times", change.times}};
}

Json DiffJson(const DiffSide& before, const DiffSide& after, const PartitionDiff& partitions,
              const std::vector<ColumnChange>& columns, const std::optional<ask::RowDiff>& rows) {
  Json document = CostJson(rows ? rows->statistics : ask::AskStatistics());
  document["schema"] = "holdfast.backup_diff.v1";
  document["before"] = before.name.ToString();
  document["after"] = after.name.ToString();
  document["columns"] = Json::array();
  for (const ColumnChange& change : columns) document["columns"].push_back(change.ToJson());
  document["partition_changes"] = {{"added", partitions.added},
                                   {"removed", partitions.removed},
                                   {"changed", partitions.changed},
                                   {"equal", partitions.equal}};
  if (!rows) return document;
  document["rows"] = {{"added", rows->added},
                      {"removed", rows->removed},
                      {"changed", rows->changed},
                      {"changed_by_column", rows->by_column}};
  document["examples"] = Json::array();
  for (const ask::RowChange& change : rows->examples) {
    document["examples"].push_back(ExampleJson(change));
  }
  return document;
}

std::string NamesText(const std::vector<std::string>& names) {
  constexpr size_t kNamesMax = 8;
  std::string text;
  for (size_t i = 0; i < names.size() && i < kNamesMax; ++i) {
    text += (i == 0 ? "" : ", ") + (names[i].empty() ? "the whole table" : names[i]);
  }
  return names.size() > kNamesMax ? text + ", ..." : text;
}

void PrintPartitions(const PartitionDiff& partitions) {
  const std::pair<const char*, const std::vector<std::string>*> kinds[] = {
      {"added", &partitions.added},
      {"removed", &partitions.removed},
      {"changed", &partitions.changed}};
  for (const auto& [kind, names] : kinds) {
    if (names->empty()) continue;
    std::cout << Printable(fmt::format("  {} {}: {}",
                                       Plural(static_cast<int64_t>(names->size()), "partition"),
                                       kind, NamesText(*names)))
              << '\n';
  }
  if (partitions.equal > 0) {
    std::cout << "  " << Plural(partitions.equal, "partition") << " equal\n";
  }
}

std::string CellsText(const Json& cells) {
  std::string text;
  for (const auto& [name, value] : cells.items()) {
    text += (text.empty() ? "" : ", ") + name + "=" +
            (value.is_string() ? value.get<std::string>() : DumpJson(value));
  }
  return text;
}

void PrintRowDiff(const ask::RowDiff& rows, bool has_key) {
  std::cout << fmt::format("  {} added, {} removed", Plural(rows.added, "row"),
                           HumanCount(rows.removed));
  if (has_key) std::cout << fmt::format(", {} changed", HumanCount(rows.changed));
  std::cout << '\n';
  for (const auto& [column, count] : rows.by_column) {
    std::cout << Printable(fmt::format("    {}: in {}", column, Plural(count, "row"))) << '\n';
  }
  std::vector<Json> lines;
  for (const ask::RowChange& change : rows.examples) {
    lines.push_back({{"change", ask::RowChangeName(change.kind)},
                     {"key", CellsText(change.key)},
                     {"before", CellsText(change.before)},
                     {"after", CellsText(change.after)}});
  }
  std::vector<Column> columns = {{"change", "Change"}, {"before", "Before"}, {"after", "After"}};
  if (has_key) columns.insert(columns.begin() + 1, {"key", "Key"});
  PrintRows(std::cout, Format::kPretty, columns, lines, "");
}

}  // namespace

Result<int> BackupDiff(const GlobalOptions& global, const BackupDiffOptions& options) {
  HF_ASSIGN_OR_RETURN(const AskedName before_name, ParseAskedName(options.before));
  HF_ASSIGN_OR_RETURN(const AskedName after_name, ParseAskedName(options.after));
  HF_ASSIGN_OR_RETURN(Asking asking, Asking::Open(global, options.memory_mebibytes));
  HF_RETURN_IF_ERROR(asking.LearnOfOthersBackups(global, before_name.table));
  if (after_name.table.WholeTable() != before_name.table.WholeTable()) {
    HF_RETURN_IF_ERROR(asking.LearnOfOthersBackups(global, after_name.table));
  }
  HF_ASSIGN_OR_RETURN(const DiffSide before, SideOf(asking, before_name));
  HF_ASSIGN_OR_RETURN(const DiffSide after, SideOf(asking, after_name));
  asking.SayNotes(global);
  const PartitionDiff partitions = ComparePartitions(before, after);
  const std::vector<ColumnChange> columns = CompareColumns(before.schema, after.schema);
  std::optional<ask::RowDiff> rows;
  if (!options.no_rows) {
    HF_RETURN_IF_ERROR(
        asking.Note("backup.diff", before.name.ToString(), {{"with", after.name.ToString()}}));
    HF_ASSIGN_OR_RETURN(rows, CompareRows(asking, before, after, partitions, options));
    asking.SayNotes(global);
  }
  if (global.OutputFormat() != Format::kPretty) {
    Json document = DiffJson(before, after, partitions, columns, rows);
    document["missing"] = asking.Missing();
    PrintDocument(std::cout, global.OutputFormat(), document);
    return asking.ExitCode();
  }
  std::cout << Printable(before.name.ToString() + " -> " + after.name.ToString()) << '\n';
  for (const ColumnChange& change : columns) {
    std::cout << "  " << Printable(change.ToText()) << '\n';
  }
  PrintPartitions(partitions);
  if (!rows) return asking.ExitCode();
  PrintRowDiff(*rows, !options.key.empty());
  Say(global, CostText(rows->statistics));
  return asking.ExitCode();
}

}  // namespace holdfast::cli
