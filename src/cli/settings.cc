#include "cli/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/suggestion.h"
#include "cli/selector.h"
#include "model/yaml_tree.h"

namespace holdfast::cli {

namespace {

constexpr auto kSettings = std::to_array<Setting>({
    {.name = "data_dir",
     .unset = "`$XDG_DATA_HOME/holdfast`, else `~/.local/share/holdfast`",
     .doc = "directory of the catalog and of localcloud",
     .flag = "--data-dir",
     .flag_value = "DIRECTORY",
     .flag_doc = "Directory of the catalog and of localcloud"},
    {.name = "catalog.url",
     .unset = "SQLite: `catalog.sqlite` in the data directory",
     .doc = "a PostgreSQL database that holds the catalog, for workers on several machines: "
            "`postgresql://holdfast@db.acme.example/holdfast?sslmode=verify-full`; without a "
            "password"},
    {.name = "catalog.password",
     .unset = "as libpq finds it: `PGPASSWORD`, a password file, or none",
     .doc = "where the password of `catalog.url` is: `env:NAME` or `file:PATH`"},
    {.name = "catalog.export",
     .type = SettingType::kDocument,
     .unset = "the catalog is not exported by itself",
     .doc = "a BigQuery dataset that `holdfast up` exports the catalog to, and how often: `{to: "
            "acme-ops.holdfast, every: 24h, location: EU}`; without `every` only `holdfast catalog "
            "export` does"},
    {.name = "cloud",
     .type = SettingType::kChoice,
     .fallback = "localcloud",
     .doc = "`localcloud` (one in the data directory, started if none runs) or `google`",
     .choices = "localcloud google"},
    {.name = "organization",
     .unset = "every visible project",
     .doc = "the organization to back up, as `organizations/123`",
     .flag = "--organization",
     .flag_value = "NAME",
     .flag_doc = "Organization to back up, as organizations/123"},
    {.name = "project",
     .fallback = "gcp-platform-team-project",
     .doc = "the central project, which holds topics and subscriptions",
     .flag = "--project",
     .flag_alias = "--project-id",
     .flag_value = "PROJECT",
     .flag_doc = "Central project, which holds the topics"},
    {.name = "restore_project",
     .unset = "the source's own",
     .doc = "where restores go unless `--to-project` says otherwise; never backed up"},
    {.name = "workers",
     .type = SettingType::kInteger,
     .fallback = "4",
     .doc = "worker threads",
     .flag = "--workers",
     .flag_value = "N",
     .flag_doc = "Worker threads",
     .minimum = 1,
     .maximum = 64},
    {.name = "endpoints.bigquery",
     .fallback = "https://bigquery.googleapis.com",
     .doc = "BigQuery, when `cloud` is `google`"},
    {.name = "endpoints.storage",
     .fallback = "https://storage.googleapis.com",
     .doc = "Cloud Storage, when `cloud` is `google`"},
    {.name = "endpoints.resource_manager",
     .fallback = "https://cloudresourcemanager.googleapis.com",
     .doc = "Resource Manager, when `cloud` is `google`"},
    {.name = "endpoints.pubsub",
     .fallback = "pubsub.googleapis.com:443",
     .doc = "Pub/Sub, when `cloud` is `google`: host and port of gRPC"},
    {.name = "endpoints.logging",
     .fallback = "https://logging.googleapis.com",
     .doc = "Cloud Logging, when `cloud` is `google`"},
    {.name = "policy_file",
     .unset = "the member `policies` of this file",
     .doc = "the policy document (docs/reference/policy.md), beside this file unless the path is "
            "absolute"},
    {.name = "policy.name", .fallback = "default", .doc = "for people"},
    {.name = "policy.method",
     .type = SettingType::kChoice,
     .fallback = "export",
     .doc =
         "`export` (Avro in Cloud Storage), `copy` (copy job into a backup project) or `snapshot` "
         "(table snapshot in one); several at once: in the policy document",
     .choices = "export copy snapshot"},
    {.name = "policy.scope.include",
     .type = SettingType::kPatternList,
     .unset = "everything",
     .doc = "globs: `project`, `project.dataset`, `project.dataset.table`"},
    {.name = "policy.scope.exclude",
     .type = SettingType::kPatternList,
     .unset = "nothing",
     .doc = "globs of what is left out, as above"},
    {.name = "policy.bucket_pattern",
     .fallback = "{project}-holdfast-{location}",
     .doc = "the repository's bucket"},
    {.name = "policy.bucket_project",
     .unset = "the source's own",
     .doc = "the project that owns the repository's buckets; a bucket of another one is refused"},
    {.name = "policy.staging_bucket_pattern",
     .fallback = "{project}-holdfast-staging-{location}",
     .doc = "where extract jobs write"},
    {.name = "policy.prefix",
     .unset = "the bucket's root",
     .doc = "of the repository in its bucket"},
    {.name = "policy.direct_extract",
     .type = SettingType::kBoolean,
     .fallback = "false",
     .doc = "extract straight into the repository (it must not be locked)"},
    {.name = "policy.copy_project",
     .unset = "the source's own",
     .doc = "methods `copy` and `snapshot`: where the copies are"},
    {.name = "policy.codec",
     .type = SettingType::kChoice,
     .fallback = "SNAPPY",
     .doc = "of the Avro files: `NONE`, `DEFLATE` or `SNAPPY`",
     .choices = "NONE DEFLATE SNAPPY"},
    {.name = "policy.verify",
     .type = SettingType::kChoice,
     .fallback = "L2",
     .doc = "kept, and not acted on yet: every backup is read and checked at L2 before it counts",
     .choices = "L0 L1 L2"},
    {.name = "policy.trust_equal_counts",
     .type = SettingType::kBoolean,
     .fallback = "false",
     .doc =
         "save an edited description with the data of the backup before, without a job, whenever "
         "rows and bytes are as they were; an UPDATE that keeps both is then not noticed"},
    {.name = "policy.storage_view_delay_minutes",
     .type = SettingType::kInteger,
     .fallback = "60",
     .doc = "a description that was edited longer ago than this is saved with the data of the "
            "backup before, without a job, when the service's storage view (`TABLE_STORAGE`) tells "
            "of no write since that backup; so far may that view lag behind. Of a younger edit the "
            "data is read and compared",
     .maximum = 10'080},
    {.name = "policy.require_access",
     .type = SettingType::kBoolean,
     .fallback = "false",
     .doc =
         "fail the backup of a table whose access policies may not be read; else its outcome says "
         "that they are not saved"},
    {.name = "policy.shrink_threshold",
     .type = SettingType::kNumber,
     .fallback = "0.5",
     .doc = "a backup with fewer rows or bytes than this share of the last good one's is suspect: "
            "kept, never counted as good; one of a table that was emptied always is",
     .maximum = 1},
    {.name = "policy.changed_within_hours",
     .type = SettingType::kInteger,
     .fallback = "0",
     .doc = "back up only what was modified within so many hours before the run; 0: whatever its "
            "last good backup does not hold",
     .maximum = 876'000},
    {.name = "policy.create_buckets",
     .type = SettingType::kBoolean,
     .fallback = "true",
     .doc =
         "create buckets that are not there; false: a backup that is to go there fails, with the "
         "command that creates it"},
    {.name = "policy.bucket_retention",
     .unset = "none",
     .doc = "retention policy of repositories' buckets that are created, as `30d`: nothing younger "
            "can be deleted; it is not locked"},
    {.name = "policy.forced_full_days",
     .type = SettingType::kInteger,
     .fallback = "7",
     .doc = "an unchanged object is backed up anyway after so many days; 0: never",
     .maximum = 36'500},
    {.name = "retention",
     .type = SettingType::kDocument,
     .unset = "everything is kept",
     .doc = "what `holdfast backup prune` keeps: `{keep_daily: 7, keep_monthly: 12}` and so on, or "
            "`{preset: bbq}`; see [retention.md](retention.md)"},
    {.name = "verification",
     .type = SettingType::kDocument,
     .unset = "`{read_within: 30d}`",
     .doc = "what `holdfast backup verify --due` and `holdfast up` keep to: `read_within`, every "
            "backup is read whole in that time; `restore_within`, of each object the newest good "
            "backup is restored into a scratch dataset and compared; `live: true`, what is read is "
            "held against the source as of the same moment"},
    {.name = "quotas",
     .type = SettingType::kDocument,
     .unset = "Google's own limits",
     .doc = "how much of each quota a day's runs may use: `{copy_jobs_per_day: 50000, projects: "
            "{acme-big: {copy_jobs_per_day: 400000}}}`; see [quotas.md](quotas.md)"},
    {.name = "prune.grace_hours",
     .type = SettingType::kInteger,
     .fallback = "72",
     .doc = "between the marking of a backup and its deletion",
     .maximum = 87'600},
    {.name = "prune.removals_max",
     .type = SettingType::kInteger,
     .fallback = "1000",
     .doc = "one pass marks at most so many backups, and deletes at most so many",
     .minimum = 1,
     .maximum = 1'000'000},
    {.name = "prune.share_max",
     .type = SettingType::kNumber,
     .fallback = "0.1",
     .doc = "the same as a share of all backups; one may always go",
     .maximum = 1},
    {.name = "log.level",
     .type = SettingType::kChoice,
     .fallback = "error",
     .doc = "what is logged on stderr: lines of this level and above; each stage's success is "
            "`info`, its failure `warning`",
     .choices = "debug info warning error"},
    {.name = "log.format",
     .type = SettingType::kChoice,
     .fallback = "text",
     .doc = "`text`, or `json`: one object a line",
     .choices = "text json"},
    {.name = "log.cloud.project",
     .unset = "nothing is logged there",
     .doc = "the project of Cloud Logging to which the log goes as well, whatever goes to stderr"},
    {.name = "log.cloud.name", .fallback = "holdfast", .doc = "the log's name in that project"},
    {.name = "log.cloud.level",
     .type = SettingType::kChoice,
     .fallback = "info",
     .doc = "what goes to Cloud Logging: lines of this level and above",
     .choices = "debug info warning error"},
    {.name = "log.cloud.buffer_entries",
     .type = SettingType::kInteger,
     .fallback = "10000",
     .doc = "so many entries wait at most for Cloud Logging to take them; more are dropped, "
            "counted and told of",
     .minimum = 1,
     .maximum = 1'000'000},
    {.name = "metrics_address",
     .unset = "metrics are not served",
     .doc = "where `holdfast up` serves `/metrics` and `/livez`, as `127.0.0.1:9108`; it asks for "
            "no credentials"},
    {.name = "alerts",
     .type = SettingType::kDocument,
     .unset = "no one is told",
     .doc = "who is told of what went wrong, by mail and webhook; see [alerts.md](alerts.md)"},
});

Error Unexpected(std::string_view text, const std::string& expected) {
  return MakeError(ErrorId::kConfigInvalid, fmt::format("is \"{}\": expected {}", text, expected));
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

template <typename T>
Result<Json> ParseNumber(const Setting& setting, std::string_view text, std::string_view noun) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto number = static_cast<double>(value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number) ||
      number < setting.minimum || number > setting.maximum) {
    return Unexpected(text,
                      fmt::format("{} from {} to {}", noun, setting.minimum, setting.maximum));
  }
  return Json(value);
}

Result<Json> ParseBoolean(std::string_view text) {
  const std::string word = Lower(text);
  for (const std::string_view yes : {"true", "yes", "on", "1"}) {
    if (word == yes) return Json(true);
  }
  for (const std::string_view no : {"false", "no", "off", "0"}) {
    if (word == no) return Json(false);
  }
  return Unexpected(text, "true or false");
}

Result<Json> ParseChoice(const Setting& setting, std::string_view text) {
  const std::vector<std::string> choices = ChoicesOf(setting);
  if (std::ranges::find(choices, text) != choices.end()) return Json(std::string(text));
  const std::string nearest = DidYouMean(text, choices);
  return Unexpected(text, fmt::format("one of {}{}", fmt::join(choices, ", "),
                                      nearest.empty() ? "" : "; " + nearest));
}

Result<Json> ParseDocument(std::string_view text) {
  const auto tree = ParseYamlTree(std::string(text));
  if (!tree.ok()) return MakeError(ErrorId::kConfigInvalid, tree.error().message);
  Json document = tree->ToJson();
  if (document.is_null()) return Json::object();
  if (!document.is_object()) return Unexpected(text, "a map");
  return document;
}

}  // namespace

std::span<const Setting> AllSettings() { return kSettings; }

const Setting* FindSetting(std::string_view name) {
  const auto* found = std::ranges::find(kSettings, name, &Setting::name);
  return found == kSettings.end() ? nullptr : &*found;
}

std::string VariableOf(const Setting& setting) {
  std::string variable = "HOLDFAST_";
  for (const char c : setting.name) {
    variable += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return variable;
}

std::vector<std::string> ChoicesOf(const Setting& setting) { return Split(setting.choices, ' '); }

Result<Json> ParseSettingText(const Setting& setting, std::string_view text) {
  switch (setting.type) {
    case SettingType::kText:
      return Json(std::string(text));
    case SettingType::kInteger:
      return ParseNumber<int64_t>(setting, text, "a whole number");
    case SettingType::kNumber:
      return ParseNumber<double>(setting, text, "a number");
    case SettingType::kBoolean:
      return ParseBoolean(text);
    case SettingType::kChoice:
      return ParseChoice(setting, text);
    case SettingType::kDocument:
      return ParseDocument(text);
    case SettingType::kPatternList:
      break;
  }
  return ParseSettingItems(setting, Split(text, ','));
}

Result<Json> ParseSettingItems(const Setting& setting, const std::vector<std::string>& items) {
  if (setting.type != SettingType::kPatternList) {
    return MakeError(ErrorId::kConfigInvalid, "is a list: expected one value");
  }
  Json list = Json::array();
  for (const std::string& item : items) {
    auto pattern = ScopePattern(item);
    if (!pattern.ok()) return MakeError(ErrorId::kConfigInvalid, pattern.error().message);
    list.push_back(*std::move(pattern));
  }
  return list;
}

std::string SettingText(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return DumpJson(value);
  std::string text;
  for (const Json& item : value) text += (text.empty() ? "" : ",") + SettingText(item);
  return text;
}

}  // namespace holdfast::cli
