// The configuration: one YAML file, with defaults for everything.
//
// Precedence: flags > environment (HOLDFAST_DATA_DIR, HOLDFAST_CONFIG, the *_EMULATOR_HOST
// variables of Google's clients) > file > defaults. An unknown key is an error, so that a typing
// mistake does not become a silent default. Secrets are never in it. Plain values. Source:
// interfaces.md "Config".
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "model/policy.h"

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
};

struct Config {
  std::string data_dir;  // catalog and localcloud live here
  CloudKind cloud = CloudKind::kLocalcloud;
  Endpoints endpoints;
  std::string organization;  // "organizations/123"; empty: every visible project
  std::string project =
      "gcp-platform-team-project";  // central: topics and subscriptions (seed 000)
  std::string restore_project;      // where restores go; empty: the source's own project
  int workers = 4;
  BackupPolicy policy;
};

// Reads a variable of the environment; nullopt when unset or empty.
using ReadVariable = std::function<std::optional<std::string>(const char* name)>;

// The file at `path` (empty: the default places; none there is no error) under the environment.
// Errors: kConfigInvalid with line and column.
Result<Config> LoadConfig(const std::string& path, const ReadVariable& variable);

// The same from text, for tests.
Result<Config> ParseConfig(const std::string& text, const ReadVariable& variable);

// The process's own environment.
std::optional<std::string> ReadProcessVariable(const char* name);

}  // namespace holdfast::cli
