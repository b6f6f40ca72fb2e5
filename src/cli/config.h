// The configuration: what every setting is, and where that was said.
//
// Precedence: flags > environment (HOLDFAST_<SECTION>_<KEY>, then the *_EMULATOR_HOST variables of
// Google's clients) > the one YAML file > the registry's defaults (settings.h). Secrets are never
// in it. Plain values. Source: interfaces.md "Config".
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "cli/settings.h"
#include "model/policy.h"
#include "model/quota_limits.h"
#include "model/retention.h"
#include "model/verification_policy.h"
#include "observe/alert_settings.h"
#include "observe/export_settings.h"
#include "retain/prune.h"

namespace holdfast::cli {

enum class CloudKind {
  kLocalcloud,  // one in the data directory, started if none runs
  kEmulator,    // whatever the *_EMULATOR_HOST variables name
  kGoogle,
};

// Where the cloud's services are: scheme, host and port, without a trailing slash.
struct Endpoints {
  std::string bigquery = "https://bigquery.googleapis.com";
  std::string storage = "https://storage.googleapis.com";
  std::string resource_manager = "https://cloudresourcemanager.googleapis.com";
  std::string pubsub = "pubsub.googleapis.com:443";  // gRPC: host and port
  std::string logging = "https://logging.googleapis.com";

  bool operator==(const Endpoints&) const = default;
};

// What of the log goes to Cloud Logging as well.
struct CloudLogSettings {
  std::string project;  // empty: nothing does
  std::string name = "holdfast";
  LogLevel level = LogLevel::kInfo;
  int buffer_entries = 10'000;  // that wait to be sent; more are dropped and counted

  bool operator==(const CloudLogSettings&) const = default;
};

struct Config {
  std::string data_dir;          // catalog and localcloud live here
  std::string catalog_url;       // of PostgreSQL; empty: SQLite in the data directory
  std::string catalog_password;  // where it is, as ReadSecret takes it; empty: not given
  CloudKind cloud = CloudKind::kLocalcloud;
  Endpoints endpoints;
  std::string organization;  // "organizations/123"; empty: every visible project
  std::string project =
      "gcp-platform-team-project";  // central: topics and subscriptions (seed 000)
  std::string restore_project;      // where restores go; empty: the source's own project
  int workers = 4;
  std::string policy_file;  // of the policy document, as given (policy_source.h); empty: none
  BackupPolicy policy;
  RetentionPolicy retention;
  VerificationPolicy verification;
  QuotaLimits quotas;
  retain::PruneOptions prune;
  observe::AlertSettings alerts;
  observe::ExportSettings catalog_export;
  std::string metrics_address;  // "127.0.0.1:9108"; empty: metrics are not served
  LogLevel log_level = LogLevel::kError;
  LogFormat log_format = LogFormat::kText;
  CloudLogSettings cloud_log;

  bool operator==(const Config&) const = default;
};

// What a backup run covers that is not narrowed by its flags: the policy's scope without the
// project that restores go to, whose tables are copies of what is backed up already.
Scope WholeScope(const Config& config);

// Reads a variable of the environment; nullopt when unset or empty.
using ReadVariable = std::function<std::optional<std::string>(const std::string& name)>;

// Settings by name with the texts that their flags were given.
using FlagTexts = std::map<std::string, std::string, std::less<>>;

// One setting as it is in effect.
struct EffectiveSetting {
  const Setting* setting = nullptr;  // never nullptr
  Json value;
  std::string origin;  // "default", "path:line", "HOLDFAST_WORKERS" or "--workers"
};

struct LoadedConfig {
  Config config;
  std::string file;                        // that was read; empty: none
  std::vector<EffectiveSetting> settings;  // all, in the registry's order
};

// The file at `path` (empty: the one that HOLDFAST_CONFIG names, else the default place, where none
// is no error) under the environment and the flags. Errors: kConfigInvalid with file, line and
// column, or with the variable; kUsage with the flag.
Result<LoadedConfig> LoadConfig(const std::string& path, const ReadVariable& variable,
                                const FlagTexts& flags);

// The same from a file's text, for tests; `file` is what its origins are called.
Result<LoadedConfig> ParseConfig(const std::string& text, const std::string& file,
                                 const ReadVariable& variable, const FlagTexts& flags);

// A sentence for each of the variables named HOLDFAST_... that no setting has: a typing mistake
// there would be silent.
std::vector<std::string> UnknownVariables(const std::vector<std::string>& names);

// The process's own environment.
std::optional<std::string> ReadProcessVariable(const std::string& name);
std::vector<std::string> ProcessVariableNames();

}  // namespace holdfast::cli
