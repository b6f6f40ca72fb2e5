#include "localcloud/storage/lifecycle.h"

#include <algorithm>
#include <utility>

#include "localcloud/storage/storage_error.h"

namespace holdfast::storage {
namespace {

constexpr size_t kRulesMax = 100;

Error Invalid(const std::string& what) { return StorageInvalid("lifecycle: " + what); }

Result<std::optional<int64_t>> Count(const Json& condition, const char* key) {
  auto value = OptionalInt64(condition, key);
  if (!value.ok() || (*value && **value < 0)) {
    return Invalid(std::string(key) + " is not a count");
  }
  return value;
}

// A calendar date ("2026-01-31"), the form of all date conditions.
Result<std::optional<Timestamp>> Date(const Json& condition, const char* key) {
  const Json* value = FindField(condition, key);
  if (value == nullptr) return std::optional<Timestamp>();
  if (!value->is_string()) return Invalid(std::string(key) + " is not a date");
  const auto time = ParseTimestamp(value->get<std::string>() + "T00:00:00Z");
  if (!time.ok()) return Invalid(std::string(key) + " is not a date");
  return std::optional<Timestamp>(*time);
}

Result<std::vector<std::string>> Strings(const Json& condition, const char* key) {
  std::vector<std::string> strings;
  const Json* values = FindField(condition, key);
  if (values == nullptr) return strings;
  if (!values->is_array()) return Invalid(std::string(key) + " is not a list");
  for (const Json& value : *values) {
    if (!value.is_string()) return Invalid(std::string(key) + " is not a list of strings");
    strings.push_back(value.get<std::string>());
  }
  return strings;
}

Result<LifecycleRule> ParseRule(const Json& json) {
  LifecycleRule rule;
  const Json* type = FindPath(json, {"action", "type"});
  if (type == nullptr || !type->is_string()) return Invalid("a rule has no action type");
  rule.deletes = *type == "Delete";
  const Json* condition = FindField(json, "condition");
  if (condition == nullptr || !condition->is_object()) return Invalid("a rule has no condition");
  HF_ASSIGN_OR_RETURN(rule.age_days, Count(*condition, "age"));
  HF_ASSIGN_OR_RETURN(rule.days_since_custom_time, Count(*condition, "daysSinceCustomTime"));
  HF_ASSIGN_OR_RETURN(rule.days_since_noncurrent, Count(*condition, "daysSinceNoncurrentTime"));
  HF_ASSIGN_OR_RETURN(rule.newer_versions, Count(*condition, "numNewerVersions"));
  HF_ASSIGN_OR_RETURN(rule.created_before, Date(*condition, "createdBefore"));
  HF_ASSIGN_OR_RETURN(rule.custom_time_before, Date(*condition, "customTimeBefore"));
  HF_ASSIGN_OR_RETURN(rule.noncurrent_before, Date(*condition, "noncurrentTimeBefore"));
  auto live = OptionalBool(*condition, "isLive");
  if (!live.ok()) return Invalid("isLive is not a boolean");
  rule.live = *live;
  HF_ASSIGN_OR_RETURN(rule.storage_classes, Strings(*condition, "matchesStorageClass"));
  HF_ASSIGN_OR_RETURN(rule.prefixes, Strings(*condition, "matchesPrefix"));
  HF_ASSIGN_OR_RETURN(rule.suffixes, Strings(*condition, "matchesSuffix"));
  return rule;
}

bool OlderThan(const std::optional<Timestamp>& since, int64_t days, Timestamp now) {
  return since && now - *since >= std::chrono::days{days};
}

std::optional<Timestamp> CustomTime(const ObjectRecord& object) {
  const auto time = ParseTimestamp(StringOr(object.settings, "customTime", ""));
  return time.ok() ? std::optional(*time) : std::nullopt;
}

bool TimesHold(const LifecycleRule& rule, const ObjectRecord& object, Timestamp now) {
  if (rule.age_days && !OlderThan(object.created, *rule.age_days, now)) return false;
  if (rule.created_before && object.created >= *rule.created_before) return false;
  const auto custom_time = CustomTime(object);
  if (rule.days_since_custom_time && !OlderThan(custom_time, *rule.days_since_custom_time, now)) {
    return false;
  }
  if (rule.custom_time_before && !(custom_time && *custom_time < *rule.custom_time_before)) {
    return false;
  }
  if (rule.days_since_noncurrent && !OlderThan(object.deleted, *rule.days_since_noncurrent, now)) {
    return false;
  }
  return !rule.noncurrent_before || (object.deleted && *object.deleted < *rule.noncurrent_before);
}

}  // namespace

bool LifecycleRule::conditional() const {
  return age_days || days_since_custom_time || days_since_noncurrent || newer_versions ||
         created_before || custom_time_before || noncurrent_before || live ||
         !storage_classes.empty() || !prefixes.empty() || !suffixes.empty();
}

Result<std::vector<LifecycleRule>> ParseLifecycle(const Json& settings) {
  std::vector<LifecycleRule> rules;
  const Json* json = FindPath(settings, {"lifecycle", "rule"});
  if (json == nullptr) return rules;
  if (!json->is_array() || json->size() > kRulesMax) {
    return Invalid("rule is not a list of at most 100 rules");
  }
  for (const Json& entry : *json) {
    HF_ASSIGN_OR_RETURN(LifecycleRule rule, ParseRule(entry));
    rules.push_back(std::move(rule));
  }
  return rules;
}

bool TakesObject(const LifecycleRule& rule, const ObjectRecord& object, int64_t newer_versions,
                 Timestamp now) {
  if (!rule.deletes || !rule.conditional()) return false;
  if (rule.newer_versions && newer_versions < *rule.newer_versions) return false;
  if (rule.live && *rule.live == object.deleted.has_value()) return false;
  const std::string storage_class = StringOr(object.settings, "storageClass", "STANDARD");
  const auto& classes = rule.storage_classes;
  if (!classes.empty() &&
      std::find(classes.begin(), classes.end(), storage_class) == classes.end()) {
    return false;
  }
  const auto begins = [&](const std::string& text) { return object.name.starts_with(text); };
  const auto ends = [&](const std::string& text) { return object.name.ends_with(text); };
  if (!rule.prefixes.empty() && std::none_of(rule.prefixes.begin(), rule.prefixes.end(), begins)) {
    return false;
  }
  if (!rule.suffixes.empty() && std::none_of(rule.suffixes.begin(), rule.suffixes.end(), ends)) {
    return false;
  }
  return TimesHold(rule, object, now);
}

}  // namespace holdfast::storage
