// The run ledger of a catalog in SQL.
#include <fmt/format.h>

#include "catalog/record_json.h"
#include "catalog/sql_catalog.h"
#include "catalog/sql_store.h"

namespace holdfast::catalog {

namespace {

constexpr size_t kRunsPageSize = 100;
constexpr size_t kPageSize = 1000;

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

Result<ItemOutcome> ParseOutcome(const std::string& text) {
  const auto json = ParseJson(text);
  if (!json.ok()) return AsDamaged(json.error());
  auto outcome = ItemOutcome::FromJson(*json);
  if (!outcome.ok()) return AsDamaged(outcome.error());
  return outcome;
}

Error RunNotFound(const std::string& run) {
  return MakeError(ErrorId::kRunNotFound, fmt::format("no run {}", run));
}

// Adds the task unless it is there. In a transaction.
Status AddTask(SqlSession& session, const WorkMessage& message) {
  const std::string text = DumpJson(ToJson(message));
  const std::string task = TaskId(message);
  HF_RETURN_IF_ERROR(
      session.Execute("INSERT INTO tasks (task, run, topic, message) VALUES (?, ?, ?, ?)"
                      " ON CONFLICT DO NOTHING",
                      {task, RunOf(message), TopicOf(message), text}));
  return Ok();
}

// Tasks of a run get their sequence numbers and become visible in one order, so that a listing that
// goes by them passes none over.
Status SerializeTasks(SqlSession& session, const std::string& run) {
  return session.Serialize("tasks of " + run);
}

Result<Run> ReadRun(SqlSession& session, const std::string& run) {
  std::optional<Run> found;
  HF_RETURN_IF_ERROR(session.Query("SELECT record FROM runs WHERE run = ?", {run},
                                   [&](const SqlRow& row) -> Status {
                                     HF_ASSIGN_OR_RETURN(found, ParseRun(row.Text(0)));
                                     return Ok();
                                   }));
  if (!found) return RunNotFound(run);
  return std::move(*found);
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

}  // namespace

Status SqlCatalog::BeginRun(const Run& run) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  return session->Transact([&]() -> Status {
    const std::string text = DumpJson(run.ToJson());
    HF_RETURN_IF_ERROR(
        session->Execute("INSERT INTO runs (run, started_ms, finished, record) VALUES (?, ?, 0, ?)"
                         " ON CONFLICT DO NOTHING",
                         {run.id, run.started_ms, text}));
    HF_RETURN_IF_ERROR(SerializeTasks(*session, run.id));
    return AddTask(*session, StartBackupProcess{run.id});
  });
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
  Json key = {int64_t{0}};
  if (!page_token.empty()) {
    HF_ASSIGN_OR_RETURN(key, KeyOf(page_token, 1));
  }
  if (!key[0].is_number_integer()) {
    return MakeError(ErrorId::kInvalidJson, "a page token is not one of this listing");
  }
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  HF_RETURN_IF_ERROR(ReadRun(*session, run));
  cloud::Page<Task> page;
  int64_t last = 0;
  HF_RETURN_IF_ERROR(
      session->Query("SELECT task, topic, message, done, attempt, sequence FROM tasks"
                     " WHERE run = ? AND done = 0 AND sequence > ? ORDER BY sequence LIMIT ?",
                     {run, key[0].get<int64_t>(), static_cast<int64_t>(kPageSize)},
                     [&](const SqlRow& row) -> Status {
                       HF_ASSIGN_OR_RETURN(Task task, ParseTask(row));
                       page.items.push_back(std::move(task));
                       last = row.Int(5);
                       return Ok();
                     }));
  if (page.items.size() == kPageSize) page.next_page_token = TokenOf(Json::array({last}));
  return page;
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
      session->Execute("UPDATE tasks SET alive_ms = ? WHERE task = ?", {now_ms, task}));
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
    if (!follow_ups.empty()) {
      HF_RETURN_IF_ERROR(SerializeTasks(*session, RunOf(found.message)));
    }
    for (const WorkMessage& message : follow_ups) HF_RETURN_IF_ERROR(AddTask(*session, message));
    for (const ItemOutcome& item : outcomes) {
      const std::string text = DumpJson(item.ToJson());
      HF_RETURN_IF_ERROR(session->Execute(
          "INSERT INTO outcomes (run, project, dataset, table_id, partition, outcome,"
          " row_count, byte_count, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
          " ON CONFLICT DO NOTHING",
          {RunOf(found.message), item.object.project, item.object.dataset, item.object.table,
           item.object.partition, static_cast<int64_t>(item.outcome), item.rows, item.bytes,
           text}));
    }
    return Ok();
  });
}

Result<RunProgress> SqlCatalog::GetProgress(const std::string& run) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  HF_RETURN_IF_ERROR(ReadRun(*session, run));
  RunProgress progress;
  HF_RETURN_IF_ERROR(
      session->Query("SELECT COUNT(*), COALESCE(SUM(done), 0), COALESCE(MAX(alive_ms), 0)"
                     " FROM tasks WHERE run = ?",
                     {run}, [&](const SqlRow& row) -> Status {
                       progress.tasks_done = row.Int(1);
                       progress.tasks_pending = row.Int(0) - row.Int(1);
                       progress.alive_ms = row.Int(2);
                       return Ok();
                     }));
  HF_RETURN_IF_ERROR(session->Query(
      "SELECT outcome, COUNT(*), SUM(row_count), SUM(byte_count) FROM outcomes WHERE run = ?"
      " GROUP BY outcome",
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

Result<cloud::Page<ItemOutcome>> SqlCatalog::ListOutcomes(const std::string& run,
                                                          const std::string& page_token) {
  Json key = {"", "", "", ""};
  if (!page_token.empty()) {
    HF_ASSIGN_OR_RETURN(key, KeyOf(page_token, 4));
  }
  for (const Json& part : key) {
    if (!part.is_string()) {
      return MakeError(ErrorId::kInvalidJson, "a page token is not one of this listing");
    }
  }
  const auto text = [&](size_t i) {
    return std::string_view(key[i].get_ref<const std::string&>());
  };
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  HF_RETURN_IF_ERROR(ReadRun(*session, run));
  cloud::Page<ItemOutcome> page;
  HF_RETURN_IF_ERROR(
      session->Query("SELECT record FROM outcomes WHERE run = ?"
                     " AND (project, dataset, table_id, partition) > (?, ?, ?, ?)"
                     " ORDER BY project, dataset, table_id, partition LIMIT ?",
                     {run, text(0), text(1), text(2), text(3), static_cast<int64_t>(kPageSize)},
                     [&](const SqlRow& row) -> Status {
                       HF_ASSIGN_OR_RETURN(ItemOutcome outcome, ParseOutcome(row.Text(0)));
                       page.items.push_back(std::move(outcome));
                       return Ok();
                     }));
  if (page.items.size() < kPageSize) return page;
  const TableRef& last = page.items.back().object;
  page.next_page_token = TokenOf({last.project, last.dataset, last.table, last.partition});
  return page;
}

Result<std::optional<int64_t>> SqlCatalog::LastSeen(const TableRef& object) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  std::optional<int64_t> seen;
  // From the newest run on, each with one look at the key of outcomes: a present object costs one.
  HF_RETURN_IF_ERROR(session->Query(
      "SELECT started_ms FROM runs WHERE EXISTS (SELECT 1 FROM outcomes WHERE outcomes.run ="
      " runs.run AND project = ? AND dataset = ? AND table_id = ? AND partition = ?"
      " AND outcome <> ?) ORDER BY started_ms DESC, run DESC LIMIT 1",
      {object.project, object.dataset, object.table, object.partition,
       static_cast<int64_t>(Outcome::kVanished)},
      [&](const SqlRow& row) -> Status {
        seen = row.Int(0);
        return Ok();
      }));
  return seen;
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
