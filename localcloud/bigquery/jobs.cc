#include "localcloud/bigquery/jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/hash.h"
#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/job_settings.h"
#include "localcloud/bigquery/query_job.h"
#include "localcloud/bigquery/query_results.h"
#include "localcloud/bigquery/resources.h"
#include "localcloud/bigquery/transfer_jobs.h"

namespace holdfast::bigquery {

namespace {

constexpr std::string_view kUserEmail = "localcloud@localhost";
constexpr rest::PageSizes kJobPages = {.usual = 50, .maximum = 1000};
constexpr Duration kInsertWait =
    std::chrono::milliseconds{50};             // spares clients of short jobs a poll
constexpr int64_t kTimeoutMsDefault = 10'000;  // jobs.query `timeoutMs`
constexpr int64_t kTimeoutMsMax = 200'000;

// Where the configuration of each job type names the table whose dataset decides the location.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kDecidingTables = {{
    {"load", "destinationTable"},
    {"extract", "sourceTable"},
    {"copy", "destinationTable"},
}};

std::string MakeJobId(Random& random) { return "job_" + RandomHex(random, 14); }

Duration WaitOf(std::optional<int64_t> timeout_ms) {
  return std::chrono::milliseconds{
      std::clamp<int64_t>(timeout_ms.value_or(kTimeoutMsDefault), 0, kTimeoutMsMax)};
}

// Members of a QueryRequest that are members of a query job's configuration too.
Json QueryConfiguration(const Json& body) {
  constexpr std::array<std::string_view, 9> kShared = {
      "query",         "useLegacySql",  "defaultDataset",     "queryParameters",
      "parameterMode", "useQueryCache", "maximumBytesBilled", "connectionProperties",
      "createSession"};
  Json query = Json::object();
  for (const std::string_view key : kShared) {
    if (const Json* value = FindField(body, key)) query[key] = *value;
  }
  Json configuration = {{"query", std::move(query)}};
  for (const std::string_view key : {"labels", "dryRun"}) {
    if (const Json* value = FindField(body, key)) configuration[key] = *value;
  }
  return configuration;
}

Status CheckConfiguration(const Json& configuration) {
  int kinds = 0;
  for (const std::string_view kind : {"load", "extract", "copy", "query"}) {
    const Json* settings = FindField(configuration, kind);
    if (settings == nullptr) continue;
    if (!settings->is_object()) return Invalid(fmt::format("{} should be an object", kind));
    ++kinds;
  }
  if (kinds == 1) return Ok();
  return kinds == 0 ? Required("configuration.query, load, extract or copy")
                    : Invalid("A job has exactly one of query, load, extract and copy");
}

// What can be refused at once, before there is a job: a query that means nothing.
Status CheckBeforeInsert(const ServiceContext& context, const Job& job) {
  if (job.Type() != "QUERY") return Ok();
  const Result<JobOutcome> outcome = DryRunQuery(context, job);
  if (outcome.ok() || FaultOf(outcome.error()).reason != "invalidQuery") return Ok();
  return outcome.error();
}

Result<JobState> ParseState(const std::string& text) {
  if (text == "pending") return JobState::kPending;
  if (text == "running") return JobState::kRunning;
  if (text == "done") return JobState::kDone;
  return Invalid(fmt::format("Invalid value for stateFilter: {}", text));
}

Json ListItem(const Job& job, bool full) {
  Json item = job.ToResource();
  item["state"] = JobStateName(job.state);
  if (job.error_result) item["errorResult"] = job.error_result->ToJson();
  item.erase("etag");
  if (!full) item.erase("configuration");
  return item;
}

}  // namespace

Result<JobOutcome> RunJob(const ServiceContext& context, const Job& job,
                          const std::stop_token& cancel) {
  const std::string_view type = job.Type();
  if (type == "QUERY") return RunQueryJob(context, job, cancel);
  if (type == "EXTRACT") return RunExtractJob(context, job, cancel);
  if (type == "COPY") return RunCopyJob(context, job);
  Result<JobOutcome> outcome = RunLoadJob(context, job, cancel);
  const bool again = !outcome.ok() && outcome.error().code == Code::kCancelled;
  if (!job.upload_path.empty() && !again) {
    std::error_code ignored;  // what stays is removed when the service opens
    std::filesystem::remove(job.upload_path, ignored);
  }
  return outcome;
}

Result<std::string> Jobs::ChooseLocation(const Job& job, const std::string& given) {
  if (!given.empty()) return NormalLocation(given);
  for (const auto& [kind, member] : kDecidingTables) {
    const Json* settings = FindField(job.configuration, kind);
    if (settings == nullptr) continue;
    const Json* table = FindField(*settings, member);
    if (table == nullptr) continue;
    const DatasetRef dataset{StringOr(*table, "projectId", job.key.project),
                             StringOr(*table, "datasetId", "")};
    const Result<std::string> location = DatasetLocation(context_, dataset);
    if (location.ok()) return NormalLocation(*location);
    if (!IsNotFound(location.error())) return location.error();
  }
  if (const Json* query = FindField(job.configuration, "query")) {
    return NormalLocation(LocationOfQuery(context_, job.key.project, *query));
  }
  return std::string(kDefaultLocation);
}

Result<Job> Jobs::MakeJob(const Request& request, const std::string& upload_path) {
  Job job;
  job.key.project = request.project();
  const Json* configuration = FindField(request.body, "configuration");
  if (configuration == nullptr) return Required("configuration");
  job.configuration = *configuration;
  HF_RETURN_IF_ERROR(CheckConfiguration(job.configuration));
  std::string location;
  if (const Json* reference = FindField(request.body, "jobReference")) {
    if (StringOr(*reference, "projectId", request.project()) != request.project()) {
      return Invalid("jobReference.projectId is not the project of the request");
    }
    HF_ASSIGN_OR_RETURN(const auto id, OptionalString(*reference, "jobId"));
    job.key.id = id.value_or("");
    location = StringOr(*reference, "location", "");
  }
  if (job.key.id.empty()) job.key.id = MakeJobId(context_.random);
  HF_RETURN_IF_ERROR(ValidateJobId(job.key.id));
  HF_ASSIGN_OR_RETURN(job.key.location, ChooseLocation(job, location));
  job.creation_ms = context_.NowMs();
  job.user_email = kUserEmail;
  job.upload_path = upload_path;
  return job;
}

Result<Json> Jobs::DryRun(const Job& job) {
  Job done = job;
  done.state = JobState::kDone;
  done.statistics["totalBytesProcessed"] = "0";
  if (job.Type() == "QUERY") {
    HF_ASSIGN_OR_RETURN(const JobOutcome outcome, DryRunQuery(context_, job));
    done.statistics.update(outcome.statistics);
  }
  return done.ToResource();
}

Result<Json> Jobs::Insert(const Request& request) { return InsertUpload(request, {}); }

Result<Json> Jobs::InsertUpload(const Request& request, const std::string& upload_path) {
  bool keeps_upload = false;  // once a job reads it
  const auto submit = [&]() -> Result<Json> {
    HF_ASSIGN_OR_RETURN(const Job job, MakeJob(request, upload_path));
    if (!upload_path.empty() && job.Type() != "LOAD") {
      return Invalid("Only a load job takes an upload");
    }
    if (BoolOr(job.configuration, "dryRun", false)) return DryRun(job);
    HF_RETURN_IF_ERROR(CheckBeforeInsert(context_, job));
    HF_RETURN_IF_ERROR(runner_.Submit(job));
    keeps_upload = true;
    HF_ASSIGN_OR_RETURN(const Job begun, runner_.Wait(job.key, kInsertWait));
    return begun.ToResource();
  };
  Result<Json> answer = submit();
  if (!keeps_upload && !upload_path.empty()) {
    std::error_code ignored;  // what stays is removed when the service opens
    std::filesystem::remove(upload_path, ignored);
  }
  return answer;
}

Result<Job> Jobs::Find(const Request& request) {
  const std::string& id = request.Path("jobId");
  const std::string location = request.query.Get("location");
  if (location.empty()) return store_.Find(request.project(), id);
  return store_.Get({request.project(), NormalLocation(location), id});
}

Result<Json> Jobs::Get(const Request& request) {
  HF_ASSIGN_OR_RETURN(const Job job, Find(request));
  return job.ToResource();
}

Result<Json> Jobs::List(const Request& request) {
  JobFilter filter;
  for (const std::string& text : request.query.GetAll("stateFilter")) {
    HF_ASSIGN_OR_RETURN(const JobState state, ParseState(text));
    filter.states.insert(state);
  }
  HF_ASSIGN_OR_RETURN(filter.creation_ms_min, request.Number("minCreationTime"));
  HF_ASSIGN_OR_RETURN(filter.creation_ms_max, request.Number("maxCreationTime"));
  const std::string listing = "jobs " + request.project();
  HF_ASSIGN_OR_RETURN(const warehouse::PageRequest page, request.Page(listing, kJobPages));
  HF_ASSIGN_OR_RETURN(const auto found, store_.List(request.project(), filter, page));
  const bool full = request.query.Get("projection") == "full";
  Json answer = {{"kind", "bigquery#jobList"}, {"jobs", Json::array()}};
  for (const Job& job : found.items) answer["jobs"].push_back(ListItem(job, full));
  SetNextPage(listing, found.next_token, answer);
  return answer;
}

Result<Json> Jobs::Cancel(const Request& request) {
  HF_ASSIGN_OR_RETURN(const Job found, Find(request));
  HF_ASSIGN_OR_RETURN(const Job job, runner_.Cancel(found.key));
  return Json{{"kind", "bigquery#jobCancelResponse"}, {"job", job.ToResource()}};
}

Result<Json> Jobs::Delete(const Request& request) {
  HF_ASSIGN_OR_RETURN(const Job job, Find(request));
  if (job.state != JobState::kDone) return Invalid("Cannot delete a job that is not done");
  HF_RETURN_IF_ERROR(store_.Delete(job.key));
  return Json();
}

Result<Json> Jobs::Query(const Request& request) {
  Request insert = request;
  insert.body = {{"configuration", QueryConfiguration(request.body)},
                 {"jobReference", {{"location", StringOr(request.body, "location", "")}}}};
  HF_ASSIGN_OR_RETURN(Job job, MakeJob(insert, {}));
  const std::string request_id = StringOr(request.body, "requestId", "");
  if (!request_id.empty()) {
    // A repeated request finds the job of the first one.
    const std::string content = DumpJson(job.configuration) + request_id;
    job.key.id = "job_" + Sha256Hex(content).substr(0, 28);
  }
  if (BoolOr(job.configuration, "dryRun", false)) {
    HF_ASSIGN_OR_RETURN(const JobOutcome outcome, DryRunQuery(context_, job));
    return DryRunAnswer(job, outcome.statistics);
  }
  const Status submitted = runner_.Submit(job);
  const bool repeated =
      !request_id.empty() && !submitted.ok() && FaultOf(submitted.error()).reason == "duplicate";
  if (!submitted.ok() && !repeated) return submitted.error();
  HF_ASSIGN_OR_RETURN(const auto timeout, OptionalInt64(request.body, "timeoutMs"));
  HF_ASSIGN_OR_RETURN(const Job done, runner_.Wait(job.key, WaitOf(timeout)));
  RowPageRequest page;
  HF_ASSIGN_OR_RETURN(page.rows_max, OptionalInt64(request.body, "maxResults"));
  if (page.rows_max && *page.rows_max < 0) return Invalid("maxResults is negative");
  if (const Json* options = FindField(request.body, "formatOptions")) {
    page.timestamps = TimestampFormatOf(BoolOr(*options, "useInt64Timestamp", false),
                                        StringOr(*options, "timestampOutputFormat", ""));
  }
  return QueryAnswer(context_, done, "bigquery#queryResponse", std::move(page));
}

Result<Json> Jobs::GetQueryResults(const Request& request) {
  HF_ASSIGN_OR_RETURN(const Job found, Find(request));
  HF_ASSIGN_OR_RETURN(const auto timeout, request.Number("timeoutMs"));
  HF_ASSIGN_OR_RETURN(RowPageRequest page, ParseRowPage(request, {}));
  HF_ASSIGN_OR_RETURN(const Job job, runner_.Wait(found.key, WaitOf(timeout)));
  return QueryAnswer(context_, job, "bigquery#getQueryResultsResponse", std::move(page));
}

}  // namespace holdfast::bigquery
