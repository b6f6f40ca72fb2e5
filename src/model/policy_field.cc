#include "model/policy_field.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "model/method.h"
#include "model/policy.h"
#include "model/resource_names.h"
#include "model/retention.h"
#include "model/schedule.h"

namespace holdfast {

namespace {

using enum PolicyFieldType;

constexpr size_t kListMax = 100;
constexpr size_t kPolicyTextMax = 1000;
constexpr int64_t kDurationSecondsMax = 100LL * 366 * 24 * 60 * 60;

constexpr auto kPolicyFields = std::to_array<PolicyField>({
    {.name = "class", .doc = "data class, whose fields count where it is named"},
    {.name = "enabled",
     .type = kBoolean,
     .doc = "false: not backed up, and named as excluded; `exclude: true` says the same"},
    {.name = "methods",
     .type = kMethods,
     .doc = "`export`, `copy`, `snapshot`, or a list: each makes backups of its own; `method` says "
            "the same"},
    {.name = "schedule", .type = kSchedules, .doc = "when it is due: cron with a time zone"},
    {.name = "retention", .type = kRetention, .doc = "which backups `backup prune` keeps"},
    {.name = "rto", .type = kDuration, .doc = "how long a restore may take", .is_kept_only = true},
    {.name = "rpo",
     .type = kDuration,
     .doc = "how old the newest recovery point may be: what is older is alerted on, and where the "
            "day's quotas do not take everything, what is due first goes first"},
    {.name = "bucket_pattern", .doc = "the repository's bucket", .in_backup_policy = true},
    {.name = "staging_bucket_pattern", .doc = "where extract jobs write", .in_backup_policy = true},
    {.name = "prefix", .doc = "of the repository in its bucket", .in_backup_policy = true},
    {.name = "repositories",
     .type = kRepositories,
     .doc = "further repositories, elsewhere: what is in the first of exports and definitions is "
            "copied there. A list of maps: `bucket_pattern`, which each must have, the bucket's "
            "name with `{project}` and `{location}` filled in; `prefix` in the bucket; `project`, "
            "which owns the bucket (the object's own if it is left out); `location` of the bucket "
            "(the object's own if it is left out)",
     .in_backup_policy = true},
    {.name = "direct_extract",
     .type = kBoolean,
     .doc = "extract straight into the repository",
     .in_backup_policy = true},
    {.name = "bucket_project",
     .doc = "the project that owns the repository's buckets",
     .in_backup_policy = true},
    {.name = "create_buckets",
     .type = kBoolean,
     .doc = "a bucket that is not there is created, in the object's own project and location; "
            "false: a backup that is to go there fails, with the command that creates it",
     .in_backup_policy = true},
    {.name = "bucket_retention",
     .type = kDuration,
     .doc = "retention policy of repositories' buckets that are created: nothing younger can be "
            "deleted. It is not locked; a bucket that is there is not changed, and the run says so",
     .in_backup_policy = true},
    {.name = "copy_project", .doc = "where copies are", .in_backup_policy = true},
    {.name = "backup_operation_projects",
     .type = kProjects,
     .doc = "projects over which the jobs are spread",
     .in_backup_policy = true},
    {.name = "time_travel_days",
     .type = kInteger,
     .doc = "take the table as it was so many days before the run began",
     .maximum = 7,
     .in_backup_policy = true},
    {.name = "freeze",
     .type = kBoolean,
     .doc = "partitions are read from a clone of the table as it was at one moment; false: each as "
            "it is when its turn comes",
     .in_backup_policy = true},
    {.name = "codec",
     .type = kChoice,
     .doc = "of the Avro files",
     .choices = "NONE DEFLATE SNAPPY",
     .in_backup_policy = true},
    {.name = "verify",
     .type = kChoice,
     .doc = "how far a backup is verified before it counts",
     .choices = "L0 L1 L2",
     .in_backup_policy = true},
    {.name = "verification",
     .type = kVerification,
     .doc = "how often backups are read and restored later"},
    {.name = "shrink_threshold",
     .type = kNumber,
     .doc =
         "fewer rows or bytes than this share of the last good backup's are suspect; none at all "
         "always is",
     .maximum = 1,
     .in_backup_policy = true},
    {.name = "trust_equal_counts",
     .type = kBoolean,
     .doc = "settle an edited description without reading the data",
     .in_backup_policy = true},
    {.name = "storage_view_delay_minutes",
     .type = kInteger,
     .doc = "a description that was edited longer ago than this is saved without reading the data, "
            "when the service's storage view tells of no write since the last backup; so far may "
            "that view lag behind",
     .maximum = 10'080,
     .in_backup_policy = true},
    {.name = "changed_within_hours",
     .type = kInteger,
     .doc = "only what was modified within so many hours before the run is looked at; the rest is "
            "not due. 0: whatever its last good backup does not hold",
     .maximum = 876'000,
     .in_backup_policy = true},
    {.name = "forced_full_days",
     .type = kInteger,
     .doc = "an unchanged object is backed up anyway after so many days; 0: never",
     .maximum = 36'500,
     .in_backup_policy = true},
});

using Path = std::vector<std::string>;

Error Expected(const Json& value, std::string_view expected) {
  std::string text = DumpJson(value);
  if (text.size() > 100) text = text.substr(0, 100) + "...";
  return MakeError(ErrorId::kInvalidPolicy, fmt::format("is {}: expected {}", text, expected));
}

std::vector<std::string_view> ChoicesIn(std::string_view words) {
  std::vector<std::string_view> choices;
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    choices.push_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return choices;
}

Result<Json> NormalText(const Json& value) {
  if (value.is_number_integer()) return Json(DumpJson(value));  // a name of digits only
  if (!value.is_string() || value.get_ref<const std::string&>().size() > kPolicyTextMax) {
    return Expected(value, "a text");
  }
  return value;
}

Result<Json> NormalNumber(const PolicyField& field, const Json& value) {
  const bool whole = field.type == kInteger;
  const bool is_number = whole ? value.is_number_integer() : value.is_number();
  if (!is_number || value.get<double>() < field.minimum || value.get<double>() > field.maximum) {
    return Expected(value, fmt::format("a {}number from {} to {}", whole ? "whole " : "",
                                       field.minimum, field.maximum));
  }
  return value;
}

Result<Json> NormalChoice(const PolicyField& field, const Json& value) {
  const auto choices = ChoicesIn(field.choices);
  if (value.is_string() &&
      std::ranges::find(choices, value.get_ref<const std::string&>()) != choices.end()) {
    return value;
  }
  std::string words;
  for (const std::string_view choice : choices) {
    words += (words.empty() ? "" : ", ") + std::string(choice);
  }
  return Expected(value, "one of " + words);
}

Result<Json> NormalDuration(const Json& value) {
  if (!value.is_string()) return Expected(value, "a duration such as 15m, 4h, 7d");
  HF_RETURN_IF_ERROR(ParsePolicyDuration(value.get_ref<const std::string&>()));
  return value;
}

Result<Json> NormalMethod(const Json& value) {
  constexpr std::array kMethods = {Method::kExport, Method::kCopy, Method::kSnapshot};
  const bool is_one = value.is_string() && std::ranges::any_of(kMethods, [&](Method method) {
                        return MethodName(method) == value.get_ref<const std::string&>();
                      });
  return is_one ? Result<Json>(value) : Expected(value, "export, copy or snapshot");
}

Result<Json> NormalProject(const Json& value) {
  if (!value.is_string() || !ValidateProjectId(value.get_ref<const std::string&>()).ok()) {
    return Expected(value, "the id of a project");
  }
  return value;
}

Result<Json> NormalSchedule(const Json& value) {
  const auto schedule = Schedule::FromJson(value);
  if (!schedule.ok()) return MakeError(ErrorId::kInvalidPolicy, ": " + schedule.error().message);
  return schedule->ToJson();
}

// One value or a list of them, as a list without repetition.
template <typename NormalItem>
Result<Json> NormalList(const Json& value, const NormalItem& normal, Path& path) {
  Json list = Json::array();
  if (!value.is_array()) {
    HF_ASSIGN_OR_RETURN(Json item, normal(value));
    list.push_back(std::move(item));
    return list;
  }
  if (value.empty() || value.size() > kListMax) {
    return Expected(value, fmt::format("a list of 1 to {} items", kListMax));
  }
  for (size_t i = 0; i < value.size(); ++i) {
    path.push_back(std::to_string(i));
    HF_ASSIGN_OR_RETURN(Json item, normal(value[i]));
    if (std::ranges::find(list, item) != list.end()) {
      return Expected(value[i], "each item once");
    }
    list.push_back(std::move(item));
    path.pop_back();
  }
  return list;
}

// A text of that field. What BackupPolicy would not take is refused here, with its place, and not
// by the run.
Result<Json> NormalTextOf(const PolicyField& field, const Json& value) {
  HF_ASSIGN_OR_RETURN(Json text, NormalText(value));
  if (!field.in_backup_policy) return text;
  const auto policy = BackupPolicy::FromJson({{field.name, text}});
  if (!policy.ok()) return MakeError(ErrorId::kInvalidPolicy, policy.error().message);
  return text;
}

// A map with no other members than those named; each is checked by `check(name, value)`.
template <typename Check>
Status CheckMembers(const Json& map, std::string_view names, const Check& check, Path& path) {
  const auto known = ChoicesIn(names);
  if (!map.is_object() || map.empty()) {
    return Expected(map, fmt::format("a map with some of {}", names));
  }
  for (const auto& [name, value] : map.items()) {
    path.push_back(name);
    if (std::ranges::find(known, name) == known.end()) {
      return MakeError(ErrorId::kInvalidPolicy,
                       fmt::format("has no member \"{}\": expected some of {}", name, names));
    }
    HF_RETURN_IF_ERROR(check(name, value));
    path.pop_back();
  }
  return Ok();
}

Result<Json> NormalRepository(const Json& value, Path& path) {
  HF_RETURN_IF_ERROR(CheckMembers(
      value, "bucket_pattern prefix project location",
      [](const std::string& name, const Json& member) -> Status {
        if (name == "project")
          return NormalProject(member).ok() ? Ok() : Expected(member, "the id of a project");
        const auto text = NormalText(member);
        return text.ok() ? Status() : Status(text.error());
      },
      path));
  if (!value.contains("bucket_pattern")) return Expected(value, "a bucket_pattern");
  const auto checked = BackupPolicy::FromJson({{"repositories", Json::array({value})}});
  if (!checked.ok()) return MakeError(ErrorId::kInvalidPolicy, ": " + checked.error().message);
  return value;
}

Result<Json> NormalVerification(const Json& value, Path& path) {
  HF_RETURN_IF_ERROR(CheckMembers(
      value, "read_within restore_within live",
      [](const std::string& name, const Json& member) -> Status {
        if (name == "live") {
          return member.is_boolean() ? Status() : Expected(member, "true or false");
        }
        const auto duration = NormalDuration(member);
        return duration.ok() ? Status() : Status(duration.error());
      },
      path));
  return value;
}

}  // namespace

std::span<const PolicyField> AllPolicyFields() { return kPolicyFields; }

const PolicyField* FindPolicyField(std::string_view name) {
  const auto* found = std::ranges::find(kPolicyFields, name, &PolicyField::name);
  return found == kPolicyFields.end() ? nullptr : &*found;
}

Result<Json> NormalPolicyValue(const PolicyField& field, const Json& value,
                               std::vector<std::string>& path) {
  switch (field.type) {
    case kText:
      return NormalTextOf(field, value);
    case kInteger:
    case kNumber:
      return NormalNumber(field, value);
    case kBoolean:
      if (!value.is_boolean()) return Expected(value, "true or false");
      return value;
    case kChoice:
      return NormalChoice(field, value);
    case kDuration:
      return NormalDuration(value);
    case kMethods:
      return NormalList(value, NormalMethod, path);
    case kSchedules:
      return NormalList(value, NormalSchedule, path);
    case kProjects:
      return NormalList(value, NormalProject, path);
    case kRetention:
      HF_RETURN_IF_ERROR(ValidateRetention(value));
      return value;
    case kRepositories:
      return NormalList(
          value, [&](const Json& item) { return NormalRepository(item, path); }, path);
    case kVerification:
      return NormalVerification(value, path);
  }
  return Expected(value, "a value");
}

Result<Json> PolicyValueFromLabel(const PolicyField& field, std::string_view text) {
  Json value = std::string(text);
  int64_t number = 0;
  switch (field.type) {
    case kText:
    case kDuration:
    case kMethods:
    case kProjects:
      break;
    case kBoolean:
      if (text == "true" || text == "false") value = text == "true";
      break;
    case kInteger: {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error == std::errc() && end == text.data() + text.size()) value = number;
      break;
    }
    case kChoice: {
      std::string upper(text);
      std::ranges::transform(upper, upper.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      });
      value = std::move(upper);
      break;
    }
    case kNumber:
    case kSchedules:
    case kRetention:
    case kRepositories:
    case kVerification:
      return MakeError(ErrorId::kInvalidPolicy,
                       "cannot be said in a label: use a file in the policy bucket");
  }
  std::vector<std::string> path;
  return NormalPolicyValue(field, value, path);
}

Result<std::chrono::seconds> ParsePolicyDuration(std::string_view text) {
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, text.data() + text.size());
  constexpr std::array<std::pair<std::string_view, int64_t>, 5> kUnits = {
      {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}, {"w", 604'800}}};
  for (const auto& [name, seconds] : kUnits) {
    if (unit != name || error != std::errc() || count < 1) continue;
    if (count > kDurationSecondsMax / seconds) break;
    return std::chrono::seconds(count * seconds);
  }
  return Expected(std::string(text), "a duration such as 15m, 4h, 7d");
}

Status ValidateRetention(const Json& retention) {
  if (!retention.is_object() || retention.empty()) {
    return Expected(retention, "a map of what is kept");
  }
  HF_RETURN_IF_ERROR(RetentionPolicy::FromJson(retention));
  return Ok();
}

Result<double> PolicyValueAsNumber(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return Expected(value, "a number or a duration");
  HF_ASSIGN_OR_RETURN(const auto seconds, ParsePolicyDuration(value.get_ref<const std::string&>()));
  return static_cast<double>(seconds.count());
}

}  // namespace holdfast
