#include "localcloud/bigquery/resources.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "localcloud/bigquery/fault.h"
#include "localcloud/rest/labels.h"

namespace holdfast::bigquery {

namespace {

constexpr std::string_view kApiRoot = "https://bigquery.googleapis.com/bigquery/v2";

constexpr std::array<std::string_view, 26> kServerFields = {"kind",
                                                            "etag",
                                                            "id",
                                                            "selfLink",
                                                            "creationTime",
                                                            "lastModifiedTime",
                                                            "datasetReference",
                                                            "tableReference",
                                                            "numBytes",
                                                            "numLongTermBytes",
                                                            "numPhysicalBytes",
                                                            "numRows",
                                                            "numPartitions",
                                                            "numTotalLogicalBytes",
                                                            "numActiveLogicalBytes",
                                                            "numLongTermLogicalBytes",
                                                            "numTotalPhysicalBytes",
                                                            "numActivePhysicalBytes",
                                                            "numLongTermPhysicalBytes",
                                                            "numTimeTravelPhysicalBytes",
                                                            "numCurrentPhysicalBytes",
                                                            "streamingBuffer",
                                                            "type",
                                                            "snapshotDefinition",
                                                            "cloneDefinition",
                                                            "satisfiesPzs"};

constexpr std::array<std::string_view, 7> kListedTableFields = {
    "friendlyName",      "labels",     "expirationTime",        "timePartitioning",
    "rangePartitioning", "clustering", "requirePartitionFilter"};

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

Json DatasetReferenceToJson(const DatasetRef& ref) {
  return {{"projectId", ref.project}, {"datasetId", ref.dataset}};
}

// The access list that a dataset gets when none was given.
Json DefaultAccess() {
  return Json::array({{{"role", "WRITER"}, {"specialGroup", "projectWriters"}},
                      {{"role", "OWNER"}, {"specialGroup", "projectOwners"}},
                      {{"role", "READER"}, {"specialGroup", "projectReaders"}}});
}

void AddStorageStatistics(const warehouse::TableRecord& table, Json& json) {
  json["lastModifiedTime"] = std::to_string(table.last_modified_ms);
  if (table.kind == warehouse::TableKind::kExternal) return;
  const std::string bytes = std::to_string(table.num_bytes);
  json["numRows"] = std::to_string(table.num_rows);
  json["numBytes"] = bytes;
  json["numLongTermBytes"] = "0";
  json["numTotalLogicalBytes"] = bytes;
  json["numActiveLogicalBytes"] = bytes;
  json["numLongTermLogicalBytes"] = "0";
  if (table.streaming_buffer) {
    json["streamingBuffer"] = {
        {"estimatedRows", std::to_string(table.streaming_buffer->estimated_rows)},
        {"estimatedBytes", std::to_string(table.streaming_buffer->estimated_bytes)},
        {"oldestEntryTime", std::to_string(table.streaming_buffer->oldest_entry_ms)}};
  }
}

Result<std::string> ReferencePart(const Json& json, std::string_view key, std::string_view where) {
  HF_ASSIGN_OR_RETURN(const std::optional<std::string> value, OptionalString(json, key));
  if (!value || value->empty()) return Required(fmt::format("{}.{}", where, key));
  return *value;
}

}  // namespace

std::string LocationOf(const warehouse::DatasetRecord& dataset) {
  return StringOr(dataset.resource, "location", kDefaultLocation);
}

bool SameLocation(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](char a, char b) { return Upper(a) == Upper(b); });
}

std::string NormalLocation(std::string_view location) {
  if (SameLocation(location, "US")) return "US";
  if (SameLocation(location, "EU")) return "EU";
  std::string small(location);
  std::ranges::transform(small, small.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return small;
}

Json DatasetToJson(const warehouse::DatasetRecord& dataset) {
  Json json = dataset.resource;
  json["kind"] = "bigquery#dataset";
  json["etag"] = dataset.etag;
  json["id"] = DisplayName(dataset.ref);
  json["selfLink"] =
      fmt::format("{}/projects/{}/datasets/{}", kApiRoot, dataset.ref.project, dataset.ref.dataset);
  json["datasetReference"] = DatasetReferenceToJson(dataset.ref);
  json["creationTime"] = std::to_string(dataset.created_ms);
  json["lastModifiedTime"] = std::to_string(dataset.modified_ms);
  json["location"] = LocationOf(dataset);
  json["type"] = "DEFAULT";
  if (!json.contains("access")) json["access"] = DefaultAccess();
  if (!json.contains("maxTimeTravelHours")) json["maxTimeTravelHours"] = "168";
  return json;
}

Json DatasetToListItem(const warehouse::DatasetRecord& dataset) {
  Json json = {{"kind", "bigquery#dataset"},
               {"id", DisplayName(dataset.ref)},
               {"datasetReference", DatasetReferenceToJson(dataset.ref)},
               {"location", LocationOf(dataset)},
               {"type", "DEFAULT"}};
  for (const std::string_view key : {"labels", "friendlyName"}) {
    if (const Json* value = FindField(dataset.resource, key)) json[key] = *value;
  }
  return json;
}

Result<TableView> ParseTableView(std::string_view text) {
  if (text.empty() || text == "TABLE_METADATA_VIEW_UNSPECIFIED" || text == "STORAGE_STATS") {
    return TableView::kStorageStats;
  }
  if (text == "BASIC") return TableView::kBasic;
  if (text == "FULL") return TableView::kFull;
  return Invalid(fmt::format("Invalid value for view: {}", text));
}

Json TableToJson(const warehouse::TableRecord& table, std::string_view location, TableView view) {
  Json json = table.resource;
  json["kind"] = "bigquery#table";
  json["etag"] = table.etag;
  json["id"] = DisplayName(table.ref);
  json["selfLink"] = fmt::format("{}/projects/{}/datasets/{}/tables/{}", kApiRoot,
                                 table.ref.project, table.ref.dataset, table.ref.table);
  json["tableReference"] = TableReferenceToJson(table.ref);
  json["type"] = warehouse::TableKindName(table.kind);
  json["creationTime"] = std::to_string(table.created_ms);
  json["location"] = location;
  if (!table.schema.fields.empty()) json["schema"] = table.schema.ToJson();
  if (table.expiration_ms) json["expirationTime"] = std::to_string(*table.expiration_ms);
  if (view != TableView::kBasic) AddStorageStatistics(table, json);
  return json;
}

Json TableToListItem(const warehouse::TableRecord& table) {
  Json json = {{"kind", "bigquery#table"},
               {"id", DisplayName(table.ref)},
               {"tableReference", TableReferenceToJson(table.ref)},
               {"type", warehouse::TableKindName(table.kind)},
               {"creationTime", std::to_string(table.created_ms)}};
  for (const std::string_view key : kListedTableFields) {
    if (const Json* value = FindField(table.resource, key)) json[key] = *value;
  }
  if (table.expiration_ms) json["expirationTime"] = std::to_string(*table.expiration_ms);
  if (const Json* view = FindField(table.resource, "view")) {
    json["view"] = {{"useLegacySql", BoolOr(*view, "useLegacySql", true)}};
  }
  return json;
}

Json TableReferenceToJson(const TableRef& table) {
  std::string id = table.table;
  if (!table.partition.empty()) id += "$" + table.partition;
  return {{"projectId", table.project}, {"datasetId", table.dataset}, {"tableId", std::move(id)}};
}

Result<TableRef> ParseTableReference(const Json& json, const std::string& project) {
  TableRef ref;
  ref.project = StringOr(json, "projectId", project);
  HF_ASSIGN_OR_RETURN(ref.dataset, ReferencePart(json, "datasetId", "tableReference"));
  HF_ASSIGN_OR_RETURN(ref.table, ReferencePart(json, "tableId", "tableReference"));
  const size_t mark = ref.table.find('$');
  if (mark != std::string::npos) {
    ref.partition = ref.table.substr(mark + 1);
    ref.table.resize(mark);
  }
  return ref;
}

Result<DatasetRef> ParseDatasetReference(const Json& json, const std::string& project) {
  DatasetRef ref;
  ref.project = StringOr(json, "projectId", project);
  HF_ASSIGN_OR_RETURN(ref.dataset, ReferencePart(json, "datasetId", "datasetReference"));
  return ref;
}

std::string DisplayName(const TableRef& table) {
  std::string name = fmt::format("{}:{}.{}", table.project, table.dataset, table.table);
  if (!table.partition.empty()) name += "$" + table.partition;
  return name;
}

std::string DisplayName(const DatasetRef& dataset) {
  return fmt::format("{}:{}", dataset.project, dataset.dataset);
}

Json WithoutServerFields(Json resource) {
  for (const std::string_view key : kServerFields) resource.erase(std::string(key));
  return resource;
}

warehouse::TableKind KindOfResource(const Json& resource) {
  if (FindField(resource, "view") != nullptr) return warehouse::TableKind::kView;
  if (FindField(resource, "materializedView") != nullptr) {
    return warehouse::TableKind::kMaterializedView;
  }
  if (FindField(resource, "externalDataConfiguration") != nullptr) {
    return warehouse::TableKind::kExternal;
  }
  return warehouse::TableKind::kTable;
}

Status CheckLabels(const Json& resource) {
  const Json* labels = FindField(resource, "labels");
  if (labels == nullptr) return Ok();
  if (const auto complaint = rest::LabelsComplaint(*labels)) {
    return Invalid("Invalid labels: " + *complaint);
  }
  return Ok();
}

Result<bool> MatchesLabelFilter(const Json& resource, std::string_view filter) {
  constexpr std::string_view kPrefix = "labels.";
  const Json* labels = FindField(resource, "labels");
  bool matches = true;
  while (!filter.empty()) {
    const size_t space = std::min(filter.find(' '), filter.size());
    const std::string_view term = filter.substr(0, space);
    filter.remove_prefix(std::min(space + 1, filter.size()));
    if (term.empty()) continue;
    if (!term.starts_with(kPrefix)) return Invalid(fmt::format("Invalid filter: {}", term));
    const std::string_view pair = term.substr(kPrefix.size());
    const size_t colon = std::min(pair.find(':'), pair.size());
    const std::string key(pair.substr(0, colon));
    if (labels == nullptr || !labels->contains(key)) {
      matches = false;
    } else if (colon < pair.size()) {
      matches = matches && StringOr(*labels, key, "") == pair.substr(colon + 1);
    }
  }
  return matches;
}

}  // namespace holdfast::bigquery
