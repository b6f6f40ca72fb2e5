#include "sim/sim_table.h"

#include <algorithm>
#include <array>

#include "avro/batch_builder.h"
#include "avro/cell_json.h"
#include "model/partition_id.h"

namespace holdfast::sim {

namespace {

constexpr int64_t kMicrosOfDay = int64_t{86'400} * 1'000'000;

int64_t CellBytes(const Field& field, const Json& cell);

int64_t ScalarBytes(const Field& field, const Json& cell) {
  switch (field.type) {
    case FieldType::kBool:
      return 1;
    case FieldType::kNumeric:
    case FieldType::kRange:
      return 16;
    case FieldType::kBigNumeric:
      return 32;
    case FieldType::kString:
    case FieldType::kBytes:
    case FieldType::kGeography:
    case FieldType::kJson:
    case FieldType::kInterval:
      return 2 +
             static_cast<int64_t>(cell.is_string() ? cell.get_ref<const std::string&>().size() : 0);
    case FieldType::kRecord:
      break;
    default:
      return 8;
  }
  int64_t bytes = 0;
  for (const Field& child : field.fields) bytes += CellBytes(child, cell.value(child.name, Json()));
  return bytes;
}

int64_t CellBytes(const Field& field, const Json& cell) {
  if (cell.is_null()) return 0;
  if (field.mode != FieldMode::kRepeated) return ScalarBytes(field, cell);
  int64_t bytes = 0;
  for (const Json& element : cell) bytes += ScalarBytes(field, element);
  return bytes;
}

// The value that decides the partition, in the units of PartitionSpan, read through the typed
// column.
std::optional<int64_t> PartitionValue(const Field& field, const Json& cell) {
  if (cell.is_null()) return std::nullopt;
  avro::BatchBuilder builder(Schema{{field}});
  CHECK(builder.AppendRow(Json::array({cell})).ok(), "a canonical cell is refused");
  const avro::Batch batch = builder.Build();
  const avro::ColumnView& column = batch.view.columns[0];
  if (field.type == FieldType::kDate) return column.As<int32_t>()[0] * kMicrosOfDay;
  return column.As<int64_t>()[0];
}

std::string PartitionOf(const SimTable& table, const Json& row, int64_t now_ms) {
  if (table.partitioning.kind == Partitioning::Kind::kNone) return {};
  if (table.partitioning.field.empty()) return PartitionOfValue(table.partitioning, now_ms * 1000);
  for (size_t i = 0; i < table.schema.fields.size(); ++i) {
    const Field& field = table.schema.fields[i];
    if (field.name == table.partitioning.field) {
      return PartitionOfValue(table.partitioning, PartitionValue(field, row[i]));
    }
  }
  return std::string(kNullPartition);
}

int64_t BytesOf(const Schema& schema, const Rows& rows) {
  int64_t bytes = 0;
  for (const Json& row : rows) bytes += RowBytes(schema, row);
  return bytes;
}

}  // namespace

int64_t RowBytes(const Schema& schema, const Json& row) {
  int64_t bytes = 0;
  for (size_t i = 0; i < schema.fields.size(); ++i) bytes += CellBytes(schema.fields[i], row[i]);
  return bytes;
}

Rows RowsOfBatch(const Schema& schema, const avro::BatchView& batch) {
  Rows rows;
  for (size_t r = 0; r < batch.rows; ++r) {
    Json row = Json::array();
    for (size_t i = 0; i < schema.fields.size(); ++i) {
      row.push_back(avro::CellToJson(schema.fields[i], batch.columns[i], r));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<Rows> CanonicalRows(const Schema& schema, const Rows& rows) {
  avro::BatchBuilder builder(schema);
  for (const Json& row : rows) HF_RETURN_IF_ERROR(builder.AppendRow(row));
  const avro::Batch batch = builder.Build();
  return RowsOfBatch(schema, batch.view);
}

Result<SimTable> MakeSimTable(const TableRef& ref, const std::string& location,
                              const Json& resource, int64_t now_ms) {
  SimTable table;
  table.ref = ref.WholeTable();
  table.location = location;
  table.resource = resource;
  for (const char* member : {"id", "kind", "etag", "selfLink", "creationTime", "lastModifiedTime",
                             "numRows", "numBytes", "streamingBuffer", "location"}) {
    table.resource.erase(member);
  }
  table.resource["tableReference"] = {
      {"projectId", ref.project}, {"datasetId", ref.dataset}, {"tableId", ref.table}};
  HF_ASSIGN_OR_RETURN(const TableInfo info, TableInfo::FromJson(table.resource));
  table.schema = info.schema;
  table.partitioning = info.partitioning;
  table.creation_ms = table.last_modified_ms = table.data_modified_ms = now_ms;
  if (info.partitioning.kind == Partitioning::Kind::kNone) {
    table.partitions[""] = {std::make_shared<const Rows>(), now_ms};
  }
  return table;
}

int64_t SimTable::RowCount() const {
  int64_t rows = 0;
  for (const auto& [id, partition] : partitions)
    rows += static_cast<int64_t>(partition.rows->size());
  return rows;
}

int64_t SimTable::ByteCount() const {
  int64_t bytes = 0;
  for (const auto& [id, partition] : partitions) bytes += BytesOf(schema, *partition.rows);
  return bytes;
}

TableInfo SimTable::Info() const {
  Json shown = resource;
  shown["type"] = StringOr(resource, "type", "TABLE");
  shown["location"] = location;
  shown["creationTime"] = std::to_string(creation_ms);
  shown["lastModifiedTime"] = std::to_string(last_modified_ms);
  shown["numRows"] = std::to_string(RowCount());
  shown["numBytes"] = std::to_string(ByteCount());
  shown["etag"] = std::to_string(last_modified_ms);
  if (!streaming.empty()) {
    shown["streamingBuffer"] = {{"estimatedRows", std::to_string(streaming.size())},
                                {"estimatedBytes", std::to_string(BytesOf(schema, streaming))},
                                {"oldestEntryTime", std::to_string(streaming_since_ms)}};
  }
  auto info = TableInfo::FromJson(shown);
  CHECK(info.ok(), "a simulated table does not parse");
  return std::move(*info);
}

std::vector<PartitionInfo> SimTable::Partitions() const {
  std::vector<PartitionInfo> list;
  if (partitioning.kind == Partitioning::Kind::kNone) return list;
  for (const auto& [id, partition] : partitions) {
    list.push_back({.ref = ref.WithPartition(id),
                    .last_modified_ms = partition.last_modified_ms,
                    .rows = static_cast<int64_t>(partition.rows->size()),
                    .bytes = BytesOf(schema, *partition.rows)});
  }
  // What is still in the streaming buffer is counted under a partition that no export has.
  if (!streaming.empty() && !partitions.contains(std::string(kUnpartitionedPartition))) {
    list.push_back({.ref = ref.WithPartition(kUnpartitionedPartition),
                    .last_modified_ms = streaming_since_ms,
                    .rows = static_cast<int64_t>(streaming.size()),
                    .bytes = BytesOf(schema, streaming)});
  }
  return list;
}

Rows SimTable::RowsOf(const std::string& partition) const {
  Rows rows;
  for (const auto& [id, content] : partitions) {
    if (!partition.empty() && id != partition) continue;
    rows.insert(rows.end(), content.rows->begin(), content.rows->end());
  }
  return rows;
}

void SimTable::Append(const Rows& rows, const std::string& partition, int64_t now_ms) {
  std::map<std::string, Rows> arriving;
  for (const Json& row : rows) {
    arriving[partition.empty() ? PartitionOf(*this, row, now_ms) : partition].push_back(row);
  }
  for (auto& [id, added] : arriving) {
    SimPartition& target = partitions[id];
    auto all = std::make_shared<Rows>(target.rows ? *target.rows : Rows());
    all->insert(all->end(), added.begin(), added.end());
    target = {std::move(all), now_ms};
  }
  last_modified_ms = data_modified_ms = now_ms;
}

void SimTable::Clear(const std::string& partition, int64_t now_ms) {
  if (partition.empty()) {
    partitions.clear();
  } else {
    partitions.erase(partition);
  }
  if (partitioning.kind == Partitioning::Kind::kNone) {
    partitions[""] = {std::make_shared<const Rows>(), now_ms};
  }
  last_modified_ms = data_modified_ms = now_ms;
}

void SimTable::TouchAll(int64_t now_ms) {
  for (auto& [id, partition] : partitions) partition.last_modified_ms = now_ms;
  last_modified_ms = now_ms;
}

}  // namespace holdfast::sim
