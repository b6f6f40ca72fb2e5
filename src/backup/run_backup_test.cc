#include "backup/run_backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/backup_stage.h"
#include "base/retry.h"
#include "repository/repository.h"
#include "repository/run_file.h"
#include "tests/support/altered_warehouse.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::backup {
namespace {

using testing_support::AlteredWarehouse;
using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const TableRef kEvents{"acme-shop", "sales", "events", ""};

void AddOrders(SimFixture& fixture) {
  fixture.cloud().AddProject("acme-shop");
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
}

// A table partitioned by day, with rows of three days.
void AddEvents(SimFixture& fixture) {
  const Schema schema{
      {{.name = "day", .type = FieldType::kDate}, {.name = "what", .type = FieldType::kString}}};
  const sim::Rows rows = {{{"day", "2026-01-01"}, {"what", "a"}},
                          {{"day", "2026-01-02"}, {"what", "b"}},
                          {{"day", "2026-01-02"}, {"what", "c"}},
                          {{"day", "2026-01-03"}, {"what", "d"}}};
  fixture.cloud().AddTable(kEvents, schema, rows,
                           {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
}

const ItemOutcome* Find(const RunReport& report, const TableRef& object) {
  for (const ItemOutcome& item : report.items) {
    if (item.object == object) return &item;
  }
  return nullptr;
}

Outcome OutcomeOf(const RunReport& report, const TableRef& object) {
  const ItemOutcome* item = Find(report, object);
  CHECK(item != nullptr, "no outcome for " + object.ToString());
  return item->outcome;
}

// The dataset itself is one more object beside its tables and partitions.
constexpr int64_t kDatasetObjects = 1;

TEST(RunBackups, BacksUpEveryTableAndEachPartition) {
  SimFixture fixture;
  AddOrders(fixture);
  AddEvents(fixture);
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->totals.Of(Outcome::kBackedUp), 4 + kDatasetObjects);
  EXPECT_EQ(report->totals.rows, 14);
  EXPECT_EQ(Find(*report, kEvents.WithPartition("20260102"))->rows, 2);
}

TEST(RunBackups, DoesNothingForWhatDidNotChange) {
  SimFixture fixture;
  AddOrders(fixture);
  AddEvents(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const int64_t jobs = fixture.cloud().JobsStarted("extract");
  const auto second = fixture.BackUp();
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_EQ(second->totals.Of(Outcome::kUnchanged), 4 + kDatasetObjects);
  EXPECT_EQ(second->totals.objects, 4 + kDatasetObjects);
  EXPECT_EQ(fixture.cloud().JobsStarted("extract"), jobs);
}

TEST(RunBackups, TakesJustWhatChangedAndNamesWhatIsGone) {
  SimFixture fixture;
  AddOrders(fixture);
  AddEvents(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().AppendRows(kEvents, {{{"day", "2026-01-01"}, {"what", "e"}}});
  fixture.cloud().DeletePartition(kEvents.WithPartition("20260103"));
  fixture.cloud().DropTable(kOrders);
  const TableRef added{"acme-shop", "sales", "added", ""};
  fixture.cloud().AddTable(added, TwoColumns(), NumberedRows(1, 1));

  const auto report = fixture.BackUp();

  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(OutcomeOf(*report, kEvents.WithPartition("20260101")), Outcome::kBackedUp);
  EXPECT_EQ(OutcomeOf(*report, kEvents.WithPartition("20260102")), Outcome::kUnchanged);
  EXPECT_EQ(OutcomeOf(*report, kEvents.WithPartition("20260103")), Outcome::kVanished);
  EXPECT_EQ(OutcomeOf(*report, kOrders), Outcome::kVanished);
  EXPECT_EQ(OutcomeOf(*report, added), Outcome::kBackedUp);
  EXPECT_EQ(report->totals.objects, 5 + kDatasetObjects);
}

TEST(RunBackups, TellsAnEditedDescriptionFromChangedRows) {
  SimFixture fixture;
  AddOrders(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().SetDescription(kOrders, "what people bought");
  const auto edited = fixture.BackUp();
  ASSERT_TRUE(edited.ok());
  EXPECT_EQ(OutcomeOf(*edited, kOrders), Outcome::kMetadataOnly);

  // The same number of rows and bytes, a new description, and yet another row.
  fixture.clock().Advance(std::chrono::minutes{1});
  sim::Rows rows = NumberedRows(1, 10);
  rows[4]["name"] = "now 5";
  fixture.cloud().ReplaceRows(kOrders, rows);
  fixture.cloud().SetDescription(kOrders, "what people wanted");
  const auto both = fixture.BackUp();
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(OutcomeOf(*both, kOrders), Outcome::kBackedUp);
}

TEST(RunBackups, KeepsAShrunkTableAsSuspectAndTakesItAgain) {
  SimFixture fixture;
  AddOrders(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto good = catalog::LatestGood(fixture.catalog(), kOrders);
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().ReplaceRows(kOrders, {});
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(Find(*report, kOrders)->reason, testing::HasSubstr("suspect"));
  EXPECT_EQ((*catalog::LatestGood(fixture.catalog(), kOrders))->backup, (*good)->backup);
}

TEST(RunBackups, ReportsAProjectThatDeniesAccessAndBacksUpTheOthers) {
  SimFixture fixture;
  AddOrders(fixture);
  fixture.cloud().AddTable({"acme-secret", "vault", "keys", ""}, TwoColumns(), NumberedRows(1, 1));
  fixture.cloud().faults().DenyAccess("acme-secret");
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(OutcomeOf(*report, kOrders), Outcome::kBackedUp);
  EXPECT_EQ(report->totals.Of(Outcome::kFailed), 1);
  EXPECT_EQ(Find(*report, {.project = "acme-secret"})->error_id, "G0006");
}

TEST(RunBackups, NamesAProjectInWhichTheApiIsOffAndDoesNotFailForIt) {
  SimFixture fixture;
  AddOrders(fixture);
  fixture.cloud().AddProject("acme-web");
  fixture.cloud().faults().TurnApiOff("acme-web");
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->totals.Of(Outcome::kFailed), 0);
  const ItemOutcome* item = Find(*report, {.project = "acme-web"});
  ASSERT_NE(item, nullptr);
  EXPECT_EQ(item->outcome, Outcome::kUnsupported);
  EXPECT_THAT(item->reason, testing::HasSubstr("API is off"));
}

// A run whose tasks another worker has taken, which says for `alive` that it is at them; how long
// the run waited before it ended with an error.
Duration WaitedFor(Duration alive) {
  SimFixture fixture;
  AddOrders(fixture);
  const BusSetup setup{.bus = fixture.cloud().bus(), .project = "platform"};
  const Services services = fixture.services();
  const Timestamp started = fixture.clock().Now();
  const cloud::SubscriptionRef subscription{"platform", std::string(kStartTopic) + "-holdfast"};
  const auto report =
      RunBackups({.policy = {}, .workers = 0}, setup, services, [&](const BackupProgress& at) {
        const auto messages = setup.bus.Pull(subscription, 10, Duration{0});
        for (const cloud::ReceivedMessage& taken : messages.value()) {
          EXPECT_TRUE(setup.bus.Acknowledge(subscription, std::span(&taken.ack_id, 1)).ok());
        }
        const auto tasks = services.catalog.PendingTasks(at.run, "");
        const Timestamp now = fixture.clock().Now();
        if (now - started < alive) {
          EXPECT_TRUE(services.catalog.NoteAlive(tasks->items.at(0).id, ToUnixMillis(now)).ok());
        }
      });
  EXPECT_EQ(report.ok() ? ErrorId::kUnknown : report.error().id, ErrorId::kRunStalled);
  return fixture.clock().Now() - started;
}

TEST(RunBackups, WaitsForATaskAsLongAsItsWorkerLives) {
  EXPECT_LT(WaitedFor(Duration{0}), std::chrono::minutes{16});
  const Duration waited = WaitedFor(std::chrono::hours{2});
  EXPECT_GT(waited, std::chrono::minutes{134});
  EXPECT_LT(waited, std::chrono::minutes{136});
}

// The other side of it: the worker that waits for a job says that it lives, and when.
TEST(Worker, SaysThatItLivesWhileItWaitsForAJob) {
  SimFixture fixture;
  AddOrders(fixture);
  const Services services = fixture.services();
  // Half a lease is shorter than the job, or longer.
  for (const int lease_seconds : {10, 60}) {
    const BusSetup setup{.bus = fixture.cloud().bus(),
                         .project = "platform",
                         .subscription_suffix = "-" + std::to_string(lease_seconds),
                         .ack_deadline_seconds = lease_seconds};
    fixture.clock().Advance(std::chrono::minutes{1});
    fixture.cloud().AppendRows(kOrders, NumberedRows(lease_seconds * 100, 1));
    const int64_t begun_ms = ToUnixMillis(fixture.clock().Now());
    const auto report =
        RunBackups({.policy = {}, .workers = 0}, setup, services, [](const BackupProgress&) {});
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_EQ(OutcomeOf(*report, kOrders), Outcome::kBackedUp);
    const int64_t alive_ms = services.catalog.GetProgress(report->run.id)->alive_ms;
    if (lease_seconds == 10) {
      EXPECT_GE(alive_ms, begun_ms + 5000);
      EXPECT_LE(alive_ms, report->run.finished_ms);
    } else {
      EXPECT_EQ(alive_ms, 0) << "a lease that is young needs no sign of life";
    }
  }
}

TEST(RunBackups, CallsATableThatIsDroppedAfterTheScanDeleted) {
  SimFixture fixture;
  AddOrders(fixture);
  fixture.cloud().faults().SetRates({.drop_table = 1});
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(OutcomeOf(*report, kOrders), Outcome::kVanished);
}

TEST(RunBackups, TriesAJobThatFailedForAPassingReasonAgain) {
  SimFixture fixture;
  AddOrders(fixture);
  fixture.cloud().faults().FailJobs("extract", "backendError", 2);
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(OutcomeOf(*report, kOrders), Outcome::kBackedUp);
  EXPECT_EQ(fixture.cloud().JobsStarted("extract"), 3);
}

TEST(RunBackups, ReportsAJobThatFailsForGood) {
  SimFixture fixture;
  AddOrders(fixture);
  AddEvents(fixture);
  fixture.cloud().faults().FailJobs("extract", "invalid", 1);
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->totals.Of(Outcome::kFailed), 1);
  EXPECT_EQ(report->totals.Of(Outcome::kBackedUp), 3 + kDatasetObjects);
}

TEST(RunBackups, TakesAnExportOnlyWhenEveryFileThatTheJobWroteIsThere) {
  const struct {
    int lies;  // jobs that tell of a file that is not there
    Outcome outcome;
  } cases[] = {{0, Outcome::kBackedUp}, {1, Outcome::kBackedUp}, {100, Outcome::kFailed}};
  for (const auto& [lies, outcome] : cases) {
    SimFixture fixture;
    AddOrders(fixture);
    AlteredWarehouse warehouse(fixture.cloud().warehouse());
    warehouse.change_status = [&, most = lies](cloud::JobStatus& done) {
      if (fixture.cloud().JobsStarted("extract") <= most) ++done.output_files;
    };
    const auto report = fixture.BackUp({}, fixture.services(warehouse));
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(OutcomeOf(*report, kOrders), outcome) << lies;
    const bool is_good = catalog::LatestGood(fixture.catalog(), kOrders).value().has_value();
    EXPECT_EQ(is_good, outcome == Outcome::kBackedUp) << lies;
    if (is_good) continue;
    EXPECT_EQ(Find(*report, kOrders)->error_id, FindError(ErrorId::kExtractIncomplete).id);
  }
}

TEST(BackUpTable, AJobThatFailedForAWorkerThatDiedIsAskedForAgainUnderAnotherId) {
  SimFixture fixture;
  AddOrders(fixture);
  fixture.cloud().faults().FailJobs("extract", "invalid", 1);
  const Services services = fixture.services();
  const auto table = services.warehouse.GetTable(kOrders);
  ASSERT_TRUE(table.ok());
  StageContext context;
  context.run.id = "run";
  const RunBackup message{.run = "run",
                          .table_to_backup = kOrders,
                          .method = Method::kExport,
                          .units = {{.partition = "", .fingerprint = FingerprintOf(*table)}}};
  const auto first = BackUpTable(message, context, services);
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(first->outcomes.at(0).outcome, Outcome::kFailed);
  // Nothing of that was recorded; the next worker has the same attempt.
  const auto second = BackUpTable(message, context, services);
  ASSERT_FALSE(second.ok());
  EXPECT_TRUE(IsRetryable(second.error()));
  context.attempt = 2;
  const auto third = BackUpTable(message, context, services);
  ASSERT_TRUE(third.ok()) << third.error().message;
  EXPECT_EQ(third->outcomes.at(0).outcome, Outcome::kBackedUp);
}

TEST(BackUpTable, HoldsTheTimeAtWhichTheJobBeganAlthoughAnotherWorkerFoundItLater) {
  for (const Method method : {Method::kExport, Method::kCopy}) {
    SimFixture fixture;
    AddOrders(fixture);
    const Services services = fixture.services();
    const auto table = services.warehouse.GetTable(kOrders);
    const std::string kind = method == Method::kExport ? "extract" : "copy";
    StageContext context;
    context.run.id = "20261121T101844Z-3fa9c1d2";
    const RunBackup message{.run = context.run.id,
                            .table_to_backup = kOrders,
                            .method = method,
                            .units = {{.partition = "", .fingerprint = FingerprintOf(*table)}}};
    // The first worker lives until its job is under way.
    context.keep_alive = [&]() -> Status {
      if (fixture.cloud().JobsStarted(kind) == 0) return Ok();
      return MakeError(ErrorId::kCancelled, "killed");
    };
    const int64_t read_ms = ToUnixMillis(fixture.clock().Now());
    ASSERT_FALSE(BackUpTable(message, context, services).ok());
    fixture.clock().Advance(std::chrono::hours{1});
    fixture.cloud().AppendRows(kOrders, NumberedRows(11, 5));

    context.keep_alive = [] { return Status(); };
    const auto result = BackUpTable(message, context, services);

    ASSERT_TRUE(result.ok()) << result.error().message;
    ASSERT_EQ(fixture.cloud().JobsStarted(kind), 1) << "it was found again";
    const auto record = catalog::GetBackup(fixture.catalog(), result->outcomes.at(0).backup);
    ASSERT_TRUE(record.ok()) << record.error().message;
    EXPECT_EQ(record->rows, 10);
    EXPECT_EQ(record->consistent_through_ms, read_ms) << kind;
  }
}

TEST(RunBackups, WritesManifestsThatVerify) {
  SimFixture fixture;
  AddOrders(fixture);
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok());
  const auto record = catalog::GetBackup(fixture.catalog(), Find(*report, kOrders)->backup);
  ASSERT_TRUE(record.ok());
  auto repository =
      repository::Repository::Open(fixture.cloud().objects(), {record->bucket, record->prefix});
  ASSERT_TRUE(repository.ok());
  const auto manifest = repository->ReadManifest(kOrders, record->backup);
  ASSERT_TRUE(manifest.ok()) << manifest.error().message;
  EXPECT_EQ(manifest->rows, 10);
  EXPECT_EQ(manifest->objects.size(), 1u);
  EXPECT_EQ(manifest->verified, VerifyLevel::kL2);
  EXPECT_TRUE(repository::ReadRunFile(*repository, report->run.id).ok());
}

TEST(RunBackups, LeavesNothingInTheStagingBucket) {
  SimFixture fixture;
  AddOrders(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const std::string staging =
      FillBucketPattern(BackupPolicy().staging_bucket_pattern, "acme-shop", "US");
  EXPECT_TRUE(fixture.cloud().AllObjects(staging).empty());
}

TEST(RunBackups, FinishesARunOfAnotherScopeAndThenDoesWhatWasAsked) {
  SimFixture fixture;
  AddOrders(fixture);
  AddEvents(fixture);
  BackupPolicy orders;
  orders.scope.include = {"acme-shop.sales.orders"};
  fixture.cloud().faults().CrashAtCall(12);
  ASSERT_FALSE(fixture.BackUp(orders).ok());
  fixture.cloud().faults().Revive();
  fixture.clock().Advance(std::chrono::minutes{10});
  BackupPolicy events;
  events.scope.include = {"acme-shop.sales.events"};

  const auto report = fixture.BackUp(events);

  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->run.policy, events);
  EXPECT_EQ(report->totals.objects, 3);
  EXPECT_EQ(OutcomeOf(*report, kEvents.WithPartition("20260101")), Outcome::kBackedUp);
  EXPECT_TRUE((*catalog::LatestGood(fixture.catalog(), kOrders)).has_value());
}

TEST(RunBackups, LooksAtTheTablesAnewAfterFinishingAnEarlierRun) {
  SimFixture fixture;
  AddOrders(fixture);
  fixture.cloud().faults().CrashAtCall(15);
  ASSERT_FALSE(fixture.BackUp().ok());
  fixture.cloud().faults().Revive();
  fixture.clock().Advance(std::chrono::minutes{10});
  fixture.cloud().AppendRows(kOrders, NumberedRows(11, 5));
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ((*catalog::LatestGood(fixture.catalog(), kOrders))->rows, 15);
}

TEST(RunBackups, NamesWhatIsGoneAlthoughARunOfAnotherScopeWasInBetween) {
  SimFixture fixture;
  AddOrders(fixture);
  AddEvents(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  BackupPolicy events;
  events.scope.include = {"acme-shop.sales.events"};
  ASSERT_TRUE(fixture.BackUp(events).ok());
  fixture.cloud().DropTable(kOrders);
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(OutcomeOf(*report, kOrders), Outcome::kVanished);
}

TEST(BackUpTable, TakesTheBackupThatAnotherWorkerCommittedMeanwhile) {
  SimFixture fixture;
  AddOrders(fixture);
  const Services services = fixture.services();
  const auto table = services.warehouse.GetTable(kOrders);
  ASSERT_TRUE(table.ok());
  StageContext context;
  context.run.id = "20261121T101844Z-3fa9c1d2";
  const RunBackup message{.run = context.run.id,
                          .table_to_backup = kOrders,
                          .method = Method::kExport,
                          .units = {{.partition = "", .fingerprint = FingerprintOf(*table)}}};
  // While this worker waits for the job, the other one does all of the work and clears up.
  bool first = true;
  context.keep_alive = [&]() -> Status {
    if (services.warehouse.GetTable(kOrders).ok() && first &&
        fixture.cloud().JobsStarted("extract") == 1) {
      first = false;
      StageContext other;
      other.run.id = context.run.id;
      CHECK(BackUpTable(message, other, services).ok(), "the other worker");
    }
    return Ok();
  };
  const auto result = BackUpTable(message, context, services);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_FALSE(first);
  EXPECT_EQ(result->outcomes.at(0).outcome, Outcome::kBackedUp) << result->outcomes.at(0).reason;
}

TEST(RunBackups, RefusesAScopeThatFitsNothing) {
  SimFixture fixture;
  AddOrders(fixture);
  BackupPolicy mistyped;
  mistyped.scope.include = {"acme-shop.sale"};
  const auto report = fixture.BackUp(mistyped);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().id, ErrorId::kNothingInScope);
  EXPECT_THAT(report.error().message, testing::HasSubstr("acme-shop.sale"));
}

TEST(RunBackups, TakesWhatIsWrittenAndLeavesWhatStreamsInToTheNextRun) {
  SimFixture fixture;
  AddOrders(fixture);
  AddEvents(fixture);
  fixture.cloud().StreamRows(kEvents, {{{"day", "2026-01-01"}, {"what", "late"}}});
  const auto first = fixture.BackUp();
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(first->totals.Of(Outcome::kFailed), 0);
  EXPECT_EQ(Find(*first, kEvents.WithPartition("20260101"))->rows, 1);
  fixture.cloud().FlushStreaming(kEvents);
  const auto second = fixture.BackUp();
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_EQ(Find(*second, kEvents.WithPartition("20260101"))->rows, 2);
}

TEST(RunBackups, CopiesIntoABackupProjectByTheMethodCopy) {
  SimFixture fixture;
  AddOrders(fixture);
  BackupPolicy policy;
  policy.method = Method::kCopy;
  policy.copy_project = "acme-backups";
  fixture.cloud().AddProject("acme-backups");
  const auto report = fixture.BackUp(policy);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_EQ(OutcomeOf(*report, kOrders), Outcome::kBackedUp) << Find(*report, kOrders)->reason;
  EXPECT_EQ(fixture.cloud().JobsStarted("copy"), 1);
  // The copies are not objects of the next run.
  const auto second = fixture.BackUp(policy);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->totals.objects, 1 + kDatasetObjects);
}

TEST(RunBackups, SurvivesServicesThatFailNowAndThen) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SimFixture fixture(seed);
    AddOrders(fixture);
    AddEvents(fixture);
    fixture.cloud().faults().SetRates({.unavailable = 0.01,
                                       .throttled = 0.01,
                                       .reset_before = 0.01,
                                       .reset_after = 0.01,
                                       .job_failure = 0.05,
                                       .lost_ack = 0.1});
    auto report = fixture.BackUp();
    // The simulated services do not retry by themselves, so a call of the bus may end the run.
    for (int again = 0; again < 500 && !report.ok(); ++again) report = fixture.BackUp();
    ASSERT_TRUE(report.ok()) << "seed " << seed << ": " << report.error().message;
    EXPECT_EQ(report->totals.objects, 4 + kDatasetObjects) << "seed " << seed;
  }
}

// The process dies at every single call to the cloud, before or after its effect; the next one
// finishes the run: each object has one good backup, its rows are whole.
TEST(RunBackups, FinishesAfterACrashAtAnyCall) {
  SimFixture undisturbed;
  AddOrders(undisturbed);
  AddEvents(undisturbed);
  ASSERT_TRUE(undisturbed.BackUp().ok());
  const int64_t calls = undisturbed.cloud().faults().calls();
  ASSERT_GT(calls, 20);
  for (int64_t call = 1; call <= calls; ++call) {
    for (const bool after_effect : {false, true}) {
      SimFixture fixture;
      AddOrders(fixture);
      AddEvents(fixture);
      fixture.cloud().faults().CrashAtCall(call, after_effect);
      const auto crashed = fixture.BackUp();
      fixture.cloud().faults().Revive();
      fixture.clock().Advance(std::chrono::minutes{10});
      const auto report = fixture.BackUp();
      ASSERT_TRUE(report.ok()) << "call " << call << ": " << report.error().message;
      EXPECT_EQ(report->totals.Of(Outcome::kFailed), 0) << "call " << call;
      const auto backups = fixture.catalog().FindBackups({.good_only = true}, "");
      ASSERT_TRUE(backups.ok());
      EXPECT_EQ(static_cast<int64_t>(backups->items.size()), 4 + kDatasetObjects)
          << "call " << call << (after_effect ? " after" : " before");
      int64_t rows = 0;
      for (const auto& backup : backups->items) rows += backup.rows;
      EXPECT_EQ(rows, 14) << "call " << call;
    }
  }
}

TEST(RunBackups, DoesNotCallATableDeletedThatItCouldNotRead) {
  SimFixture fixture;
  AddOrders(fixture);
  AddEvents(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().AppendRows(kEvents, {{{"day", "2026-01-01"}, {"what", "e"}}});
  fixture.cloud().faults().DenyAccess(kEvents.ToString());
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(OutcomeOf(*report, kEvents), Outcome::kFailed);
  EXPECT_EQ(report->totals.Of(Outcome::kVanished), 0);
}

TEST(RunBackups, SeeingNothingIsNoSuccess) {
  SimFixture fixture;
  fixture.cloud().AddProject("acme-shop");
  const auto report = fixture.BackUp();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().id, ErrorId::kNothingInScope);
}

TEST(RunBackups, CallsTheLossOfMostPartitionsSuspect) {
  SimFixture fixture;
  AddEvents(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().DeletePartition(kEvents.WithPartition("20260101"));
  const auto one = fixture.BackUp();
  ASSERT_TRUE(one.ok()) << one.error().message;
  EXPECT_EQ(one->totals.Of(Outcome::kVanished), 1);
  EXPECT_EQ(CountSuspects(one->items), 0) << "three rows of four are left";
  fixture.cloud().DeletePartition(kEvents.WithPartition("20260102"));
  const auto most = fixture.BackUp();
  ASSERT_TRUE(most.ok()) << most.error().message;
  EXPECT_EQ(CountSuspects(most->items), 1);
  EXPECT_THAT(Find(*most, kEvents.WithPartition("20260102"))->reason,
              testing::HasSubstr("1 partition of the table is gone, and with it its rows fell from "
                                 "3 to 1"));
}

}  // namespace
}  // namespace holdfast::backup
