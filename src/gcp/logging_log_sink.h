// cloud::LogSink over Cloud Logging's REST API v2, entries:write.
//
// An entry is a jsonPayload with the message and the fields; run and stage are labels too, which
// the service indexes. Requests stay below its limits: 1,000 entries and 10 MB a request, 256 KiB
// an entry, 64 KiB a label. Source: Cloud Logging "Quotas and limits"; LogEntry.insertId.
#pragma once

#include <string>

#include "cloud/log_sink.h"
#include "gcp/rest_client.h"

namespace holdfast::gcp {

inline constexpr size_t kLogRequestEntries = 1'000;
inline constexpr size_t kLogRequestBytes = size_t{8} << 20U;
inline constexpr size_t kLogEntryBytes = size_t{192} << 10U;  // of its texts, escaped

class LoggingLogSink final : public cloud::LogSink {
 public:
  // `endpoint`: "https://logging.googleapis.com" or an emulator's. Entries go to the log `name` of
  // the project.
  LoggingLogSink(std::string endpoint, RestEnvironment environment, std::string project,
                 std::string name);

  Status WriteEntries(std::span<const cloud::LogEntry> entries) override;

 private:
  Status WriteRequest(Json entries) const;

  RestClient client_;
  const std::string project_;
  const std::string name_;
};

// An entry as the API takes it, cut to kLogEntryBytes. Pure.
Json LogEntryJson(const cloud::LogEntry& entry);

}  // namespace holdfast::gcp
