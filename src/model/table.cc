#include "model/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace holdfast {

namespace {

struct KindName {
  TableKind kind;
  std::string_view name;
};

constexpr std::array<KindName, 6> kKindNames = {{
    {TableKind::kTable, "TABLE"},
    {TableKind::kView, "VIEW"},
    {TableKind::kMaterializedView, "MATERIALIZED_VIEW"},
    {TableKind::kExternal, "EXTERNAL"},
    {TableKind::kSnapshot, "SNAPSHOT"},
    {TableKind::kUnknown, "UNKNOWN"},
}};

// A count that the service may leave out (a view has no rows), but that is never negative.
Result<int64_t> CountOrZero(const Json& json, std::string_view key) {
  HF_ASSIGN_OR_RETURN(const auto value, OptionalInt64(json, key));
  if (value.value_or(0) < 0) {
    return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is negative", key));
  }
  return value.value_or(0);
}

Result<const Json*> RequiredObject(const Json& json, std::string_view key) {
  const Json* value = FindField(json, key);
  if (value == nullptr || !value->is_object()) {
    return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is missing or not an object", key));
  }
  return value;
}

Result<uint64_t> ParseUnsigned(const Json& json, std::string_view key) {
  const Json* value = FindField(json, key);
  if (value == nullptr) return uint64_t{0};
  if (value->is_number_unsigned()) return value->get<uint64_t>();
  uint64_t number = 0;
  if (value->is_string()) {
    const auto& text = value->get_ref<const std::string&>();
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code == std::errc() && end == text.data() + text.size() && !text.empty()) return number;
  }
  return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is not a count", key));
}

Result<Partitioning> ParseTimePartitioning(const Json& json) {
  HF_ASSIGN_OR_RETURN(const auto type, OptionalString(json, "type"));
  HF_ASSIGN_OR_RETURN(const auto field, OptionalString(json, "field"));
  Partitioning partitioning;
  partitioning.field = field.value_or("");
  const std::string name = type.value_or("DAY");
  if (name == "DAY")
    partitioning.kind = Partitioning::Kind::kDay;
  else if (name == "HOUR")
    partitioning.kind = Partitioning::Kind::kHour;
  else if (name == "MONTH")
    partitioning.kind = Partitioning::Kind::kMonth;
  else if (name == "YEAR")
    partitioning.kind = Partitioning::Kind::kYear;
  else
    return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is not a partitioning", name));
  return partitioning;
}

Result<Partitioning> ParseRangePartitioning(const Json& json) {
  Partitioning partitioning;
  partitioning.kind = Partitioning::Kind::kIntegerRange;
  HF_ASSIGN_OR_RETURN(partitioning.field, RequiredString(json, "field"));
  HF_ASSIGN_OR_RETURN(const Json* range, RequiredObject(json, "range"));
  HF_ASSIGN_OR_RETURN(partitioning.range_start, RequiredInt64(*range, "start"));
  HF_ASSIGN_OR_RETURN(partitioning.range_end, RequiredInt64(*range, "end"));
  HF_ASSIGN_OR_RETURN(partitioning.range_interval, RequiredInt64(*range, "interval"));
  if (partitioning.range_interval <= 0 || partitioning.range_end <= partitioning.range_start) {
    return MakeError(ErrorId::kInvalidJson, "\"range\" is empty or has no interval");
  }
  return partitioning;
}

Result<Partitioning> ParsePartitioning(const Json& resource) {
  if (const Json* time = FindField(resource, "timePartitioning")) {
    return ParseTimePartitioning(*time).WithContext("timePartitioning");
  }
  if (const Json* range = FindField(resource, "rangePartitioning")) {
    return ParseRangePartitioning(*range).WithContext("rangePartitioning");
  }
  return Partitioning{};
}

Result<std::optional<StreamingBuffer>> ParseStreamingBuffer(const Json& resource) {
  const Json* json = FindField(resource, "streamingBuffer");
  if (json == nullptr) return std::optional<StreamingBuffer>();
  StreamingBuffer buffer;
  HF_ASSIGN_OR_RETURN(buffer.estimated_rows, ParseUnsigned(*json, "estimatedRows"));
  HF_ASSIGN_OR_RETURN(buffer.estimated_bytes, ParseUnsigned(*json, "estimatedBytes"));
  HF_ASSIGN_OR_RETURN(buffer.oldest_entry_ms, CountOrZero(*json, "oldestEntryTime"));
  return std::optional(buffer);
}

Result<TableInfo> ParseTable(const Json& resource) {
  TableInfo table;
  HF_ASSIGN_OR_RETURN(const auto type, OptionalString(resource, "type"));
  table.kind = ParseTableKind(type.value_or("TABLE"));
  table.location = StringOr(resource, "location", "");
  table.etag = StringOr(resource, "etag", "");
  HF_ASSIGN_OR_RETURN(table.creation_ms, CountOrZero(resource, "creationTime"));
  HF_ASSIGN_OR_RETURN(table.last_modified_ms, CountOrZero(resource, "lastModifiedTime"));
  HF_ASSIGN_OR_RETURN(table.rows, CountOrZero(resource, "numRows"));
  HF_ASSIGN_OR_RETURN(table.bytes, CountOrZero(resource, "numBytes"));
  if (const Json* schema = FindField(resource, "schema")) {
    HF_ASSIGN_OR_RETURN(table.schema, Schema::FromJson(*schema));
  }
  HF_ASSIGN_OR_RETURN(table.partitioning, ParsePartitioning(resource));
  HF_ASSIGN_OR_RETURN(table.streaming_buffer, ParseStreamingBuffer(resource));
  return table;
}

}  // namespace

TableKind ParseTableKind(std::string_view api_type) {
  const auto found = std::ranges::find(kKindNames, api_type, &KindName::name);
  return found == kKindNames.end() ? TableKind::kUnknown : found->kind;
}

std::string_view TableKindName(TableKind kind) {
  return std::ranges::find(kKindNames, kind, &KindName::kind)->name;
}

Result<DatasetInfo> DatasetInfo::FromJson(const Json& resource) {
  HF_ASSIGN_OR_RETURN(const Json* reference, RequiredObject(resource, "datasetReference"));
  DatasetInfo dataset;
  HF_ASSIGN_OR_RETURN(dataset.ref.project, RequiredString(*reference, "projectId"));
  HF_ASSIGN_OR_RETURN(dataset.ref.dataset, RequiredString(*reference, "datasetId"));
  HF_ASSIGN_OR_RETURN(const auto location, OptionalString(resource, "location"));
  dataset.location = location.value_or("");
  dataset.resource = resource;
  return dataset;
}

Result<TableInfo> TableInfo::FromJson(const Json& resource) {
  HF_ASSIGN_OR_RETURN(const Json* reference, RequiredObject(resource, "tableReference"));
  TableRef ref;
  HF_ASSIGN_OR_RETURN(ref.project, RequiredString(*reference, "projectId"));
  HF_ASSIGN_OR_RETURN(ref.dataset, RequiredString(*reference, "datasetId"));
  HF_ASSIGN_OR_RETURN(ref.table, RequiredString(*reference, "tableId"));
  HF_ASSIGN_OR_RETURN(TableInfo table, ParseTable(resource).WithContext(ref.ToString()));
  table.ref = std::move(ref);
  table.resource = resource;
  return table;
}

std::map<std::string, std::string, std::less<>> LabelsOf(const Json& resource) {
  std::map<std::string, std::string, std::less<>> labels;
  const Json* found = FindField(resource, "labels");
  if (found == nullptr || !found->is_object()) return labels;
  for (const auto& [key, value] : found->items()) {
    if (value.is_string()) labels.emplace(key, value.get<std::string>());
  }
  return labels;
}

}  // namespace holdfast
