#include "localcloud/logging/logging_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "localcloud/logging/log_filter.h"
#include "localcloud/rest/api_error.h"
#include "localcloud/rest/page_token.h"

namespace holdfast::logging {
namespace {

// Source: Cloud Logging "Quotas and limits".
constexpr size_t kWriteBytesMax = 10'000'000;
constexpr size_t kEntryBytesMax = size_t{256} << 10U;
constexpr size_t kEntriesMax = 1'000;
constexpr int64_t kPageUsual = 50;
constexpr int64_t kPageMax = 1'000;

Error BadLogRequest(std::string message) {
  return WithReason("invalid", MakeError(ErrorId::kRestInvalidRequest, std::move(message)));
}

// "projects/P/logs/L" → "P". Errors: of another form.
Result<std::string> ProjectOfLog(const std::string& name) {
  constexpr std::string_view kPrefix = "projects/";
  const size_t slash = name.find('/', kPrefix.size());
  if (!name.starts_with(kPrefix) || slash == std::string::npos || slash == kPrefix.size() ||
      name.compare(slash, 6, "/logs/") != 0 || name.size() == slash + 6) {
    return BadLogRequest("logName \"" + name.substr(0, 200) +
                         "\" is not of the form projects/PROJECT/logs/LOG");
  }
  return name.substr(kPrefix.size(), slash - kPrefix.size());
}

class Writing {
 public:
  Writing(const LoggingServices& services, const Json& body) : services_(services), body_(body) {}

  Result<Json> Run() {
    const Json* entries = FindField(body_, "entries");
    if (entries == nullptr || !entries->is_array()) return BadLogRequest("entries are missing");
    if (entries->size() > kEntriesMax) return BadLogRequest("more than 1000 entries");
    std::vector<StoredEntry> good;
    std::optional<Error> wrong;
    for (const Json& entry : *entries) {
      auto complete = Complete(entry);
      if (complete.ok()) {
        good.push_back(*std::move(complete));
      } else {
        wrong = complete.error();
      }
    }
    if (wrong && !BoolOr(body_, "partialSuccess", false)) return *wrong;
    if (!BoolOr(body_, "dryRun", false)) {
      std::set<std::string> projects;
      for (const StoredEntry& entry : good) projects.insert(entry.project);
      for (const std::string& project : projects) {
        HF_RETURN_IF_ERROR(services_.ensure_project(project));
      }
      HF_RETURN_IF_ERROR(services_.store.Write(good));
    }
    if (wrong) return *wrong;
    return Json::object();
  }

 private:
  // With what the request says for all, and what the service adds where it is missing.
  Result<StoredEntry> Complete(const Json& given) {
    if (!given.is_object()) return BadLogRequest("an entry is not an object");
    if (DumpJson(given).size() > kEntryBytesMax) return BadLogRequest("an entry is too large");
    StoredEntry stored{.project = {}, .at = services_.clock.Now(), .insert_id = {}, .entry = given};
    Json& entry = stored.entry;
    for (const char* member : {"logName", "resource"}) {
      const Json* usual = FindField(body_, member);
      if (FindField(entry, member) == nullptr && usual != nullptr) entry[member] = *usual;
    }
    if (const Json* labels = FindField(body_, "labels"); labels != nullptr && labels->is_object()) {
      Json all = *labels;
      if (const Json* own = FindField(entry, "labels")) all.merge_patch(*own);
      entry["labels"] = std::move(all);
    }
    HF_ASSIGN_OR_RETURN(stored.project, ProjectOfLog(StringOr(entry, "logName", "")));
    if (FindField(entry, "resource") == nullptr) return BadLogRequest("resource is missing");
    if (FindField(entry, "timestamp") != nullptr) {
      const auto at = ParseTimestamp(StringOr(entry, "timestamp", ""));
      if (!at.ok()) return BadLogRequest("timestamp: " + at.error().message);
      stored.at = *at;
    } else {
      entry["timestamp"] = FormatTimestamp(stored.at);
    }
    if (FindField(entry, "severity") == nullptr) entry["severity"] = "DEFAULT";
    if (SeverityNumber(StringOr(entry, "severity", "")) < 0) {
      return BadLogRequest("severity is not known");
    }
    stored.insert_id = StringOr(entry, "insertId", "");
    if (stored.insert_id.empty()) stored.insert_id = RandomHex(services_.random, 8);
    entry["insertId"] = stored.insert_id;
    entry["receiveTimestamp"] = FormatTimestamp(services_.clock.Now());
    return stored;
  }

  const LoggingServices& services_;
  const Json& body_;
};

// A position as text: microseconds, ',' and the insertId.
std::string PositionText(const StoredEntry& entry) {
  return fmt::format("{},{}", entry.at.time_since_epoch().count(), entry.insert_id);
}

Result<LogPosition> ReadPosition(const std::string& listing, const std::string& token) {
  HF_ASSIGN_OR_RETURN(const std::string text, rest::DecodePageToken(listing, token));
  if (text.empty()) return LogPosition();
  int64_t micros = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, micros);
  if (read.ec != std::errc() || read.ptr == end || *read.ptr != ',') {
    return BadLogRequest("pageToken is of no listing");
  }
  return LogPosition{.at = Timestamp{Duration{micros}},
                     .insert_id = std::string(read.ptr + 1, end)};
}

Result<std::string> ProjectOfListing(const Json& body) {
  const Json* names = FindField(body, "resourceNames");
  constexpr std::string_view kPrefix = "projects/";
  if (names == nullptr || !names->is_array() || names->size() != 1 || !names->front().is_string() ||
      !names->front().get_ref<const std::string&>().starts_with(kPrefix)) {
    return BadLogRequest("resourceNames is to name one project, as projects/PROJECT");
  }
  const auto project = names->front().get<std::string>().substr(kPrefix.size());
  if (project.find('/') != std::string::npos) {
    return BadLogRequest("views of log buckets are not part of localcloud");
  }
  return project;
}

Result<bool> IsDescending(const std::string& order) {
  if (order.empty() || order == "timestamp asc") return false;
  if (order == "timestamp desc") return true;
  return BadLogRequest("orderBy is neither \"timestamp asc\" nor \"timestamp desc\"");
}

Result<Json> ListEntries(const LoggingServices& services, const Json& body) {
  HF_ASSIGN_OR_RETURN(const std::string project, ProjectOfListing(body));
  const std::string filter_text = StringOr(body, "filter", "");
  HF_ASSIGN_OR_RETURN(const LogFilter filter, LogFilter::Parse(filter_text));
  const std::string order = StringOr(body, "orderBy", "");
  HF_ASSIGN_OR_RETURN(const bool descending, IsDescending(order));
  const int64_t asked = Int64Or(body, "pageSize", 0);
  if (asked < 0) return BadLogRequest("pageSize is negative");
  const auto limit = static_cast<size_t>(std::min(asked == 0 ? kPageUsual : asked, kPageMax));
  const std::string listing = fmt::format("{}\n{}\n{}", project, order, filter_text);
  HF_ASSIGN_OR_RETURN(const LogPosition after,
                      ReadPosition(listing, StringOr(body, "pageToken", "")));
  Json answer = Json::object();
  Json entries = Json::array();
  std::string last;
  HF_RETURN_IF_ERROR(
      services.store.Visit(project, descending, after, [&](const StoredEntry& stored) {
        if (!filter.Matches(stored.entry)) return true;
        if (entries.size() == limit) {
          answer["nextPageToken"] = rest::EncodePageToken(listing, last);
          return false;
        }
        entries.push_back(stored.entry);
        last = PositionText(stored);
        return true;
      }));
  if (!entries.empty()) answer["entries"] = std::move(entries);
  return answer;
}

}  // namespace

void RegisterLoggingRoutes(rest::Router& router, const LoggingServices& services) {
  const auto add = [&](const char* pattern, const auto& action) {
    router.Add(
        "POST", pattern,
        [services, action](net::ServerRequest& request, const rest::PathParameters&) {
          const auto body = rest::ReadJsonBody(request, kWriteBytesMax);
          return rest::ResponseOf(body.ok() ? action(services, *body) : Result<Json>(body.error()));
        });
  };
  add("/v2/entries:write",
      [](const LoggingServices& with, const Json& body) { return Writing(with, body).Run(); });
  add("/v2/entries:list", ListEntries);
}

}  // namespace holdfast::logging
