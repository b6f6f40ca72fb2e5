#include "restore/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/hash.h"
#include "restore/mapping.h"

namespace holdfast::restore {

namespace {

constexpr size_t kKeyDigits = 16;
constexpr int64_t kPartitionDaysMax = 1'000'000;

Json NameToJson(const TableRef& name) { return {name.project, name.dataset, name.table}; }

Result<TableRef> NameFromJson(const Json* json) {
  const bool is_name =
      json != nullptr && json->is_array() && json->size() == 3 &&
      std::ranges::all_of(*json, [](const Json& part) { return part.is_string(); });
  if (!is_name) return MakeError(ErrorId::kInvalidJson, "a name in a rule is not three texts");
  return TableRef{(*json)[0].get<std::string>(), (*json)[1].get<std::string>(),
                  (*json)[2].get<std::string>(), ""};
}

Json RuleToJson(const MapRule& rule) {
  return {{"level", static_cast<int>(rule.level)},
          {"from", NameToJson(rule.from)},
          {"to", NameToJson(rule.to)}};
}

Result<MapRule> RuleFromJson(const Json& json) {
  MapRule rule;
  HF_ASSIGN_OR_RETURN(const int64_t level, RequiredInt64(json, "level"));
  if (level < 0 || level > static_cast<int64_t>(MapRule::Level::kTable)) {
    return MakeError(ErrorId::kInvalidJson, "a rule is of no level that there is");
  }
  rule.level = static_cast<MapRule::Level>(level);
  HF_ASSIGN_OR_RETURN(rule.from, NameFromJson(FindField(json, "from")));
  HF_ASSIGN_OR_RETURN(rule.to, NameFromJson(FindField(json, "to")));
  return rule;
}

Status WithHint(Status status, std::string hint) {
  if (status.ok()) return Ok();
  Error error = status.error();
  error.hint = std::move(hint);
  return error;
}

}  // namespace

Status ValidateRequest(const RestoreRequest& request) {
  if (!request.backup.empty() && request.as_of_ms) {
    return MakeError(ErrorId::kUsage, "--backup and --as-of are given together",
                     "A backup is of one time: name the backup or the time, not both");
  }
  if (!request.run.empty() && (!request.backup.empty() || request.as_of_ms)) {
    return MakeError(ErrorId::kUsage, "--run is given together with --backup or --as-of",
                     "A run is a set of backups of one time: give one of the three");
  }
  if (!request.run.empty() && request.include_deleted) {
    return MakeError(ErrorId::kUsage, "--run and --include-deleted are given together",
                     "What a run found is what was there: leave out --include-deleted");
  }
  if (request.scope && !request.backup.empty()) {
    return MakeError(ErrorId::kUsage, "--backup names one backup, and several things are named",
                     "Name what it is a backup of, or nothing");
  }
  if (request.partition_days_max &&
      (*request.partition_days_max < 1 || *request.partition_days_max > kPartitionDaysMax)) {
    return MakeError(ErrorId::kUsage,
                     fmt::format("--max-partition-days is not from 1 to {}", kPartitionDaysMax),
                     "Give how many days back partitions go: --max-partition-days 7");
  }
  if (!request.backup.empty() && (request.partition_days_max || request.include_deleted)) {
    return MakeError(ErrorId::kUsage,
                     "--backup is given together with --max-partition-days or --include-deleted",
                     "One backup is named: leave out the others");
  }
  if (!request.to_project.empty()) {
    HF_RETURN_IF_ERROR(WithHint(ValidateProjectId(request.to_project),
                                "Give the project's id alone: --to-project acme-restore"));
  }
  if (!request.to_dataset.empty()) {
    HF_RETURN_IF_ERROR(
        WithHint(ValidateDatasetId(request.to_dataset),
                 "Give the dataset's name alone, of letters, digits and underscores: --to-dataset "
                 "sales_rescued (its project is --to-project)"));
  }
  if (request.to_table.empty()) return Ok();
  HF_RETURN_IF_ERROR(WithHint(ValidateTableId(request.to_table),
                              "Give the table's name alone: --to-table orders_rescued (its dataset "
                              "is --to-dataset, its project --to-project)"));
  if (request.source.table == MakeReservedName({})) {
    return MakeError(ErrorId::kUsage,
                     "--to-table names a table, and the source is a dataset itself",
                     "Leave out --to-table, and name the dataset with --to-dataset");
  }
  if (request.backup.empty() && request.source.table.empty()) {
    return MakeError(ErrorId::kUsage, "--to-table names one table, and the source is more than one",
                     "Name one table of it, or leave out --to-table");
  }
  return Ok();
}

std::string SourceText(const TableRef& source) {
  return source.table.empty() ? source.dataset_ref().ToString() : source.ToString();
}

std::string SourceText(const RestoreRequest& request) {
  if (!request.scope) return SourceText(request.source);
  std::string text;
  for (const std::string& pattern : request.scope->include) {
    text += (text.empty() ? "" : ", ") + pattern;
  }
  return text.empty() ? "everything" : text;
}

std::string RequestKey(const RestoreRequest& request) {
  return Sha256Hex(DumpJson(RequestToJson(request))).substr(0, kKeyDigits);
}

Json RequestToJson(const RestoreRequest& request) {
  Json json = {{"project", request.source.project}, {"dataset", request.source.dataset},
               {"table", request.source.table},     {"partition", request.source.partition},
               {"backup", request.backup},          {"to_project", request.to_project},
               {"to_dataset", request.to_dataset},  {"to_table", request.to_table}};
  if (request.as_of_ms) json["as_of_ms"] = *request.as_of_ms;
  if (request.scope) json["scope"] = request.scope->ToJson();
  if (!request.run.empty()) json["run"] = request.run;
  if (request.include_deleted) json["include_deleted"] = true;
  if (request.partition_days_max) json["partition_days_max"] = *request.partition_days_max;
  for (const MapRule& rule : request.maps) json["maps"].push_back(RuleToJson(rule));
  if (request.without_access) json["without_access"] = true;
  return json;
}

Result<RestoreRequest> RequestFromJson(const Json& json) {
  RestoreRequest request;
  HF_ASSIGN_OR_RETURN(request.source.project, RequiredString(json, "project"));
  HF_ASSIGN_OR_RETURN(request.source.dataset, RequiredString(json, "dataset"));
  HF_ASSIGN_OR_RETURN(request.source.table, RequiredString(json, "table"));
  HF_ASSIGN_OR_RETURN(request.source.partition, RequiredString(json, "partition"));
  HF_ASSIGN_OR_RETURN(request.backup, RequiredString(json, "backup"));
  HF_ASSIGN_OR_RETURN(request.to_project, RequiredString(json, "to_project"));
  HF_ASSIGN_OR_RETURN(request.to_dataset, RequiredString(json, "to_dataset"));
  HF_ASSIGN_OR_RETURN(request.to_table, RequiredString(json, "to_table"));
  HF_ASSIGN_OR_RETURN(request.as_of_ms, OptionalInt64(json, "as_of_ms"));
  request.without_access = BoolOr(json, "without_access", false);
  if (const Json* scope = FindField(json, "scope")) {
    HF_ASSIGN_OR_RETURN(request.scope, Scope::FromJson(*scope));
  }
  request.run = StringOr(json, "run", "");
  request.include_deleted = BoolOr(json, "include_deleted", false);
  HF_ASSIGN_OR_RETURN(request.partition_days_max, OptionalInt64(json, "partition_days_max"));
  if (const Json* maps = FindField(json, "maps")) {
    for (const Json& rule : *maps) {
      HF_ASSIGN_OR_RETURN(MapRule parsed, RuleFromJson(rule));
      request.maps.push_back(std::move(parsed));
    }
  }
  return request;
}

std::string CommandOf(const RestoreRequest& request) {
  std::string command = "holdfast restore run";
  if (request.scope) {
    std::set<std::string> with_partitions;
    for (const TableRef& partition : request.scope->partitions) {
      command += " '" + partition.ToString() + "'";
      with_partitions.insert(partition.WholeTable().ToString());
    }
    for (const std::string& pattern : request.scope->include) {
      if (!with_partitions.contains(pattern)) command += " '" + pattern + "'";
    }
    for (const std::string& pattern : request.scope->exclude) {
      command += " --exclude '" + pattern + "'";
    }
  } else if (!request.source.dataset.empty()) {
    command += " '" + SourceText(request.source) + "'";
  }
  if (!request.run.empty()) command += " --run " + request.run;
  if (request.include_deleted) command += " --include-deleted";
  if (request.partition_days_max) {
    command += fmt::format(" --max-partition-days {}", *request.partition_days_max);
  }
  if (!request.backup.empty()) command += " --backup " + request.backup;
  if (request.as_of_ms) {
    command += " --as-of " + FormatTimestamp(FromUnixMillis(*request.as_of_ms));
  }
  if (request.without_access) command += " --without-access";
  if (!request.to_project.empty()) command += " --to-project " + request.to_project;
  if (!request.to_dataset.empty()) command += " --to-dataset " + request.to_dataset;
  if (!request.to_table.empty()) command += " --to-table '" + request.to_table + "'";
  for (const MapRule& rule : request.maps) command += " " + MapRuleFlag(rule);
  const bool to_where_it_was = request.to_project.empty() && request.to_dataset.empty() &&
                               request.to_table.empty() && request.maps.empty();
  if (to_where_it_was) command += " --to-source";  // whatever restore_project says
  return command;
}

}  // namespace holdfast::restore
