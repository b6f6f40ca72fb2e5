// Metrics for whoever scrapes: out of the catalog, and the service levels as last measured.
//
// Service levels are kept in the data directory, since measuring them lists every source.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/environment.h"
#include "observe/collect_metrics.h"
#include "observe/service_levels.h"

namespace holdfast::cli {

// The levels as last measured; nullopt: they never were. Errors: kFileError, kInvalidJson.
Result<std::optional<observe::ServiceLevels>> ReadServiceLevels(const std::string& data_dir);

// Measures them and keeps them. Errors: of listing the organization, of the catalog, of the file,
// and of `on_miss`.
Result<observe::ServiceLevels> MeasureAndKeepServiceLevels(
    Environment& environment,
    const std::function<Status(const observe::ServiceLevelMiss& miss)>& on_miss);

// Thread-safe: any number of scrapes may come at once. What was collected is given again for a
// while, so that scrapes cannot keep the catalog busy.
class MetricsSource {
 public:
  explicit MetricsSource(Environment& environment);

  // Prometheus' text form. Errors: the catalog's.
  Result<std::string> Text();

 private:
  Environment& environment_;
  std::mutex mutex_;
  observe::MetricsCollector collector_;
  std::string text_;
  Timestamp collected_{};
};

}  // namespace holdfast::cli
