// A second reader of the process's log: what also goes elsewhere than stderr.
//
// One observer at a time. It is called on the thread that logs, so it must return at once and must
// not log; lines that it causes on a thread of its own are kept from it with LogSilence.
// Thread-safe. Source: issue "Seeing it", Cloud Logging.
#pragma once

#include <functional>
#include <initializer_list>
#include <string_view>

#include "base/log.h"

namespace holdfast {

using LogObserver = std::function<void(LogLevel level, std::string_view message,
                                       std::initializer_list<LogField> fields)>;

// Gives every line of `level` or above to `observer` too, whatever the log itself leaves out. An
// empty one ends it; when this returns, the one before is not called any more.
void ObserveLog(LogLevel level, LogObserver observer);

// While one lives, lines of its thread do not reach the observer.
class LogSilence {
 public:
  LogSilence();
  ~LogSilence();
  LogSilence(const LogSilence&) = delete;
  LogSilence& operator=(const LogSilence&) = delete;

 private:
  bool before_;
};

// "debug", "info", "warning", "error", "off".
std::string_view LogLevelName(LogLevel level);

}  // namespace holdfast
