// Quotas in the hands of the real stages: virtual days on the simulated cloud.
#include "backup/admission.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/dry_run.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::backup {
namespace {

using testing::HasSubstr;
using testing_support::ItemOf;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

constexpr Duration kDay = std::chrono::hours{24};

class QuotaRun : public testing::Test {
 protected:
  void Limit(const Json& limits) { fixture_.quotas = QuotaLimits::FromJson(limits).value(); }

  static TableRef Table(const std::string& dataset, int number) {
    return {"acme-shop", dataset, fmt::format("t{:03}", number), ""};
  }

  void AddTables(const std::string& dataset, int count) {
    for (int i = 0; i < count; ++i) {
      fixture_.cloud().AddTable(Table(dataset, i), TwoColumns(), NumberedRows(1, 1));
    }
  }

  static BackupPolicy ByCopy() {
    BackupPolicy policy;
    policy.method = Method::kCopy;
    policy.verify = VerifyLevel::kL0;
    policy.forced_full_days = 0;
    policy.freeze = false;  // the clone of a table is a copy job as well
    return policy;
  }

  Result<RunReport> TryRun(const BackupPolicy& policy = ByCopy()) {
    const BusSetup setup{.bus = fixture_.cloud().bus(), .project = "platform"};
    fixture_.clock().Advance(std::chrono::seconds{1});
    return RunBackups({.policy = policy, .document = document_, .workers = 0}, setup,
                      fixture_.services(), [](const BackupProgress&) {});
  }

  RunReport Run(const BackupPolicy& policy = ByCopy()) {
    auto report = TryRun(policy);
    EXPECT_TRUE(report.ok()) << report.error().message;
    return *std::move(report);
  }

  void Classes() {
    document_ = ReadPolicyText(
                    "datasets:\n"
                    "  acme-shop.critical: {class: critical}\n"
                    "  acme-shop.important: {class: important}\n"
                    "  acme-shop.reference: {class: reference}\n",
                    "policy.yaml")
                    .value();
  }

  // Of the tables of a dataset, how many ended so.
  static int64_t Count(const RunReport& report, const std::string& dataset, Outcome outcome) {
    return std::ranges::count_if(report.items, [&](const ItemOutcome& item) {
      return item.object.dataset == dataset && item.outcome == outcome &&
             item.object.table.starts_with("t");
    });
  }

  int64_t Copies() { return fixture_.cloud().JobsStarted("copy"); }

  SimFixture fixture_;
  std::optional<PolicyDocument> document_;
};

// The first days of an organization with more tables than the day's copy jobs allow.
TEST_F(QuotaRun, TakesTheCriticalTablesFirstAndAllOfThemInFourDays) {
  Limit({{"copy_jobs_per_day", 50}});
  Classes();
  AddTables("reference", 80);
  AddTables("important", 60);
  AddTables("critical", 40);
  const struct {
    int64_t critical, important, reference, copies;
  } kDays[] = {{40, 10, 0, 50}, {0, 50, 0, 100}, {0, 0, 50, 150}, {0, 0, 30, 180}, {0, 0, 0, 180}};
  int64_t unchanged = 0;
  for (size_t day = 0; day < std::size(kDays); ++day) {
    const auto& expected = kDays[day];
    const RunReport report = Run();
    EXPECT_EQ(Count(report, "critical", Outcome::kBackedUp), expected.critical) << day;
    EXPECT_EQ(Count(report, "important", Outcome::kBackedUp), expected.important) << day;
    EXPECT_EQ(Count(report, "reference", Outcome::kBackedUp), expected.reference) << day;
    EXPECT_EQ(report.totals.Of(Outcome::kCarried), 180 - expected.copies) << day;
    EXPECT_EQ(report.totals.Of(Outcome::kFailed), 0) << day;
    // Nothing is done twice: what was backed up once is unchanged from then on.
    for (const char* dataset : {"critical", "important", "reference"}) {
      unchanged -= Count(report, dataset, Outcome::kUnchanged);
    }
    EXPECT_EQ(unchanged, 0) << day;
    unchanged = expected.copies;
    EXPECT_EQ(Copies(), expected.copies) << day;
    fixture_.clock().Advance(kDay);
  }
}

TEST_F(QuotaRun, SaysWhyAndWhenOfEachThatIsCarried) {
  Limit({{"copy_jobs_per_day", 2}});
  AddTables("sales", 5);
  const std::string tomorrow = QuotaDate(fixture_.clock().Now(), 1);
  const std::string later = QuotaDate(fixture_.clock().Now(), 2);
  const RunReport report = Run();
  EXPECT_EQ(report.totals.Of(Outcome::kCarried), 3);
  const ItemOutcome& first = ItemOf(report, Table("sales", 2));
  EXPECT_EQ(first.outcome, Outcome::kCarried);
  EXPECT_THAT(first.reason, HasSubstr("2 copy jobs that project acme-shop may use in a day"));
  EXPECT_EQ(first.expected, tomorrow);
  EXPECT_THAT(first.reason, HasSubstr(tomorrow));
  EXPECT_EQ(ItemOf(report, Table("sales", 4)).expected, later);
  const auto read = ItemOutcome::FromJson(first.ToJson());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->expected, tomorrow);
}

TEST_F(QuotaRun, HasNoMoreOnTheSameDayHoweverOftenItRuns) {
  Limit({{"copy_jobs_per_day", 2}});
  AddTables("sales", 5);
  Run();
  EXPECT_EQ(Run().totals.Of(Outcome::kCarried), 3);
  EXPECT_EQ(Copies(), 2);
}

TEST_F(QuotaRun, TakesATableThatWaitsBeforeANewOneOfItsClass) {
  Limit({{"copy_jobs_per_day", 1}});
  AddTables("sales", 1);
  AddTables("zebra", 1);
  EXPECT_EQ(ItemOf(Run(), Table("zebra", 0)).outcome, Outcome::kCarried);
  fixture_.clock().Advance(kDay);
  fixture_.cloud().AppendRows(Table("sales", 0), NumberedRows(10, 1));
  const RunReport report = Run();
  EXPECT_EQ(ItemOf(report, Table("zebra", 0)).outcome, Outcome::kBackedUp);
  EXPECT_EQ(ItemOf(report, Table("sales", 0)).outcome, Outcome::kCarried);
}

TEST_F(QuotaRun, ATableThatHadItsTurnWaitsNoLonger) {
  Limit({{"copy_jobs_per_day", 2}});
  AddTables("important", 3);
  const auto waiting = [&] {
    int count = 0;
    for (int i = 0; i < 3; ++i) {
      const auto since = fixture_.catalog().WaitingSince(Table("important", i));
      count += since.ok() && since->has_value() ? 1 : 0;
    }
    return count;
  };
  Run();
  EXPECT_EQ(waiting(), 1);
  fixture_.clock().Advance(kDay);
  Run();
  EXPECT_EQ(waiting(), 0);
}

// A task of a run that is over, for the functions that workers ask.
class QuotaOfATask : public QuotaRun {
 protected:
  void SetUp() override {
    AddTables("important", 2);
    run_ = Run().run;
  }

  catalog::Task TaskOf(int table, int attempt = 1) const {
    const RunBackup message{.run = run_.id,
                            .table_to_backup = Table("important", table),
                            .method = Method::kCopy,
                            .units = {{.partition = {}, .fingerprint = {}}}};
    return {.id = TaskId(message), .message = message, .attempt = attempt};
  }

  int64_t CopiesUsed() {
    const auto used = fixture_.catalog().UsedOn(DayMs());
    return used->at("acme-shop")[static_cast<size_t>(Quota::kCopyJobs)];
  }
  int64_t DayMs() { return ToUnixMillis(QuotaDayStart(fixture_.clock().Now())); }

  // What becomes of a table of which the service says this.
  ItemOutcome Refused(const std::string& words) {
    StageResult result;
    result.outcomes.push_back(
        FailedOutcome(Table("important", 0), MakeError(ErrorId::kQuotaExceeded, words)));
    EXPECT_TRUE(CarryWhatWasRefused(fixture_.services(), run_, TaskOf(0), result).ok());
    return result.outcomes.front();
  }
  bool IsCarriedAtOnce(int table) {
    const auto carried = CarryWhereUsedUp(fixture_.services(), run_, TaskOf(table));
    EXPECT_TRUE(carried.ok());
    return carried->has_value();
  }

  holdfast::Run run_;
};

TEST_F(QuotaOfATask, AnotherAttemptIsCountedOnce) {
  const catalog::Task first = TaskOf(7);
  ASSERT_TRUE(fixture_.catalog()
                  .CountUse(DayMs(), {{.key = first.id + "/1", .project = "acme-shop"}})
                  .ok());
  const int64_t before = CopiesUsed();
  EXPECT_TRUE(IsAdmitted(fixture_.services(), first).value());
  EXPECT_EQ(CopiesUsed(), before);
  for (int again = 0; again < 2; ++again) {
    EXPECT_TRUE(IsAdmitted(fixture_.services(), TaskOf(7, 2)).value());
    EXPECT_EQ(CopiesUsed(), before + 1);
  }
}

TEST_F(QuotaOfATask, WhatOneTableUsedUpIsNoReasonToCarryTheOthers) {
  EXPECT_EQ(Refused("Quota exceeded: Your table exceeded quota for imports").outcome,
            Outcome::kCarried);
  EXPECT_FALSE(IsCarriedAtOnce(7));
  EXPECT_EQ(Refused("Quota exceeded: Your project exceeded quota for copies").outcome,
            Outcome::kCarried);
  EXPECT_TRUE(IsCarriedAtOnce(7));
  EXPECT_FALSE(IsCarriedAtOnce(0)) << "a backup of it was made in this run already";
}

TEST_F(QuotaRun, TakesReferenceDataBeforeImportantDataOnceItHasWaitedLong) {
  Limit({{"copy_jobs_per_day", 1}});
  Classes();
  AddTables("important", 1);
  AddTables("reference", 1);
  for (int day = 0; day < kAgingDays; ++day) {
    const RunReport report = Run();
    EXPECT_EQ(ItemOf(report, Table("important", 0)).outcome, Outcome::kBackedUp) << day;
    EXPECT_EQ(ItemOf(report, Table("reference", 0)).outcome, Outcome::kCarried) << day;
    fixture_.clock().Advance(kDay);
    fixture_.cloud().AppendRows(Table("important", 0), NumberedRows(10 + day, 1));
  }
  const RunReport report = Run();
  EXPECT_EQ(ItemOf(report, Table("reference", 0)).outcome, Outcome::kBackedUp);
  EXPECT_EQ(ItemOf(report, Table("important", 0)).outcome, Outcome::kCarried);
}

TEST_F(QuotaRun, DividesATableOfMorePartitionsThanADayHasJobs) {
  Limit({{"copy_jobs_per_day", 2}});
  const TableRef events{"acme-shop", "sales", "events", ""};
  const Schema schema{{{.name = "day", .type = FieldType::kDate}}};
  fixture_.cloud().AddTable(
      events, schema, {{{"day", "2026-01-01"}}, {{"day", "2026-01-02"}}, {{"day", "2026-01-03"}}},
      {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
  const RunReport first = Run();
  EXPECT_EQ(ItemOf(first, events.WithPartition("20260102")).outcome, Outcome::kBackedUp);
  EXPECT_EQ(ItemOf(first, events.WithPartition("20260103")).outcome, Outcome::kCarried);
  fixture_.clock().Advance(kDay);
  const RunReport second = Run();
  EXPECT_EQ(ItemOf(second, events.WithPartition("20260103")).outcome, Outcome::kBackedUp);
  EXPECT_EQ(second.totals.Of(Outcome::kCarried), 0);
  EXPECT_EQ(Copies(), 3);
}

// The clone that holds a table of many partitions still is a copy job too.
TEST_F(QuotaRun, CountsTheCloneThatHoldsATableStill) {
  Limit({{"copy_jobs_per_day", 3}});
  const TableRef events{"acme-shop", "sales", "events", ""};
  const Schema schema{{{.name = "day", .type = FieldType::kDate}}};
  fixture_.cloud().AddTable(
      events, schema, {{{"day", "2026-01-01"}}, {{"day", "2026-01-02"}}, {{"day", "2026-01-03"}}},
      {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
  BackupPolicy policy = ByCopy();
  policy.freeze = true;
  const RunReport first = Run(policy);
  EXPECT_EQ(ItemOf(first, events.WithPartition("20260102")).outcome, Outcome::kBackedUp);
  EXPECT_EQ(ItemOf(first, events.WithPartition("20260103")).outcome, Outcome::kCarried);
  EXPECT_EQ(Copies(), 3) << "two partitions and the clone";
  EXPECT_EQ(fixture_.catalog()
                .UsedOn(ToUnixMillis(QuotaDayStart(fixture_.clock().Now())))
                .value()["acme-shop"],
            (QuotaAmounts{0, 0, 3, 0}));
}

TEST_F(QuotaRun, SpreadsOverTheProjectsThatTheJobsRunIn) {
  Limit({{"copy_jobs_per_day", 3}, {"projects", {{"op-two", {{"copy_jobs_per_day", 1}}}}}});
  AddTables("sales", 20);
  BackupPolicy policy = ByCopy();
  policy.backup_operation_projects = {"op-one", "op-two"};
  const RunReport report = Run(policy);
  EXPECT_EQ(Copies(), 4);
  EXPECT_EQ(report.totals.Of(Outcome::kCarried), 16);
}

TEST_F(QuotaRun, FailsWhatFitsNoDayAndTakesTheRest) {
  Limit({{"extract_bytes_per_day", 200}});
  AddTables("sales", 2);
  const TableRef large{"acme-shop", "sales", "large", ""};
  fixture_.cloud().AddTable(large, TwoColumns(), NumberedRows(1, 100));
  const RunReport report = Run({});
  EXPECT_EQ(ItemOf(report, large).outcome, Outcome::kFailed);
  EXPECT_EQ(ItemOf(report, large).error_id, FindError(ErrorId::kQuotaTooSmall).id);
  EXPECT_EQ(Count(report, "sales", Outcome::kBackedUp), 2);
}

TEST_F(QuotaRun, CarriesAllThatIsLeftWhenTheServiceSaysThatTheQuotaIsUsedUp) {
  AddTables("sales", 10);
  fixture_.cloud().faults().FailJobs("copy", "quotaExceeded", 100);
  const RunReport report = Run();
  EXPECT_EQ(report.totals.Of(Outcome::kCarried), 10);
  EXPECT_EQ(report.totals.Of(Outcome::kFailed), 0);
  EXPECT_EQ(Copies(), 1);  // one was refused; the others were not tried
  EXPECT_THAT(ItemOf(report, Table("sales", 9)).reason, HasSubstr("used up"));
  EXPECT_EQ(ItemOf(report, Table("sales", 9)).expected, QuotaDate(fixture_.clock().Now(), 1));
  // The quota may be there again in minutes: another run asks, and the next one gets all.
  fixture_.cloud().faults().FailJobs("copy", "quotaExceeded", 0);
  EXPECT_EQ(Count(Run(), "sales", Outcome::kBackedUp), 10);
}

// Whichever call the process dies at, the day's limit holds, and every table ends with one backup.
TEST_F(QuotaRun, HoldsTheLimitWhenTheProcessDiesAnywhere) {
  int64_t calls = 1;
  for (int64_t call = 1; call <= calls; call += 3) {
    SimFixture fixture(static_cast<uint64_t>(call));
    fixture.quotas = QuotaLimits::FromJson({{"copy_jobs_per_day", 3}}).value();
    for (int i = 0; i < 5; ++i) {
      fixture.cloud().AddTable(Table("sales", i), TwoColumns(), NumberedRows(1, 1));
    }
    const int64_t before = fixture.cloud().faults().calls();
    fixture.cloud().faults().CrashAtCall(call, call % 2 == 0);
    const auto died = fixture.BackUp(ByCopy());
    if (died.ok()) break;
    fixture.cloud().faults().Revive();
    const auto report = fixture.BackUp(ByCopy());
    ASSERT_TRUE(report.ok()) << call << ": " << report.error().message;
    ASSERT_EQ(fixture.cloud().JobsStarted("copy"), 3) << call;
    calls = std::max(calls, fixture.cloud().faults().calls() - before);
    fixture.clock().Advance(kDay);
    const auto next = fixture.BackUp(ByCopy());
    ASSERT_TRUE(next.ok()) << call;
    ASSERT_EQ(fixture.cloud().JobsStarted("copy"), 5) << call;
    ASSERT_EQ(next->totals.Of(Outcome::kCarried), 0) << call;
  }
  EXPECT_GT(calls, 50);
}

TEST_F(QuotaRun, DoesNothingThatWasNotLetThrough) {
  AddTables("sales", 1);
  const Services services = fixture_.services();
  const BusSetup setup{.bus = fixture_.cloud().bus(), .project = "platform"};
  ASSERT_TRUE(EnsureBus(setup).ok());
  holdfast::Run run{.id = "20261121T101844Z-3fa9c1d2", .policy = ByCopy()};
  ASSERT_TRUE(services.catalog.BeginRun(run).ok());
  const WorkMessage wanted = RunBackup{.run = run.id,
                                       .table_to_backup = Table("sales", 0),
                                       .method = Method::kCopy,
                                       .units = {BackupUnit{}}};
  ASSERT_TRUE(services.catalog.CompleteTask(TaskId(StartBackupProcess{run.id}), {wanted}, {}).ok());
  // The message came before its time, perhaps from an older program.
  ASSERT_TRUE(PublishWork(setup, {wanted}).ok());
  Worker worker(setup, services);
  ASSERT_TRUE(worker.RunOnce(Duration{0}).ok());
  EXPECT_EQ(Copies(), 0);
  const auto task = services.catalog.GetTask(TaskId(wanted));
  EXPECT_EQ(task->state, catalog::TaskState::kPending);

  ASSERT_TRUE(AdmitWork(setup, services, run.id, false).ok());
  EXPECT_TRUE(IsAdmitted(services, *task).value());
  ASSERT_TRUE(worker.RunOnce(Duration{0}).ok());
  EXPECT_EQ(Copies(), 1);
}

TEST_F(QuotaRun, IsForetoldByADryRun) {
  Limit({{"copy_jobs_per_day", 50}});
  Classes();
  AddTables("reference", 80);
  AddTables("important", 60);
  AddTables("critical", 40);
  std::vector<RunBackup> planned;
  const auto scratch = catalog::SqliteCatalog::Open("").value();
  const Status plan = PlanBackups(ByCopy(), document_, fixture_.services(), *scratch,
                                  [&](const RunBackup& message) -> Status {
                                    planned.push_back(message);
                                    return Ok();
                                  });
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const auto forecast = ForecastQuota(fixture_.services(), ByCopy(), planned);
  ASSERT_TRUE(forecast.ok()) << forecast.error().message;
  EXPECT_EQ(forecast->plan.days, 4);
  EXPECT_EQ(forecast->plan.units_today, 50);
  EXPECT_EQ(forecast->plan.units_carried, 130);
  for (size_t m = 0; m < planned.size(); ++m) {
    const RunBackup& message = planned[m];
    if (message.data_class == "critical" && message.method == Method::kCopy) {
      EXPECT_EQ(forecast->days_later[m], std::vector<int>{0});
    }
    if (message.data_class == "reference" && message.method == Method::kCopy) {
      EXPECT_GE(forecast->days_later[m].front(), 2);
    }
  }
  EXPECT_EQ(Copies(), 0);
  EXPECT_EQ(Run().totals.Of(Outcome::kCarried), 130);
}

}  // namespace
}  // namespace holdfast::backup
