// The real engine on the simulated cloud, for many seeds: people edit tables, services fail, the
// process dies at a random call; and whenever the faults stop for one run, everything that is there
// is protected and can be restored.
//
// HOLDFAST_SEEDS is how many seeds are tried (default 200), HOLDFAST_FIRST_SEED the first (1): a
// seed that fails is named and fails again. Source: DESIGN §8 "simulation".
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "repository/repository.h"
#include "restore/apply.h"
#include "restore/unfinished.h"
#include "tests/support/sim_fixture.h"
#include "verify/verify.h"

namespace holdfast {
namespace {

using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const TableRef kOrders{"acme-shop", "sales", "orders", ""};
const TableRef kKept{"acme-shop", "sales", "kept", ""};
const TableRef kEvents{"acme-shop", "sales", "events", ""};
const TableRef kView{"acme-shop", "sales", "latest", ""};
const DatasetRef kDataset{"acme-shop", "sales"};
constexpr const char* kRoutine = "net";
constexpr int kDays = 4;

uint64_t NumberOf(const char* variable, uint64_t fallback) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

// What happened in all seeds together: a simulation in which nothing goes wrong proves nothing.
std::map<std::string, int>& Happened() {
  static std::map<std::string, int> counts;
  return counts;
}

// The clock of a worker: each wait is a chance for somebody else.
class InterruptedClock final : public Clock {
 public:
  using Interruption = std::function<void(const backup::BusSetup&, const backup::Services&)>;

  InterruptedClock(Clock& clock, Interruption interruption)
      : clock_(clock), interruption_(std::move(interruption)) {}

  // From now on; both outlive it.
  void Begin(const backup::BusSetup& setup, const backup::Services& services) {
    setup_ = &setup;
    services_ = &services;
  }

  Timestamp Now() const override { return clock_.Now(); }
  void SleepFor(Duration duration) override {
    if (setup_ != nullptr) interruption_(*setup_, *services_);
    clock_.SleepFor(duration);
  }

 private:
  Clock& clock_;
  Interruption interruption_;
  const backup::BusSetup* setup_ = nullptr;
  const backup::Services* services_ = nullptr;
};

class Simulation {
 public:
  explicit Simulation(uint64_t seed) : fixture_(seed), random_(seed) {
    fixture_.cloud().AddProject("acme-shop");
    fixture_.cloud().AddProject("acme-scratch", "organizations/2");
    fixture_.cloud().AddDataset(kOrders.dataset_ref());
    policy_.shrink_threshold = 0;  // people delete at will here, and mean it
    if (Chance(30)) policy_.method = Method::kCopy;
  }

  void Run() {
    for (int day = 0; day < kDays; ++day) {
      for (uint64_t edits = Below(4); edits > 0; --edits) Edit();
      BackUpUnderFaults();
      fixture_.clock().Advance(std::chrono::hours{1});
      // A run that sees no table at all is an error.
      if (!fixture_.cloud().HasTable(kKept)) {
        fixture_.cloud().AddTable(kKept, TwoColumns(), NumberedRows(1, 1));
      }
      // What the faults left unfinished; an object whose tries they used up has failed in it.
      ASSERT_TRUE(fixture_.BackUp(policy_).ok());
      const auto report = fixture_.BackUp(policy_);
      ASSERT_TRUE(report.ok()) << report.error().message;
      ExpectEverythingProtected(*report);
      ExpectEveryManifestWhole();
      ExpectRestoreEqual("day_" + std::to_string(day));
      fixture_.clock().Advance(std::chrono::hours{22});
    }
    for (const auto& [kind, times] : fixture_.cloud().faults().Struck()) {
      Happened()["fault " + kind] += static_cast<int>(times);
    }
  }

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool Chance(int percent) { return Below(100) < static_cast<uint64_t>(percent); }

  std::string Day() { return "2026-01-0" + std::to_string(1 + Below(5)); }

  sim::Rows EventRows() {
    sim::Rows rows;
    for (uint64_t i = 0; i <= Below(4); ++i) {
      rows.push_back({{"day", Day()}, {"what", "event " + std::to_string(Below(1000))}});
    }
    return rows;
  }

  void Edit() {
    sim::SimCloud& cloud = fixture_.cloud();
    fixture_.clock().Advance(std::chrono::minutes{1});
    if (!cloud.HasTable(kOrders)) {
      cloud.AddTable(kOrders, TwoColumns(), NumberedRows(1, 20));
      return Note("a table was created anew");
    }
    if (!cloud.HasTable(kEvents)) {
      const Schema schema{{{.name = "day", .type = FieldType::kDate},
                           {.name = "what", .type = FieldType::kString}}};
      return cloud.AddTable(kEvents, schema, EventRows(),
                            {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
    }
    switch (Below(10)) {
      case 0:
        return cloud.AppendRows(kOrders, NumberedRows(static_cast<int64_t>(Below(1000)), 3));
      case 1:
        return cloud.AppendRows(kEvents, EventRows());
      case 2:
        // As many rows, of as many bytes: only the time tells.
        return cloud.ReplaceRows(kOrders, NumberedRows(100 + static_cast<int64_t>(Below(800)), 20));
      case 3:
        return cloud.SetDescription(Chance(50) ? kOrders : kEvents, "edited");
      case 4:
        Note("a table was dropped");
        return cloud.DropTable(Chance(50) ? kOrders : kEvents);
      case 5:
        cloud.StreamRows(kEvents, EventRows());
        return Note("rows were streamed");
      case 6:
        return cloud.FlushStreaming(kEvents);
      case 7:
        return EditView();
      case 8:
        return EditRoutine();
      default:
        return cloud.DeletePartition(kEvents.WithPartition("20260101"));
    }
  }

  void EditView() {
    sim::SimCloud& cloud = fixture_.cloud();
    if (cloud.HasTable(kView) && Chance(30)) return cloud.DropTable(kView);
    cloud.PutView(kView, "SELECT " + std::to_string(Below(3)) + " FROM sales.kept");
    Note("a view was edited");
  }

  void EditRoutine() {
    routine_ = Chance(30) ? "" : std::to_string(Below(3)) + " * x";
    if (routine_.empty()) return fixture_.cloud().DropRoutine(kDataset, kRoutine);
    fixture_.cloud().PutRoutine(kDataset, kRoutine, routine_);
    Note("a routine was edited");
  }

  void BackUpUnderFaults() {
    sim::FaultPlan& faults = fixture_.cloud().faults();
    if (Chance(60)) {
      faults.SetRates({.unavailable = 0.005,
                       .throttled = 0.005,
                       .reset_before = 0.005,
                       .reset_after = 0.01,
                       .timeout = 0.005,
                       .cut_read = 0.02,
                       .job_failure = 0.05,
                       .drop_table = Chance(20) ? 0.02 : 0.0,
                       .lost_ack = 0.05,
                       .lost_message = 0.005,
                       .duplicate_message = 0.1,
                       .delayed_message = 0.05,
                       .reordered_message = 0.2,
                       .corrupt_write = Chance(30) ? 0.1 : 0.0});
      Note("services failed");
    }
    if (Chance(10)) faults.DenyAccess(Chance(50) ? "acme-shop.sales" : kOrders.ToString());
    if (Chance(10)) faults.FailJobs(Chance(50) ? "extract" : "copy", "quotaExceeded", 3);
    if (Chance(15)) {
      fixture_.clock().Advance(Chance(50) ? std::chrono::minutes{-30} : std::chrono::hours{5});
      Note("the clock jumped");
    }
    if (Chance(50)) faults.CrashAtCall(1 + static_cast<int64_t>(Below(300)), Chance(50));
    // A process that ends with an error is started again, as by whoever watches over it.
    auto report = BackUpWithSeveralWorkers();
    for (int again = 0; again < 8 && !report.ok() && !faults.crashed(); ++again) {
      report = BackUpWithSeveralWorkers();
    }
    if (report.ok()) Note("a run ended under faults");
    if (faults.crashed()) Note("the process died");
    if (report.ok() && report->totals.Of(Outcome::kFailed) > 0) Note("an object failed");
    faults.Revive();
    faults.SetRates({});
    faults.AllowAccess("acme-shop.sales");
    faults.AllowAccess(kOrders.ToString());
    for (const char* kind : {"extract", "copy"}) faults.FailJobs(kind, "", 0);
  }

  // Whenever a worker waits, another may take a message, and a table may be made anew.
  Result<RunReport> BackUpWithSeveralWorkers() {
    const backup::Services mine = fixture_.services();
    int at_work = 0;
    InterruptedClock clock(
        fixture_.clock(), [&](const backup::BusSetup& setup, const backup::Services& with) {
          if (at_work < 3 && Chance(30)) {
            ++at_work;
            (void)backup::Worker(setup, with).RunOnce(Duration{0});
            --at_work;
            Note("workers took turns");
          }
          if (Chance(1) && fixture_.cloud().HasTable(kOrders)) {
            fixture_.cloud().DropTable(kOrders);
            fixture_.clock().Advance(std::chrono::milliseconds{1});
            fixture_.cloud().AddTable(kOrders, TwoColumns(),
                                      NumberedRows(static_cast<int64_t>(Below(1000)), 20));
            Note("a table was made anew under a run");
          }
        });
    const backup::Services with{mine.warehouse, mine.definitions,  mine.objects,
                                mine.projects,  mine.catalog,      clock,
                                mine.random,    mine.organization, mine.tool_version};
    const backup::BusSetup setup{.bus = fixture_.cloud().bus(), .project = "platform"};
    clock.Begin(setup, with);
    fixture_.clock().Advance(std::chrono::seconds{1});
    return backup::RunBackups(
        {.policy = policy_, .workers = 0, .stall_timeout = std::chrono::minutes{4}}, setup, with,
        [](const backup::BackupProgress&) {});
  }

  // Objects as they are at the source: the table, or each of its partitions.
  std::vector<TableRef> Present() {
    std::vector<TableRef> objects;
    for (const TableRef& table : {kOrders, kEvents}) {
      if (!fixture_.cloud().HasTable(table)) continue;
      std::set<TableRef> partitions;
      for (const Json& row : fixture_.cloud().ReadRows(table)) {
        if (table == kOrders) break;
        std::string day = row.at(0).get<std::string>();
        std::erase(day, '-');
        partitions.insert(table.WithPartition(day));
      }
      if (table == kOrders) partitions.insert(table);
      objects.insert(objects.end(), partitions.begin(), partitions.end());
    }
    return objects;
  }

  // Each object that is there has a good backup with as many rows as it has.
  void ExpectEverythingProtected(const RunReport& report) {
    EXPECT_EQ(report.totals.Of(Outcome::kFailed), 0);
    std::vector<TableRef> definitions = {DatasetObject(kDataset)};
    if (fixture_.cloud().HasTable(kView)) definitions.push_back(kView);
    if (!routine_.empty()) definitions.push_back(RoutineObject(kDataset, kRoutine));
    for (const TableRef& object : definitions) {
      const auto latest = catalog::LatestGood(fixture_.catalog(), object);
      ASSERT_TRUE(latest.ok() && latest->has_value()) << object.ToString() << " has no backup";
      EXPECT_TRUE(IsDefinitionOnly((*latest)->kind)) << object.ToString();
    }
    for (const TableRef& object : Present()) {
      const auto latest = catalog::LatestGood(fixture_.catalog(), object);
      ASSERT_TRUE(latest.ok() && latest->has_value()) << object.ToString() << " has no backup";
      EXPECT_EQ((*latest)->rows, static_cast<int64_t>(fixture_.cloud().ReadRows(object).size()))
          << object.ToString();
    }
  }

  // A manifest that can be seen has all its data, to the last bit, and no backup is there twice.
  void ExpectEveryManifestWhole() {
    cloud::ObjectStore& objects = fixture_.cloud().objects();
    const std::string bucket = FillBucketPattern(policy_.bucket_pattern, "acme-shop", "US");
    auto repository = repository::Repository::Open(objects, {bucket, ""});
    if (!repository.ok()) return;  // nothing was there to be backed up yet
    std::set<std::string> seen;
    const Status read = repository::ForEachManifest(
        *repository, {}, [&](const Result<Manifest>& manifest) -> Status {
          HF_RETURN_IF_ERROR(manifest);
          EXPECT_TRUE(seen.insert(manifest->backup).second) << manifest->backup;
          if (manifest->copy) {
            const sim::Rows rows = fixture_.cloud().ReadRows(*manifest->copy);
            EXPECT_EQ(manifest->rows, static_cast<int64_t>(rows.size())) << manifest->backup;
            Note("a copy was made");
            return Ok();
          }
          HF_ASSIGN_OR_RETURN(const auto report,
                              verify::VerifyBackup(objects, *manifest, VerifyLevel::kL2));
          EXPECT_TRUE(report.Passed()) << DumpJson(report.ToJson());
          return Ok();
        });
    EXPECT_TRUE(read.ok()) << read.error().message;
  }

  Result<restore::RestoreReport> Restore(const std::string& to) {
    restore::RestoreRequest request;
    request.source = {.project = "acme-shop", .dataset = "sales"};
    request.to_project = "acme-scratch";
    request.to_dataset = to;
    HF_ASSIGN_OR_RETURN(const auto plan,
                        restore::PlanRestore(request, fixture_.restore_services()));
    return restore::Apply(request, plan, fixture_.restore_services());
  }

  // The dataset comes back as it is, even if the process dies once meanwhile.
  void ExpectRestoreEqual(const std::string& to) {
    if (Present().empty()) return;
    fixture_.cloud().faults().CrashAtCall(1 + static_cast<int64_t>(Below(80)), Chance(50));
    const auto first = Restore(to);
    if (fixture_.cloud().faults().crashed()) Note("a restore was cut short");
    const bool done = first.ok() && first->Succeeded();
    fixture_.cloud().faults().Revive();
    if (!done) {
      const auto report = Restore(to);
      ASSERT_TRUE(report.ok()) << report.error().message;
      EXPECT_TRUE(report->Succeeded());
    }
    for (const TableRef& table : {kOrders, kEvents}) {
      const TableRef back{"acme-scratch", to, table.table, ""};
      ASSERT_EQ(fixture_.cloud().HasTable(back), fixture_.cloud().HasTable(table));
      if (!fixture_.cloud().HasTable(table)) continue;
      EXPECT_EQ(fixture_.cloud().ReadRows(back), fixture_.cloud().ReadRows(table));
      Note("a table was restored");
    }
    const TableRef view{"acme-scratch", to, kView.table, ""};
    ASSERT_EQ(fixture_.cloud().HasTable(view), fixture_.cloud().HasTable(kView));
    const auto routine = fixture_.cloud().definitions().GetRoutine({"acme-scratch", to}, kRoutine);
    ASSERT_EQ(routine.ok(), !routine_.empty());
    if (routine.ok()) {
      EXPECT_EQ(routine->resource["definitionBody"], routine_);
      Note("a routine was restored");
    }
  }

  static void Note(const std::string& what) { ++Happened()[what]; }

  SimFixture fixture_;
  std::mt19937_64 random_;
  BackupPolicy policy_;
  std::string routine_;  // its body now; empty: there is none
};

TEST(BackupSimulation, WhateverHappenedOneQuietRunProtectsEverything) {
  const uint64_t first = NumberOf("HOLDFAST_FIRST_SEED", 1);
  const uint64_t seeds = NumberOf("HOLDFAST_SEEDS", 200);
  ASSERT_GT(seeds, 0u);
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE("replay with HOLDFAST_SEEDS=1 HOLDFAST_FIRST_SEED=" + std::to_string(seed));
    Simulation(seed).Run();
    if (HasFailure()) break;
  }
  if (seeds < 100 || HasFailure()) return;
  for (const char* event : {"a table was created anew",
                            "a table was dropped",
                            "rows were streamed",
                            "services failed",
                            "the process died",
                            "a copy was made",
                            "a restore was cut short",
                            "a table was restored",
                            "a view was edited",
                            "a routine was edited",
                            "a routine was restored",
                            "workers took turns",
                            "a run ended under faults",
                            "a table was made anew under a run",
                            "the clock jumped",
                            "fault unavailable",
                            "fault throttled",
                            "fault timeout",
                            "fault reset_before",
                            "fault reset_after",
                            "fault cut_read",
                            "fault crash",
                            "fault denied",
                            "fault job_refused",
                            "fault job_failure",
                            "fault drop_table",
                            "fault lost_ack",
                            "fault lost_message",
                            "fault duplicate_message",
                            "fault delayed_message",
                            "fault reordered_message",
                            "fault corrupt_write"}) {
    EXPECT_GT(Happened()[event], 0) << event;
  }
}

}  // namespace
}  // namespace holdfast
