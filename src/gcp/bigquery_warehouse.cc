#include "gcp/bigquery_warehouse.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "gcp/bigquery_jobs.h"
#include "gcp/bigquery_query.h"
#include "gcp/list_items.h"
#include "gcp/location.h"
#include "model/quote.h"

namespace holdfast::gcp {

namespace {

constexpr ErrorNames kDatasetErrors = {.not_found = ErrorId::kDatasetNotFound,
                                       .exists = ErrorId::kTableExists};
constexpr ErrorNames kTableErrors = {.not_found = ErrorId::kTableNotFound,
                                     .exists = ErrorId::kTableExists};
constexpr ErrorNames kJobErrors = {.not_found = ErrorId::kJobNotFound,
                                   .exists = ErrorId::kJobConflict};

std::string DatasetsPath(std::string_view project) {
  return fmt::format("/bigquery/v2/projects/{}/datasets", net::PercentEncode(project));
}

std::string DatasetPath(const DatasetRef& dataset) {
  return fmt::format("{}/{}", DatasetsPath(dataset.project), net::PercentEncode(dataset.dataset));
}

std::string TablePath(const TableRef& table) {
  return fmt::format("{}/tables/{}", DatasetPath(table.dataset_ref()),
                     net::PercentEncode(table.table));
}

// Members that the service owns: a create request leaves them out.
Json WithoutServerMembers(const Json& resource) {
  static constexpr std::array kServerMembers = {"kind",
                                                "etag",
                                                "id",
                                                "selfLink",
                                                "creationTime",
                                                "lastModifiedTime",
                                                "numRows",
                                                "numBytes",
                                                "numLongTermBytes",
                                                "numPhysicalBytes",
                                                "numTimeTravelPhysicalBytes",
                                                "numTotalLogicalBytes",
                                                "numActiveLogicalBytes",
                                                "numLongTermLogicalBytes",
                                                "numTotalPhysicalBytes",
                                                "numActivePhysicalBytes",
                                                "numLongTermPhysicalBytes",
                                                "numPartitions",
                                                "numCurrentPhysicalBytes",
                                                "streamingBuffer",
                                                "snapshotDefinition",
                                                "cloneDefinition",
                                                "location",
                                                "type"};
  Json body = resource;
  for (const char* member : kServerMembers) body.erase(member);
  return body;
}

Result<int64_t> CellInt64(const Json& cell, std::string_view what) {
  const Json wrapped = {{"value", cell}};
  return RequiredInt64(wrapped, "value").WithContext(what);
}

// The `type` column of __TABLES__; numbers that are not documented stay unknown and are looked up.
TableKind KindOfTablesType(int64_t type) {
  switch (type) {
    case 1:
      return TableKind::kTable;
    case 2:
      return TableKind::kView;
    case 3:
      return TableKind::kExternal;
    default:
      return TableKind::kUnknown;
  }
}

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

Result<TableSummary> SummaryFromRow(const DatasetRef& dataset, const std::vector<Json>& cells) {
  const std::string what = "table list of " + dataset.ToString();
  if (cells.size() != 6 || !cells[0].is_string()) {
    return MakeError(ErrorId::kInvalidJson, what + ": a row is not as asked for");
  }
  TableSummary summary;
  summary.ref = {dataset.project, dataset.dataset, cells[0].get<std::string>(), {}};
  HF_ASSIGN_OR_RETURN(summary.creation_ms, CellInt64(cells[1], what));
  HF_ASSIGN_OR_RETURN(summary.last_modified_ms, CellInt64(cells[2], what));
  // A view has no counts.
  if (!cells[3].is_null()) {
    HF_ASSIGN_OR_RETURN(summary.rows, CellInt64(cells[3], what));
  }
  if (!cells[4].is_null()) {
    HF_ASSIGN_OR_RETURN(summary.bytes, CellInt64(cells[4], what));
  }
  HF_ASSIGN_OR_RETURN(const int64_t type, CellInt64(cells[5], what));
  summary.kind = KindOfTablesType(type);
  return summary;
}

Result<PartitionInfo> PartitionFromRow(const TableRef& table, const std::vector<Json>& cells) {
  const std::string what = "partition list of " + table.ToString();
  if (cells.size() != 4 || !cells[0].is_string()) {
    return MakeError(ErrorId::kInvalidJson, what + ": a row is not as asked for");
  }
  PartitionInfo partition;
  partition.ref = table.WithPartition(cells[0].get<std::string>());
  if (!cells[1].is_null()) {
    HF_ASSIGN_OR_RETURN(partition.rows, CellInt64(cells[1], what));
  }
  if (!cells[2].is_null()) {
    HF_ASSIGN_OR_RETURN(partition.bytes, CellInt64(cells[2], what));
  }
  if (!cells[3].is_null()) {
    HF_ASSIGN_OR_RETURN(partition.last_modified_ms, CellInt64(cells[3], what));
  }
  return partition;
}

}  // namespace

BigQueryWarehouse::BigQueryWarehouse(std::string endpoint, RestEnvironment environment)
    : client_(std::move(endpoint), std::move(environment)) {}

Result<cloud::Page<DatasetInfo>> BigQueryWarehouse::ListDatasets(const std::string& project,
                                                                 const std::string& page_token) {
  RestCall call{.path = DatasetsPath(project),
                .what = "datasets of project " + project,
                .names = {.not_found = ErrorId::kProjectNotFound}};
  call.query.Add("all", "true");
  call.query.Add("maxResults", "1000");
  if (!page_token.empty()) call.query.Add("pageToken", page_token);
  HF_ASSIGN_OR_RETURN(const Json json, client_.Call(call));

  cloud::Page<DatasetInfo> page;
  page.next_page_token = StringOr(json, "nextPageToken", "");
  HF_ASSIGN_OR_RETURN(const std::span<const Json> datasets, ListItems(json, "datasets"));
  for (const Json& item : datasets) {
    HF_ASSIGN_OR_RETURN(DatasetInfo dataset, DatasetInfo::FromJson(item));
    page.items.push_back(std::move(dataset));
  }
  return page;
}

Result<DatasetInfo> BigQueryWarehouse::GetDataset(const DatasetRef& dataset) {
  HF_ASSIGN_OR_RETURN(const Json json, client_.Call({.path = DatasetPath(dataset),
                                                     .what = "dataset " + dataset.ToString(),
                                                     .names = kDatasetErrors}));
  return DatasetInfo::FromJson(json);
}

Result<DatasetInfo> BigQueryWarehouse::EnsureDataset(const DatasetInfo& dataset) {
  // Looking first: who may write to a dataset need not be allowed to create one.
  auto existing = GetDataset(dataset.ref);
  if (!existing.ok() && existing.error().code == Code::kNotFound) {
    Json body = WithoutServerMembers(dataset.resource);
    body["datasetReference"] = {{"projectId", dataset.ref.project},
                                {"datasetId", dataset.ref.dataset}};
    if (!dataset.location.empty()) body["location"] = dataset.location;
    const auto created = client_.Call({.method = "POST",
                                       .path = DatasetsPath(dataset.ref.project),
                                       .body = std::move(body),
                                       .what = "dataset " + dataset.ref.ToString(),
                                       .names = kDatasetErrors});
    if (created.ok()) return DatasetInfo::FromJson(*created);
    if (created.error().code != Code::kAlreadyExists) return created.error();
    existing = GetDataset(dataset.ref);
  }
  if (!existing.ok()) return existing;
  if (!dataset.location.empty() && !SameLocation(existing->location, dataset.location)) {
    return MakeError(ErrorId::kLocationMismatch,
                     fmt::format("dataset {} is in {}, not in {}", dataset.ref.ToString(),
                                 existing->location, dataset.location));
  }
  return existing;
}

Result<cloud::Page<TableSummary>> BigQueryWarehouse::ListTables(const DatasetRef& dataset,
                                                                const std::string& page_token) {
  const Query query{
      .project = dataset.project,
      .sql =
          fmt::format("SELECT table_id, creation_time, last_modified_time, row_count, size_bytes, "
                      "type FROM {} ORDER BY table_id",
                      QuotePath({dataset.project, dataset.dataset, "__TABLES__"})),
      .string_parameters = {},
      .what = "tables of " + dataset.ToString(),
      .names = kDatasetErrors};
  HF_ASSIGN_OR_RETURN(const QueryPage rows, RunQuery(client_, query, page_token));
  cloud::Page<TableSummary> page;
  page.next_page_token = rows.next_page_token;
  for (const auto& cells : rows.rows) {
    HF_ASSIGN_OR_RETURN(TableSummary summary, SummaryFromRow(dataset, cells));
    page.items.push_back(std::move(summary));
  }
  return page;
}

Result<cloud::Page<TableLabels>> BigQueryWarehouse::ListTableLabels(const DatasetRef& dataset,
                                                                    const std::string& page_token) {
  RestCall call{.path = DatasetPath(dataset) + "/tables",
                .what = "labels of the tables of " + dataset.ToString(),
                .names = kDatasetErrors};
  call.query.Add("maxResults", "1000");
  if (!page_token.empty()) call.query.Add("pageToken", page_token);
  HF_ASSIGN_OR_RETURN(const Json json, client_.Call(call));

  cloud::Page<TableLabels> page;
  page.next_page_token = StringOr(json, "nextPageToken", "");
  HF_ASSIGN_OR_RETURN(const std::span<const Json> tables, ListItems(json, "tables"));
  for (const Json& item : tables) {
    const Json* reference = FindField(item, "tableReference");
    if (reference == nullptr) return MakeError(ErrorId::kInvalidJson, "a table without reference");
    HF_ASSIGN_OR_RETURN(const std::string table, RequiredString(*reference, "tableId"));
    auto labels = LabelsOf(item);
    if (labels.empty()) continue;
    page.items.push_back(
        {.ref = {dataset.project, dataset.dataset, table, ""}, .labels = std::move(labels)});
  }
  return page;
}

Result<cloud::Page<PartitionInfo>> BigQueryWarehouse::ListPartitions(
    const TableRef& table, const std::string& page_token) {
  // `__UNPARTITIONED__` has a row for each storage tier, hence the sums (google-semantics A2 #12).
  const Query query{
      .project = table.project,
      .sql =
          fmt::format("SELECT partition_id, SUM(total_rows), SUM(total_logical_bytes), "
                      "MAX(UNIX_MILLIS(last_modified_time)) FROM {}.INFORMATION_SCHEMA.PARTITIONS "
                      "WHERE table_name = @table AND partition_id IS NOT NULL "
                      "GROUP BY partition_id ORDER BY partition_id",
                      QuotePath({table.project, table.dataset})),
      .string_parameters = {{"table", table.table}},
      .what = "partitions of " + table.ToString(),
      .names = kTableErrors};
  HF_ASSIGN_OR_RETURN(const QueryPage rows, RunQuery(client_, query, page_token));
  cloud::Page<PartitionInfo> page;
  page.next_page_token = rows.next_page_token;
  for (const auto& cells : rows.rows) {
    HF_ASSIGN_OR_RETURN(PartitionInfo partition, PartitionFromRow(table.WholeTable(), cells));
    page.items.push_back(std::move(partition));
  }
  return page;
}

Result<std::optional<cloud::Page<PartitionInfo>>> BigQueryWarehouse::ListPartitionsInRange(
    const DatasetRef& dataset, const std::string& first_table, const std::string& last_table,
    const std::string& page_token) {
  const Query query{
      .project = dataset.project,
      .sql = fmt::format(
          "SELECT partition_id, SUM(total_rows), SUM(total_logical_bytes), "
          "MAX(UNIX_MILLIS(last_modified_time)), table_name FROM {}.INFORMATION_SCHEMA.PARTITIONS "
          "WHERE table_name >= @first AND table_name <= @last AND partition_id IS NOT NULL "
          "GROUP BY table_name, partition_id ORDER BY table_name, partition_id",
          QuotePath({dataset.project, dataset.dataset})),
      .string_parameters = {{"first", first_table}, {"last", last_table}},
      .what = "partitions of the tables of " + dataset.ToString(),
      .names = kDatasetErrors};
  HF_ASSIGN_OR_RETURN(QueryPage rows, RunQuery(client_, query, page_token));
  cloud::Page<PartitionInfo> page;
  page.next_page_token = rows.next_page_token;
  for (auto& cells : rows.rows) {
    if (cells.empty() || !cells.back().is_string()) {
      return MakeError(ErrorId::kInvalidJson, query.what + ": a row is not as asked for");
    }
    const TableRef table{dataset.project, dataset.dataset, cells.back().get<std::string>(), ""};
    cells.pop_back();
    HF_ASSIGN_OR_RETURN(PartitionInfo partition, PartitionFromRow(table, cells));
    page.items.push_back(std::move(partition));
  }
  return std::optional(std::move(page));
}

Result<std::optional<cloud::DataWrite>> BigQueryWarehouse::LastDataWrite(
    const TableRef& table, const std::string& location) {
  const Query query{
      .project = table.project,
      .sql = fmt::format("SELECT UNIX_MILLIS(storage_last_modified_time), "
                         "UNIX_MILLIS(CURRENT_TIMESTAMP()) "
                         "FROM {}.INFORMATION_SCHEMA.TABLE_STORAGE "
                         "WHERE table_schema = @dataset AND table_name = @table AND NOT deleted",
                         QuotePath({table.project, "region-" + LowerCase(location)})),
      .string_parameters = {{"dataset", table.dataset}, {"table", table.table}},
      .what = "storage of " + table.ToString(),
      .names = kTableErrors};
  HF_ASSIGN_OR_RETURN(const QueryPage page, RunQuery(client_, query, ""));
  if (page.rows.size() != 1 || page.rows[0].size() != 2 || page.rows[0][0].is_null()) {
    return std::optional<cloud::DataWrite>();
  }
  cloud::DataWrite write;
  HF_ASSIGN_OR_RETURN(write.at_ms, CellInt64(page.rows[0][0], query.what));
  HF_ASSIGN_OR_RETURN(write.told_ms, CellInt64(page.rows[0][1], query.what));
  return std::optional(write);
}

Result<TableInfo> BigQueryWarehouse::GetTable(const TableRef& table) {
  RestCall call{.path = TablePath(table),
                .what = "table " + table.WholeTable().ToString(),
                .names = kTableErrors};
  call.query.Add("view", "FULL");
  HF_ASSIGN_OR_RETURN(const Json json, client_.Call(call));
  return TableInfo::FromJson(json);
}

Result<TableInfo> BigQueryWarehouse::CreateTable(const TableRef& table, const Json& resource) {
  Json body = WithoutServerMembers(resource);
  body["tableReference"] = TableReference(table.WholeTable());
  HF_ASSIGN_OR_RETURN(const Json json,
                      client_.Call({.method = "POST",
                                    .path = DatasetPath(table.dataset_ref()) + "/tables",
                                    .body = std::move(body),
                                    .what = "table " + table.ToString(),
                                    .names = {.not_found = ErrorId::kDatasetNotFound,
                                              .exists = ErrorId::kTableExists},
                                    .repeatable = false}));
  return TableInfo::FromJson(json);
}

Result<TableInfo> BigQueryWarehouse::UpdateTable(const TableRef& table, const Json& patch) {
  HF_ASSIGN_OR_RETURN(const Json json, client_.Call({.method = "PATCH",
                                                     .path = TablePath(table),
                                                     .body = patch,
                                                     .what = "table " + table.ToString(),
                                                     .names = kTableErrors}));
  return TableInfo::FromJson(json);
}

Status BigQueryWarehouse::DeleteTable(const TableRef& table) {
  const auto deleted = client_.Call({.method = "DELETE",
                                     .path = TablePath(table),
                                     .what = "table " + table.ToString(),
                                     .names = kTableErrors});
  if (deleted.ok() || deleted.error().code == Code::kNotFound) return Ok();
  return deleted.error();
}

Result<Json> BigQueryWarehouse::GetJobResource(const cloud::JobRef& job) {
  RestCall call{.path = fmt::format("/bigquery/v2/projects/{}/jobs/{}",
                                    net::PercentEncode(job.project), net::PercentEncode(job.id)),
                .what = "job " + job.id,
                .names = kJobErrors};
  call.query.Add("location", job.location);
  return client_.Call(call);
}

Result<cloud::JobStatus> BigQueryWarehouse::StartJob(const cloud::JobRef& job,
                                                     const cloud::JobSpec& spec) {
  const auto inserted = client_.Call(
      {.method = "POST",
       .path = fmt::format("/bigquery/v2/projects/{}/jobs", net::PercentEncode(job.project)),
       .body = JobInsertBody(job, spec),
       .what = "job " + job.id,
       .names = {.not_found = ErrorId::kTableNotFound, .exists = ErrorId::kJobConflict}});
  if (inserted.ok()) return JobStatusFromJson(*inserted);
  if (inserted.error().code != Code::kAlreadyExists) return inserted.error();

  // The id is taken: by this very job, from a call whose answer was lost or a worker that died, or
  // by another one. A 404 right after the 409 happens (google-semantics A5 #36).
  const auto& environment = client_.environment();
  HF_ASSIGN_OR_RETURN(
      const Json resource,
      WithRetry<Json>(
          environment.retry, environment.clock, environment.random, [&]() -> Result<Json> {
            auto found = GetJobResource(job);
            if (!found.ok() && found.error().code == Code::kNotFound) {
              return MakeError(ErrorId::kJobNotFound, Code::kUnavailable, found.error().message);
            }
            return found;
          }));
  if (!IsSameSpec(resource, spec)) {
    return MakeError(ErrorId::kJobConflict,
                     fmt::format("job {} exists with other settings", job.id));
  }
  HF_ASSIGN_OR_RETURN(cloud::JobStatus status, JobStatusFromJson(resource));
  status.attached = true;
  return status;
}

Result<cloud::JobStatus> BigQueryWarehouse::GetJob(const cloud::JobRef& job) {
  HF_ASSIGN_OR_RETURN(const Json resource, GetJobResource(job));
  return JobStatusFromJson(resource);
}

}  // namespace holdfast::gcp
