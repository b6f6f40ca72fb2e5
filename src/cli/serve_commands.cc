#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <memory>
#include <thread>
#include <vector>

#include "adapters/system_clock.h"
#include "backup/worker.h"
#include "base/random.h"
#include "base/suggestion.h"
#include "cli/catalog_export.h"
#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/environment.h"
#include "cli/metrics_server.h"
#include "cli/run_schedules.h"
#include "cli/run_verification.h"
#include "localcloud/localcloud.h"

namespace holdfast::cli {

namespace {

struct LocalcloudOptions {
  std::string data;
  std::string address = "127.0.0.1";
  uint16_t http_port = 9050;
  uint16_t grpc_port = 9060;
  bool strict_projects = false;
  int log_retention_days = 30;
};

// Blocks SIGINT and SIGTERM for all threads that begin after it, and waits for one of them. A
// second one ends the process at once.
class StopSignal {
 public:
  StopSignal() {
    const sigset_t signals = StopSignals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    descriptor_ = signalfd(-1, &signals, SFD_CLOEXEC);
  }
  ~StopSignal() { close(descriptor_); }
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  void Wait() const {
    pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
    while (poll(&waiting, 1, -1) < 1) {
    }
    signalfd_siginfo first;
    [[maybe_unused]] const ssize_t taken = read(descriptor_, &first, sizeof(first));
    const sigset_t signals = StopSignals();
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  }

 private:
  static sigset_t StopSignals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
  }

  int descriptor_ = -1;
};

void PrintEndpoint(const localcloud::Endpoint& endpoint) {
  for (const std::string& variable : localcloud::EmulatorVariables(endpoint)) {
    std::cout << "export " << variable << '\n';
  }
  std::cout << std::flush;
}

Result<int> ServeLocalcloud(const GlobalOptions& global, const LocalcloudOptions& options) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  const StopSignal stop;
  SystemClock clock;
  const auto random = MakeSystemRandom();
  HF_ASSIGN_OR_RETURN(
      const auto cloud,
      localcloud::Localcloud::Start(
          {.data_dir = options.data.empty() ? config.data_dir + "/localcloud" : options.data,
           .address = options.address,
           .http_port = options.http_port,
           .grpc_port = options.grpc_port,
           .strict_projects = options.strict_projects,
           .log_retention = std::chrono::hours{24} * options.log_retention_days},
          clock, *random));
  PrintEndpoint(cloud->endpoint());
  if (options.address != "127.0.0.1" && options.address != "::1") {
    Say(global, "localcloud asks for no credentials, and listens beyond this machine.");
  }
  Say(global, "localcloud is ready; Ctrl-C stops it.");
  stop.Wait();
  cloud->Stop();
  return kExitOk;
}

Result<int> Up(const GlobalOptions& global) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  const StopSignal stop;
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  environment->StopAtOnce();
  if (environment->own_localcloud() != nullptr) {
    PrintEndpoint(environment->own_localcloud()->endpoint());
  }
  const backup::BusSetup setup = environment->bus_setup();
  const backup::Services services = environment->backup_services();
  HF_RETURN_IF_ERROR(backup::EnsureBus(setup));
  std::unique_ptr<MetricsServer> metrics;
  if (!config.metrics_address.empty()) {
    HF_ASSIGN_OR_RETURN(metrics, MetricsServer::Start(config.metrics_address, *environment));
    Say(global, "Metrics at http://" + metrics->address() + "/metrics");
  }
  std::vector<std::jthread> workers;
  for (int i = 0; i < config.workers; ++i) {
    workers.emplace_back(
        [&](const std::stop_token& token) { backup::Worker(setup, services).RunUntil(token); });
  }
  workers.emplace_back(
      [&](const std::stop_token& token) { RunSchedules(global, *environment, token); });
  workers.emplace_back(
      [&](const std::stop_token& token) { RunVerification(global, *environment, token); });
  workers.emplace_back(
      [&](const std::stop_token& token) { RunCatalogExports(global, *environment, token); });
  Say(global, environment->DescribeCloud() + ": " + Plural(config.workers, "worker") +
                  " ready; Ctrl-C stops.");
  stop.Wait();
  Say(global, "Stopping: workers finish what they hold.");
  return kExitOk;
}

// The stages of "scan,backup". kUsage names the one that is none, and the nearest that is.
Result<std::vector<backup::Stage>> ParseStages(const std::vector<std::string>& names) {
  const std::vector<std::string> known(backup::kStageNames.begin(), backup::kStageNames.end());
  std::vector<backup::Stage> stages;
  for (const std::string& name : names) {
    const auto stage = backup::FindStage(name);
    if (!stage) {
      const std::string near = DidYouMean(name, known);
      return MakeError(ErrorId::kUsage,
                       "\"" + name + "\" is no stage" + (near.empty() ? "" : "; " + near),
                       "The stages are projects, scan and backup; several are parted by commas");
    }
    stages.push_back(*stage);
  }
  return stages;
}

Result<int> ServeStages(const GlobalOptions& global, const std::vector<std::string>& names) {
  HF_ASSIGN_OR_RETURN(const std::vector<backup::Stage> stages, ParseStages(names));
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  const StopSignal stop;
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  environment->StopAtOnce();
  const backup::BusSetup setup = environment->bus_setup();
  const backup::Services services = environment->backup_services();
  HF_RETURN_IF_ERROR(backup::EnsureBus(setup));
  std::vector<std::jthread> workers;
  for (int i = 0; i < config.workers; ++i) {
    workers.emplace_back([&](const std::stop_token& token) {
      backup::Worker(setup, services, stages).RunUntil(token);
    });
  }
  std::string served;
  for (const std::string& name : names) served += (served.empty() ? "" : ", ") + name;
  Say(global, environment->DescribeCloud() + ": " + Plural(config.workers, "worker") + " for " +
                  (served.empty() ? "every stage" : served) + " ready; Ctrl-C stops.");
  stop.Wait();
  Say(global, "Stopping: workers finish what they hold.");
  return kExitOk;
}

void AddWorkerCommand(CLI::App& app, const CommandContext& context) {
  CLI::App* worker =
      app.add_subcommand("worker", "Serve stages of backup runs, beside as many others as wanted");
  auto stages = std::make_shared<std::vector<std::string>>();
  worker->add_option("--stage", *stages, "projects, scan, backup or several; if not, all")
      ->type_name("STAGE")
      ->delimiter(',');
  SetExamples(*worker, {{"holdfast worker --stage=scan,backup", ""},
                        {"holdfast worker --stage=backup --workers 8", ""}});
  worker->callback([context, stages] {
    context.action = [context, stages] { return ServeStages(context.global, *stages); };
  });
}

}  // namespace

void AddServeCommands(CLI::App& app, CommandContext context) {
  CLI::App* up = app.add_subcommand("up", "Run everything: localcloud (if configured) and workers");
  SetExamples(*up, {{"holdfast up --workers 8", ""}});
  up->callback([context] { context.action = [context] { return Up(context.global); }; });

  AddWorkerCommand(app, context);

  CLI::App* local = app.add_subcommand("localcloud", "Run the embedded cloud alone");
  auto options = std::make_shared<LocalcloudOptions>();
  local->add_option("--data", options->data, "Its directory; if not, in the data directory")
      ->type_name("DIRECTORY");
  local->add_option("--address", options->address, "Address to listen on")->type_name("HOST");
  local->add_option("--http-port", options->http_port, "Port of the REST services; 0: any")
      ->type_name("PORT")
      ->check(Between(0, 65'535));
  local->add_option("--grpc-port", options->grpc_port, "Port of gRPC; 0: any")
      ->type_name("PORT")
      ->check(Between(0, 65'535));
  local->add_flag("--strict-projects", options->strict_projects,
                  "Refuse projects that were not created");
  local
      ->add_option("--log-retention-days", options->log_retention_days,
                   "How long entries written to its Cloud Logging are kept")
      ->type_name("DAYS")
      ->check(Between(1, 3'650));
  SetExamples(*local, {{"holdfast localcloud --data ./cloud", ""},
                       {"holdfast localcloud --http-port 0 --grpc-port 0", "on free ports"}});
  local->callback([context, options] {
    context.action = [context, options] { return ServeLocalcloud(context.global, *options); };
  });
}

}  // namespace holdfast::cli
