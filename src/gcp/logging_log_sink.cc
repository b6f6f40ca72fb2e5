#include "gcp/logging_log_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::gcp {

namespace {

constexpr std::array<std::string_view, 2> kLabelFields = {"run", "stage"};
constexpr size_t kLogLabelBytes = 1'024;
constexpr size_t kCutMarkBytes = 64;

std::string_view SeverityName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "DEBUG";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kWarning:
      return "WARNING";
    case LogLevel::kError:
      return "ERROR";
    case LogLevel::kOff:
      break;
  }
  return "DEFAULT";
}

// The bytes of a text in JSON, its quotes included; what is no UTF-8 is replaced there.
size_t EscapedBytes(const std::string& text) { return DumpJson(text).size(); }

// A text cut to `room` bytes as JSON, which says how much is missing.
std::string CutText(const std::string& text, size_t room) {
  if (EscapedBytes(text) <= room) return text;
  size_t keep = std::min(text.size(), room > kCutMarkBytes ? room - kCutMarkBytes : 0);
  while (keep > 0 && EscapedBytes(text.substr(0, keep)) + kCutMarkBytes > room)
    keep -= keep / 4 + 1;
  while (keep > 0 && (static_cast<unsigned char>(text[keep]) & 0xC0U) == 0x80U) --keep;
  return fmt::format("{}... [{} bytes cut]", text.substr(0, keep), text.size() - keep);
}

}  // namespace

Json LogEntryJson(const cloud::LogEntry& entry) {
  // The message first, then the fields in their order, each as long as there is room.
  size_t room = kLogEntryBytes;
  const auto take = [&room](const std::string& text) {
    std::string cut = CutText(text, room);
    room -= std::min(room, EscapedBytes(cut));
    return cut;
  };
  Json payload = {{"message", take(entry.message)}};
  Json labels = Json::object();
  for (const auto& [key, value] : entry.fields) {
    payload[key] = take(value);
    if (std::ranges::find(kLabelFields, key) != kLabelFields.end() && !value.empty()) {
      labels[key] = CutText(value, kLogLabelBytes);
    }
  }
  Json json = {{"timestamp", FormatTimestamp(entry.at)},
               {"severity", SeverityName(entry.level)},
               {"insertId", entry.id},
               {"jsonPayload", std::move(payload)}};
  if (!labels.empty()) json["labels"] = std::move(labels);
  return json;
}

LoggingLogSink::LoggingLogSink(std::string endpoint, RestEnvironment environment,
                               std::string project, std::string name)
    : client_(std::move(endpoint), std::move(environment)),
      project_(std::move(project)),
      name_(std::move(name)) {}

Status LoggingLogSink::WriteEntries(std::span<const cloud::LogEntry> entries) {
  Json request = Json::array();
  size_t bytes = 0;
  Status first_failure;
  // What one request could not bring keeps none of the others back.
  const auto write = [&] {
    const Status written = WriteRequest(std::exchange(request, Json::array()));
    if (!written.ok() && first_failure.ok()) first_failure = written;
  };
  for (const cloud::LogEntry& entry : entries) {
    Json json = LogEntryJson(entry);
    const size_t size = DumpJson(json).size() + 1;
    if (request.size() == kLogRequestEntries || bytes + size > kLogRequestBytes) {
      write();
      bytes = 0;
    }
    bytes += size;
    request.push_back(std::move(json));
  }
  if (!request.empty()) write();
  return first_failure;
}

// Repeatable: of entries with one time and insertId the service shows one. One entry that it does
// not take keeps it from none of the others.
Status LoggingLogSink::WriteRequest(Json entries) const {
  const auto written = client_.Call(
      {.method = "POST",
       .path = "/v2/entries:write",
       .body = Json{{"logName",
                     fmt::format("projects/{}/logs/{}", project_, net::PercentEncode(name_))},
                    {"resource", {{"type", "global"}, {"labels", {{"project_id", project_}}}}},
                    {"partialSuccess", true},
                    {"entries", std::move(entries)}},
       .what = fmt::format("log {} of project {}", name_, project_),
       .names = {.not_found = ErrorId::kProjectNotFound}});
  return written.ok() ? Ok() : Status(written.error());
}

}  // namespace holdfast::gcp
