#include "tests/simulation/virtual_days.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "backup/schedule_runner.h"
#include "model/ids.h"
#include "retain/prune.h"
#include "tests/simulation/fault_rates.h"

namespace holdfast::simulation {

namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr const char* kPolicyText = R"(
defaults:
  schedule: {cron: "0 23 * * *", time_zone: America/New_York}
  repositories:
    - {bucket_pattern: "{project}-vault", prefix: copies, project: acme-vault, location: EU}
folders:
  folders/20: {schedule: {cron: "0 8 * * *", time_zone: Europe/Berlin}}
datasets:
  acme-lab.trials: {schedule: "0 2 * * *", method: copy}
tables:
  acme-books.accounts.chart: {method: snapshot}
  acme-books.accounts.entries: {method: [export, snapshot]}
  acme-shop.sales.archive: {method: [export, snapshot]}
)";

// Backed up by export and by snapshot.
const TableRef kByTwoMethods[] = {{"acme-shop", "sales", "archive", ""},
                                  {"acme-books", "accounts", "entries", ""}};

bool HasTwoMethods(const TableRef& object) {
  return std::ranges::find(kByTwoMethods, object.WholeTable()) != std::end(kByTwoMethods);
}

}  // namespace

VirtualDays::VirtualDays(uint64_t seed)
    : fixture_(seed),
      random_(seed),
      organization_(fixture_.cloud(), random_),
      document_(ReadPolicyText(kPolicyText, "policy.yaml").value()) {
  fixture_.cloud().AddProject("acme-scratch", "organizations/2");
}

void VirtualDays::Say(const std::string& line) {
  trace_.push_back(FormatTimestamp(fixture_.clock().Now()) + " " + line);
}

void VirtualDays::Live(int days) {
  for (int day = 0; day < days; ++day) {
    SCOPED_TRACE(fmt::format("day {}", day));
    for (int hour = 0; hour < 24; ++hour) LiveHour(hour);
    if (testing::Test::HasFailure()) return;
  }
}

void VirtualDays::LiveHour(int hour) {
  for (uint64_t edits = Below(3); edits > 0; --edits) {
    const std::string edit = organization_.Edit();
    Note(edit.substr(0, edit.find(" acme-")));
    Say(edit);
  }
  Tick(true);
  fixture_.clock().Advance(minutes{30});
  Tick(true);
  if (hour == 11) {
    FinishRuns();
    RestoreEverything();
  }
  if (hour == 17) Prune();
  if (hour == 20 && Chance(4)) LoseCatalog();
  fixture_.clock().Advance(minutes{30});
}

void VirtualDays::Tick(bool faults) {
  const Timestamp now = fixture_.clock().Now();
  const std::vector<Schedule> schedules = document_.Schedules();
  const auto history = backup::ReadScheduleHistory(fixture_.catalog(), schedules, now);
  ASSERT_TRUE(history.ok()) << history.error().message;
  const auto decision = backup::DecideDue(schedules, *history, now);
  if (!decision.missed.empty()) Note("a schedule was missed");
  if (!decision.due.empty()) RunDue(decision.due, faults);
}

void VirtualDays::SetFaults() {
  sim::FaultPlan& faults = fixture_.cloud().faults();
  if (Chance(60)) {
    faults.SetRates(DrawFaultRates(AtWork::kDaysBackup, random_));
    Note("services failed");
  }
  if (Chance(35)) faults.CrashAtCall(1 + static_cast<int64_t>(Below(400)), Chance(50));
  if (Chance(8)) {
    denied_ = organization_.datasets()[Below(organization_.datasets().size())].project;
    faults.DenyAccess(*denied_);
    Note("a project denied access");
  }
  if (Chance(8)) {
    faults.FailJobs(Chance(50) ? "extract" : "copy", "quotaExceeded",
                    1 + static_cast<int>(Below(9)));
    Note("a quota was used up");
  }
  if (Chance(5)) {
    fixture_.clock().Advance(-minutes{10});
    Note("the clock was set back");
  }
}

void VirtualDays::ClearFaults() {
  sim::FaultPlan& faults = fixture_.cloud().faults();
  if (faults.crashed()) Note("the process died");
  faults.Revive();
  faults.SetRates({});
  faults.FailJobs("extract", "", 0);
  faults.FailJobs("copy", "", 0);
  if (denied_) faults.AllowAccess(*denied_);
  denied_.reset();
}

void VirtualDays::RunDue(const std::vector<std::string>& due, bool faults) {
  const Truth truth = organization_.Look();
  const auto unfinished = catalog::UnfinishedRun(fixture_.catalog());
  ASSERT_TRUE(unfinished.ok());
  if (*unfinished) at_work_[(*unfinished)->id].push_back(truth);
  if (faults) SetFaults();
  const backup::BusSetup setup{.bus = fixture_.cloud().bus(), .project = "platform"};
  backup::BackupRequest request{.policy = {}, .document = document_, .due = due, .workers = 0};
  const backup::Services services = fixture_.services();
  const auto report =
      backup::RunBackups(request, setup, services, [](const backup::BackupProgress&) {});
  Say(fmt::format("run for {}: {} after {} calls", fmt::join(due, ", "),
                  report.ok() ? DumpJson(report->totals.ToJson()) : report.error().message,
                  fixture_.cloud().faults().calls()));
  EXPECT_TRUE(faults || report.ok()) << report.error().message;
  ClearFaults();
  const auto runs = fixture_.catalog().ListRuns(false, "");
  ASSERT_TRUE(runs.ok());
  for (const Run& run : runs->items) {
    const bool is_new = !followed_.contains(run.id) && !at_work_.contains(run.id);
    if (is_new) at_work_[run.id].push_back(truth);
  }
  FollowRuns();
}

// An object whose backup an earlier attempt had committed is told as failed when the last attempt
// of its message failed as a whole. That backup is there, and is what a restore takes.
void VirtualDays::CorrectOutcome(const Run& run, ItemOutcome& item) {
  if (!IsNotSaved(item) || item.object.table.empty()) return;
  for (const Method method :
       {Method::kExport, Method::kCopy, Method::kSnapshot, Method::kDefinition}) {
    if (item.method && *item.method != method) continue;
    const auto found =
        fixture_.catalog().FindBackups({.id_prefix = BackupId(run.id, item.object, method)}, "");
    ASSERT_TRUE(found.ok());
    if (found->items.empty()) continue;
    Note("a failed object has a backup nevertheless");
    item.outcome = Outcome::kBackedUp;
    item.backup = found->items.front().backup;
    item.suspect = !found->items.front().suspect.empty();
  }
}

// In the order in which they began.
void VirtualDays::FollowRuns() {
  auto runs = fixture_.catalog().ListRuns(false, "");
  ASSERT_TRUE(runs.ok());
  std::ranges::reverse(runs->items);
  for (const Run& run : runs->items) {
    if (run.state != RunState::kFinished || !followed_.insert(run.id).second) continue;
    auto items = catalog::AllOutcomes(fixture_.catalog(), run.id);
    ASSERT_TRUE(items.ok());
    for (const ItemOutcome& item : *items) {
      Note("outcome " + std::string(OutcomeName(item.outcome)));
      if (item.suspect) Note("a backup is suspect");
      Say(fmt::format("{} {} {} {}", item.object.ToString(), OutcomeName(item.outcome), item.backup,
                      item.reason));
    }
    if (at_work_[run.id].size() > 1) Note("a run was gone on with");
    FollowRun(run, *items);
    at_work_.erase(run.id);
  }
}

void VirtualDays::FollowRun(const Run& run, const std::vector<ItemOutcome>& items) {
  std::vector<ItemOutcome> objects;
  std::vector<ItemOutcome> snapshots;
  const auto add = [&](ItemOutcome item) {
    CorrectOutcome(run, item);
    (item.method == Method::kSnapshot ? snapshots : objects).push_back(std::move(item));
  };
  for (const ItemOutcome& item : items) {
    if (item.object.table.empty()) {
      objects.push_back(item);
      snapshots.push_back(item);
    } else if (!HasTwoMethods(item.object)) {
      ItemOutcome only = item;
      only.method.reset();
      CorrectOutcome(run, only);
      objects.push_back(std::move(only));
    } else if (!item.by_method.empty()) {
      for (const ItemOutcome& of_method : item.by_method) add(of_method);
    } else {
      for (const Method method : {Method::kExport, Method::kSnapshot}) {
        ItemOutcome of_method = item;
        of_method.method = method;
        if (!item.method || item.method == method) add(std::move(of_method));
      }
    }
  }
  expectation_.Follow(run, objects, at_work_[run.id]);
  snapshots_.Follow(run, snapshots, at_work_[run.id]);
}

const Expectation& VirtualDays::OracleOf(const TableRef& object) const {
  const TableRef table = object.WholeTable();
  if (!HasTwoMethods(table)) return expectation_;
  return snapshots_.NewestRunOf(table) > expectation_.NewestRunOf(table) ? snapshots_
                                                                         : expectation_;
}

std::vector<TableRef> VirtualDays::ExpectedIn(const DatasetRef& dataset) const {
  std::vector<TableRef> objects;
  for (const Expectation* expectation : {&expectation_, &snapshots_}) {
    for (const TableRef& object : expectation->PresentIn(dataset)) {
      if (&OracleOf(object) == expectation) objects.push_back(object);
    }
  }
  return objects;
}

bool VirtualDays::IsUncertain(const TableRef& object) const {
  return expectation_.IsUncertain(object) || snapshots_.IsUncertain(object);
}

// What was interrupted is gone on with, without faults.
void VirtualDays::FinishRuns() {
  for (int tries = 0; tries < 3; ++tries) {
    const auto unfinished = catalog::UnfinishedRun(fixture_.catalog());
    ASSERT_TRUE(unfinished.ok());
    if (!*unfinished) return;
    fixture_.clock().Advance(minutes{20});
    Tick(false);
  }
  const auto unfinished = catalog::UnfinishedRun(fixture_.catalog());
  EXPECT_TRUE(unfinished.ok() && !*unfinished) << "a run does not end";
}

void VirtualDays::Prune() {
  sim::FaultPlan& faults = fixture_.cloud().faults();
  const bool quiet = Chance(50);
  if (!quiet) {
    faults.SetRates(DrawFaultRates(AtWork::kDaysPrune, random_));
    if (Chance(50)) faults.CrashAtCall(1 + static_cast<int64_t>(Below(120)), Chance(50));
  }
  const retain::Services services = retain_services();
  const retain::PruneOptions options;
  const auto plan =
      retain::PlanPrune(services, options, [](const retain::RetentionPlan&) { return Ok(); });
  if (plan.ok()) {
    const auto report = retain::ApplyPrune(services, options, *plan);
    if (report.ok()) {
      const auto deleted = report->Count(retain::PruneAction::kDelete, retain::PruneOutcome::kDone);
      Say(fmt::format("prune deleted {} of {} backups", deleted, plan->backups));
      happened_["backups were deleted"] += static_cast<int>(deleted);
    }
    EXPECT_TRUE(!quiet || report.ok()) << report.error().message;
  }
  EXPECT_TRUE(!quiet || plan.ok()) << plan.error().message;
  if (faults.crashed()) Note("a prune was cut short");
  ClearFaults();
  expectation_.ForgetRemoved(fixture_.catalog());
  snapshots_.ForgetRemoved(fixture_.catalog());
}

std::vector<Timestamp> VirtualDays::StartsOf(const std::string& schedule) {
  std::vector<Timestamp> starts;
  const Status listed = cloud::ForEachPage<Run>(
      [&](const std::string& token) { return fixture_.catalog().ListRuns(false, token); },
      [&](Run&& run) -> Status {
        if (std::ranges::find(run.due, schedule) != run.due.end()) {
          starts.push_back(FromUnixMillis(run.started_ms));
        }
        return Ok();
      });
  EXPECT_TRUE(listed.ok());
  std::ranges::reverse(starts);
  return starts;
}

}  // namespace holdfast::simulation
