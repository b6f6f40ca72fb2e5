// The log entries of localcloud, in SQLite: what entries:write was given, for entries:list.
//
// Entries of one project with the same time and insertId are one. Those older than the retention,
// and the oldest ones over the greatest number, go with the next write. What was answered is
// durable. Thread-safe. Errors of all calls: kDiskFull, kLocalDatabaseFailed.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "localcloud/sqlite/database.h"

namespace holdfast::logging {

struct LogStoreOptions {
  Duration retention = std::chrono::hours{24 * 30};
  int64_t entries_max = 1'000'000;
};

// One entry as it is kept.
struct StoredEntry {
  std::string project;
  Timestamp at;
  std::string insert_id;
  Json entry;  // the LogEntry whole
};

// A place in a listing; both members empty: before its first entry.
struct LogPosition {
  std::optional<Timestamp> at;
  std::string insert_id;
};

class LogStore {
 public:
  // Opens or creates the store in the file `path`. `clock` outlives it.
  static Result<std::unique_ptr<LogStore>> Open(const std::string& path, const Clock& clock,
                                                LogStoreOptions options = {});

  // Adds them, all or none. Those older than the retention or more than a day ahead are taken and
  // not kept, as Cloud Logging does.
  Status Write(const std::vector<StoredEntry>& entries);

  // Entries of the project behind `after`, by time and insertId, ascending or descending, until
  // `visit` says false.
  Status Visit(const std::string& project, bool descending, const LogPosition& after,
               const std::function<bool(const StoredEntry& entry)>& visit);

 private:
  LogStore(std::unique_ptr<sqlite::Database> database, const Clock& clock, LogStoreOptions options)
      : database_(std::move(database)), clock_(clock), options_(options) {}
  Status Trim();

  std::mutex mutex_;
  const std::unique_ptr<sqlite::Database> database_;
  const Clock& clock_;
  const LogStoreOptions options_;
};

}  // namespace holdfast::logging
