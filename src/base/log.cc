#include "base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <memory>

#include "base/clock.h"
#include "base/json.h"

namespace holdfast {

namespace {

struct LogState {
  std::atomic<LogLevel> level = LogLevel::kWarning;
  std::atomic<LogFormat> format = LogFormat::kText;
  std::shared_ptr<spdlog::logger> logger;
};

std::shared_ptr<spdlog::logger> MakeLogger(const std::string& path) {
  std::shared_ptr<spdlog::sinks::sink> sink;
  if (path.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
  }
  auto logger = std::make_shared<spdlog::logger>("holdfast", sink);
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::info);
  return logger;
}

LogState& State() {
  static LogState state{.logger = MakeLogger({})};
  return state;
}

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
    case LogLevel::kOff:
      break;
  }
  return "off";
}

std::string FormatAsJson(LogLevel level, std::string_view message,
                         std::initializer_list<LogField> fields) {
  Json line = {
      {"ts",
       FormatTimestamp(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()))},
      {"level", LevelName(level)},
      {"message", message}};
  for (const auto& [key, value] : fields) line[std::string(key)] = value;
  return DumpJson(line);
}

std::string FormatAsText(LogLevel level, std::string_view message,
                         std::initializer_list<LogField> fields) {
  std::string line = fmt::format("{}: {}", LevelName(level), message);
  for (const auto& [key, value] : fields) line += fmt::format(" {}={}", key, value);
  return line;
}

}  // namespace

void ConfigureLog(LogLevel level, LogFormat format, const std::string& path) {
  LogState& state = State();
  state.level = level;
  state.format = format;
  if (!path.empty()) state.logger = MakeLogger(path);
}

void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  LogState& state = State();
  if (level < state.level.load()) return;
  const std::string line = state.format.load() == LogFormat::kJson
                               ? FormatAsJson(level, message, fields)
                               : FormatAsText(level, message, fields);
  state.logger->info("{}", line);
}

}  // namespace holdfast
