#include "model/retention.h"

#include <fmt/format.h>

#include <set>
#include <string>

namespace holdfast {

namespace {

constexpr int64_t kCountMax = 1'000'000;
constexpr int64_t kMonthsMax = 12'000;
constexpr std::array<std::string_view, kCalendarUnits> kUnitNames = {"hourly", "daily", "weekly",
                                                                     "monthly", "yearly"};

Error Invalid(std::string_view member, std::string_view why) {
  return MakeError(ErrorId::kRetentionInvalid, fmt::format("\"{}\" {}", member, why));
}

// Takes the members of an object one by one; what is left in the end is unknown.
class Members {
 public:
  // `where` is put before the names in errors: "" or "deleted_source.".
  Members(const Json& json, std::string where) : json_(json), where_(std::move(where)) {}

  // A whole number from `minimum`, if the member is there.
  Status Count(const std::string& name, int64_t minimum, int64_t maximum, int64_t& count) {
    const Json* value = Take(name);
    if (value == nullptr) return Ok();
    const bool whole = value->is_number_integer() && *value >= minimum && *value <= maximum;
    if (!whole) {
      return Invalid(where_ + name,
                     fmt::format("is not a whole number from {} to {}", minimum, maximum));
    }
    count = value->get<int64_t>();
    return Ok();
  }

  // The same, or "unlimited".
  Status CountOrUnlimited(const std::string& name, int64_t& count) {
    const Json* value = FindField(json_, name);
    if (value == nullptr || *value != "unlimited") return Count(name, 0, kCountMax, count);
    Take(name);
    count = kUnlimited;
    return Ok();
  }

  Status Span(const std::string& name, TimeSpan& span) {
    const Json* value = Take(name);
    if (value == nullptr) return Ok();
    if (!value->is_string()) return Invalid(where_ + name, "is not a duration such as \"2y5m7d\"");
    auto parsed = ParseTimeSpan(value->get<std::string>());
    if (!parsed.ok()) return std::move(parsed).error().WithContext(where_ + name);
    span = *parsed;
    return Ok();
  }

  Result<std::optional<std::string>> Text(const std::string& name) {
    const Json* value = Take(name);
    if (value == nullptr) return std::optional<std::string>();
    if (!value->is_string()) return Invalid(where_ + name, "is not a text");
    return std::optional(value->get<std::string>());
  }

  // nullptr when absent.
  const Json* Take(const std::string& name) {
    taken_.insert(name);
    return FindField(json_, name);
  }

  Status CheckAllTaken() const {
    for (const auto& [name, value] : json_.items()) {
      if (!taken_.contains(name)) return Invalid(where_ + name, "is not a member of it");
    }
    return Ok();
  }

 private:
  const Json& json_;
  std::string where_;
  std::set<std::string> taken_;
};

Status ReadMinimums(Members& members, RetentionRules& rules) {
  HF_RETURN_IF_ERROR(members.Count("minimum_count", 0, kCountMax, rules.minimum_count));
  return members.Span("minimum_age", rules.minimum_age);
}

Status ReadRules(Members& members, RetentionRules& rules) {
  HF_RETURN_IF_ERROR(members.CountOrUnlimited("keep_last", rules.keep_last));
  HF_RETURN_IF_ERROR(members.Span("keep_within", rules.keep_within));
  for (size_t i = 0; i < kCalendarUnits; ++i) {
    const std::string name(kUnitNames[i]);
    HF_RETURN_IF_ERROR(members.CountOrUnlimited("keep_" + name, rules.keep[i]));
    HF_RETURN_IF_ERROR(members.Span("keep_within_" + name, rules.keep_within_each[i]));
  }
  HF_RETURN_IF_ERROR(members.Span("max_age", rules.max_age));
  HF_RETURN_IF_ERROR(members.Count("max_versions", 0, kCountMax, rules.max_versions));
  return ReadMinimums(members, rules);
}

Result<DeletedSourceRules> ReadDeleted(const Json& json) {
  if (!json.is_object()) return Invalid("deleted_source", "is not an object");
  DeletedSourceRules deleted;
  Members members(json, "deleted_source.");
  HF_RETURN_IF_ERROR(members.Span("grace", deleted.grace));
  if (deleted.grace.IsZero()) {
    return Invalid("deleted_source.grace", "must say how long, such as \"7m\"");
  }
  HF_RETURN_IF_ERROR(ReadRules(members, deleted.rules));
  HF_RETURN_IF_ERROR(members.CheckAllTaken());
  return deleted;
}

Result<BbqRules> ReadBbq(Members& members) {
  BbqRules bbq;
  HF_RETURN_IF_ERROR(members.Count("young_old_months", 1, kMonthsMax, bbq.young_old_months));
  HF_RETURN_IF_ERROR(members.Count("keep_young", 1, kCountMax, bbq.keep_young));
  HF_RETURN_IF_ERROR(members.Count("grace_months", 1, kMonthsMax, bbq.grace_months));
  return bbq;
}

Status ReadPreset(Members& members, RetentionPolicy& policy) {
  HF_ASSIGN_OR_RETURN(const auto preset, members.Text("preset"));
  if (preset == "bbq") {
    HF_ASSIGN_OR_RETURN(policy.bbq, ReadBbq(members));
  } else if (preset == "gfs") {
    policy.rules.keep = {0, 7, 5, 12, 10};
  } else if (preset) {
    return Invalid("preset", fmt::format("is \"{}\": expected bbq or gfs", *preset));
  }
  return Ok();
}

void WriteCount(Json& json, const std::string& name, int64_t count, int64_t fallback = 0) {
  if (count == fallback) return;
  json[name] = count == kUnlimited ? Json("unlimited") : Json(count);
}

void WriteSpan(Json& json, const std::string& name, const TimeSpan& span) {
  if (!span.IsZero()) json[name] = span.ToString();
}

void WriteRules(Json& json, const RetentionRules& rules, int64_t minimum_count) {
  WriteCount(json, "keep_last", rules.keep_last);
  WriteSpan(json, "keep_within", rules.keep_within);
  for (size_t i = 0; i < kCalendarUnits; ++i) {
    const std::string name(kUnitNames[i]);
    WriteCount(json, "keep_" + name, rules.keep[i]);
    WriteSpan(json, "keep_within_" + name, rules.keep_within_each[i]);
  }
  WriteSpan(json, "max_age", rules.max_age);
  WriteCount(json, "max_versions", rules.max_versions);
  WriteCount(json, "minimum_count", rules.minimum_count, minimum_count);
  WriteSpan(json, "minimum_age", rules.minimum_age);
}

}  // namespace

std::string_view CalendarRuleName(CalendarUnit unit) {
  return kUnitNames[static_cast<size_t>(unit)];
}

bool RetentionRules::HasKeepRule() const {
  if (keep_last != 0 || !keep_within.IsZero()) return true;
  for (size_t i = 0; i < kCalendarUnits; ++i) {
    if (keep[i] != 0 || !keep_within_each[i].IsZero()) return true;
  }
  return false;
}

Result<RetentionPolicy> RetentionPolicy::FromJson(const Json& json) {
  if (!json.is_object()) {
    return MakeError(ErrorId::kRetentionInvalid, "a retention policy is not an object");
  }
  RetentionPolicy policy;
  Members members(json, "");
  HF_ASSIGN_OR_RETURN(const auto zone, members.Text("time_zone"));
  if (zone) {
    HF_ASSIGN_OR_RETURN(policy.calendar, Calendar::Of(*zone).WithContext("time_zone"));
  }
  HF_RETURN_IF_ERROR(ReadPreset(members, policy));
  if (policy.bbq) {
    HF_RETURN_IF_ERROR(ReadMinimums(members, policy.rules));
  } else {
    HF_RETURN_IF_ERROR(ReadRules(members, policy.rules));
    if (const Json* deleted = members.Take("deleted_source")) {
      HF_ASSIGN_OR_RETURN(policy.deleted_source, ReadDeleted(*deleted));
    }
  }
  const Status all = members.CheckAllTaken();
  if (!all.ok() && policy.bbq) return all.error().WithContext("preset bbq");
  HF_RETURN_IF_ERROR(all);
  return policy;
}

Json RetentionPolicy::ToJson() const {
  Json json = Json::object();
  WriteRules(json, rules, RetentionPolicy().rules.minimum_count);
  if (calendar.time_zone() != "UTC") json["time_zone"] = calendar.time_zone();
  if (bbq) {
    const BbqRules fallback;
    json["preset"] = "bbq";
    WriteCount(json, "young_old_months", bbq->young_old_months, fallback.young_old_months);
    WriteCount(json, "keep_young", bbq->keep_young, fallback.keep_young);
    WriteCount(json, "grace_months", bbq->grace_months, fallback.grace_months);
  }
  if (deleted_source) {
    Json deleted = {{"grace", deleted_source->grace.ToString()}};
    WriteRules(deleted, deleted_source->rules, 0);
    json["deleted_source"] = std::move(deleted);
  }
  return json;
}

}  // namespace holdfast
