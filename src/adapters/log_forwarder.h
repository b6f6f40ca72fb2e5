// Gives the process's log to a logging service too, from a thread of its own.
//
// Whoever logs never waits for the service: an entry is put into a buffer of bounded size, and
// dropped and counted when that is full. Entries are sent when a batch is together or the oldest is
// some seconds old, and what is left when this goes. What goes wrong is told on the process's log
// once, with a sum at the end, and fails nothing; at the end, one failure is the last try.
// Thread-safe. One at a time: the log has one
// observer (base/log_observer.h). Source: issue "Seeing it", Cloud Logging.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/log_observer.h"
#include "base/random.h"
#include "cloud/log_sink.h"

namespace holdfast {

struct LogForwarderOptions {
  LogLevel level = LogLevel::kInfo;            // lines of this level and above are sent
  size_t buffer_entries = 10'000;              // that wait
  size_t buffer_bytes = size_t{32} << 20U;     // of their texts
  size_t batch_entries = 500;                  // sent at once
  Duration age_max = std::chrono::seconds{2};  // of the oldest, before what is there is sent
};

class LogForwarder {
 public:
  struct Counts {
    int64_t sent = 0;
    int64_t dropped = 0;    // the buffer was full
    int64_t not_taken = 0;  // the service failed, in spite of retries
  };

  // Begins. Borrows sink and clock.
  LogForwarder(cloud::LogSink& sink, const Clock& clock, Random& random,
               LogForwarderOptions options);

  // Sends what waits, and ends.
  ~LogForwarder();
  LogForwarder(const LogForwarder&) = delete;
  LogForwarder& operator=(const LogForwarder&) = delete;

  // Sends what waits and ends: what is logged from now on is not sent. The counts are final then.
  // Idempotent.
  void Stop();

  Counts counts() const;

 private:
  void Take(LogLevel level, std::string_view message, std::initializer_list<LogField> fields);
  void Run();
  void SendBatch(std::unique_lock<std::mutex>& lock);
  void GiveUp();

  cloud::LogSink& sink_;
  const Clock& clock_;
  const LogForwarderOptions options_;
  const std::string process_;  // of this process alone: the beginning of every entry's id
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<cloud::LogEntry> waiting_;
  size_t waiting_bytes_ = 0;
  int64_t taken_ = 0;  // the number of the next entry
  bool stopping_ = false;
  bool told_failure_ = false;
  bool told_drop_ = false;
  Counts counts_;
  std::thread thread_;
};

}  // namespace holdfast
