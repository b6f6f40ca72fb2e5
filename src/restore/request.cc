#include "restore/request.h"

#include "base/clock.h"
#include "base/hash.h"

namespace holdfast::restore {

namespace {

constexpr size_t kKeyDigits = 16;

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
    return MakeError(ErrorId::kUsage, "--to-table names one table, and the source is a dataset",
                     "Name one table of it, or leave out --to-table");
  }
  return Ok();
}

std::string SourceText(const TableRef& source) {
  return source.table.empty() ? source.dataset_ref().ToString() : source.ToString();
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
  return request;
}

std::string CommandOf(const RestoreRequest& request) {
  std::string command = "holdfast restore run";
  if (!request.source.dataset.empty()) command += " '" + SourceText(request.source) + "'";
  if (!request.backup.empty()) command += " --backup " + request.backup;
  if (request.as_of_ms) {
    command += " --as-of " + FormatTimestamp(FromUnixMillis(*request.as_of_ms));
  }
  if (request.without_access) command += " --without-access";
  if (!request.to_project.empty()) command += " --to-project " + request.to_project;
  if (!request.to_dataset.empty()) command += " --to-dataset " + request.to_dataset;
  if (!request.to_table.empty()) command += " --to-table '" + request.to_table + "'";
  return command;
}

}  // namespace holdfast::restore
