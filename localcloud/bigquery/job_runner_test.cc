#include "localcloud/bigquery/job_runner.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <filesystem>

#include "base/virtual_clock.h"
#include "localcloud/warehouse/effect_scope.h"

namespace holdfast::bigquery {
namespace {

constexpr Duration kLong = std::chrono::seconds{60};

class JobRunnerTest : public testing::Test {
 protected:
  JobRunnerTest() : clock(Timestamp{std::chrono::seconds{1'773'532'800}}) {
    std::string pattern = (std::filesystem::temp_directory_path() / "job-test-XXXXXX").string();
    directory = mkdtemp(pattern.data());
    Open();
  }
  ~JobRunnerTest() override {
    std::error_code ignored;  // what is left in the temporary directory harms nothing
    std::filesystem::remove_all(directory, ignored);
  }

  void Open() {
    store.reset();
    tables.reset();
    tables = std::move(warehouse::TableStore::Open(directory + "/catalog.db", clock)).value();
    store = std::move(JobStore::Open(*tables)).value();
  }

  static Job MakeJob(const std::string& id) {
    Job job;
    job.key = {"acme", "US", id};
    job.configuration = {{"query", {{"query", "SELECT 1"}}}};
    job.creation_ms = 5;
    return job;
  }

  // Runs in a child process that is killed, without warning, in the middle of its job.
  template <typename Work>
  void KillDuring(const std::string& id, Work work) {
    store.reset();
    tables.reset();
    const pid_t child = fork();
    if (child == 0) {
      Open();
      JobRunner runner(
          *store, clock,
          [&](const Job& job, const std::stop_token&) -> Result<JobOutcome> {
            work(job);
            kill(getpid(), SIGKILL);
            return JobOutcome{};
          },
          1);
      if (!runner.Recover().ok()) _exit(2);
      const Status submitted = runner.Submit(MakeJob(id));
      if (!submitted.ok() && submitted.error().reason != "duplicate") _exit(3);
      runner.Wait({"acme", "US", id}, kLong).ok();
      _exit(4);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    Open();
  }

  VirtualClock clock;
  std::string directory;
  std::unique_ptr<warehouse::TableStore> tables;
  std::unique_ptr<JobStore> store;
};

TEST_F(JobRunnerTest, AJobRunsAndItsOutcomeIsMerged) {
  JobRunner runner(
      *store, clock,
      [](const Job&, const std::stop_token&) -> Result<JobOutcome> {
        JobOutcome outcome;
        outcome.statistics = {{"query", {{"cacheHit", false}}}};
        outcome.configuration = {{"query", {{"destinationTable", "x"}}}};
        return outcome;
      },
      2);
  ASSERT_TRUE(runner.Submit(MakeJob("a")).ok());
  const Job job = runner.Wait({"acme", "US", "a"}, kLong).value();
  EXPECT_EQ(job.state, JobState::kDone);
  EXPECT_FALSE(job.error_result);
  EXPECT_EQ(job.statistics["query"]["cacheHit"], false);
  EXPECT_EQ(job.configuration["query"]["query"], "SELECT 1");
  EXPECT_EQ(job.configuration["query"]["destinationTable"], "x");
  EXPECT_EQ(runner.Submit(MakeJob("a")).error().reason, "duplicate");
}

TEST_F(JobRunnerTest, WaitEndsWithTheJobOrTheTimeout) {
  std::mutex mutex;
  std::condition_variable changed;
  bool released = false;
  JobRunner runner(
      *store, clock,
      [&](const Job&, const std::stop_token&) -> Result<JobOutcome> {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return released; });
        return JobOutcome{};
      },
      1);
  ASSERT_TRUE(runner.Submit(MakeJob("slow")).ok());
  EXPECT_NE(runner.Wait({"acme", "US", "slow"}, Duration{1000}).value().state, JobState::kDone);
  {
    const std::lock_guard lock(mutex);
    released = true;
  }
  changed.notify_all();
  EXPECT_EQ(runner.Wait({"acme", "US", "slow"}, kLong).value().state, JobState::kDone);
  EXPECT_FALSE(runner.Wait({"acme", "EU", "slow"}, kLong).ok());
}

TEST_F(JobRunnerTest, CancelStopsRunningAndWaitingJobs) {
  JobRunner runner(
      *store, clock,
      [](const Job&, const std::stop_token& cancel) -> Result<JobOutcome> {
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock(mutex);
        never.wait(lock, cancel, [] { return false; });
        return MakeError(ErrorId::kCancelled, "stopped");
      },
      1);
  for (const char* id : {"running", "waiting"}) ASSERT_TRUE(runner.Submit(MakeJob(id)).ok());
  for (const char* id : {"waiting", "running"}) {
    ASSERT_TRUE(runner.Cancel({"acme", "US", id}).ok());
  }
  for (const char* id : {"running", "waiting"}) {
    const Job job = runner.Wait({"acme", "US", id}, kLong).value();
    ASSERT_TRUE(job.error_result) << id;
    EXPECT_EQ(job.error_result->reason, "stopped");
  }
}

TEST_F(JobRunnerTest, AJobStoppedByShutdownRunsAgain) {
  {
    JobRunner runner(
        *store, clock,
        [](const Job&, const std::stop_token& cancel) -> Result<JobOutcome> {
          std::mutex mutex;
          std::condition_variable_any never;
          std::unique_lock lock(mutex);
          never.wait(lock, cancel, [] { return false; });
          return MakeError(ErrorId::kCancelled, "stopped");
        },
        1);
    ASSERT_TRUE(runner.Submit(MakeJob("a")).ok());
  }
  JobRunner next(
      *store, clock, [](const Job&, const std::stop_token&) { return JobOutcome{}; }, 1);
  ASSERT_TRUE(next.Recover().ok());
  const Job job = next.Wait({"acme", "US", "a"}, kLong).value();
  EXPECT_EQ(job.state, JobState::kDone);
  EXPECT_FALSE(job.error_result);
}

TEST_F(JobRunnerTest, AKilledJobWithoutEffectRunsAgain) {
  KillDuring("a", [](const Job&) {});
  int runs = 0;
  JobRunner runner(
      *store, clock,
      [&](const Job&, const std::stop_token&) {
        ++runs;
        return JobOutcome{};
      },
      1);
  ASSERT_TRUE(runner.Recover().ok());
  EXPECT_FALSE(runner.Wait({"acme", "US", "a"}, kLong).value().error_result);
  EXPECT_EQ(runs, 1);
}

TEST_F(JobRunnerTest, AKilledJobThatTookEffectIsDoneAndNotRunAgain) {
  KillDuring("a", [&](const Job& job) {
    const warehouse::EffectScope effect(
        [&](sqlite::Database& database, const warehouse::EffectCounts&) {
          Job noted = job;
          noted.Take({.statistics = {{"query", {{"numDmlAffectedRows", "3"}}}},
                      .configuration = {{"query", {{"destinationTable", "t"}}}},
                      .warnings = {{.reason = "invalid", .location = {}, .message = "a line"}}});
          return JobStore::NoteEffect(database, noted);
        });
    tables->CreateDataset({"acme", "d"}, Json::object()).value();
    tables->CreateTable({.ref = {"acme", "d", "t", {}}}).value();
  });
  EXPECT_TRUE(tables->GetTable({"acme", "d", "t", {}}).ok());
  int runs = 0;
  JobRunner runner(
      *store, clock,
      [&](const Job&, const std::stop_token&) {
        ++runs;
        return JobOutcome{};
      },
      1);
  ASSERT_TRUE(runner.Recover().ok());
  const Job job = runner.Wait({"acme", "US", "a"}, kLong).value();
  EXPECT_EQ(job.state, JobState::kDone);
  EXPECT_FALSE(job.error_result);
  EXPECT_EQ(runs, 0);
  // What the job left behind was noted with its effect.
  EXPECT_EQ(job.statistics["query"]["numDmlAffectedRows"], "3");
  EXPECT_EQ(job.configuration["query"]["destinationTable"], "t");
  ASSERT_EQ(job.errors.size(), 1U);
}

TEST_F(JobRunnerTest, AJobWhoseEndCannotBeWrittenIsDoneAllTheSame) {
  // Stands for a disk that is full from the moment the job ends.
  ASSERT_TRUE(tables->database()
                  .Execute("CREATE TRIGGER full BEFORE UPDATE ON bigquery_jobs WHEN NEW.state = 2"
                           " BEGIN SELECT RAISE(ABORT, 'no space'); END")
                  .ok());
  const JobKey key{"acme", "US", "a"};
  int runs = 0;
  {
    JobRunner runner(
        *store, clock,
        [&](const Job&, const std::stop_token&) -> Result<JobOutcome> {
          ++runs;
          return MakeError(ErrorId::kDiskFull, "no space");
        },
        1);
    ASSERT_TRUE(runner.Submit(MakeJob("a")).ok());
    const Job job = runner.Wait(key, kLong).value();
    EXPECT_EQ(job.state, JobState::kDone);
    ASSERT_TRUE(job.error_result);
    EXPECT_EQ(job.error_result->reason, "insufficientStorage");
    EXPECT_EQ(store->Find("acme", "a").value().state, JobState::kDone);
    const auto listed = store->List("acme", {}, {.results_max = 10, .token = {}}).value();
    ASSERT_EQ(listed.items.size(), 1U);
    EXPECT_EQ(listed.items[0].state, JobState::kDone);
  }
  // Once there is space again the end is written, and the job is not run a second time.
  ASSERT_TRUE(tables->database().Execute("DROP TRIGGER full").ok());
  Open();
  JobRunner runner(
      *store, clock,
      [&](const Job&, const std::stop_token&) -> Result<JobOutcome> {
        ++runs;
        return JobOutcome{};
      },
      1);
  ASSERT_TRUE(runner.Recover().ok());
  EXPECT_TRUE(runner.Wait(key, kLong).value().error_result);
  EXPECT_EQ(runs, 1);
}

TEST_F(JobRunnerTest, AJobThatKillsEveryProcessFailsInTheEnd) {
  for (int i = 0; i < JobRunner::kAttemptsMax; ++i) KillDuring("a", [](const Job&) {});
  JobRunner runner(
      *store, clock, [](const Job&, const std::stop_token&) { return JobOutcome{}; }, 1);
  ASSERT_TRUE(runner.Recover().ok());
  const Job job = runner.Wait({"acme", "US", "a"}, kLong).value();
  ASSERT_TRUE(job.error_result);
  EXPECT_EQ(job.error_result->reason, "backendError");
}

}  // namespace
}  // namespace holdfast::bigquery
