#include "localcloud/bigquery/table_options.h"

#include <fmt/format.h>

#include <cmath>

#include "localcloud/bigquery/fault.h"

namespace holdfast::bigquery {

namespace {

using googlesql::Option;

constexpr double kDayMs = 86'400'000.0;

Error BadValue(const Option& option) {
  return InvalidQuery(
      fmt::format("Invalid value for option {}: {}", option.name, DumpJson(option.value)));
}

// INT64 text of a number of days in milliseconds; null stays null.
Result<Json> DaysToMillis(const Option& option) {
  if (option.value.is_null()) return Json(nullptr);
  if (!option.value.is_number()) return BadValue(option);
  const double millis = option.value.get<double>() * kDayMs;
  if (!(millis >= 0 && millis < 1e18)) return BadValue(option);
  return Json(std::to_string(std::llround(millis)));
}

Result<Json> MillisText(const Option& option) {
  if (option.value.is_null()) return Json(nullptr);
  if (!option.value.is_number_integer()) return BadValue(option);
  return Json(std::to_string(option.value.get<int64_t>()));
}

// [("key", "value"), ...] as an object.
Result<Json> Labels(const Option& option) {
  if (option.value.is_null()) return Json(nullptr);
  Json labels = Json::object();
  if (!option.value.is_array()) return BadValue(option);
  for (const Json& pair : option.value) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string()) return BadValue(option);
    labels[pair[0].get<std::string>()] = pair[1];
  }
  return labels;
}

// What an option of tables and datasets alike sets; nullopt: it is not one of those.
Result<std::optional<std::pair<std::string, Json>>> CommonMember(const Option& option) {
  using Member = std::optional<std::pair<std::string, Json>>;
  if (option.name == "description") return Member({"description", option.value});
  if (option.name == "friendly_name") return Member({"friendlyName", option.value});
  if (option.name == "default_rounding_mode") {
    return Member({"defaultRoundingMode", option.value});
  }
  if (option.name == "labels") {
    HF_ASSIGN_OR_RETURN(Json labels, Labels(option));
    return Member({"labels", std::move(labels)});
  }
  return Member();
}

std::string_view UnitName(Partitioning::Kind kind) {
  switch (kind) {
    case Partitioning::Kind::kHour:
      return "HOUR";
    case Partitioning::Kind::kMonth:
      return "MONTH";
    case Partitioning::Kind::kYear:
      return "YEAR";
    default:
      return "DAY";
  }
}

}  // namespace

Result<Json> TableOptionsPatch(const std::vector<Option>& options) {
  Json patch = Json::object();
  for (const Option& option : options) {
    HF_ASSIGN_OR_RETURN(auto common, CommonMember(option));
    if (common) {
      patch[common->first] = std::move(common->second);
    } else if (option.name == "expiration_timestamp") {
      HF_ASSIGN_OR_RETURN(patch["expirationTime"], MillisText(option));
    } else if (option.name == "partition_expiration_days") {
      HF_ASSIGN_OR_RETURN(patch["timePartitioning"]["expirationMs"], DaysToMillis(option));
    } else if (option.name == "require_partition_filter") {
      patch["requirePartitionFilter"] = option.value;
    } else if (option.name == "kms_key_name") {
      patch["encryptionConfiguration"]["kmsKeyName"] = option.value;
    } else {
      return InvalidQuery(fmt::format("Unknown option: {}", option.name));
    }
  }
  return patch;
}

Result<Json> DatasetOptionsPatch(const std::vector<Option>& options) {
  Json patch = Json::object();
  for (const Option& option : options) {
    HF_ASSIGN_OR_RETURN(auto common, CommonMember(option));
    if (common) {
      patch[common->first] = std::move(common->second);
    } else if (option.name == "location") {
      patch["location"] = option.value;
    } else if (option.name == "default_table_expiration_days") {
      HF_ASSIGN_OR_RETURN(patch["defaultTableExpirationMs"], DaysToMillis(option));
    } else if (option.name == "default_partition_expiration_days") {
      HF_ASSIGN_OR_RETURN(patch["defaultPartitionExpirationMs"], DaysToMillis(option));
    } else if (option.name == "max_time_travel_hours") {
      HF_ASSIGN_OR_RETURN(patch["maxTimeTravelHours"], MillisText(option));
    } else {
      return InvalidQuery(fmt::format("Unknown option: {}", option.name));
    }
  }
  return patch;
}

Result<Json> TableResource(const googlesql::CreateTablePlan& plan) {
  Json resource = Json::object();
  const Partitioning& partitioning = plan.partitioning;
  if (partitioning.kind == Partitioning::Kind::kIntegerRange) {
    resource["rangePartitioning"] = {{"field", partitioning.field},
                                     {"range",
                                      {{"start", std::to_string(partitioning.range_start)},
                                       {"end", std::to_string(partitioning.range_end)},
                                       {"interval", std::to_string(partitioning.range_interval)}}}};
  } else if (partitioning.kind != Partitioning::Kind::kNone) {
    resource["timePartitioning"]["type"] = UnitName(partitioning.kind);
    if (!partitioning.field.empty()) resource["timePartitioning"]["field"] = partitioning.field;
  }
  if (!plan.clustering.empty()) resource["clustering"]["fields"] = plan.clustering;
  HF_ASSIGN_OR_RETURN(const Json options, TableOptionsPatch(plan.options));
  resource.merge_patch(options);
  return resource;
}

}  // namespace holdfast::bigquery
