#include "cli/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>

#include "adapters/secret.h"
#include "base/check.h"
#include "base/log_observer.h"
#include "base/suggestion.h"
#include "catalog/postgres_url.h"
#include "cli/config_file.h"

namespace holdfast::cli {

namespace {

constexpr const char* kFileVariable = "HOLDFAST_CONFIG";
// Not a choice that anyone types: it is what the *_EMULATOR_HOST variables make of `cloud`.
constexpr const char* kEmulatorCloud = "emulator";
constexpr size_t kLogNameMax = 512;  // Cloud Logging: a log's id is shorter than this

// The settings by name while the sources are laid over each other, the weakest first.
class Layers {
 public:
  Layers() {
    for (const Setting& setting : AllSettings()) {
      const auto value = ParseSettingText(setting, setting.fallback);
      CHECK(value.ok(), std::string(setting.name));
      settings_.push_back({.setting = &setting, .value = *value, .origin = "default"});
    }
  }

  void Set(std::string_view name, Json value, std::string origin) {
    EffectiveSetting& effective = At(name);
    effective.value = std::move(value);
    effective.origin = std::move(origin);
  }

  const Json& ValueOf(std::string_view name) { return At(name).value; }
  const std::string& OriginOf(std::string_view name) { return At(name).origin; }
  std::string TextOf(std::string_view name) { return SettingText(At(name).value); }

  std::vector<EffectiveSetting> Take() { return std::move(settings_); }

 private:
  EffectiveSetting& At(std::string_view name) {
    const auto found = std::ranges::find_if(
        settings_, [&](const EffectiveSetting& at) { return at.setting->name == name; });
    CHECK(found != settings_.end(), std::string(name));
    return *found;
  }

  std::vector<EffectiveSetting> settings_;
};

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

// The variables by which Google's own clients are sent to an emulator. A HOLDFAST_CLOUD says more
// precisely which cloud is meant, and then they are not looked at.
void ApplyEmulators(const ReadVariable& variable, Layers& layers) {
  if (variable("HOLDFAST_CLOUD")) return;
  const auto apply = [&](std::string_view name, const char* from, bool url) {
    const auto host = variable(from);
    if (!host) return false;
    layers.Set(name, url ? AsUrl(*host) : *host, from);
    layers.Set("cloud", kEmulatorCloud, from);
    return true;
  };
  const bool any = apply("endpoints.pubsub", "PUBSUB_EMULATOR_HOST", false);
  const bool storage = apply("endpoints.storage", "STORAGE_EMULATOR_HOST", true);
  // No client of Google's names one for Resource Manager or Cloud Logging; localcloud serves them
  // beside BigQuery.
  const bool bigquery = apply("endpoints.resource_manager", "BIGQUERY_EMULATOR_HOST", true) &&
                        apply("endpoints.logging", "BIGQUERY_EMULATOR_HOST", true) &&
                        apply("endpoints.bigquery", "BIGQUERY_EMULATOR_HOST", true);
  // By itself it sends no one to an emulator.
  if (any || storage || bigquery) {
    apply("endpoints.resource_manager", "RESOURCE_MANAGER_EMULATOR_HOST", true);
    apply("endpoints.logging", "LOGGING_EMULATOR_HOST", true);
  }
}

// With an emulator for one service, the others must not be Google's own by default: a rehearsal
// would reach for real data.
Status CheckEmulators(Layers& layers) {
  if (layers.ValueOf("cloud") != kEmulatorCloud) return Ok();
  std::string missing;
  for (const char* service : {"bigquery", "storage", "pubsub"}) {
    if (layers.OriginOf(std::string("endpoints.") + service) != "default") continue;
    std::string name = service;
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
    missing += (missing.empty() ? "" : " and ") + name + "_EMULATOR_HOST";
  }
  if (missing.empty()) return Ok();
  return MakeError(ErrorId::kConfigInvalid,
                   layers.OriginOf("cloud") + " is set, and " + missing + " is not",
                   "Set all three, or unset them; or say which cloud is meant: HOLDFAST_CLOUD");
}

Status ApplyVariables(const ReadVariable& variable, Layers& layers) {
  for (const Setting& setting : AllSettings()) {
    const std::string name = VariableOf(setting);
    const auto text = variable(name);
    if (!text) continue;
    auto value = ParseSettingText(setting, *text);
    if (!value.ok()) {
      return MakeError(ErrorId::kConfigInvalid, name + " " + value.error().message,
                       "Correct or unset that variable of the environment");
    }
    layers.Set(setting.name, *std::move(value), name);
  }
  return Ok();
}

Status ApplyFlags(const FlagTexts& flags, Layers& layers) {
  for (const auto& [name, text] : flags) {
    const Setting* setting = FindSetting(name);
    CHECK(setting != nullptr, name);
    auto value = ParseSettingText(*setting, text);
    if (!value.ok()) {
      return MakeError(ErrorId::kUsage, std::string(setting->flag) + " " + value.error().message);
    }
    layers.Set(name, *std::move(value), std::string(setting->flag));
  }
  return Ok();
}

CloudKind CloudOf(const std::string& name) {
  if (name == kEmulatorCloud) return CloudKind::kEmulator;
  return name == "google" ? CloudKind::kGoogle : CloudKind::kLocalcloud;
}

LogLevel LogLevelOf(const std::string& name) {
  for (const LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning}) {
    if (name == LogLevelName(level)) return level;
  }
  return LogLevel::kError;
}

// What it says is not repeated in an error: it may hold a password by mistake.
Status CheckCatalog(Layers& layers) {
  const auto named = [&](std::string_view name, const Status& checked) -> Status {
    if (checked.ok()) return Ok();
    return checked.error().WithContext(fmt::format("{}: {}", layers.OriginOf(name), name));
  };
  const std::string url = layers.TextOf("catalog.url");
  const std::string password = layers.TextOf("catalog.password");
  if (!url.empty()) {
    HF_RETURN_IF_ERROR(named("catalog.url", catalog::ValidatePostgresUrl(url)));
  }
  if (!password.empty()) {
    const Error not_one =
        MakeError(ErrorId::kConfigInvalid, "does not say where the secret is",
                  "Write env:NAME, the name of a variable, or file:PATH; never the secret itself");
    HF_RETURN_IF_ERROR(
        named("catalog.password", IsSecretReference(password) ? Ok() : Status(not_one)));
  }
  return Ok();
}

Status CheckCloudLog(Layers& layers) {
  const auto invalid = [&](std::string_view name, std::string_view what) -> Status {
    return MakeError(ErrorId::kConfigInvalid,
                     fmt::format("{}: {} is \"{}\": {}", layers.OriginOf(name), name,
                                 layers.TextOf(name), what));
  };
  const std::string project = layers.TextOf("log.cloud.project");
  if (!project.empty() && !ValidateProjectId(project).ok()) {
    return invalid("log.cloud.project", "expected the id of a project");
  }
  const std::string name = layers.TextOf("log.cloud.name");
  const auto is_allowed = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("/_-.").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (name.empty() || name.size() >= kLogNameMax || !std::ranges::all_of(name, is_allowed)) {
    return invalid("log.cloud.name", "expected letters, digits and / _ - . , 511 at most");
  }
  return Ok();
}

// What is told to people, and where the catalog is shown.
Status ReadObserving(Layers& layers, Config& config) {
  auto alerts = observe::ParseAlertSettings(layers.ValueOf("alerts"));
  if (!alerts.ok()) return std::move(alerts).error().WithContext(layers.OriginOf("alerts"));
  config.alerts = *std::move(alerts);
  auto exporting = observe::ParseExportSettings(layers.ValueOf("catalog.export"));
  if (!exporting.ok()) {
    return std::move(exporting).error().WithContext(layers.OriginOf("catalog.export"));
  }
  config.catalog_export = *std::move(exporting);
  return Ok();
}

Result<Config> BuildConfig(Layers& layers) {
  HF_RETURN_IF_ERROR(CheckCatalog(layers));
  // An empty directory is the file system's root to those who append to it.
  if (layers.TextOf("data_dir").empty()) {
    return MakeError(ErrorId::kConfigInvalid, "data_dir is empty");
  }
  Json policy = Json::object();
  for (const Setting& setting : AllSettings()) {
    if (!setting.name.starts_with("policy.")) continue;
    std::string path = "/" + std::string(setting.name.substr(setting.name.find('.') + 1));
    std::ranges::replace(path, '.', '/');
    policy[Json::json_pointer(path)] = layers.ValueOf(setting.name);
  }
  Config config{
      .data_dir = layers.TextOf("data_dir"),
      .catalog_url = layers.TextOf("catalog.url"),
      .catalog_password = layers.TextOf("catalog.password"),
      .cloud = CloudOf(layers.TextOf("cloud")),
      .endpoints = {.bigquery = layers.TextOf("endpoints.bigquery"),
                    .storage = layers.TextOf("endpoints.storage"),
                    .resource_manager = layers.TextOf("endpoints.resource_manager"),
                    .pubsub = layers.TextOf("endpoints.pubsub"),
                    .logging = layers.TextOf("endpoints.logging")},
      .organization = layers.TextOf("organization"),
      .project = layers.TextOf("project"),
      .restore_project = layers.TextOf("restore_project"),
      .workers = layers.ValueOf("workers").get<int>(),
      .policy_file = layers.TextOf("policy_file"),
      .policy = {},
      .retention = {},
      .verification = {},
      .quotas = {},
      .prune = {.grace = std::chrono::hours{layers.ValueOf("prune.grace_hours").get<int>()},
                .removals_max = layers.ValueOf("prune.removals_max").get<int64_t>(),
                .share_max = layers.ValueOf("prune.share_max").get<double>()},
      .alerts = {},
      .catalog_export = {},
      .metrics_address = layers.TextOf("metrics_address"),
      .log_level = LogLevelOf(layers.TextOf("log.level")),
      .log_format = layers.TextOf("log.format") == "json" ? LogFormat::kJson : LogFormat::kText,
      .cloud_log = {.project = layers.TextOf("log.cloud.project"),
                    .name = layers.TextOf("log.cloud.name"),
                    .level = LogLevelOf(layers.TextOf("log.cloud.level")),
                    .buffer_entries = layers.ValueOf("log.cloud.buffer_entries").get<int>()}};
  HF_RETURN_IF_ERROR(CheckCloudLog(layers));
  HF_ASSIGN_OR_RETURN(config.policy, BackupPolicy::FromJson(policy));
  auto retention = RetentionPolicy::FromJson(layers.ValueOf("retention"));
  if (!retention.ok()) {
    return MakeError(
        ErrorId::kConfigInvalid,
        fmt::format("{}: retention: {}", layers.OriginOf("retention"), retention.error().message));
  }
  config.retention = *std::move(retention);
  auto verification = VerificationPolicy::FromJson(layers.ValueOf("verification"));
  if (!verification.ok()) {
    return MakeError(ErrorId::kConfigInvalid,
                     layers.OriginOf("verification") + ": " + verification.error().message);
  }
  config.verification = *std::move(verification);
  HF_RETURN_IF_ERROR(ReadObserving(layers, config));
  auto quotas = QuotaLimits::FromJson(layers.ValueOf("quotas"));
  if (!quotas.ok()) return quotas.error().WithContext(layers.OriginOf("quotas"));
  config.quotas = *std::move(quotas);
  return config;
}

std::string DefaultPath(const ReadVariable& variable) {
  if (const auto path = variable(kFileVariable)) return *path;
  const auto xdg = variable("XDG_CONFIG_HOME");
  const auto home = variable("HOME");
  if (!xdg && !home) return {};
  const std::string path = (xdg ? *xdg : *home + "/.config") + "/holdfast/config.yaml";
  std::error_code error;
  return std::filesystem::exists(path, error) ? path : std::string();
}

}  // namespace

Result<LoadedConfig> ParseConfig(const std::string& text, const std::string& file,
                                 const ReadVariable& variable, const FlagTexts& flags) {
  Layers layers;
  layers.Set("data_dir", DefaultDataDir(variable), "default");
  HF_ASSIGN_OR_RETURN(const auto in_file, ParseConfigFile(text).WithContext(file));
  for (const FileSetting& setting : in_file) {
    layers.Set(setting.setting->name, setting.value, fmt::format("{}:{}", file, setting.line));
  }
  ApplyEmulators(variable, layers);
  HF_RETURN_IF_ERROR(ApplyVariables(variable, layers));
  HF_RETURN_IF_ERROR(ApplyFlags(flags, layers));
  HF_RETURN_IF_ERROR(CheckEmulators(layers));
  LoadedConfig loaded{.config = {}, .file = file, .settings = {}};
  HF_ASSIGN_OR_RETURN(loaded.config, BuildConfig(layers));
  loaded.settings = layers.Take();
  return loaded;
}

Scope WholeScope(const Config& config) {
  Scope scope = config.policy.scope;
  if (!config.restore_project.empty()) scope.exclude.push_back(config.restore_project);
  return scope;
}

Result<LoadedConfig> LoadConfig(const std::string& path, const ReadVariable& variable,
                                const FlagTexts& flags) {
  const std::string chosen = path.empty() ? DefaultPath(variable) : path;
  if (chosen.empty()) return ParseConfig("", "", variable, flags);
  HF_ASSIGN_OR_RETURN(const std::string text, ReadConfigFile(chosen));
  return ParseConfig(text, chosen, variable, flags);
}

std::vector<std::string> UnknownVariables(const std::vector<std::string>& names) {
  std::vector<std::string> known = {kFileVariable};
  for (const Setting& setting : AllSettings()) known.push_back(VariableOf(setting));
  std::vector<std::string> sentences;
  for (const std::string& name : names) {
    if (!name.starts_with("HOLDFAST_") || std::ranges::find(known, name) != known.end()) continue;
    const std::string nearest = DidYouMean(name, known);
    sentences.push_back(
        fmt::format("{} sets nothing{}", name, nearest.empty() ? "" : "; " + nearest));
  }
  return sentences;
}

std::optional<std::string> ReadProcessVariable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::vector<std::string> ProcessVariableNames() {
  std::vector<std::string> names;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry = *at;
    names.emplace_back(entry.substr(0, entry.find('=')));
  }
  return names;
}

}  // namespace holdfast::cli
