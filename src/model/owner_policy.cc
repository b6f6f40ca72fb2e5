#include "model/owner_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "model/policy_field.h"

namespace holdfast {

namespace {

constexpr std::string_view kRetentionParts = "retention.";
// Set by a restore on what it makes, and by the tools on their jobs.
constexpr std::array<std::string_view, 2> kOurLabels = {"holdfast-restore", "holdfast-spec"};

std::string BeyondNumbers(const OwnerBound& bound, const Json& value) {
  if (!bound.minimum && !bound.maximum) return {};
  const auto number = PolicyValueAsNumber(value);
  if (!number.ok()) return fmt::format("is {}: it has to be a number here", DumpJson(value));
  if (bound.minimum && *number < PolicyValueAsNumber(*bound.minimum).value_or(0)) {
    return fmt::format("is {}: at least {} is allowed", DumpJson(value), DumpJson(*bound.minimum));
  }
  if (bound.maximum && *number > PolicyValueAsNumber(*bound.maximum).value_or(0)) {
    return fmt::format("is {}: at most {} is allowed", DumpJson(value), DumpJson(*bound.maximum));
  }
  return {};
}

std::string BeyondList(const OwnerBound& bound, const Json& value) {
  if (bound.allow.empty()) return {};
  const Json items = value.is_array() ? value : Json::array({value});
  for (const Json& item : items) {
    if (std::ranges::find(bound.allow, item) != bound.allow.end()) continue;
    std::string allowed;
    for (const Json& one : bound.allow) allowed += (allowed.empty() ? "" : ", ") + DumpJson(one);
    return fmt::format("is {}: only {} is allowed", DumpJson(item), allowed);
  }
  return {};
}

// The parts of `retention` that have bounds of their own; one that is left out keeps nothing.
std::string BeyondRetention(const OwnerBounds& bounds, const Json& retention) {
  std::set<std::string, std::less<>> bounded;
  for (const OwnerBound& bound : bounds.fields) {
    if (!bound.field.starts_with(kRetentionParts)) continue;
    const std::string part = bound.field.substr(kRetentionParts.size());
    const Json* value = FindField(retention, part);
    if (value == nullptr) return fmt::format("lacks {}, which has bounds", part);
    if (std::string reason = BeyondNumbers(bound, *value); !reason.empty()) {
      return fmt::format("{} {}", part, reason);
    }
    bounded.insert(part);
  }
  if (bounded.empty()) return {};
  // A part without bounds could undo those that have them: max_age, deleted_source.
  for (const auto& [part, value] : retention.items()) {
    if (!bounded.contains(part)) return fmt::format("has {}, which has no bounds", part);
  }
  return {};
}

bool BoundsRetention(const OwnerBounds& bounds) {
  return std::ranges::any_of(
      bounds.fields, [](const auto& bound) { return bound.field.starts_with(kRetentionParts); });
}

void Judge(const PolicyDocument& document, const std::string& field, const Json& value,
           const std::string& origin, OwnerWords& words) {
  std::string reason = OutOfBounds(document, field, value);
  if (reason.empty()) {
    words.allowed[field] = {.value = value, .origin = origin};
  } else {
    words.refusals.push_back({.field = field, .origin = origin, .reason = std::move(reason)});
  }
}

}  // namespace

std::string OutOfBounds(const PolicyDocument& document, const std::string& field,
                        const Json& value) {
  const OwnerBound* bound = document.bounds.Find(field);
  if (bound == nullptr) {
    // Bounds of parts of `retention` let owners say it, within them.
    return field == "retention" && BoundsRetention(document.bounds)
               ? BeyondRetention(document.bounds, value)
               : "is not for owners to say";
  }
  if (field == "class" && !document.HasClass(value.get<std::string>())) {
    return fmt::format("is {}: there is no such class", DumpJson(value));
  }
  if (std::string reason = BeyondNumbers(*bound, value); !reason.empty()) return reason;
  if (std::string reason = BeyondList(*bound, value); !reason.empty()) return reason;
  return field == "retention" ? BeyondRetention(document.bounds, value) : std::string();
}

OwnerWords JudgeOwnerLabels(const PolicyDocument& document, const Labels& labels) {
  OwnerWords words;
  for (const auto& [key, text] : labels) {
    if (!key.starts_with(kOwnerLabelPrefix) ||
        std::ranges::find(kOurLabels, key) != kOurLabels.end()) {
      continue;
    }
    const std::string origin = fmt::format("label {} of the table", key);
    std::string name = key.substr(kOwnerLabelPrefix.size());
    std::ranges::replace(name, '-', '_');
    const bool is_exclude = name == "exclude";
    if (name == "method") name = "methods";
    if (is_exclude) name = "enabled";
    const PolicyField* field = FindPolicyField(name);
    if (field == nullptr) {
      words.refusals.push_back({.field = name, .origin = origin, .reason = "is not a field"});
      continue;
    }
    auto value = PolicyValueFromLabel(*field, text);
    if (!value.ok()) {
      words.refusals.push_back({.field = name, .origin = origin, .reason = value.error().message});
      continue;
    }
    if (is_exclude) *value = !value->get<bool>();
    Judge(document, name, *value, origin, words);
  }
  return words;
}

OwnerWords JudgeOwnerFile(const PolicyDocument& document, const OwnerFile& file) {
  OwnerWords words;
  for (const PolicyProblem& problem : file.content.problems) {
    words.refusals.push_back(
        {.field = fmt::format("line {}, column {}", problem.line, problem.column),
         .origin = file.origin,
         .reason = problem.message});
  }
  for (const auto& [field, value] : file.content.fields) {
    Judge(document, field, value.value, fmt::format("{}:{}", file.origin, value.line), words);
  }
  return words;
}

}  // namespace holdfast
