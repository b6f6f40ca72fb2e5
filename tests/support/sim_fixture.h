// An engine on a simulated cloud: what the tests of backup and restore begin with.
//
// One thread on virtual time, a catalog in memory; `Restart` keeps cloud and catalog and lets
// everything else begin anew, as a process that was killed would.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "backup/run_backup.h"
#include "base/random.h"
#include "base/virtual_clock.h"
#include "catalog/sqlite_catalog.h"
#include "restore/services.h"
#include "sim/sim_cloud.h"

namespace holdfast::testing_support {

inline const TableRef kOrders{"acme-shop", "sales", "orders", ""};

class SimFixture {
 public:
  explicit SimFixture(uint64_t seed = 1)
      : clock_(FromUnixMillis(1'790'000'000'000)),
        cloud_(clock_, {.seed = seed}),
        random_(MakeSeededRandom(seed)),
        catalog_(catalog::SqliteCatalog::Open(":memory:").value()) {}

  sim::SimCloud& cloud() { return cloud_; }
  VirtualClock& clock() { return clock_; }
  catalog::Catalog& catalog() { return *catalog_; }

  backup::Services services() {
    return {.warehouse = cloud_.warehouse(),
            .definitions = cloud_.definitions(),
            .objects = cloud_.objects(),
            .projects = cloud_.projects(),
            .catalog = *catalog_,
            .clock = clock_,
            .random = *random_,
            .organization = "organizations/1",
            .tool_version = "test",
            .quotas = quotas};
  }

  // Google's own, unless a test says otherwise.
  QuotaLimits quotas;

  restore::Services restore_services() {
    return {.warehouse = cloud_.warehouse(),
            .definitions = cloud_.definitions(),
            .objects = cloud_.objects(),
            .catalog = *catalog_,
            .clock = clock_,
            .random = *random_,
            .staging_bucket_pattern = BackupPolicy().staging_bucket_pattern};
  }

  // Another catalog takes its place: one of which the engine is to believe that it is its own.
  void UseCatalog(std::unique_ptr<catalog::Catalog> catalog) { catalog_ = std::move(catalog); }

  // The catalog's file is gone: an empty one takes its place.
  void LoseCatalog() { catalog_ = catalog::SqliteCatalog::Open(":memory:").value(); }

  // The same with a warehouse that is not quite the cloud's.
  backup::Services services(cloud::Warehouse& warehouse) {
    const backup::Services mine = services();
    return {warehouse,  mine.definitions, mine.objects,      mine.projects,     mine.catalog,
            mine.clock, mine.random,      mine.organization, mine.tool_version, mine.quotas};
  }

  // A whole run in this thread.
  Result<RunReport> BackUp(const BackupPolicy& policy = {}) { return BackUp(policy, services()); }
  Result<RunReport> BackUp(const BackupPolicy& policy, const backup::Services& with) {
    const backup::BusSetup setup{.bus = cloud_.bus(), .project = "platform"};
    // A second between runs: ids and times of two runs are never the same.
    clock_.Advance(std::chrono::seconds{1});
    return backup::RunBackups({.policy = policy, .workers = 0}, setup, with,
                              [](const backup::BackupProgress&) {});
  }

 private:
  VirtualClock clock_;
  sim::SimCloud cloud_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<catalog::Catalog> catalog_;
};

// What became of the object. It is in the report.
inline const ItemOutcome& ItemOf(const RunReport& report, const TableRef& object) {
  const auto found = std::ranges::find(report.items, object, &ItemOutcome::object);
  CHECK(found != report.items.end(), "no outcome for " + object.ToString());
  return *found;
}

inline Schema TwoColumns() {
  return {
      {{.name = "id", .type = FieldType::kInt64}, {.name = "name", .type = FieldType::kString}}};
}

inline sim::Rows NumberedRows(int64_t first, int64_t count) {
  sim::Rows rows;
  for (int64_t i = first; i < first + count; ++i) {
    rows.push_back({{"id", std::to_string(i)}, {"name", "row " + std::to_string(i)}});
  }
  return rows;
}

}  // namespace holdfast::testing_support
