#include "backup/worker.h"

#include <algorithm>
#include <array>
#include <memory>

#include "backup/admission.h"
#include "backup/backup_stage.h"
#include "backup/projects_stage.h"
#include "backup/scan_stage.h"
#include "backup/stage_log.h"
#include "base/log.h"
#include "base/retry.h"
#include "model/effective_policy.h"
#include "model/ids.h"

namespace holdfast::backup {

namespace {

constexpr std::array kTopics = {kBackupTopic, kCheckTopic, kStartTopic};
constexpr Duration kPauseAfterError = std::chrono::seconds{1};
constexpr Duration kPullWait = std::chrono::milliseconds{200};

cloud::TopicRef TopicRefOf(const BusSetup& setup, std::string_view topic) {
  return {setup.project, std::string(topic)};
}

cloud::SubscriptionRef SubscriptionOf(const BusSetup& setup, std::string_view topic) {
  return {setup.project, std::string(topic) + setup.subscription_suffix};
}

// What a message was about: the objects it names, or else the project or organization as a whole.
std::vector<TableRef> SubjectsOf(const WorkMessage& message, const Services& services) {
  if (const auto* backup = std::get_if<RunBackup>(&message)) {
    std::vector<TableRef> objects;
    objects.reserve(backup->units.size());
    for (const BackupUnit& unit : backup->units) {
      objects.push_back(backup->table_to_backup.WithPartition(unit.partition));
    }
    return objects;
  }
  if (const auto* check = std::get_if<CheckProjectTables>(&message)) {
    return {{.project = check->project_to_check, .dataset = check->piece.dataset}};
  }
  return {{.project = services.organization.empty() ? "organization" : services.organization}};
}

// What became of an object whose table could not be finished: an earlier attempt may have saved it.
// With further repositories only another run can tell whether it is in all of them.
Result<ItemOutcome> UnfinishedOutcome(const RunBackup& message, const TableRef& object,
                                      const Run& run, const Error& error,
                                      const Services& services) {
  ItemOutcome outcome = FailedOutcome(object, error);
  HF_ASSIGN_OR_RETURN(const BackupPolicy policy, PatchPolicy(run.policy, message.policy));
  const auto saved =
      catalog::GetBackup(services.catalog, BackupId(message.run, object, message.method));
  if (saved.ok() && policy.repositories.empty()) {
    outcome = {.object = object,
               .kind = saved->kind,
               .outcome = Outcome::kBackedUp,
               .reason = "it was saved before its table could not be finished: " + error.message,
               .backup = saved->backup,
               .rows = saved->rows,
               .bytes = saved->stored_bytes,
               .error_id = {},
               .suspect = !saved->suspect.empty()};
  } else if (!saved.ok() && saved.error().code != Code::kNotFound) {
    return saved.error();
  }
  outcome.note = message.note;
  if (message.method != Method::kDefinition) outcome.method = message.method;
  return outcome;
}

// Extends the lease of one message once half of it has gone, and tells the ledger that its task is
// worked at.
cloud::KeepAlive KeepLease(const BusSetup& setup, const cloud::SubscriptionRef& subscription,
                           std::string ack_id, const std::string& task, const Services& services) {
  auto extended = std::make_shared<Timestamp>(services.clock.Now());
  return [&setup, subscription, ack_id = std::move(ack_id), task, &services, extended]() -> Status {
    const Timestamp now = services.clock.Now();
    if (now - *extended < std::chrono::seconds{setup.ack_deadline_seconds} / 2) return Ok();
    *extended = now;
    HF_RETURN_IF_ERROR(services.catalog.NoteAlive(task, ToUnixMillis(now)));
    // A lease that ran out meanwhile is no error: the work can be done twice.
    return setup.bus.ExtendDeadline(subscription, std::span(&ack_id, 1),
                                    setup.ack_deadline_seconds);
  };
}

Result<StageResult> RunStage(const WorkMessage& message, const StageContext& context,
                             const Services& services) {
  if (const auto* start = std::get_if<StartBackupProcess>(&message)) {
    return ListProjects(*start, context, services);
  }
  if (const auto* check = std::get_if<CheckProjectTables>(&message)) {
    return ScanProject(*check, context, services);
  }
  return BackUpTable(std::get<RunBackup>(message), context, services);
}

}  // namespace

Status EnsureBus(const BusSetup& setup) {
  for (const std::string_view topic : kTopics) {
    HF_RETURN_IF_ERROR(setup.bus.EnsureTopic(TopicRefOf(setup, topic)));
    HF_RETURN_IF_ERROR(setup.bus.EnsureSubscription(
        SubscriptionOf(setup, topic), TopicRefOf(setup, topic),
        {.ack_deadline_seconds = setup.ack_deadline_seconds, .dead_letter_topic = {}}));
  }
  return Ok();
}

Status PublishWork(const BusSetup& setup, const std::vector<WorkMessage>& messages) {
  for (const std::string_view topic : kTopics) {
    std::vector<cloud::Message> batch;
    for (const WorkMessage& message : messages) {
      if (TopicOf(message) != topic) continue;
      batch.push_back({.data = DumpJson(ToJson(message)),
                       .attributes = {{"run", RunOf(message)}},
                       .ordering_key = {}});
    }
    if (!batch.empty()) HF_RETURN_IF_ERROR(setup.bus.Publish(TopicRefOf(setup, topic), batch));
  }
  return Ok();
}

namespace {

// Publishes those of the tasks that a listing gives which are wanted, a page at a time.
template <typename List, typename Want>
Status PublishTasks(const BusSetup& setup, const List& list, const Want& want) {
  std::string token;
  do {
    HF_ASSIGN_OR_RETURN(auto page, list(token));
    std::vector<WorkMessage> messages;
    messages.reserve(page.items.size());
    for (catalog::Task& task : page.items) {
      HF_ASSIGN_OR_RETURN(const bool wanted, want(task));
      if (wanted) messages.push_back(std::move(task.message));
    }
    HF_RETURN_IF_ERROR(PublishWork(setup, messages));
    token = page.next_page_token;
  } while (!token.empty());
  return Ok();
}

}  // namespace

Status PublishPending(const BusSetup& setup, catalog::RunLedger& ledger, const std::string& run) {
  return PublishTasks(
      setup, [&](const std::string& token) { return ledger.PendingTasks(run, token); },
      [](const catalog::Task& task) -> Result<bool> { return !NeedsAdmission(task.message); });
}

std::optional<Stage> FindStage(std::string_view name) {
  const auto found = std::ranges::find(kStageNames, name);
  if (found == kStageNames.end()) return std::nullopt;
  return static_cast<Stage>(found - kStageNames.begin());
}

Worker::Worker(const BusSetup& setup, const Services& services, std::vector<Stage> stages)
    : setup_(setup), services_(services) {
  constexpr std::array kStagesLastFirst = {Stage::kBackup, Stage::kScan, Stage::kProjects};
  for (size_t i = 0; i < kTopics.size(); ++i) {
    if (stages.empty() || std::ranges::find(stages, kStagesLastFirst.at(i)) != stages.end()) {
      topics_.push_back(kTopics.at(i));
    }
  }
}

Result<int> Worker::RunOnce(Duration wait) {
  for (const std::string_view topic : topics_) {
    const bool is_last = topic == topics_.back();
    HF_ASSIGN_OR_RETURN(const int handled, ServeTopic(topic, is_last ? wait : Duration{0}));
    if (handled > 0) return handled;
  }
  return 0;
}

void Worker::RunUntil(const std::stop_token& stop,
                      const std::function<bool(const Error& error)>& gives_up) {
  while (!stop.stop_requested()) {
    const auto handled = RunOnce(kPullWait);
    if (handled.ok()) continue;
    if (gives_up && gives_up(handled.error())) return;
    LogWarning("worker pauses", {{"error", handled.error().message}});
    services_.clock.SleepFor(kPauseAfterError);
  }
}

Result<int> Worker::ServeTopic(std::string_view topic, Duration wait) {
  const cloud::SubscriptionRef subscription = SubscriptionOf(setup_, topic);
  HF_ASSIGN_OR_RETURN(const auto messages, setup_.bus.Pull(subscription, 1, wait));
  for (const cloud::ReceivedMessage& received : messages) {
    const std::string& ack_id = received.ack_id;
    const Status handled = Handle(topic, received, subscription);
    if (handled.ok()) {
      HF_RETURN_IF_ERROR(setup_.bus.Acknowledge(subscription, std::span(&ack_id, 1)));
      continue;
    }
    // Given back at once: the next attempt need not wait for the lease to end.
    LogInfo("message is given back",
            {{"topic", std::string(topic)}, {"error", handled.error().message}});
    const Status given_back = setup_.bus.ExtendDeadline(subscription, std::span(&ack_id, 1), 0);
    // The ledger's disk: what the stage itself failed with would have been recorded as an outcome.
    if (handled.error().id == ErrorId::kDiskFull) return handled.error();
    HF_RETURN_IF_ERROR(given_back);
  }
  return static_cast<int>(messages.size());
}

Status Worker::Handle(std::string_view topic, const cloud::ReceivedMessage& received,
                      const cloud::SubscriptionRef& subscription) {
  const auto message = ParseWorkMessage(topic, received.published.message.data);
  if (!message.ok()) {
    LogError("message is not ours and is dropped", {{"topic", std::string(topic)},
                                                    {"id", received.published.id},
                                                    {"error", message.error().message}});
    return Ok();
  }
  const auto task = services_.catalog.GetTask(TaskId(*message));
  if (!task.ok()) {
    if (task.error().id != ErrorId::kTaskNotFound) return task.error();
    // Each catalog has subscriptions of its own, on which the messages of others come too.
    LogInfo("message belongs to no run of this catalog and is dropped",
            {{"topic", std::string(topic)}, {"run", RunOf(*message)}});
    return Ok();
  }
  if (task->state == catalog::TaskState::kDone) {
    // A worker died between completing this task and publishing what follows from it, or the
    // message came twice. Only the ledger knows which, so what follows and is pending is published
    // again: that and no more, or each message that comes twice would bring all others a third
    // time.
    HF_RETURN_IF_ERROR(PublishTasks(
        setup_,
        [&](const std::string& token) {
          return services_.catalog.PendingFollowUps(task->id, token);
        },
        [&](const catalog::Task& follow_up) { return WasLetThrough(services_, follow_up); }));
    return AdmitAfter(*message);
  }
  HF_ASSIGN_OR_RETURN(const bool admitted, IsAdmitted(services_, *task));
  if (!admitted) return Ok();  // it is published again when it is let through
  StageContext context;
  HF_ASSIGN_OR_RETURN(context.run, services_.catalog.GetRun(RunOf(*message)));
  context.attempt = task->attempt;
  context.is_last_attempt = task->attempt >= kTaskAttemptsMax;
  context.keep_alive = KeepLease(setup_, subscription, received.ack_id, task->id, services_);
  HF_ASSIGN_OR_RETURN(auto carried, CarryWhereUsedUp(services_, context.run, *task));
  if (carried) return Complete(*task, context.run, *std::move(carried));
  // What the ledger holds counts: a message's own text may be of an earlier scan.
  auto result = RunStage(task->message, context, services_);
  if (!result.ok()) return Fail(*task, context.run, result.error(), context.is_last_attempt);
  return Complete(*task, context.run, *std::move(result));
}

Status Worker::Complete(const catalog::Task& task, const Run& run, StageResult result) {
  const WorkMessage& message = task.message;
  HF_RETURN_IF_ERROR(CarryWhatWasRefused(services_, run, task, result));
  HF_RETURN_IF_ERROR(services_.catalog.CompleteTask(task.id, result.follow_ups, result.outcomes));
  LogStage(message, result);
  std::erase_if(result.follow_ups, NeedsAdmission);
  HF_RETURN_IF_ERROR(PublishWork(setup_, result.follow_ups));
  return AdmitAfter(message);
}

// The last task that looked for work says when there is no more to come.
Status Worker::AdmitAfter(const WorkMessage& done) {
  if (std::holds_alternative<RunBackup>(done)) return Ok();
  return AdmitWork(setup_, services_, RunOf(done), false);
}

Status Worker::Fail(const catalog::Task& task, const Run& run, const Error& error,
                    bool is_last_attempt) {
  LogWarning("stage failed", {{"topic", std::string(TopicOf(task.message))},
                              {"run", RunOf(task.message)},
                              {"object", StageObject(task.message)},
                              {"attempt", std::to_string(task.attempt)},
                              {"error", error.message}});
  if (IsInterrupted(error)) return error;
  if (IsRetryable(error) && !is_last_attempt) {
    HF_RETURN_IF_ERROR(services_.catalog.AdvanceAttempt(task.id, task.attempt));
    return error;
  }
  StageResult failed;
  const auto* of_table = std::get_if<RunBackup>(&task.message);
  for (const TableRef& subject : SubjectsOf(task.message, services_)) {
    ItemOutcome outcome = FailedOutcome(subject, error);
    if (of_table != nullptr) {
      HF_ASSIGN_OR_RETURN(outcome, UnfinishedOutcome(*of_table, subject, run, error, services_));
    }
    failed.outcomes.push_back(std::move(outcome));
  }
  return Complete(task, run, std::move(failed));
}

}  // namespace holdfast::backup
