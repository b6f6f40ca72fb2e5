#include "cli/config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace holdfast::cli {

namespace {

constexpr size_t kConfigBytesMax = size_t{1} << 20U;
constexpr int kWorkersMax = 64;

Error Invalid(const YAML::Mark& mark, std::string_view what) {
  return MakeError(ErrorId::kConfigInvalid,
                   fmt::format("line {}, column {}: {}", mark.line + 1, mark.column + 1, what));
}

// YAML as JSON; scalars become numbers and booleans where they read as such and are not quoted.
Json ToJson(const YAML::Node& node) {
  if (node.IsMap()) {
    Json object = Json::object();
    for (const auto& entry : node) object[entry.first.as<std::string>()] = ToJson(entry.second);
    return object;
  }
  if (node.IsSequence()) {
    Json list = Json::array();
    for (const auto& item : node) list.push_back(ToJson(item));
    return list;
  }
  if (!node.IsScalar()) return {};
  const std::string& text = node.Scalar();
  if (node.Tag() != "!") {
    if (bool value = false; YAML::convert<bool>::decode(node, value)) return value;
    if (int64_t value = 0; YAML::convert<int64_t>::decode(node, value)) return value;
    if (double value = 0; YAML::convert<double>::decode(node, value)) return value;
  }
  return text;
}

Status ReadText(const YAML::Node& node, std::string& into) {
  if (!node.IsScalar()) return Invalid(node.Mark(), "expected text");
  into = node.Scalar();
  return Ok();
}

Status ReadCloud(const YAML::Node& node, Config& config) {
  std::string name;
  HF_RETURN_IF_ERROR(ReadText(node, name));
  if (name == "localcloud") {
    config.cloud = CloudKind::kLocalcloud;
  } else if (name == "google") {
    config.cloud = CloudKind::kGoogle;
  } else {
    return Invalid(node.Mark(),
                   fmt::format("cloud is \"{}\": expected localcloud or google", name));
  }
  return Ok();
}

Status ReadEndpoints(const YAML::Node& node, Config& config) {
  if (!node.IsMap()) return Invalid(node.Mark(), "endpoints is not a map");
  const std::array<std::pair<std::string_view, std::string*>, 4> members = {{
      {"bigquery", &config.endpoints.bigquery},
      {"storage", &config.endpoints.storage},
      {"resource_manager", &config.endpoints.resource_manager},
      {"pubsub", &config.endpoints.pubsub},
  }};
  for (const auto& entry : node) {
    const auto name = entry.first.as<std::string>();
    bool known = false;
    for (const auto& [member, into] : members) {
      if (name != member) continue;
      known = true;
      HF_RETURN_IF_ERROR(ReadText(entry.second, *into));
    }
    if (!known) return Invalid(entry.first.Mark(), fmt::format("unknown endpoint \"{}\"", name));
  }
  return Ok();
}

Status ReadWorkers(const YAML::Node& node, Config& config) {
  if (!YAML::convert<int>::decode(node, config.workers) || config.workers < 1 ||
      config.workers > kWorkersMax) {
    return Invalid(node.Mark(),
                   fmt::format("workers: expected a number from 1 to {}", kWorkersMax));
  }
  return Ok();
}

Status ReadPolicy(const YAML::Node& node, Config& config) {
  const auto policy = BackupPolicy::FromJson(ToJson(node));
  if (!policy.ok()) return Invalid(node.Mark(), policy.error().message);
  const Json known = BackupPolicy().ToJson();
  for (const auto& entry : node) {
    const auto name = entry.first.as<std::string>();
    if (!known.contains(name)) {
      return Invalid(entry.first.Mark(), fmt::format("unknown policy member \"{}\"", name));
    }
  }
  config.policy = *policy;
  return Ok();
}

Status ReadMember(const std::string& name, const YAML::Node& key, const YAML::Node& value,
                  Config& config) {
  if (name == "data_dir") return ReadText(value, config.data_dir);
  if (name == "cloud") return ReadCloud(value, config);
  if (name == "endpoints") return ReadEndpoints(value, config);
  if (name == "organization") return ReadText(value, config.organization);
  if (name == "project") return ReadText(value, config.project);
  if (name == "restore_project") return ReadText(value, config.restore_project);
  if (name == "workers") return ReadWorkers(value, config);
  if (name == "policy") return ReadPolicy(value, config);
  return Invalid(key.Mark(), fmt::format("unknown member \"{}\"", name));
}

Status ReadDocument(const std::string& text, Config& config) {
  // yaml-cpp throws; this is its edge.
  try {
    const YAML::Node root = YAML::Load(text);
    if (root.IsNull()) return Ok();
    if (!root.IsMap()) return Invalid(root.Mark(), "the file is not a map of settings");
    for (const auto& entry : root) {
      HF_RETURN_IF_ERROR(
          ReadMember(entry.first.as<std::string>(), entry.first, entry.second, config));
    }
    return Ok();
  } catch (const YAML::Exception& error) {
    return Invalid(error.mark, error.msg);
  }
}

std::string DefaultDataDir(const ReadVariable& variable) {
  if (const auto dir = variable("XDG_DATA_HOME")) return *dir + "/holdfast";
  if (const auto home = variable("HOME")) return *home + "/.local/share/holdfast";
  return "holdfast-data";
}

// "host:port", or a URL, as an endpoint with scheme.
std::string AsUrl(const std::string& host) {
  std::string url = host.find("://") == std::string::npos ? "http://" + host : host;
  while (url.ends_with('/')) url.pop_back();
  return url;
}

void ApplyEnvironment(const ReadVariable& variable, Config& config) {
  if (const auto dir = variable("HOLDFAST_DATA_DIR")) config.data_dir = *dir;
  if (config.data_dir.empty()) config.data_dir = DefaultDataDir(variable);
  const auto bigquery = variable("BIGQUERY_EMULATOR_HOST");
  const auto storage = variable("STORAGE_EMULATOR_HOST");
  const auto pubsub = variable("PUBSUB_EMULATOR_HOST");
  if (!bigquery && !storage && !pubsub) return;
  config.cloud = CloudKind::kEmulator;
  if (bigquery) config.endpoints.bigquery = AsUrl(*bigquery);
  if (storage) config.endpoints.storage = AsUrl(*storage);
  if (pubsub) config.endpoints.pubsub = *pubsub;
  // No client of Google's names one for Resource Manager; localcloud serves it beside BigQuery.
  const auto manager = variable("RESOURCE_MANAGER_EMULATOR_HOST");
  if (manager) {
    config.endpoints.resource_manager = AsUrl(*manager);
  } else if (bigquery) {
    config.endpoints.resource_manager = config.endpoints.bigquery;
  }
}

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return MakeError(ErrorId::kConfigInvalid, fmt::format("{}: cannot be read", path));
  }
  if (text.str().size() > kConfigBytesMax) {
    return MakeError(ErrorId::kLimitExceeded,
                     fmt::format("{}: more than {} bytes", path, kConfigBytesMax));
  }
  return text.str();
}

std::string DefaultPath(const ReadVariable& variable) {
  if (const auto path = variable("HOLDFAST_CONFIG")) return *path;
  const auto xdg = variable("XDG_CONFIG_HOME");
  const auto home = variable("HOME");
  if (!xdg && !home) return {};
  const std::string path = (xdg ? *xdg : *home + "/.config") + "/holdfast/config.yaml";
  std::error_code error;
  return std::filesystem::exists(path, error) ? path : std::string();
}

}  // namespace

std::optional<std::string> ReadProcessVariable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

Result<Config> ParseConfig(const std::string& text, const ReadVariable& variable) {
  Config config;
  HF_RETURN_IF_ERROR(ReadDocument(text, config));
  ApplyEnvironment(variable, config);
  return config;
}

Result<Config> LoadConfig(const std::string& path, const ReadVariable& variable) {
  const std::string chosen = path.empty() ? DefaultPath(variable) : path;
  if (chosen.empty()) return ParseConfig("", variable);
  HF_ASSIGN_OR_RETURN(const std::string text, ReadFile(chosen));
  return ParseConfig(text, variable).WithContext(chosen);
}

}  // namespace holdfast::cli
