// RunLedger: the runs, the tasks they consist of, and each object's outcome.
//
// A run is done when its last task is. A task's follow-ups and outcomes are recorded in the one
// transaction that completes it, so a process may die at any moment and a message come twice:
// nothing is lost, nothing counted twice. Every write is idempotent. Thread-safe; other processes
// may use the same catalog. Errors of all methods: kCatalogUnavailable, kDiskFull, kCatalogDamaged;
// kRunNotFound and kTaskNotFound where the run or task is unknown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cloud/page.h"
#include "model/run.h"
#include "model/work_message.h"

namespace holdfast::catalog {

enum class TaskState { kPending, kDone };

// One message of a run and how far it is.
struct Task {
  std::string id;  // TaskId(message)
  WorkMessage message;
  TaskState state = TaskState::kPending;
  int attempt = 1;  // the try that is due or under way; part of job ids
};

// How far a run is.
struct RunProgress {
  int64_t tasks_pending = 0;
  int64_t tasks_done = 0;
  int64_t alive_ms = 0;  // when a worker last said of one of the tasks that it is at it; 0: never
  RunTotals totals;      // of the outcomes so far

  // Whether nothing is left to do; failures are outcomes, not tasks.
  bool IsComplete() const { return tasks_pending == 0; }
};

// Which outcomes of a run: those of one dataset or table, as far as the members are set, or those
// of no table: of datasets and what is above them, which could not be looked into.
struct OutcomeFilter {
  std::string project;
  std::string dataset;        // only with the project
  std::string table;          // only with the dataset
  bool above_tables = false;  // alone
};

class RunLedger {
 public:
  virtual ~RunLedger() = default;

  // Adds the run with its first task. One of that id that is there stays as it is.
  virtual Status BeginRun(const Run& run) = 0;

  // Runs, the newest first; only those still running, if asked so. At most 100 a page.
  virtual Result<cloud::Page<Run>> ListRuns(bool running_only, const std::string& page_token) = 0;

  // The run as it was last recorded: its state, not its progress.
  virtual Result<Run> GetRun(const std::string& run) = 0;

  // The task, done or not.
  virtual Result<Task> GetTask(const std::string& task) = 0;

  // Tasks of a run that are not done, in the order they were added. At most 1,000 a page.
  virtual Result<cloud::Page<Task>> PendingTasks(const std::string& run,
                                                 const std::string& page_token) = 0;

  // The same of those tasks alone that the completion of `task` added.
  virtual Result<cloud::Page<Task>> PendingFollowUps(const std::string& task,
                                                     const std::string& page_token) = 0;

  // Says that attempt `failed` of a task failed for good and another is to be made: the task's
  // attempt becomes failed + 1, unless it is past that already. Returns the attempt that is due
  // now.
  virtual Result<int> AdvanceAttempt(const std::string& task, int failed) = 0;

  // Says that a worker is at work on the task, which may take hours.
  virtual Status NoteAlive(const std::string& task, int64_t now_ms) = 0;

  // Completes a task: adds the follow-ups (those whose id is known are skipped) and the outcomes,
  // and marks it done; all or nothing. A task that is done already: nothing changes. An object that
  // has an outcome in this run keeps the first, unless the other is of a method that the first says
  // nothing of: then both count (MergeMethods).
  virtual Status CompleteTask(const std::string& task, const std::vector<WorkMessage>& follow_ups,
                              const std::vector<ItemOutcome>& outcomes) = 0;

  // Records outcomes that belong to no task: of what the run found gone at its end, and what a
  // rebuild reads of a run that is not in the ledger yet. One that is there for the object is
  // replaced. Of a finished run nothing changes any more.
  virtual Status RecordOutcomes(const std::string& run,
                                const std::vector<ItemOutcome>& outcomes) = 0;

  // Adds a finished run, whose outcomes were recorded before, without any task. One of that id that
  // is there stays as it is.
  virtual Status AdoptRun(const Run& finished) = 0;

  // Counts of tasks and sums of outcomes. The sums may be of a later moment than the counts while
  // other processes write, never of an earlier one: a run that is complete has them all.
  virtual Result<RunProgress> GetProgress(const std::string& run) = 0;

  // Outcomes of a run that match, in order of object. At most 1,000 a page. Those of a project,
  // dataset or table cost what they are, not what the run has.
  virtual Result<cloud::Page<ItemOutcome>> FindOutcomes(const std::string& run,
                                                        const OutcomeFilter& filter,
                                                        const std::string& page_token) = 0;

  // All of them.
  Result<cloud::Page<ItemOutcome>> ListOutcomes(const std::string& run,
                                                const std::string& page_token) {
    return FindOutcomes(run, {}, page_token);
  }

  // When the newest run began that found the object: one with an outcome of it other than
  // kVanished. nullopt: no run did.
  virtual Result<std::optional<int64_t>> LastSeen(const TableRef& object) = 0;

  // Marks the run finished. kRunNotComplete while tasks are pending. A finished run stays as it is.
  virtual Status FinishRun(const std::string& run, int64_t finished_ms) = 0;
};

// The outcomes of a run read one by one in order of object, a page in memory. Borrows the ledger.
// What is recorded meanwhile behind the place that it has reached is not seen. One thread.
class OutcomeReader {
 public:
  OutcomeReader(RunLedger& ledger, std::string run) : ledger_(&ledger), run_(std::move(run)) {}

  // The outcome that is next; nullptr at the end. It stays, and is valid, until Next or TakeTable.
  Result<const ItemOutcome*> Peek();
  void Next() { ++at_; }

  // The next ones, as long as they are of the table or its partitions, taken out.
  Result<std::vector<ItemOutcome>> TakeTable(const TableRef& table);

 private:
  RunLedger* ledger_;
  std::string run_;
  cloud::Page<ItemOutcome> page_;
  size_t at_ = 0;
  bool begun_ = false;
};

// All outcomes of a run, in order of object: of one of which it is known that it is small.
Result<std::vector<ItemOutcome>> AllOutcomes(RunLedger& ledger, const std::string& run);

// The oldest run that was begun and not finished: what a new start of the program goes on with.
Result<std::optional<Run>> UnfinishedRun(RunLedger& ledger);

}  // namespace holdfast::catalog
