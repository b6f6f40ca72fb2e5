// The registry of metrics, and their values in Prometheus' text form.
//
// Names, types, help and labels are in one table, from which the exposition and the reference come.
// A value can only be added under a metric of the table, with exactly its labels. Not thread-safe.
// Source: interfaces.md "Metrics"; Prometheus text format 0.0.4.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::observe {

enum class Metric {
  kBackupAttempts,
  kBackupSuccesses,
  kBackupPartialFailures,
  kBackupFailures,
  kBackupLastSuccess,
  kBackupDuration,
  kBackupObjects,
  kBackupLogicalBytes,
  kBackupAddedBytes,
  kBackupStoredBytes,
  kRecoveryPoint,
  kRecoveryPointAge,
  kVerifyLastSuccess,
  kVerifyDefects,
  kBackupsFromCopies,
  kCopyDefects,
  kAcceptedLosses,
  kBackupSuspects,
  kUnprotectedObjects,
  kServiceLevelUnprotected,
  kServiceLevelDifferent,
  kServiceLevelTime,
};

struct MetricEntry {
  Metric metric;
  std::string_view name;
  bool is_counter = false;  // else a gauge
  std::string_view help;
  std::string_view labels;  // parted by spaces
};

// All of them, in the order of the enumeration.
std::span<const MetricEntry> AllMetrics();

class MetricSet {
 public:
  // Sets one value; `labels` are as many as the metric has. Setting the same again replaces it.
  void Set(Metric metric, const std::vector<std::string>& labels, double value);

  // Adds to one value, which begins at 0.
  void Add(Metric metric, const std::vector<std::string>& labels, double value);

  // The value; 0 when it was never set.
  double Get(Metric metric, const std::vector<std::string>& labels) const;

  // All values in the order of the table, each metric with its HELP and TYPE.
  std::string ToText() const;

 private:
  std::map<Metric, std::map<std::vector<std::string>, double>> values_;
};

}  // namespace holdfast::observe
