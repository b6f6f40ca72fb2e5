// Worker: takes messages off the bus and puts each through its stage.
//
// Stateless: what it knows is in the ledger, so any number of workers, on any number of machines,
// may serve one subscription. A message is acknowledged after its task is completed in the ledger
// and the follow-ups are published; a worker that dies before leaves it to another. Source: DESIGN
// §1.3.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "backup/services.h"
#include "backup/stage_result.h"
#include "cloud/message_bus.h"

namespace holdfast::backup {

// Attempts of one task before what fails has failed for good.
inline constexpr int kTaskAttemptsMax = 4;

// How the three topics are named in the central project (seed 000), and the subscriptions on them:
// one set for each catalog, or the workers of one would take the messages of another.
struct BusSetup {
  cloud::MessageBus& bus;
  std::string project;  // the central project
  std::string subscription_suffix = "-holdfast";
  int ack_deadline_seconds = 60;
};

// Makes topics and subscriptions that are absent. Idempotent.
Status EnsureBus(const BusSetup& setup);

// Publishes work messages, each to its topic.
Status PublishWork(const BusSetup& setup, const std::vector<WorkMessage>& messages);

// Publishes every task of the run that is not done, but for those that AdmitWork (admission.h)
// publishes: when it is begun or gone on with, or when messages were lost. What is still on its way
// comes twice, which is harmless.
Status PublishPending(const BusSetup& setup, catalog::RunLedger& ledger, const std::string& run);

// One stage of the workflow, by the topic that it serves.
enum class Stage { kProjects, kScan, kBackup };
inline constexpr std::array<std::string_view, 3> kStageNames = {"projects", "scan", "backup"};

// The inverse of kStageNames; nullopt for another text.
std::optional<Stage> FindStage(std::string_view name);

class Worker {
 public:
  // References outlive the worker. It serves the topics of `stages`; none given: all of them.
  Worker(const BusSetup& setup, const Services& services, std::vector<Stage> stages = {});

  // Takes messages of the last stage first (it frees the most), waiting up to `wait` when there are
  // none. Returns how many messages were handled. Errors: of the bus or the ledger; whatever goes
  // wrong with one message is that message's outcome.
  Result<int> RunOnce(Duration wait);

  // RunOnce until `stop`. A failing bus or ledger is logged and tried again after a pause, unless
  // `gives_up` says of its error that this is the end.
  void RunUntil(const std::stop_token& stop,
                const std::function<bool(const Error& error)>& gives_up = {});

 private:
  Result<int> ServeTopic(std::string_view topic, Duration wait);
  Status Handle(std::string_view topic, const cloud::ReceivedMessage& received,
                const cloud::SubscriptionRef& subscription);
  Status Complete(const catalog::Task& task, const Run& run, StageResult result);
  Status AdmitAfter(const WorkMessage& done);
  Status Fail(const catalog::Task& task, const Run& run, const Error& error, bool is_last_attempt);

  const BusSetup& setup_;
  const Services& services_;
  std::vector<std::string_view> topics_;  // that it serves, the last stage's first
};

}  // namespace holdfast::backup
