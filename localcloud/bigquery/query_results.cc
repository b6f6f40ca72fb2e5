#include "localcloud/bigquery/query_results.h"

#include <array>

#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/resources.h"
#include "localcloud/rest/api_error.h"

namespace holdfast::bigquery {

namespace {

constexpr std::array<std::string_view, 6> kCopiedStatistics = {
    "schema",   "totalBytesProcessed", "totalBytesBilled",
    "cacheHit", "numDmlAffectedRows",  "dmlStats"};

Json Beginning(const Job& job, std::string_view kind) {
  Json answer = {
      {"kind", kind},
      {"jobReference",
       {{"projectId", job.key.project}, {"jobId", job.key.id}, {"location", job.key.location}}},
      {"jobComplete", job.state == JobState::kDone}};
  return answer;
}

}  // namespace

Result<Json> QueryAnswer(const ServiceContext& context, const Job& job, std::string_view kind,
                         RowPageRequest page) {
  Json answer = Beginning(job, kind);
  if (job.state != JobState::kDone) return answer;
  if (job.error_result) return ErrorOf(*job.error_result);
  const Json* statistics = FindField(job.statistics, "query");
  if (statistics == nullptr) return Invalid("The job is not a query job: " + job.key.ToString());
  for (const std::string_view key : kCopiedStatistics) {
    if (const Json* value = FindField(*statistics, key)) answer[key] = *value;
  }
  answer["location"] = job.key.location;
  answer["creationTime"] = std::to_string(job.creation_ms);
  answer["startTime"] = std::to_string(job.start_ms);
  answer["endTime"] = std::to_string(job.end_ms);
  const Json* destination = FindPath(job.configuration, {"query", "destinationTable"});
  if (answer.contains("schema") && destination != nullptr) {
    HF_ASSIGN_OR_RETURN(page.table, ParseTableReference(*destination, job.key.project));
    HF_ASSIGN_OR_RETURN(RowPage rows, ReadRowPage(context, page));
    answer["totalRows"] = std::to_string(rows.total);
    if (!rows.rows.empty()) answer["rows"] = std::move(rows.rows);
    if (rows.next_token) answer["pageToken"] = *rows.next_token;
  }
  answer["etag"] = rest::EtagOf(job.key.ToString() + page.token);
  return answer;
}

Json DryRunAnswer(const Job& job, const Json& statistics) {
  Json answer = Beginning(job, "bigquery#queryResponse");
  answer["jobComplete"] = true;
  answer["jobReference"].erase("jobId");
  answer["totalBytesProcessed"] = StringOr(statistics, "totalBytesProcessed", "0");
  answer["cacheHit"] = false;
  if (const Json* schema = FindPath(statistics, {"query", "schema"})) answer["schema"] = *schema;
  return answer;
}

}  // namespace holdfast::bigquery
