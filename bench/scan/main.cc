// The scan of an organization that is computed, not stored.
//
//   scan_bench calls DATASETS TABLES PARTITIONS WORKERS   everything has a backup, 1 % changed
//   scan_bench memory DATASETS TABLES PARTITIONS FILE     nothing has; the ledger is in FILE
//
// `calls` prints how many calls to services the scan makes, and how long it takes if each lasts 50
// ms and each worker has one under way: virtual time, in which a piece is done by the worker that
// is free first, once the piece before it is done. Beside it what one get per table and per
// partition costs, as BBQ does. `memory` prints the peak of resident memory.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>

#include "backup/scan_stage.h"
#include "base/random.h"
#include "base/virtual_clock.h"
#include "bench/scan/synthetic_manifests.h"
#include "catalog/sqlite_catalog.h"
#include "sim/sim_cloud.h"
#include "tests/support/synthetic_warehouse.h"

namespace holdfast::bench {
namespace {

using testing_support::NoDefinitions;
using testing_support::SyntheticSize;
using testing_support::SyntheticWarehouse;

constexpr int64_t kCallMs = 50;
constexpr int64_t kChangedEvery = 100;
constexpr const char* kRun = "20270101T000000Z-00000001";

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "{}\n", result.error().ToString());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

struct World {
  World(const SyntheticSize& with_size, const std::string& file)
      : size(with_size), catalog(Must(catalog::SqliteCatalog::Open(file))) {}

  backup::Services services() {
    return {.warehouse = warehouse,
            .definitions = definitions,
            .objects = manifests,
            .projects = cloud.projects(),
            .catalog = *catalog,
            .clock = clock,
            .random = *random,
            .organization = "organizations/1",
            .tool_version = "bench"};
  }
  int64_t Calls() const { return warehouse.calls + definitions.calls + manifests.calls; }

  SyntheticSize size;
  VirtualClock clock{FromUnixMillis(1'800'000'000'000)};
  sim::SimCloud cloud{clock};
  std::unique_ptr<Random> random = MakeSeededRandom(1);
  SyntheticWarehouse warehouse{size};
  NoDefinitions definitions;
  SyntheticManifests manifests{size, warehouse};
  std::unique_ptr<catalog::SqliteCatalog> catalog;
};

// A good backup of everything there is.
void RecordAll(World& world) {
  const int64_t each = std::max<int64_t>(world.size.partitions, 1);
  for (int64_t dataset = 0; dataset < world.size.datasets; ++dataset) {
    const DatasetRef ref{world.size.project, SyntheticWarehouse::NameOf("d", dataset)};
    for (int64_t number = 0; number < world.size.tables * each; ++number) {
      const TableRef object = world.manifests.ObjectOf(ref, number);
      const TableInfo info = world.warehouse.InfoOf(object);
      catalog::BackupRecord record;
      record.backup = SyntheticManifests::BackupOf(object);
      record.object = object;
      record.created_ms = ToUnixMillis(world.clock.Now()) - 1;
      record.consistent_through_ms = record.created_ms;
      record.source =
          object.partition.empty()
              ? FingerprintOf(info)
              : FingerprintOf(info, world.warehouse.PartitionOf(ref, number / each, number % each));
      record.bucket = FillBucketPattern(BackupPolicy().bucket_pattern, ref.project, "US");
      record.rows = record.source.rows;
      Must<void>(world.catalog->RecordBackup(record));
    }
  }
}

struct Scanned {
  int64_t tasks = 0;
  int64_t outcomes = 0;
  int64_t units = 0;
  int64_t end_ms = 0;  // virtual
};

// Scans the project to its end, with the tasks in the ledger as a run has them.
Scanned Scan(World& world, int workers) {
  Scanned scanned;
  const backup::Services services = world.services();
  backup::StageContext context;
  context.run.id = kRun;
  context.run.started_ms = ToUnixMillis(world.clock.Now());
  Must<void>(world.catalog->BeginRun(context.run));
  CheckProjectTables first;
  first.run = kRun;
  first.project_to_check = world.size.project;
  Must<void>(world.catalog->CompleteTask(TaskId(StartBackupProcess{kRun}), {first}, {}));
  std::vector<int64_t> free_ms(static_cast<size_t>(workers), 0);
  std::deque<std::pair<int64_t, CheckProjectTables>> ready = {{0, first}};
  while (!ready.empty()) {
    const auto [ready_ms, check] = std::move(ready.front());
    ready.pop_front();
    const int64_t calls_before = world.Calls();
    const auto result = Must(backup::ScanProject(check, context, services));
    const auto worker = std::ranges::min_element(free_ms);
    *worker = std::max(*worker, ready_ms) + (world.Calls() - calls_before) * kCallMs;
    scanned.end_ms = std::max(scanned.end_ms, *worker);
    Must<void>(world.catalog->CompleteTask(TaskId(check), result.follow_ups, result.outcomes));
    ++scanned.tasks;
    scanned.outcomes += static_cast<int64_t>(result.outcomes.size());
    for (const WorkMessage& follow_up : result.follow_ups) {
      if (const auto* piece = std::get_if<CheckProjectTables>(&follow_up)) {
        ready.emplace_back(*worker, *piece);
      } else {
        scanned.units += static_cast<int64_t>(std::get<RunBackup>(follow_up).units.size());
      }
    }
  }
  return scanned;
}

int64_t PeakKilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

void MeasureCalls(const SyntheticSize& size, int workers) {
  World world(size, ":memory:");
  RecordAll(world);
  world.warehouse.changed_every = kChangedEvery;
  const int64_t before = world.Calls();
  const Scanned scanned = Scan(world, workers);
  const int64_t ours = world.Calls() - before;
  // A page of datasets, a page of 1,000 tables each, then one get for each table and partition.
  const int64_t tables = size.datasets * size.tables;
  const int64_t gets = tables * (1 + size.partitions);
  const int64_t lists =
      (size.datasets + 999) / 1'000 + size.datasets * ((size.tables + 999) / 1'000);
  fmt::print(
      "{{\"tables\": {}, \"partitions\": {}, \"tasks\": {}, \"changed\": {}, \"calls\": {}, "
      "\"seconds\": {:.1f}, \"bbq_calls\": {}, \"bbq_seconds\": {:.1f}}}\n",
      tables, tables * size.partitions, scanned.tasks, scanned.units, ours,
      static_cast<double>(scanned.end_ms) / 1'000, gets + lists,
      static_cast<double>((gets + lists) * kCallMs) / 1'000 / workers);
}

void MeasureMemory(const SyntheticSize& size, const std::string& file) {
  World world(size, file);
  const int64_t before = PeakKilobytes();
  const auto begin = std::chrono::steady_clock::now();
  const Scanned scanned = Scan(world, 1);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  fmt::print(
      "{{\"tables\": {}, \"units\": {}, \"tasks\": {}, \"start_mib\": {}, \"peak_mib\": {}, "
      "\"wall\": {:.0f}}}\n",
      size.datasets * size.tables, scanned.units, scanned.tasks, before / 1'024,
      PeakKilobytes() / 1'024, wall.count());
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  using namespace holdfast::bench;
  if (argc != 6) {
    fmt::print(stderr, "usage: scan_bench calls|memory DATASETS TABLES PARTITIONS WORKERS|FILE\n");
    return 2;
  }
  holdfast::testing_support::SyntheticSize size;
  size.datasets = std::atoll(argv[2]);
  size.tables = std::atoll(argv[3]);
  size.partitions = std::atoll(argv[4]);
  if (std::string(argv[1]) == "memory") {
    MeasureMemory(size, argv[5]);
  } else {
    MeasureCalls(size, std::atoi(argv[5]));
  }
  return 0;
}
