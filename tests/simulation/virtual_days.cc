#include "tests/simulation/virtual_days.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "backup/rebuild.h"
#include "backup/schedule_runner.h"
#include "model/ids.h"
#include "repository/repository.h"
#include "retain/prune.h"
#include "tests/simulation/fault_rates.h"
#include "verify/drift.h"

namespace holdfast::simulation {

namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr const char* kPolicyText = R"(
defaults:
  schedule: {cron: "0 23 * * *", time_zone: America/New_York}
folders:
  folders/20: {schedule: {cron: "0 8 * * *", time_zone: Europe/Berlin}}
datasets:
  acme-lab.trials: {schedule: "0 2 * * *", method: copy}
)";

RetentionPolicy RetentionOf(const TableRef& object) {
  const char* const text =
      object.project == "acme-shop"
          ? R"({"preset": "gfs", "keep_daily": 4, "deleted_source": {"grace": "10d"}})"
          : R"({"preset": "bbq", "keep_young": 4})";
  return RetentionPolicy::FromJson(ParseJson(text).value()).value();
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
  for (const Method method : {Method::kExport, Method::kCopy, Method::kDefinition}) {
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
    for (ItemOutcome& item : *items) {
      Note("outcome " + std::string(OutcomeName(item.outcome)));
      if (item.suspect) Note("a backup is suspect");
      Say(fmt::format("{} {} {} {}", item.object.ToString(), OutcomeName(item.outcome), item.backup,
                      item.reason));
      CorrectOutcome(run, item);
    }
    if (at_work_[run.id].size() > 1) Note("a run was gone on with");
    expectation_.Follow(run, *items, at_work_[run.id]);
    at_work_.erase(run.id);
  }
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

retain::Services VirtualDays::retain_services() {
  const backup::Services mine = fixture_.services();
  return {.warehouse = mine.warehouse,
          .definitions = mine.definitions,
          .objects = mine.objects,
          .catalog = mine.catalog,
          .clock = mine.clock,
          .random = mine.random,
          .policy_of = [](const TableRef& object) -> Result<RetentionPolicy> {
            return RetentionOf(object);
          }};
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
}

void VirtualDays::LoseCatalog() {
  FinishRuns();
  fixture_.LoseCatalog();
  const auto found = backup::FindRepositories(fixture_.services(), {}, document_);
  ASSERT_TRUE(found.ok()) << found.error().message;
  std::vector<repository::Location> there;
  for (const repository::Location& location : found->repositories) {
    if (!fixture_.cloud().AllObjects(location.bucket).empty()) there.push_back(location);
  }
  const auto rebuilt = backup::RebuildFrom(fixture_.services(), there);
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.error().message;
  EXPECT_EQ(rebuilt->damaged, 0) << rebuilt->problems.front().message;
  Note("the catalog was lost");
  Say(fmt::format("catalog rebuilt from {} manifests", rebuilt->manifests));
}

void VirtualDays::ExpectAllIsWell() {
  FinishRuns();
  const auto found = backup::FindRepositories(fixture_.services(), {}, document_);
  ASSERT_TRUE(found.ok());
  std::vector<repository::Repository> repositories;
  int64_t manifests = 0;
  const backup::Services mine = fixture_.services();
  const verify::Services services{mine.warehouse, mine.objects,
                                  mine.catalog,   mine.clock,
                                  mine.random,    BackupPolicy().staging_bucket_pattern};
  for (const repository::Location& location : found->repositories) {
    auto repository = repository::Repository::Open(mine.objects, location);
    if (!repository.ok()) continue;
    std::set<std::string> seen;
    const Status read = repository::ForEachManifest(
        *repository, {}, [&](const Result<Manifest>& manifest) -> Status {
          HF_RETURN_IF_ERROR(manifest);
          ++manifests;
          EXPECT_TRUE(seen.insert(manifest->backup).second) << manifest->backup << " twice";
          HF_ASSIGN_OR_RETURN(const auto report,
                              verify::VerifyManifest(services, *manifest, VerifyLevel::kL2));
          EXPECT_TRUE(report.Passed()) << DumpJson(report.ToJson());
          return Ok();
        });
    EXPECT_TRUE(read.ok()) << read.error().message;
    repositories.push_back(*std::move(repository));
  }
  EXPECT_GT(manifests, 0);
  const auto drift = verify::CheckDrift(services, repositories);
  ASSERT_TRUE(drift.ok()) << drift.error().message;
  EXPECT_FALSE(drift->HasDamage()) << DumpJson(drift->ToJson());
  EXPECT_EQ(drift->Of(verify::DriftKind::kUnknownBackup), 0) << DumpJson(drift->ToJson());
  EXPECT_TRUE(catalog::VerifyAuditChain(fixture_.catalog()).ok());
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
