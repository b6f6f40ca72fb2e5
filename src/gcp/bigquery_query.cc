#include "gcp/bigquery_query.h"

#include <fmt/format.h>

#include "gcp/list_items.h"

namespace holdfast::gcp {

namespace {

constexpr int kRowsPerPage = 5000;
constexpr int kWaitMillis = 10'000;
constexpr Duration kQueryMax = std::chrono::hours{1};            // long, for a query of metadata
constexpr Duration kPollPause = std::chrono::milliseconds{200};  // should the service not wait

// A token of ours: location, job id and the service's own page token, none of which holds a space.
std::string MakeToken(const Json& reference, const std::string& page_token) {
  return fmt::format("{} {} {}", StringOr(reference, "location", "-"),
                     StringOr(reference, "jobId", ""), page_token);
}

RestCall ResultsCall(const Query& query, std::string_view location, std::string_view job,
                     std::string_view page_token) {
  RestCall call{.path = fmt::format("/bigquery/v2/projects/{}/queries/{}",
                                    net::PercentEncode(query.project), net::PercentEncode(job)),
                .what = query.what,
                .names = query.names};
  if (location != "-") call.query.Add("location", std::string(location));
  call.query.Add("maxResults", std::to_string(kRowsPerPage));
  call.query.Add("timeoutMs", std::to_string(kWaitMillis));
  if (!page_token.empty()) call.query.Add("pageToken", std::string(page_token));
  return call;
}

Result<Json> StartQuery(const RestClient& client, const Query& query) {
  Json body = {{"query", query.sql},         {"useLegacySql", false},
               {"useQueryCache", false},  // what is asked is how things stand now
               {"maxResults", kRowsPerPage}, {"timeoutMs", kWaitMillis},
               {"parameterMode", "NAMED"}};
  body["queryParameters"] = Json::array();
  for (const auto& [name, value] : query.string_parameters) {
    body["queryParameters"].push_back({{"name", name},
                                       {"parameterType", {{"type", "STRING"}}},
                                       {"parameterValue", {{"value", value}}}});
  }
  return client.Call(
      {.method = "POST",
       .path = fmt::format("/bigquery/v2/projects/{}/queries", net::PercentEncode(query.project)),
       .body = std::move(body),
       .what = query.what,
       .names = query.names});
}

// An answer that says that there is more, but not of which job: never taken for the end.
Error NamesNoJob(const Query& query) {
  return MakeError(ErrorId::kInvalidJson, query.what + ": the answer names no job");
}

Result<std::vector<std::vector<Json>>> ReadRows(const Json& json) {
  std::vector<std::vector<Json>> rows;
  HF_ASSIGN_OR_RETURN(const std::span<const Json> list, ListItems(json, "rows"));
  for (const Json& row : list) {
    std::vector<Json> cells;
    if (const Json* fields = FindField(row, "f"); fields != nullptr && fields->is_array()) {
      for (const Json& cell : *fields)
        cells.push_back(cell.is_object() ? cell.value("v", Json()) : Json());
    }
    rows.push_back(std::move(cells));
  }
  return rows;
}

}  // namespace

Result<QueryPage> RunQuery(const RestClient& client, const Query& query,
                           const std::string& page_token) {
  Json json;
  std::string location;
  std::string job;
  std::string page;
  if (page_token.empty()) {
    HF_ASSIGN_OR_RETURN(json, StartQuery(client, query));
  } else {
    const size_t first = page_token.find(' ');
    const size_t second = page_token.find(' ', first + 1);
    location = page_token.substr(0, first);
    job = page_token.substr(first + 1, second - first - 1);
    page = page_token.substr(second + 1);
    HF_ASSIGN_OR_RETURN(json, client.Call(ResultsCall(query, location, job, page)));
  }
  Clock& clock = client.environment().clock;
  const Timestamp started = clock.Now();
  while (!BoolOr(json, "jobComplete", false)) {
    if (clock.Now() - started > kQueryMax) {
      return MakeError(ErrorId::kServiceUnavailable, query.what + ": the query does not end");
    }
    clock.SleepFor(kPollPause);
    const Json* reference = FindField(json, "jobReference");
    if (reference == nullptr) return NamesNoJob(query);
    location = StringOr(*reference, "location", "-");
    job = StringOr(*reference, "jobId", "");
    HF_ASSIGN_OR_RETURN(json, client.Call(ResultsCall(query, location, job, page)));
  }
  QueryPage result;
  HF_ASSIGN_OR_RETURN(result.rows, ReadRows(json));
  const std::string next = StringOr(json, "pageToken", "");
  if (next.empty()) return result;
  const Json* reference = FindField(json, "jobReference");
  if (reference == nullptr) return NamesNoJob(query);
  result.next_page_token = MakeToken(*reference, next);
  return result;
}

}  // namespace holdfast::gcp
