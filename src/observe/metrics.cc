#include "observe/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "base/check.h"

namespace holdfast::observe {

namespace {

constexpr auto kMetrics = std::to_array<MetricEntry>({
    {Metric::kBackupAttempts, "holdfast_backup_attempt_total", true, "Backup runs that were begun",
     "policy"},
    {Metric::kBackupSuccesses, "holdfast_backup_success_total", true,
     "Backup runs in which nothing failed", "policy"},
    {Metric::kBackupPartialFailures, "holdfast_backup_partial_failure_total", true,
     "Backup runs in which something failed and something did not", "policy"},
    {Metric::kBackupFailures, "holdfast_backup_failure_total", true,
     "Backup runs in which everything failed", "policy"},
    {Metric::kBackupLastSuccess, "holdfast_backup_last_success_timestamp_seconds", false,
     "When the newest run ended in which nothing failed", "policy"},
    {Metric::kBackupDuration, "holdfast_backup_duration_seconds", false,
     "How long the newest finished run took", "policy"},
    {Metric::kBackupObjects, "holdfast_backup_objects", false,
     "Objects of the newest finished run, by what became of them", "outcome"},
    {Metric::kBackupLogicalBytes, "holdfast_backup_logical_bytes", false,
     "Bytes that the sources of the newest good backups had", ""},
    {Metric::kBackupAddedBytes, "holdfast_backup_added_bytes", false,
     "Bytes that the newest finished run stored", ""},
    {Metric::kBackupStoredBytes, "holdfast_backup_stored_bytes", false,
     "Bytes that the newest good backups occupy", ""},
    {Metric::kRecoveryPoint, "holdfast_recovery_point_timestamp_seconds", false,
     "The oldest recovery point of the dataset's objects", "dataset"},
    {Metric::kRecoveryPointAge, "holdfast_recovery_point_age_seconds", false,
     "The age of that recovery point when this was written", "dataset"},
    {Metric::kVerifyLastSuccess, "holdfast_verify_last_success_timestamp_seconds", false,
     "When a newest good backup last passed a verification, by level", "level"},
    {Metric::kVerifyDefects, "holdfast_verify_defects", false,
     "Backups, of whatever age, that were found damaged or lost for good, less what was accepted",
     ""},
    {Metric::kBackupsFromCopies, "holdfast_backups_from_copies", false,
     "Backups that were lost where they were and are read from a further repository, less what was "
     "accepted",
     ""},
    {Metric::kCopyDefects, "holdfast_copy_defects", false,
     "Copies of backups in further repositories that were found damaged or gone, less what was "
     "accepted",
     ""},
    {Metric::kAcceptedLosses, "holdfast_accepted_losses", false,
     "Objects of which a person accepted that they, or backups or copies of them, are lost", ""},
    {Metric::kBackupSuspects, "holdfast_backup_suspects", false,
     "Objects whose newest backup is suspect, or that are gone with most rows of their table", ""},
    {Metric::kUnprotectedObjects, "holdfast_backup_unprotected_objects", false,
     "Objects without a good backup, or of a kind that is not backed up", ""},
    {Metric::kServiceLevelUnprotected, "holdfast_service_level_unprotected_tables", false,
     "Tables without a backup so many days after their last change", "days"},
    {Metric::kServiceLevelDifferent, "holdfast_service_level_different_tables", false,
     "Tables unmodified for 3 days whose backup differs in rows or bytes", ""},
    {Metric::kServiceLevelTime, "holdfast_service_level_timestamp_seconds", false,
     "When the service levels were last measured", ""},
});

std::vector<std::string_view> LabelsOf(const MetricEntry& entry) {
  std::vector<std::string_view> labels;
  for (std::string_view rest = entry.labels; !rest.empty();) {
    const size_t end = std::min(rest.find(' '), rest.size());
    labels.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return labels;
}

const MetricEntry& EntryOf(Metric metric) { return kMetrics[static_cast<size_t>(metric)]; }

std::string EscapeLabel(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '"') escaped += '\\';
    if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string NumberText(double value) {
  const bool is_whole = std::floor(value) == value && std::abs(value) < 9e15;
  return is_whole ? fmt::format("{}", static_cast<int64_t>(value)) : fmt::format("{}", value);
}

}  // namespace

std::span<const MetricEntry> AllMetrics() { return kMetrics; }

void MetricSet::Set(Metric metric, const std::vector<std::string>& labels, double value) {
  CHECK(labels.size() == LabelsOf(EntryOf(metric)).size(), std::string(EntryOf(metric).name));
  values_[metric][labels] = value;
}

void MetricSet::Add(Metric metric, const std::vector<std::string>& labels, double value) {
  Set(metric, labels, Get(metric, labels) + value);
}

double MetricSet::Get(Metric metric, const std::vector<std::string>& labels) const {
  const auto found = values_.find(metric);
  if (found == values_.end()) return 0;
  const auto value = found->second.find(labels);
  return value == found->second.end() ? 0 : value->second;
}

std::string MetricSet::ToText() const {
  std::string text;
  for (const auto& [metric, samples] : values_) {
    const MetricEntry& entry = EntryOf(metric);
    const auto labels = LabelsOf(entry);
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", entry.name, entry.help, entry.name,
                        entry.is_counter ? "counter" : "gauge");
    for (const auto& [values, value] : samples) {
      std::string pairs;
      for (size_t i = 0; i < labels.size(); ++i) {
        pairs += fmt::format("{}{}=\"{}\"", i == 0 ? "" : ",", labels[i], EscapeLabel(values[i]));
      }
      text += fmt::format("{}{} {}\n", entry.name, pairs.empty() ? "" : "{" + pairs + "}",
                          NumberText(value));
    }
  }
  return text;
}

}  // namespace holdfast::observe
