#include "model/policy_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "model/policy_field.h"
#include "model/resource_names.h"

namespace holdfast {

namespace {

constexpr std::array<std::string_view, 7> kLevelNames = {
    "defaults", "classes", "folders", "projects", "datasets", "tables", "labels"};
constexpr size_t kLabelTermsMax = 20;

Error InvalidDocument(std::string message) {
  return MakeError(ErrorId::kInvalidPolicy, std::move(message));
}

Json ValuesToJson(const PolicyValues& values) {
  Json json = Json::object();
  for (const auto& [name, value] : values) {
    json[name] = {{"value", value.value}, {"line", value.line}};
  }
  return json;
}

Result<PolicyValues> ValuesFromJson(const Json& json) {
  PolicyValues values;
  if (!json.is_object()) return InvalidDocument("\"fields\" is not a map");
  for (const auto& [name, item] : json.items()) {
    const PolicyField* field = FindPolicyField(name);
    const Json* value = FindField(item, "value");
    if (field == nullptr || value == nullptr) {
      return InvalidDocument(fmt::format("\"{}\" is not a field with a value", name));
    }
    std::vector<std::string> path;
    HF_ASSIGN_OR_RETURN(Json normal, NormalPolicyValue(*field, *value, path).WithContext(name));
    values.insert_or_assign(name, PolicyValue{.value = std::move(normal),
                                              .line = static_cast<int>(Int64Or(item, "line", 0))});
  }
  return values;
}

Result<PolicyRule> RuleFromJson(const Json& json) {
  HF_ASSIGN_OR_RETURN(const std::string level, RequiredString(json, "level"));
  const auto* found = std::ranges::find(kLevelNames, level);
  if (found == kLevelNames.end()) {
    return InvalidDocument(fmt::format("\"{}\" is not a level of policy", level));
  }
  PolicyRule rule;
  rule.level = static_cast<PolicyLevel>(found - kLevelNames.begin());
  HF_ASSIGN_OR_RETURN(rule.key, RequiredString(json, "key"));
  if (rule.level == PolicyLevel::kLabels) HF_RETURN_IF_ERROR(ParseLabelSelector(rule.key));
  const Json* fields = FindField(json, "fields");
  if (fields == nullptr) return InvalidDocument("a rule without \"fields\"");
  HF_ASSIGN_OR_RETURN(rule.fields, ValuesFromJson(*fields));
  return rule;
}

Json BoundToJson(const OwnerBound& bound) {
  Json json = {{"field", bound.field}, {"allow", bound.allow}};
  if (bound.minimum) json["min"] = *bound.minimum;
  if (bound.maximum) json["max"] = *bound.maximum;
  return json;
}

Result<OwnerBound> BoundFromJson(const Json& json) {
  OwnerBound bound;
  HF_ASSIGN_OR_RETURN(bound.field, RequiredString(json, "field"));
  for (const auto& [name, member] : {std::pair{"min", &bound.minimum}, {"max", &bound.maximum}}) {
    const Json* value = FindField(json, name);
    if (value == nullptr) continue;
    HF_RETURN_IF_ERROR(PolicyValueAsNumber(*value).WithContext(name));
    *member = *value;
  }
  const Json* allow = FindField(json, "allow");
  if (allow == nullptr || !allow->is_array()) return InvalidDocument("a bound without \"allow\"");
  bound.allow.assign(allow->begin(), allow->end());
  return bound;
}

Result<OwnerBounds> BoundsFromJson(const Json& json) {
  OwnerBounds bounds;
  HF_ASSIGN_OR_RETURN(const auto labels, OptionalBool(json, "labels"));
  bounds.labels = labels.value_or(false);
  HF_ASSIGN_OR_RETURN(bounds.bucket, RequiredString(json, "bucket"));
  HF_ASSIGN_OR_RETURN(bounds.prefix, RequiredString(json, "prefix"));
  const Json* fields = FindField(json, "fields");
  if (fields == nullptr || !fields->is_array()) return InvalidDocument("bounds without \"fields\"");
  for (const Json& field : *fields) {
    HF_ASSIGN_OR_RETURN(OwnerBound bound, BoundFromJson(field));
    bounds.fields.push_back(std::move(bound));
  }
  return bounds;
}

}  // namespace

std::string_view PolicyLevelName(PolicyLevel level) {
  return kLevelNames.at(static_cast<size_t>(level));
}

const OwnerBound* OwnerBounds::Find(std::string_view field) const {
  const auto found = std::ranges::find(fields, field, &OwnerBound::field);
  return found == fields.end() ? nullptr : &*found;
}

const PolicyRule* PolicyDocument::FindClass(std::string_view name) const {
  for (const PolicyRule& rule : rules) {
    if (rule.level == PolicyLevel::kClasses && rule.key == name) return &rule;
  }
  return nullptr;
}

bool PolicyDocument::HasClass(std::string_view name) const {
  return FindClass(name) != nullptr ||
         std::ranges::find(BuiltInClasses(), name, &PolicyRule::key) != BuiltInClasses().end();
}

bool PolicyDocument::NeedsLabels() const {
  return bounds.labels || std::ranges::any_of(rules, [](const PolicyRule& rule) {
           return rule.level == PolicyLevel::kLabels;
         });
}

bool PolicyDocument::MayEnableBelow() const {
  // A class may say so too, and be named anywhere.
  const bool by_owner = bounds.Find("enabled") != nullptr || bounds.Find("class") != nullptr;
  return by_owner || std::ranges::any_of(rules, [](const PolicyRule& rule) {
           const auto enabled = rule.fields.find("enabled");
           return rule.level != PolicyLevel::kDefaults && rule.level != PolicyLevel::kFolders &&
                  rule.level != PolicyLevel::kProjects && enabled != rule.fields.end() &&
                  enabled->second.value == true;
         });
}

std::vector<Schedule> PolicyDocument::Schedules() const {
  std::map<std::string, Schedule> found;
  const auto add = [&](const Json& item) {
    auto schedule = Schedule::FromJson(item);
    if (schedule.ok()) found.emplace(schedule->ToString(), *std::move(schedule));
  };
  for (const PolicyRule& rule : rules) {
    const auto field = rule.fields.find("schedule");
    if (field != rule.fields.end()) std::ranges::for_each(field->second.value, add);
  }
  if (const OwnerBound* bound = bounds.Find("schedule")) std::ranges::for_each(bound->allow, add);
  std::vector<Schedule> schedules;
  for (auto& [text, schedule] : found) schedules.push_back(std::move(schedule));
  return schedules;
}

Json PolicyDocument::ToJson() const {
  Json list = Json::array();
  for (const PolicyRule& rule : rules) {
    list.push_back({{"level", PolicyLevelName(rule.level)},
                    {"key", rule.key},
                    {"fields", ValuesToJson(rule.fields)}});
  }
  Json bound_list = Json::array();
  for (const OwnerBound& bound : bounds.fields) bound_list.push_back(BoundToJson(bound));
  return {{"file", file},
          {"rules", std::move(list)},
          {"owner_bounds",
           {{"labels", bounds.labels},
            {"bucket", bounds.bucket},
            {"prefix", bounds.prefix},
            {"fields", std::move(bound_list)}}}};
}

Result<PolicyDocument> PolicyDocument::FromJson(const Json& json) {
  PolicyDocument document;
  HF_ASSIGN_OR_RETURN(document.file, RequiredString(json, "file"));
  const Json* rules = FindField(json, "rules");
  const Json* bounds = FindField(json, "owner_bounds");
  if (rules == nullptr || !rules->is_array() || bounds == nullptr) {
    return InvalidDocument("a policy document without \"rules\" or \"owner_bounds\"");
  }
  for (const Json& item : *rules) {
    HF_ASSIGN_OR_RETURN(PolicyRule rule, RuleFromJson(item));
    document.rules.push_back(std::move(rule));
  }
  HF_ASSIGN_OR_RETURN(document.bounds, BoundsFromJson(*bounds));
  return document;
}

std::span<const PolicyRule> BuiltInClasses() {
  const auto make = [](const char* name, const char* rto, const char* rpo) {
    return PolicyRule{.level = PolicyLevel::kClasses,
                      .key = name,
                      .fields = {{"rto", {.value = rto}}, {"rpo", {.value = rpo}}}};
  };
  static const std::array<PolicyRule, 3> kClasses = {
      make("critical", "1h", "15m"), make("important", "4h", "1h"), make("reference", "24h", "6h")};
  return kClasses;
}

std::string PolicyProblem::ToString() const {
  return fmt::format("line {}, column {}: {}", line, column, message);
}

Result<std::vector<LabelTerm>> ParseLabelSelector(std::string_view selector) {
  std::vector<LabelTerm> terms;
  std::set<std::string> seen;
  while (true) {
    const size_t comma = std::min(selector.find(','), selector.size());
    std::string_view term = selector.substr(0, comma);
    const size_t begin = std::min(term.find_first_not_of(' '), term.size());
    term = term.substr(begin, term.find_last_not_of(' ') + 1 - begin);
    const size_t equals = std::min(term.find('='), term.size());
    LabelTerm parsed{.key = std::string(term.substr(0, equals)), .value = "*"};
    if (equals < term.size()) parsed.value = term.substr(equals + 1);
    if (parsed.key.empty() || parsed.key.find_first_of("*? ") != parsed.key.npos ||
        !seen.insert(parsed.key).second || terms.size() == kLabelTermsMax) {
      return InvalidDocument(fmt::format(
          "\"{}\" is no label selector: expected terms such as env=prod, each label once", term));
    }
    terms.push_back(std::move(parsed));
    if (comma == selector.size()) return terms;
    selector.remove_prefix(comma + 1);
  }
}

}  // namespace holdfast
