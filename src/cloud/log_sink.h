// Where log entries go besides the process's own log: the interface to a logging service.
//
// Implemented by gcp/ (Cloud Logging). Thread-safe; blocks, so it is called from a thread that has
// nothing else to do (adapters/log_forwarder.h).
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"

namespace holdfast::cloud {

struct LogEntry {
  Timestamp at{};
  LogLevel level = LogLevel::kInfo;
  std::string id;       // by which the service tells a repetition from another entry
  std::string message;  // one line
  std::vector<std::pair<std::string, std::string>> fields;  // "run", "object", "reason"...
};

class LogSink {
 public:
  virtual ~LogSink() = default;

  // Writes the entries, any number of them. Idempotent by id and time; retried. An entry that is
  // too large for the service is cut, and says so. After an error some of them may have been taken.
  virtual Status WriteEntries(std::span<const LogEntry> entries) = 0;
};

}  // namespace holdfast::cloud
