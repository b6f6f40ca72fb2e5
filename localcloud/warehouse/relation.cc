#include "localcloud/warehouse/relation.h"

#include <fmt/format.h>

#include <map>

#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/identifier.h"

namespace holdfast::warehouse {

namespace {

Error InvalidRelation(std::string message) {
  return WithReason("invalid", MakeError(ErrorId::kWarehouseInvalidRequest, std::move(message)));
}

bool HasPartitionTime(const TableSnapshot& snapshot, const RelationOptions& options) {
  return options.with_partition_columns &&
         snapshot.table.partitioning.kind == PartitionKind::kIngestionTime;
}

std::string PartitionColumns(std::string_view time) {
  return fmt::format(", {0} AS {1}, CAST({0} AS DATE) AS {2}", time,
                     QuoteIdentifier(kPartitionTimeColumn), QuoteIdentifier(kPartitionDateColumn));
}

// The snapshot's columns from files of one schema.
std::string Columns(const Schema& table, const Schema& file) {
  std::string columns;
  for (const Field& field : table.fields) {
    const Field* source = file.Find(field.name);
    const std::string value = source == nullptr
                                  ? AbsentExpression(field)
                                  : AdaptExpression(QuoteIdentifier(source->name), *source, field);
    columns +=
        fmt::format("{}{} AS {}", columns.empty() ? "" : ", ", value, QuoteIdentifier(field.name));
  }
  return columns;
}

std::string PartitionTimes(const FileArea& area, const TableSnapshot& snapshot,
                           const std::vector<const DataFile*>& files) {
  std::string values;
  for (const DataFile* file : files) {
    const auto start = PartitionStart(snapshot.table.partitioning, file->partition);
    values += fmt::format(
        "{}({}, {})", values.empty() ? "" : ", ", QuoteLiteral(area.Absolute(file->path)),
        start ? fmt::format("make_timestamptz({})", start->time_since_epoch().count())
              : "CAST(NULL AS TIMESTAMPTZ)");
  }
  return fmt::format("(VALUES {}) AS partition_times(holdfast_path, holdfast_start)", values);
}

std::string SelectFiles(const FileArea& area, const TableSnapshot& snapshot,
                        const RelationOptions& options, const std::vector<const DataFile*>& files) {
  std::string paths;
  for (const DataFile* file : files) {
    paths += (paths.empty() ? "" : ", ") + QuoteLiteral(area.Absolute(file->path));
  }
  const bool with_time = HasPartitionTime(snapshot, options);
  std::string columns = Columns(snapshot.table.schema, snapshot.SchemaOf(*files.front()));
  std::string reading = fmt::format("read_parquet([{}], hive_partitioning = false", paths);
  if (with_time || options.with_row_identity) {
    reading += fmt::format(", filename = {}", QuoteLiteral(kFileColumn));
  }
  if (options.with_row_identity) {
    reading += ", file_row_number = true";
    columns += fmt::format(", {}, file_row_number AS {}", kFileColumn, kRowColumn);
  }
  reading += ")";
  if (with_time) {
    columns += PartitionColumns("partition_times.holdfast_start");
    reading += fmt::format(" JOIN {} ON {} = partition_times.holdfast_path",
                           PartitionTimes(area, snapshot, files), kFileColumn);
  }
  return fmt::format("SELECT {} FROM {}", columns, reading);
}

std::string SelectNothing(const TableSnapshot& snapshot, const RelationOptions& options) {
  std::string columns = Columns(snapshot.table.schema, Schema{});
  if (options.with_row_identity) {
    columns += fmt::format(", '' AS {}, 0::BIGINT AS {}", kFileColumn, kRowColumn);
  }
  if (HasPartitionTime(snapshot, options)) {
    columns += PartitionColumns("CAST(NULL AS TIMESTAMPTZ)");
  }
  return fmt::format("SELECT {} WHERE false", columns);
}

}  // namespace

Result<std::string> SnapshotSelect(const FileArea& files, const TableSnapshot& snapshot,
                                   const RelationOptions& options) {
  const Schema& schema = snapshot.table.schema;
  if (schema.fields.empty()) {
    return InvalidRelation(
        fmt::format("Table {} does not have a schema", snapshot.table.ref.ToString()));
  }
  if (options.with_row_identity || options.with_partition_columns) {
    for (const std::string_view name :
         {kFileColumn, kRowColumn, std::string_view("file_row_number")}) {
      if (schema.Find(name) == nullptr) continue;
      return InvalidRelation(fmt::format("A table with a column {} cannot be changed", name));
    }
  }
  std::map<int64_t, std::vector<const DataFile*>> by_schema;
  for (const DataFile& file : snapshot.files) by_schema[file.schema_key].push_back(&file);
  if (by_schema.empty()) return SelectNothing(snapshot, options);
  std::string sql;
  for (const auto& [schema_key, group] : by_schema) {
    if (!sql.empty()) sql += " UNION ALL ";
    sql += SelectFiles(files, snapshot, options, group);
  }
  return sql;
}

}  // namespace holdfast::warehouse
