#include "base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "base/clock.h"
#include "base/json.h"
#include "base/log_observer.h"

namespace holdfast {

namespace {

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

struct LogState {
  std::atomic<LogLevel> level = LogLevel::kWarning;
  std::atomic<LogFormat> format = LogFormat::kText;
  std::shared_ptr<spdlog::logger> logger = MakeLogger({});
  std::atomic<LogLevel> observed_level = LogLevel::kOff;
  std::shared_mutex observer_mutex;
  LogObserver observer;
};

thread_local bool is_silenced = false;

LogState& State() {
  static LogState state;
  return state;
}

std::string FormatAsJson(LogLevel level, std::string_view message,
                         std::initializer_list<LogField> fields) {
  Json line = {
      {"ts",
       FormatTimestamp(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()))},
      {"level", LogLevelName(level)},
      {"message", message}};
  for (const auto& [key, value] : fields) line[std::string(key)] = value;
  return DumpJson(line);
}

std::string FormatAsText(LogLevel level, std::string_view message,
                         std::initializer_list<LogField> fields) {
  std::string line = fmt::format("{}: {}", LogLevelName(level), message);
  for (const auto& [key, value] : fields) line += fmt::format(" {}={}", key, value);
  return line;
}

void TellObserver(LogState& state, LogLevel level, std::string_view message,
                  std::initializer_list<LogField> fields) {
  if (is_silenced || level < state.observed_level.load()) return;
  const std::shared_lock lock(state.observer_mutex);
  if (state.observer) state.observer(level, message, fields);
}

}  // namespace

std::string_view LogLevelName(LogLevel level) {
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

void ObserveLog(LogLevel level, LogObserver observer) {
  LogState& state = State();
  const std::unique_lock lock(state.observer_mutex);
  state.observed_level = observer ? level : LogLevel::kOff;
  state.observer = std::move(observer);
}

LogSilence::LogSilence() : before_(is_silenced) { is_silenced = true; }
LogSilence::~LogSilence() { is_silenced = before_; }

void ConfigureLog(LogLevel level, LogFormat format, const std::string& path) {
  LogState& state = State();
  state.level = level;
  state.format = format;
  if (!path.empty()) state.logger = MakeLogger(path);
}

void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  LogState& state = State();
  TellObserver(state, level, message, fields);
  if (level < state.level.load()) return;
  const std::string line = state.format.load() == LogFormat::kJson
                               ? FormatAsJson(level, message, fields)
                               : FormatAsText(level, message, fields);
  state.logger->info("{}", line);
}

}  // namespace holdfast
