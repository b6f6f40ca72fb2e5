// The run ledger of the SQLite catalog.
#include <fmt/format.h>

#include "catalog/record_json.h"
#include "catalog/sqlite_catalog.h"
#include "catalog/sqlite_database.h"

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

// The sequence that a token of a listing of tasks names.
Result<int64_t> SequenceOf(const std::string& page_token) {
  if (page_token.empty()) return int64_t{0};
  HF_ASSIGN_OR_RETURN(const Json key, KeyOf(page_token, 1));
  if (!key[0].is_number_integer()) {
    return MakeError(ErrorId::kInvalidJson, "a page token is not one of this listing");
  }
  return key[0].get<int64_t>();
}

Error RunNotFound(const std::string& run) {
  return MakeError(ErrorId::kRunNotFound, fmt::format("no run {}", run));
}

}  // namespace

Result<bool> SqliteCatalog::AddTask(const WorkMessage& message, const std::string& parent) {
  const std::string text = DumpJson(ToJson(message));
  const std::string task = TaskId(message);
  HF_ASSIGN_OR_RETURN(
      const int64_t added,
      database_->Execute(
          "INSERT OR IGNORE INTO tasks (task, run, topic, message, parent) VALUES (?, ?, ?, ?, ?)",
          {task, RunOf(message), TopicOf(message), text, parent}));
  return added > 0;
}

Status SqliteCatalog::CountTasks(const std::string& run, int64_t added, int64_t done) {
  HF_RETURN_IF_ERROR(
      database_->Execute("INSERT INTO run_tasks (run, added, done, alive_ms) VALUES (?1, ?2, ?3, 0)"
                         " ON CONFLICT (run) DO UPDATE SET added = added + ?2, done = done + ?3",
                         {run, added, done}));
  return Ok();
}

Status SqliteCatalog::CountOutcome(const std::string& run, Outcome outcome, int64_t rows,
                                   int64_t bytes, int64_t sign) {
  HF_RETURN_IF_ERROR(database_->Execute(
      "INSERT INTO run_totals (run, outcome, objects, row_count, byte_count)"
      " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (run, outcome) DO UPDATE SET"
      " objects = objects + ?3, row_count = row_count + ?4, byte_count = byte_count + ?5",
      {run, static_cast<int64_t>(outcome), sign, sign * rows, sign * bytes}));
  return Ok();
}

Result<bool> SqliteCatalog::InsertOutcome(const std::string& run, const ItemOutcome& item) {
  const std::string text = DumpJson(item.ToJson());
  HF_ASSIGN_OR_RETURN(
      const int64_t added,
      database_->Execute(
          "INSERT OR IGNORE INTO outcomes (run, project, dataset, table_id, partition, outcome,"
          " row_count, byte_count, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
          {run, item.object.project, item.object.dataset, item.object.table, item.object.partition,
           static_cast<int64_t>(item.outcome), item.rows, item.bytes, text}));
  if (added == 0) return false;
  HF_RETURN_IF_ERROR(CountOutcome(run, item.outcome, item.rows, item.bytes, 1));
  return true;
}

Status SqliteCatalog::BeginRun(const Run& run) {
  const std::lock_guard lock(mutex_);
  return database_->Transact([&]() -> Status {
    const std::string text = DumpJson(run.ToJson());
    HF_RETURN_IF_ERROR(database_->Execute(
        "INSERT OR IGNORE INTO runs (run, started_ms, finished, record) VALUES (?, ?, 0, ?)",
        {run.id, run.started_ms, text}));
    HF_ASSIGN_OR_RETURN(const bool added, AddTask(StartBackupProcess{run.id}, ""));
    return CountTasks(run.id, added ? 1 : 0, 0);
  });
}

Status SqliteCatalog::AdoptRun(const Run& finished) {
  const std::lock_guard lock(mutex_);
  Run run = finished;
  run.state = RunState::kFinished;
  const std::string text = DumpJson(run.ToJson());
  HF_RETURN_IF_ERROR(database_->Execute(
      "INSERT OR IGNORE INTO runs (run, started_ms, finished, record) VALUES (?, ?, 1, ?)",
      {run.id, run.started_ms, text}));
  return Ok();
}

Result<cloud::Page<Run>> SqliteCatalog::ListRuns(bool running_only, const std::string& page_token) {
  Json key = {std::numeric_limits<int64_t>::max(), ""};
  if (!page_token.empty()) {
    HF_ASSIGN_OR_RETURN(key, KeyOf(page_token, 2));
  }
  if (!key[0].is_number_integer() || !key[1].is_string()) {
    return MakeError(ErrorId::kInvalidJson, "a page token is not one of this listing");
  }
  const std::lock_guard lock(mutex_);
  cloud::Page<Run> page;
  HF_RETURN_IF_ERROR(database_->Query(
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

Result<Run> SqliteCatalog::ReadRun(const std::string& run) {
  std::optional<Run> found;
  HF_RETURN_IF_ERROR(database_->Query("SELECT record FROM runs WHERE run = ?", {run},
                                      [&](const SqlRow& row) -> Status {
                                        HF_ASSIGN_OR_RETURN(found, ParseRun(row.Text(0)));
                                        return Ok();
                                      }));
  if (!found) return RunNotFound(run);
  return std::move(*found);
}

Result<Run> SqliteCatalog::GetRun(const std::string& run) {
  const std::lock_guard lock(mutex_);
  return ReadRun(run);
}

Result<Task> SqliteCatalog::ReadTask(const std::string& task) {
  std::optional<Task> found;
  HF_RETURN_IF_ERROR(
      database_->Query("SELECT task, topic, message, done, attempt FROM tasks WHERE task = ?",
                       {task}, [&](const SqlRow& row) -> Status {
                         HF_ASSIGN_OR_RETURN(found, ParseTask(row));
                         return Ok();
                       }));
  if (!found) return MakeError(ErrorId::kTaskNotFound, fmt::format("no task {}", task));
  return std::move(*found);
}

Result<Task> SqliteCatalog::GetTask(const std::string& task) {
  const std::lock_guard lock(mutex_);
  return ReadTask(task);
}

Status SqliteCatalog::ReadPendingTasks(std::string_view sql, const std::string& key, int64_t after,
                                       cloud::Page<Task>& page) {
  int64_t last = 0;
  HF_RETURN_IF_ERROR(database_->Query(sql, {key, after, static_cast<int64_t>(kPageSize)},
                                      [&](const SqlRow& row) -> Status {
                                        HF_ASSIGN_OR_RETURN(Task task, ParseTask(row));
                                        page.items.push_back(std::move(task));
                                        last = row.Int(5);
                                        return Ok();
                                      }));
  if (page.items.size() == kPageSize) page.next_page_token = TokenOf(Json::array({last}));
  return Ok();
}

Result<cloud::Page<Task>> SqliteCatalog::PendingTasks(const std::string& run,
                                                      const std::string& page_token) {
  HF_ASSIGN_OR_RETURN(const int64_t after, SequenceOf(page_token));
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(ReadRun(run));
  cloud::Page<Task> page;
  HF_RETURN_IF_ERROR(
      ReadPendingTasks("SELECT task, topic, message, done, attempt, sequence FROM tasks"
                       " WHERE run = ? AND done = 0 AND sequence > ? ORDER BY sequence LIMIT ?",
                       run, after, page));
  return page;
}

Result<cloud::Page<Task>> SqliteCatalog::PendingFollowUps(const std::string& task,
                                                          const std::string& page_token) {
  HF_ASSIGN_OR_RETURN(const int64_t after, SequenceOf(page_token));
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(ReadTask(task));
  cloud::Page<Task> page;
  HF_RETURN_IF_ERROR(
      ReadPendingTasks("SELECT task, topic, message, done, attempt, sequence FROM tasks"
                       " WHERE parent = ? AND done = 0 AND sequence > ? ORDER BY sequence LIMIT ?",
                       task, after, page));
  return page;
}

Result<int> SqliteCatalog::AdvanceAttempt(const std::string& task, int failed) {
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(
      database_->Execute("UPDATE tasks SET attempt = ?1 + 1 WHERE task = ?2 AND attempt <= ?1",
                         {int64_t{failed}, task}));
  HF_ASSIGN_OR_RETURN(const Task found, ReadTask(task));
  return found.attempt;
}

Status SqliteCatalog::NoteAlive(const std::string& task, int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(
      database_->Execute("UPDATE run_tasks SET alive_ms = MAX(alive_ms, ?)"
                         " WHERE run = (SELECT run FROM tasks WHERE task = ?)",
                         {now_ms, task}));
  return Ok();
}

Status SqliteCatalog::CompleteTask(const std::string& task,
                                   const std::vector<WorkMessage>& follow_ups,
                                   const std::vector<ItemOutcome>& outcomes) {
  const std::lock_guard lock(mutex_);
  return database_->Transact([&]() -> Status {
    HF_ASSIGN_OR_RETURN(const Task found, ReadTask(task));
    if (found.state == TaskState::kDone) return Ok();
    int64_t added = 0;
    for (const WorkMessage& message : follow_ups) {
      HF_ASSIGN_OR_RETURN(const bool is_new, AddTask(message, task));
      added += is_new ? 1 : 0;
    }
    const std::string& run = RunOf(found.message);
    for (const ItemOutcome& given : outcomes) {
      HF_ASSIGN_OR_RETURN(const ItemOutcome item, WithOtherMethods(run, given));
      if (item.by_method.empty()) {
        HF_RETURN_IF_ERROR(InsertOutcome(run, item));
      } else {
        HF_RETURN_IF_ERROR(ReplaceOutcome(run, item));
      }
    }
    HF_RETURN_IF_ERROR(database_->Execute("UPDATE tasks SET done = 1 WHERE task = ?", {task}));
    return CountTasks(run, added, 1);
  });
}

Status SqliteCatalog::ReplaceOutcome(const std::string& run, const ItemOutcome& item) {
  HF_ASSIGN_OR_RETURN(const bool is_new, InsertOutcome(run, item));
  if (is_new) return Ok();
  constexpr std::string_view kOfObject =
      " WHERE run = ? AND project = ? AND dataset = ? AND table_id = ? AND partition = ?";
  const TableRef& object = item.object;
  HF_RETURN_IF_ERROR(database_->Query(
      fmt::format("SELECT outcome, row_count, byte_count FROM outcomes{}", kOfObject),
      {run, object.project, object.dataset, object.table, object.partition},
      [&](const SqlRow& row) -> Status {
        return CountOutcome(run, static_cast<Outcome>(row.Int(0)), row.Int(1), row.Int(2), -1);
      }));
  const std::string text = DumpJson(item.ToJson());
  HF_RETURN_IF_ERROR(database_->Execute(
      fmt::format("UPDATE outcomes SET outcome = ?, row_count = ?, byte_count = ?, record = ?{}",
                  kOfObject),
      {static_cast<int64_t>(item.outcome), item.rows, item.bytes, text, run, object.project,
       object.dataset, object.table, object.partition}));
  return CountOutcome(run, item.outcome, item.rows, item.bytes, 1);
}

Status SqliteCatalog::RecordOutcomes(const std::string& run,
                                     const std::vector<ItemOutcome>& outcomes) {
  const std::lock_guard lock(mutex_);
  return database_->Transact([&]() -> Status {
    const auto found = ReadRun(run);
    if (!found.ok() && found.error().id != ErrorId::kRunNotFound) return found.error();
    if (found.ok() && found->state == RunState::kFinished) return Ok();
    for (const ItemOutcome& item : outcomes) HF_RETURN_IF_ERROR(ReplaceOutcome(run, item));
    return Ok();
  });
}

// The outcome with what tasks of other methods have recorded of the object.
Result<ItemOutcome> SqliteCatalog::WithOtherMethods(const std::string& run,
                                                    const ItemOutcome& item) {
  if (!item.method) return item;
  std::optional<ItemOutcome> before;
  HF_RETURN_IF_ERROR(database_->Query(
      "SELECT record FROM outcomes WHERE run = ? AND project = ? AND dataset = ?"
      " AND table_id = ? AND partition = ?",
      {run, item.object.project, item.object.dataset, item.object.table, item.object.partition},
      [&](const SqlRow& row) -> Status {
        HF_ASSIGN_OR_RETURN(before, ParseOutcome(row.Text(0)));
        return Ok();
      }));
  return before ? MergeMethods(*before, item) : item;
}

Result<RunProgress> SqliteCatalog::GetProgress(const std::string& run) {
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(ReadRun(run));
  RunProgress progress;
  HF_RETURN_IF_ERROR(database_->Query("SELECT added, done, alive_ms FROM run_tasks WHERE run = ?",
                                      {run}, [&](const SqlRow& row) -> Status {
                                        progress.tasks_done = row.Int(1);
                                        progress.tasks_pending = row.Int(0) - row.Int(1);
                                        progress.alive_ms = row.Int(2);
                                        return Ok();
                                      }));
  HF_RETURN_IF_ERROR(database_->Query(
      "SELECT outcome, objects, row_count, byte_count FROM run_totals WHERE run = ?", {run},
      [&](const SqlRow& row) -> Status {
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

Result<cloud::Page<ItemOutcome>> SqliteCatalog::ListOutcomes(const std::string& run,
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
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(ReadRun(run));
  cloud::Page<ItemOutcome> page;
  HF_RETURN_IF_ERROR(
      database_->Query("SELECT record FROM outcomes WHERE run = ?"
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

Result<std::optional<int64_t>> SqliteCatalog::LastSeen(const TableRef& object) {
  const std::lock_guard lock(mutex_);
  std::optional<int64_t> seen;
  // From the newest run on, each with one look at the key of outcomes: a present object costs one.
  HF_RETURN_IF_ERROR(database_->Query(
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

Status SqliteCatalog::FinishRun(const std::string& run, int64_t finished_ms) {
  const std::lock_guard lock(mutex_);
  return database_->Transact([&]() -> Status {
    HF_ASSIGN_OR_RETURN(Run found, ReadRun(run));
    if (found.state == RunState::kFinished) return Ok();
    int64_t pending = 0;
    HF_RETURN_IF_ERROR(database_->Query("SELECT COUNT(*) FROM tasks WHERE run = ? AND done = 0",
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
    HF_RETURN_IF_ERROR(
        database_->Execute("UPDATE runs SET finished = 1, record = ? WHERE run = ?", {text, run}));
    return Ok();
  });
}

}  // namespace holdfast::catalog
