// Metrics out of the catalog: they survive a restart, and every process gives the same.
//
// Counters are counts of runs, so they only grow while the ledger is kept; a run that is finished
// is added up once per collector, not once per scrape. Used by one thread at a time.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "observe/metrics.h"

namespace holdfast::observe {

class MetricsCollector {
 public:
  // `policy`: the name of the configuration's policy, whose counters are there from the start.
  // `whole`: the scope that the configuration covers.
  MetricsCollector(catalog::Catalog& catalog, std::string policy, Scope whole)
      : catalog_(catalog), policy_(std::move(policy)), whole_(std::move(whole)) {}

  // The values as of now. Errors: the catalog's.
  Result<MetricSet> Collect(Timestamp now);

 private:
  enum class RunEnd { kSuccess, kPartialFailure, kFailure };

  Status CountRuns(MetricSet& metrics);
  Status CountObjects(Timestamp now, MetricSet& metrics);
  Result<RunEnd> EndOf(const Run& run);

  catalog::Catalog& catalog_;
  const std::string policy_;
  const Scope whole_;
  std::map<std::string, RunEnd> ends_;  // of finished runs
};

}  // namespace holdfast::observe
