// The run ledger of a catalog in SQL.
#include <fmt/format.h>

#include "catalog/record_json.h"
#include "catalog/sql_catalog.h"
#include "catalog/sql_run_records.h"
#include "catalog/sql_store.h"

namespace holdfast::catalog {

namespace {

constexpr size_t kRunsPageSize = 100;
constexpr size_t kTasksPageSize = 1000;

Result<Run> ParseRun(const std::string& text) {
  const auto json = ParseJson(text);
  if (!json.ok()) return AsDamaged(json.error());
  auto run = Run::FromJson(*json);
  if (!run.ok()) return AsDamaged(run.error());
  return run;
}

// From the columns task, topic, message, done, attempt.
Result<Task> ParseTask(const SqlRow& row) {
  auto message = ParseWorkMessage(row.Text(1), row.Text(2));
  if (!message.ok()) return AsDamaged(message.error());
  return Task{.id = row.Text(0),
              .message = std::move(*message),
              .state = row.Int(3) != 0 ? TaskState::kDone : TaskState::kPending,
              .attempt = static_cast<int>(row.Int(4))};
}

// The sequence that a token of a listing of tasks names.
Result<int64_t> SequenceOf(const std::string& page_token) {
  if (page_token.empty()) return int64_t{0};
  HF_ASSIGN_OR_RETURN(const Json key, KeyOf(page_token, 1));
  if (!key[0].is_number_integer()) {
    return MakeError(ErrorId::kInvalidJson, "a page token is not one of this listing");
  }
  return key[0].get<int64_t>();
}

// Adds the task unless it is there, and says whether it was not. `parent`: the task whose
// completion adds it; empty: none does. In a transaction.
Result<bool> AddTask(SqlSession& session, const WorkMessage& message, const std::string& parent) {
  const std::string text = DumpJson(ToJson(message));
  const std::string task = TaskId(message);
  HF_ASSIGN_OR_RETURN(
      const int64_t added,
      session.Execute("INSERT INTO tasks (task, run, topic, message, parent) VALUES (?, ?, ?, ?, ?)"
                      " ON CONFLICT DO NOTHING",
                      {task, RunOf(message), TopicOf(message), text, parent}));
  return added > 0;
}

// Last in a transaction, since others of the run wait for it from here on.
Status CountTasks(SqlSession& session, const std::string& run, int64_t added, int64_t done) {
  HF_RETURN_IF_ERROR(session.Execute(
      "INSERT INTO run_tasks (run, added, done, alive_ms) VALUES (?1, ?2, ?3, 0)"
      " ON CONFLICT (run) DO UPDATE SET added = run_tasks.added + ?2, done = run_tasks.done + ?3",
      {run, added, done}));
  return Ok();
}

// Tasks of a run get their sequence numbers and become visible in one order, so that a listing that
// goes by them passes none over.
Status SerializeTasks(SqlSession& session, const std::string& run) {
  return session.Serialize("tasks of " + run);
}

Result<Task> ReadTask(SqlSession& session, const std::string& task) {
  std::optional<Task> found;
  HF_RETURN_IF_ERROR(
      session.Query("SELECT task, topic, message, done, attempt FROM tasks WHERE task = ?", {task},
                    [&](const SqlRow& row) -> Status {
                      HF_ASSIGN_OR_RETURN(found, ParseTask(row));
                      return Ok();
                    }));
  if (!found) return MakeError(ErrorId::kTaskNotFound, fmt::format("no task {}", task));
  return std::move(*found);
}

// `sql` selects by a key and a sequence, in order of it.
Result<cloud::Page<Task>> ReadPendingTasks(SqlSession& session, std::string_view sql,
                                           const std::string& key, int64_t after) {
  cloud::Page<Task> page;
  int64_t last = 0;
  HF_RETURN_IF_ERROR(session.Query(sql, {key, after, static_cast<int64_t>(kTasksPageSize)},
                                   [&](const SqlRow& row) -> Status {
                                     HF_ASSIGN_OR_RETURN(Task task, ParseTask(row));
                                     page.items.push_back(std::move(task));
                                     last = row.Int(5);
                                     return Ok();
                                   }));
  if (page.items.size() == kTasksPageSize) page.next_page_token = TokenOf(Json::array({last}));
  return page;
}

}  // namespace

Result<Run> ReadRun(SqlSession& session, const std::string& run) {
  std::optional<Run> found;
  HF_RETURN_IF_ERROR(session.Query("SELECT record FROM runs WHERE run = ?", {run},
                                   [&](const SqlRow& row) -> Status {
                                     HF_ASSIGN_OR_RETURN(found, ParseRun(row.Text(0)));
                                     return Ok();
                                   }));
  if (!found) return MakeError(ErrorId::kRunNotFound, fmt::format("no run {}", run));
  return std::move(*found);
}

Status SqlCatalog::BeginRun(const Run& run) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  return session->Transact([&]() -> Status {
    const std::string text = DumpJson(run.ToJson());
    HF_RETURN_IF_ERROR(
        session->Execute("INSERT INTO runs (run, started_ms, finished, record) VALUES (?, ?, 0, ?)"
                         " ON CONFLICT DO NOTHING",
                         {run.id, run.started_ms, text}));
    HF_RETURN_IF_ERROR(SerializeTasks(*session, run.id));
    HF_ASSIGN_OR_RETURN(const bool added, AddTask(*session, StartBackupProcess{run.id}, ""));
    return CountTasks(*session, run.id, added ? 1 : 0, 0);
  });
}

Status SqlCatalog::AdoptRun(const Run& finished) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  Run run = finished;
  run.state = RunState::kFinished;
  const std::string text = DumpJson(run.ToJson());
  HF_RETURN_IF_ERROR(
      session->Execute("INSERT INTO runs (run, started_ms, finished, record) VALUES (?, ?, 1, ?)"
                       " ON CONFLICT DO NOTHING",
                       {run.id, run.started_ms, text}));
  return Ok();
}

Result<cloud::Page<Run>> SqlCatalog::ListRuns(bool running_only, const std::string& page_token) {
  Json key = {std::numeric_limits<int64_t>::max(), ""};
  if (!page_token.empty()) {
    HF_ASSIGN_OR_RETURN(key, KeyOf(page_token, 2));
  }
  if (!key[0].is_number_integer() || !key[1].is_string()) {
    return MakeError(ErrorId::kInvalidJson, "a page token is not one of this listing");
  }
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  cloud::Page<Run> page;
  HF_RETURN_IF_ERROR(session->Query(
      "SELECT record FROM runs WHERE (started_ms, run) < (?, ?) AND (? = 0 OR finished = 0)"
      " ORDER BY started_ms DESC, run DESC LIMIT ?",
      {key[0].get<int64_t>(), key[1].get_ref<const std::string&>(), int64_t{running_only ? 1 : 0},
       static_cast<int64_t>(kRunsPageSize)},
      [&](const SqlRow& row) -> Status {
        HF_ASSIGN_OR_RETURN(Run run, ParseRun(row.Text(0)));
        page.items.push_back(std::move(run));
        return Ok();
      }));
  if (page.items.size() == kRunsPageSize) {
    page.next_page_token = TokenOf({page.items.back().started_ms, page.items.back().id});
  }
  return page;
}

Result<Run> SqlCatalog::GetRun(const std::string& run) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  return ReadRun(*session, run);
}

Result<Task> SqlCatalog::GetTask(const std::string& task) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  return ReadTask(*session, task);
}

Result<cloud::Page<Task>> SqlCatalog::PendingTasks(const std::string& run,
                                                   const std::string& page_token) {
  HF_ASSIGN_OR_RETURN(const int64_t after, SequenceOf(page_token));
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  HF_RETURN_IF_ERROR(ReadRun(*session, run));
  return ReadPendingTasks(*session,
                          "SELECT task, topic, message, done, attempt, sequence FROM tasks"
                          " WHERE run = ? AND done = 0 AND sequence > ? ORDER BY sequence LIMIT ?",
                          run, after);
}

Result<cloud::Page<Task>> SqlCatalog::PendingFollowUps(const std::string& task,
                                                       const std::string& page_token) {
  HF_ASSIGN_OR_RETURN(const int64_t after, SequenceOf(page_token));
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  HF_RETURN_IF_ERROR(ReadTask(*session, task));
  return ReadPendingTasks(
      *session,
      "SELECT task, topic, message, done, attempt, sequence FROM tasks"
      " WHERE parent = ? AND done = 0 AND sequence > ? ORDER BY sequence LIMIT ?",
      task, after);
}

Result<int> SqlCatalog::AdvanceAttempt(const std::string& task, int failed) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  HF_RETURN_IF_ERROR(
      session->Execute("UPDATE tasks SET attempt = ?1 + 1 WHERE task = ?2 AND attempt <= ?1",
                       {int64_t{failed}, task}));
  HF_ASSIGN_OR_RETURN(const Task found, ReadTask(*session, task));
  return found.attempt;
}

Status SqlCatalog::NoteAlive(const std::string& task, int64_t now_ms) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  HF_RETURN_IF_ERROR(
      session->Execute("UPDATE run_tasks SET alive_ms = ?1 WHERE alive_ms < ?1"
                       " AND run = (SELECT run FROM tasks WHERE task = ?2)",
                       {now_ms, task}));
  return Ok();
}

Status SqlCatalog::CompleteTask(const std::string& task, const std::vector<WorkMessage>& follow_ups,
                                const std::vector<ItemOutcome>& outcomes) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  return session->Transact([&]() -> Status {
    // First, since it makes others that complete the same task wait: they then find it done.
    HF_ASSIGN_OR_RETURN(
        const int64_t was_pending,
        session->Execute("UPDATE tasks SET done = 1 WHERE task = ? AND done = 0", {task}));
    HF_ASSIGN_OR_RETURN(const Task found, ReadTask(*session, task));
    if (was_pending == 0) return Ok();
    const std::string& run = RunOf(found.message);
    if (!follow_ups.empty()) HF_RETURN_IF_ERROR(SerializeTasks(*session, run));
    int64_t added = 0;
    for (const WorkMessage& message : follow_ups) {
      HF_ASSIGN_OR_RETURN(const bool is_new, AddTask(*session, message, task));
      added += is_new ? 1 : 0;
    }
    HF_RETURN_IF_ERROR(AddOutcomes(*session, run, outcomes));
    return CountTasks(*session, run, added, 1);
  });
}

Result<RunProgress> SqlCatalog::GetProgress(const std::string& run) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  HF_RETURN_IF_ERROR(ReadRun(*session, run));
  RunProgress progress;
  HF_RETURN_IF_ERROR(session->Query("SELECT added, done, alive_ms FROM run_tasks WHERE run = ?",
                                    {run}, [&](const SqlRow& row) -> Status {
                                      progress.tasks_done = row.Int(1);
                                      progress.tasks_pending = row.Int(0) - row.Int(1);
                                      progress.alive_ms = row.Int(2);
                                      return Ok();
                                    }));
  HF_RETURN_IF_ERROR(
      session->Query("SELECT outcome, objects, row_count, byte_count FROM run_totals WHERE run = ?",
                     {run}, [&](const SqlRow& row) -> Status {
                       const int64_t outcome = row.Int(0);
                       if (outcome < 0 || outcome >= kOutcomes) {
                         return MakeError(ErrorId::kCatalogDamaged, "catalog: an outcome is none");
                       }
                       progress.totals.count[outcome] = row.Int(1);
                       progress.totals.objects += row.Int(1);
                       progress.totals.rows += row.Int(2);
                       progress.totals.bytes += row.Int(3);
                       return Ok();
                     }));
  return progress;
}

Status SqlCatalog::FinishRun(const std::string& run, int64_t finished_ms) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  return session->Transact([&]() -> Status {
    HF_ASSIGN_OR_RETURN(Run found, ReadRun(*session, run));
    if (found.state == RunState::kFinished) return Ok();
    int64_t pending = 0;
    HF_RETURN_IF_ERROR(session->Query("SELECT COUNT(*) FROM tasks WHERE run = ? AND done = 0",
                                      {run}, [&](const SqlRow& row) -> Status {
                                        pending = row.Int(0);
                                        return Ok();
                                      }));
    if (pending > 0) {
      return MakeError(ErrorId::kRunNotComplete,
                       fmt::format("run {}: {} tasks are pending", run, pending));
    }
    found.state = RunState::kFinished;
    found.finished_ms = finished_ms;
    const std::string text = DumpJson(found.ToJson());
    HF_RETURN_IF_ERROR(session->Execute(
        "UPDATE runs SET finished = 1, record = ? WHERE run = ? AND finished = 0", {text, run}));
    return Ok();
  });
}

}  // namespace holdfast::catalog
