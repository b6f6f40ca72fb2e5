#include "cli/environment.h"

#include <fmt/format.h>

#include <filesystem>

#include "adapters/secret.h"
#include "adapters/system_clock.h"
#include "catalog/postgres_catalog.h"
#include "catalog/sqlite_catalog.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "gcp/bigquery_definitions.h"
#include "gcp/bigquery_warehouse.h"
#include "gcp/credentials.h"
#include "gcp/logging_log_sink.h"
#include "gcp/pubsub_message_bus.h"
#include "gcp/resource_manager_projects.h"
#include "gcp/storage_object_store.h"

namespace holdfast::cli {

namespace {

constexpr const char* kVersion = "0.1.0";

// How often, and how long in all, a localcloud that is just starting is waited for.
constexpr Duration kLookInterval = std::chrono::milliseconds{50};
constexpr int kLooksMax = 200;

// A service on this machine answers or does not; waiting minutes for it helps no one.
RetryPolicy RetryPolicyOf(CloudKind cloud) {
  if (cloud == CloudKind::kGoogle) return {};
  return {.attempts_max = 6,
          .initial = std::chrono::milliseconds{100},
          .maximum = std::chrono::seconds{2},
          .total = std::chrono::seconds{20}};
}

// A command that is done waits for its last log entries no longer than this and one more request.
constexpr RetryPolicy kLogRetryPolicy = {.attempts_max = 5,
                                         .initial = std::chrono::milliseconds{200},
                                         .maximum = std::chrono::seconds{4},
                                         .total = std::chrono::seconds{15}};

Result<std::unique_ptr<catalog::Catalog>> OpenCatalog(const Config& config) {
  if (config.catalog_url.empty()) {
    SystemClock clock;
    Progress progress(ProgressMode::kAuto, IsTerminal(), clock);
    const auto show = [&](int64_t moved, int64_t backups) {
      progress.Show(fmt::format("Bringing the catalog to a new version, once: {} of {}",
                                HumanCount(moved), Plural(backups, "backup")),
                    {{"message_type", "status"}, {"moved", moved}, {"backups", backups}});
    };
    HF_ASSIGN_OR_RETURN(auto file, catalog::SqliteCatalog::Open(config.data_dir + "/catalog.sqlite",
                                                                {.on_progress = show}));
    return std::unique_ptr<catalog::Catalog>(std::move(file));
  }
  catalog::PostgresTarget target{.url = config.catalog_url, .password = {}};
  if (!config.catalog_password.empty()) {
    auto password = ReadSecret(config.catalog_password, ReadProcessVariable);
    if (!password.ok()) return password.error().WithContext("catalog.password");
    target.password = *std::move(password);
  }
  HF_ASSIGN_OR_RETURN(auto server, catalog::PostgresCatalog::Open({.target = std::move(target)}));
  return std::unique_ptr<catalog::Catalog>(std::move(server));
}

}  // namespace

std::string ProgramVersion() { return kVersion; }

Environment::Environment(Config config)
    : config_(std::move(config)),
      clock_(std::make_unique<SystemClock>()),
      random_(MakeSystemRandom()),
      http_(net::MakeCurlHttpClient({.user_agent = std::string("holdfast/") + kVersion})) {}

Environment::~Environment() {
  log_forwarder_.reset();  // while a localcloud of this process still takes entries
  if (!localcloud_ || !waits_for_users_) return;
  const auto closed = DirectoryLock::CloseToUsers(LocalcloudDirectory());
  localcloud_.reset();  // while new ones are kept waiting
}

std::string Environment::LocalcloudDirectory() const { return config_.data_dir + "/localcloud"; }

Result<std::unique_ptr<Environment>> Environment::Open(Config config) {
  std::error_code error;
  std::filesystem::create_directories(config.data_dir, error);
  if (error) {
    return MakeError(ErrorId::kFileError, config.data_dir + ": " + error.message(),
                     "Choose another directory with --data-dir");
  }
  auto environment = std::unique_ptr<Environment>(new Environment(std::move(config)));
  HF_ASSIGN_OR_RETURN(environment->catalog_, OpenCatalog(environment->config_));
  HF_ASSIGN_OR_RETURN(environment->catalog_id_, environment->catalog_->Id());
  if (environment->config_.cloud == CloudKind::kLocalcloud) {
    HF_RETURN_IF_ERROR(environment->StartLocalcloud());
  }
  HF_RETURN_IF_ERROR(environment->Connect());
  return environment;
}

Result<localcloud::Endpoint> Environment::FindOrStart(const std::string& directory) {
  for (int look = 1;; ++look) {
    HF_ASSIGN_OR_RETURN(use_, DirectoryLock::Share(directory));
    if (const auto running = localcloud::FindRunning(directory)) return *running;
    use_.reset();
    auto started = localcloud::Localcloud::Start({.data_dir = directory}, *clock_, *random_);
    if (started.ok()) {
      localcloud_ = *std::move(started);
      return localcloud_->endpoint();
    }
    // Another process is just starting one, and has not said yet where it listens.
    if (started.error().id != ErrorId::kDirectoryInUse || look == kLooksMax) return started.error();
    clock_->SleepFor(kLookInterval);
  }
}

Status Environment::StartLocalcloud() {
  HF_ASSIGN_OR_RETURN(const localcloud::Endpoint endpoint, FindOrStart(LocalcloudDirectory()));
  const std::string url = "http://" + endpoint.http;
  config_.endpoints = {.bigquery = url,
                       .storage = url,
                       .resource_manager = url,
                       .pubsub = endpoint.grpc,
                       .logging = url};
  return Ok();
}

Status Environment::Connect() {
  const bool google = config_.cloud == CloudKind::kGoogle;
  token_ =
      google ? gcp::MakeTokenSource(
                   *http_, *clock_,
                   {.key_file = ReadProcessVariable("GOOGLE_APPLICATION_CREDENTIALS").value_or("")})
             : gcp::NoToken();
  const Endpoints& endpoints = config_.endpoints;
  warehouse_ = std::make_unique<gcp::BigQueryWarehouse>(endpoints.bigquery, rest_environment());
  definitions_ = std::make_unique<gcp::BigQueryDefinitions>(endpoints.bigquery, rest_environment());
  objects_ = std::make_unique<gcp::StorageObjectStore>(endpoints.storage, rest_environment());
  projects_ = std::make_unique<gcp::ResourceManagerProjects>(endpoints.resource_manager,
                                                             rest_environment());
  bus_ = gcp::MakePubsubMessageBus(
      gcp::MakePubsubTransport({.address = endpoints.pubsub, .plaintext = !google}, token_),
      {.retry = RetryPolicyOf(config_.cloud)}, *clock_, *random_);
  ConnectLog();
  return Ok();
}

void Environment::ConnectLog() {
  const CloudLogSettings& settings = config_.cloud_log;
  if (settings.project.empty()) return;
  gcp::RestEnvironment surroundings = rest_environment();
  surroundings.retry = kLogRetryPolicy;
  log_sink_ = std::make_unique<gcp::LoggingLogSink>(config_.endpoints.logging, surroundings,
                                                    settings.project, settings.name);
  log_forwarder_ = std::make_unique<LogForwarder>(
      *log_sink_, *clock_, *random_,
      LogForwarderOptions{.level = settings.level,
                          .buffer_entries = static_cast<size_t>(settings.buffer_entries)});
}

gcp::RestEnvironment Environment::rest_environment() {
  return {.http = *http_,
          .token = token_,
          .clock = *clock_,
          .random = *random_,
          .retry = RetryPolicyOf(config_.cloud)};
}

backup::BusSetup Environment::bus_setup() {
  return {
      .bus = *bus_, .project = config_.project, .subscription_suffix = "-holdfast-" + catalog_id_};
}

backup::Services Environment::backup_services() {
  return {.warehouse = *warehouse_,
          .definitions = *definitions_,
          .objects = *objects_,
          .projects = *projects_,
          .catalog = *catalog_,
          .clock = *clock_,
          .random = *random_,
          .organization = config_.organization,
          .tool_version = kVersion,
          .quotas = config_.quotas};
}

restore::Services Environment::restore_services() {
  return {.warehouse = *warehouse_,
          .definitions = *definitions_,
          .objects = *objects_,
          .catalog = *catalog_,
          .clock = *clock_,
          .random = *random_,
          .staging_bucket_pattern = config_.policy.staging_bucket_pattern};
}

verify::Services Environment::verify_services() {
  return {.warehouse = *warehouse_,
          .objects = *objects_,
          .catalog = *catalog_,
          .clock = *clock_,
          .random = *random_,
          .staging_bucket_pattern = config_.policy.staging_bucket_pattern};
}

std::string Environment::DescribeCloud() const {
  switch (config_.cloud) {
    case CloudKind::kLocalcloud:
      return "localcloud in " + config_.data_dir + "/localcloud";
    case CloudKind::kEmulator:
      return "the emulator at " + config_.endpoints.bigquery;
    case CloudKind::kGoogle:
      break;
  }
  return "Google Cloud";
}

}  // namespace holdfast::cli
