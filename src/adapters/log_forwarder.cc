#include "adapters/log_forwarder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace holdfast {

namespace {

// More of one text says nothing more to a person, and must not fill the buffer.
constexpr size_t kTextBytesMax = size_t{64} << 10U;

std::string Bounded(std::string_view text) {
  if (text.size() <= kTextBytesMax) return std::string(text);
  return fmt::format("{}... [{} bytes cut]", text.substr(0, kTextBytesMax),
                     text.size() - kTextBytesMax);
}

size_t BytesOf(const cloud::LogEntry& entry) {
  size_t bytes = sizeof(entry) + entry.id.size() + entry.message.size();
  for (const auto& [key, value] : entry.fields) {
    bytes += sizeof(entry.fields.front()) + key.size() + value.size();
  }
  return bytes;
}

}  // namespace

LogForwarder::LogForwarder(cloud::LogSink& sink, const Clock& clock, Random& random,
                           LogForwarderOptions options)
    : sink_(sink), clock_(clock), options_(options), process_(RandomHex(random, 8)) {
  thread_ = std::thread([this] { Run(); });
  ObserveLog(options_.level,
             [this](LogLevel level, std::string_view message,
                    std::initializer_list<LogField> fields) { Take(level, message, fields); });
}

LogForwarder::~LogForwarder() { Stop(); }

void LogForwarder::Stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  ObserveLog(LogLevel::kOff, {});
  wake_.notify_all();
  thread_.join();
  const Counts counts = this->counts();
  if (counts.dropped + counts.not_taken > 0) {
    LogError("log entries did not reach the logging service",
             {{"sent", std::to_string(counts.sent)},
              {"dropped", std::to_string(counts.dropped)},
              {"not_taken", std::to_string(counts.not_taken)}});
  }
}

LogForwarder::Counts LogForwarder::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void LogForwarder::Take(LogLevel level, std::string_view message,
                        std::initializer_list<LogField> fields) {
  cloud::LogEntry entry{.at = clock_.Now(), .level = level, .id = {}, .message = Bounded(message)};
  for (const auto& [key, value] : fields) entry.fields.emplace_back(key, Bounded(value));
  const std::lock_guard lock(mutex_);
  entry.id = fmt::format("{}-{}", process_, taken_++);
  const size_t bytes = BytesOf(entry);
  if (waiting_.size() >= options_.buffer_entries ||
      waiting_bytes_ + bytes > options_.buffer_bytes) {
    ++counts_.dropped;
    return;
  }
  waiting_bytes_ += bytes;
  waiting_.push_back(std::move(entry));
  // The first begins the wait for others; a whole batch ends it.
  if (waiting_.size() == 1 || waiting_.size() >= options_.batch_entries) wake_.notify_one();
}

void LogForwarder::Run() {
  const LogSilence silence;  // what sending causes is not sent
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    wake_.wait_for(lock, options_.age_max,
                   [this] { return stopping_ || waiting_.size() >= options_.batch_entries; });
    SendBatch(lock);
  }
}

void LogForwarder::SendBatch(std::unique_lock<std::mutex>& lock) {
  std::vector<cloud::LogEntry> batch;
  while (!waiting_.empty() && batch.size() < options_.batch_entries) {
    waiting_bytes_ -= BytesOf(waiting_.front());
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  const bool dropped = counts_.dropped > 0 && !std::exchange(told_drop_, true);
  lock.unlock();
  if (dropped) {
    LogError("log entries are dropped: the logging service is slower than the log",
             {{"buffer_entries", std::to_string(options_.buffer_entries)}});
  }
  const Status written = sink_.WriteEntries(batch);
  lock.lock();
  const auto count = static_cast<int64_t>(batch.size());
  if (written.ok()) {
    counts_.sent += count;
    told_failure_ = false;  // the next failure is another one
    return;
  }
  counts_.not_taken += count;
  if (stopping_) GiveUp();
  if (std::exchange(told_failure_, true)) return;
  lock.unlock();
  LogError("the logging service does not take log entries", {{"error", written.error().message}});
  lock.lock();
}

// A service that fails now, after retries, would keep the process from ending batch after batch.
void LogForwarder::GiveUp() {
  counts_.not_taken += static_cast<int64_t>(waiting_.size());
  waiting_.clear();
  waiting_bytes_ = 0;
}

}  // namespace holdfast
