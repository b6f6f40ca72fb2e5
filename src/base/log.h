// Structured log: one JSON object a line on stderr or in a file, or short text for a terminal.
//
// Fields are key/value pairs; a value is never a secret (callers pass names and counts, not
// credentials). Levels below the configured one cost a comparison. Thread-safe. Source:
// interfaces.md "Server, API, observability" (ts, level, message, code, fields).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };
enum class LogFormat { kText, kJson };

// One field: a name and its value as text; numbers go through std::to_string.
using LogField = std::pair<std::string_view, std::string>;

// Sets the process's log once, at start. `path` empty: stderr. Default: warnings, text, stderr.
void ConfigureLog(LogLevel level, LogFormat format, const std::string& path = {});

// Writes one line, if `level` is not below the configured one; never fails, and may block on its
// file. The others are this at one level.
void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

inline void LogDebug(std::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kDebug, message, fields);
}
inline void LogInfo(std::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kInfo, message, fields);
}
inline void LogWarning(std::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kWarning, message, fields);
}
inline void LogError(std::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kError, message, fields);
}

}  // namespace holdfast
