#include "observe/collect_metrics.h"

#include <algorithm>

#include "observe/object_stream.h"
#include "observe/protection.h"

namespace holdfast::observe {

namespace {

// Datasets that have recovery points of their own in the metrics: more would choke who scrapes.
constexpr size_t kDatasetsMax = 10'000;

double Seconds(int64_t unix_ms) { return static_cast<double>(unix_ms) / 1000; }

// Sums over the newest backups, dataset by dataset.
class BackupSums {
 public:
  BackupSums(const RecentRuns& recent, Timestamp now, MetricSet& metrics)
      : recent_(recent), now_ms_(ToUnixMillis(now)), metrics_(metrics) {}

  Status Visit(const ObjectView& view) {
    const Protection protection = ProtectionOf(view, recent_);
    metrics_.Add(Metric::kVerifyDefects, {}, static_cast<double>(view.damaged.size()));
    metrics_.Add(Metric::kBackupsFromCopies, {}, static_cast<double>(view.from_copies.size()));
    metrics_.Add(Metric::kCopyDefects, {}, static_cast<double>(view.damaged_copies.size()));
    if (protection.is_accepted) metrics_.Add(Metric::kAcceptedLosses, {}, 1);
    if (protection.is_suspect) metrics_.Add(Metric::kBackupSuspects, {}, 1);
    if (protection.IsUnprotected()) metrics_.Add(Metric::kUnprotectedObjects, {}, 1);
    if (view.good == nullptr) return Ok();
    metrics_.Add(Metric::kBackupLogicalBytes, {}, static_cast<double>(view.good->source.bytes));
    metrics_.Add(Metric::kBackupStoredBytes, {}, static_cast<double>(view.good->stored_bytes));
    NoteVerified(*view.good);
    const int newest = view.NewestOutcome();
    const bool is_gone =
        newest >= 0 && view.outcomes[static_cast<size_t>(newest)]->outcome == Outcome::kVanished;
    if (!is_gone)
      NotePoint(view.object.dataset_ref().ToString(), view.RecoveryPointMs(recent_.runs));
    return Ok();
  }

 private:
  void NoteVerified(const catalog::BackupRecord& good) {
    if (good.verified == VerifyLevel::kNone) return;
    const std::string level(VerifyLevelName(good.verified));
    const double at =
        std::max(metrics_.Get(Metric::kVerifyLastSuccess, {level}), Seconds(good.verified_ms));
    metrics_.Set(Metric::kVerifyLastSuccess, {level}, at);
  }

  void NotePoint(const std::string& dataset, int64_t point_ms) {
    const bool is_known = dataset == dataset_;
    if (!is_known && ++datasets_ > kDatasetsMax) return;
    if (is_known && datasets_ > kDatasetsMax) return;
    oldest_ms_ = is_known ? std::min(oldest_ms_, point_ms) : point_ms;
    dataset_ = dataset;
    metrics_.Set(Metric::kRecoveryPoint, {dataset}, Seconds(oldest_ms_));
    metrics_.Set(Metric::kRecoveryPointAge, {dataset}, Seconds(now_ms_ - oldest_ms_));
  }

  const RecentRuns& recent_;
  const int64_t now_ms_;
  MetricSet& metrics_;
  std::string dataset_;
  size_t datasets_ = 0;
  int64_t oldest_ms_ = 0;
};

}  // namespace

Result<MetricSet> MetricsCollector::Collect(Timestamp now) {
  MetricSet metrics;
  for (const Metric counter : {Metric::kBackupAttempts, Metric::kBackupSuccesses,
                               Metric::kBackupPartialFailures, Metric::kBackupFailures}) {
    metrics.Set(counter, {policy_}, 0);
  }
  for (const Metric gauge :
       {Metric::kVerifyDefects, Metric::kBackupsFromCopies, Metric::kCopyDefects,
        Metric::kAcceptedLosses, Metric::kBackupSuspects, Metric::kUnprotectedObjects,
        Metric::kBackupLogicalBytes, Metric::kBackupStoredBytes}) {
    metrics.Set(gauge, {}, 0);
  }
  HF_RETURN_IF_ERROR(CountRuns(metrics));
  HF_RETURN_IF_ERROR(CountObjects(now, metrics));
  return metrics;
}

Result<MetricsCollector::RunEnd> MetricsCollector::EndOf(const Run& run) {
  const auto known = ends_.find(run.id);
  if (known != ends_.end()) return known->second;
  HF_ASSIGN_OR_RETURN(const auto progress, catalog_.GetProgress(run.id));
  const int64_t failed = progress.totals.Of(Outcome::kFailed);
  const RunEnd end = failed == 0 ? RunEnd::kSuccess
                     : failed + progress.totals.Of(Outcome::kExcluded) == progress.totals.objects
                         ? RunEnd::kFailure
                         : RunEnd::kPartialFailure;
  ends_[run.id] = end;
  return end;
}

Status MetricsCollector::CountRuns(MetricSet& metrics) {
  bool is_newest = true;
  return cloud::ForEachPage<Run>(
      [&](const std::string& token) { return catalog_.ListRuns(false, token); },
      [&](Run&& run) -> Status {
        const std::vector<std::string> policy = {run.policy.name};
        metrics.Add(Metric::kBackupAttempts, policy, 1);
        // There from the first attempt, so that a first failure is an increase.
        for (const Metric counter :
             {Metric::kBackupSuccesses, Metric::kBackupPartialFailures, Metric::kBackupFailures}) {
          metrics.Add(counter, policy, 0);
        }
        if (run.state != RunState::kFinished) return Ok();
        HF_ASSIGN_OR_RETURN(const RunEnd end, EndOf(run));
        if (end == RunEnd::kSuccess) {
          metrics.Add(Metric::kBackupSuccesses, policy, 1);
          const double at =
              std::max(metrics.Get(Metric::kBackupLastSuccess, policy), Seconds(run.finished_ms));
          metrics.Set(Metric::kBackupLastSuccess, policy, at);
        } else {
          metrics.Add(
              end == RunEnd::kFailure ? Metric::kBackupFailures : Metric::kBackupPartialFailures,
              policy, 1);
        }
        if (!is_newest) return Ok();
        is_newest = false;
        metrics.Set(Metric::kBackupDuration, policy, Seconds(run.finished_ms - run.started_ms));
        HF_ASSIGN_OR_RETURN(const auto progress, catalog_.GetProgress(run.id));
        for (int i = 0; i < kOutcomes; ++i) {
          const auto outcome = static_cast<Outcome>(i);
          metrics.Set(Metric::kBackupObjects, {std::string(OutcomeName(outcome))},
                      static_cast<double>(progress.totals.Of(outcome)));
        }
        metrics.Set(Metric::kBackupAddedBytes, {}, static_cast<double>(progress.totals.bytes));
        return Ok();
      });
}

Status MetricsCollector::CountObjects(Timestamp now, MetricSet& metrics) {
  HF_ASSIGN_OR_RETURN(const RecentRuns recent, FindRecentRuns(catalog_, whole_));
  BackupSums sums(recent, now, metrics);
  return VisitObjects(catalog_, recent.runs,
                      [&](const ObjectView& view) { return sums.Visit(view); });
}

}  // namespace holdfast::observe
