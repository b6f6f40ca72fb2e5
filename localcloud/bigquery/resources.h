// Dataset and table resources: what the user gave, with what the server adds, as the REST API shows
// them; and what a user may not set, taken out again.
//
// Pure functions. int64 values are JSON strings. Source: BigQuery REST `Dataset`, `Table`,
// `tables.list`, `datasets.list`, `TableMetadataView`.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "localcloud/warehouse/metadata.h"

namespace holdfast::bigquery {

inline constexpr std::string_view kDefaultLocation = "US";

// "US" when the dataset's resource names none.
std::string LocationOf(const warehouse::DatasetRecord& dataset);

// The same place, whatever the case of the letters: "us" and "US".
bool SameLocation(std::string_view left, std::string_view right);

// The way a location is written: "US" and "EU", regions in small letters.
std::string NormalLocation(std::string_view location);

// datasets.get, and one item of datasets.list.
Json DatasetToJson(const warehouse::DatasetRecord& dataset);
Json DatasetToListItem(const warehouse::DatasetRecord& dataset);

enum class TableView { kBasic, kStorageStats, kFull };

// Reads the `view` parameter of tables.get; "" is kStorageStats. Errors: reason "invalid".
Result<TableView> ParseTableView(std::string_view text);

// tables.get, and one item of tables.list.
Json TableToJson(const warehouse::TableRecord& table, std::string_view location, TableView view);
Json TableToListItem(const warehouse::TableRecord& table);

// {"projectId", "datasetId", "tableId"}, its inverse, and the same for datasets. `project` stands
// in for a projectId that is absent. Errors: reason "required" or "invalid", naming the member.
Json TableReferenceToJson(const TableRef& table);
Result<TableRef> ParseTableReference(const Json& json, const std::string& project);
Result<DatasetRef> ParseDatasetReference(const Json& json, const std::string& project);

// "project:dataset.table", as messages and ids name a table; "project:dataset".
std::string DisplayName(const TableRef& table);
std::string DisplayName(const DatasetRef& dataset);

// The document without what the server owns (ids, times, counts, schema of a table).
Json WithoutServerFields(Json resource);

// The kind that a table resource asks for: by `view`, `materializedView` or
// `externalDataConfiguration`; else a table.
warehouse::TableKind KindOfResource(const Json& resource);

// Errors: reason "invalid", for labels of the document that break rest/labels.h.
Status CheckLabels(const Json& resource);

// Whether a document has every label of a `labels.key[:value]` filter. Errors: reason "invalid".
Result<bool> MatchesLabelFilter(const Json& resource, std::string_view filter);

}  // namespace holdfast::bigquery
