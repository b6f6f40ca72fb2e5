#include "model/work_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "model/ids.h"
#include "model/policy.h"

namespace holdfast {

namespace {

// As long as a duration of a policy may be.
constexpr int64_t kRpoSecondsMax = int64_t{100} * 366 * 24 * 60 * 60;
constexpr size_t kMessageTextMax = 10'000'000;  // what a message bus takes

Json ContentOf(const StartBackupProcess& message) { return {{"run", message.run}}; }

Json ContentOf(const CheckProjectTables& message) {
  Json json = {{"run", message.run}, {"project_to_check", message.project_to_check}};
  if (!message.folders.empty()) json["folders"] = message.folders;
  if (!message.labels.empty()) json["labels"] = message.labels;
  if (!message.piece.dataset.empty()) {
    json["dataset"] = message.piece.dataset;
    json["location"] = message.piece.location;
    if (!message.piece.labels.empty()) json["dataset_labels"] = message.piece.labels;
    if (message.piece.routines) json["routines"] = true;
  }
  if (!message.page_token.empty()) json["page_token"] = message.page_token;
  if (!message.after.empty()) json["after"] = message.after;
  if (message.restarts > 0) json["restarts"] = message.restarts;
  return json;
}

Json ContentOf(const RunBackup& message) {
  Json units = Json::array();
  for (const BackupUnit& unit : message.units) {
    units.push_back({{"partition", unit.partition},
                     {"fingerprint", unit.fingerprint.ToJson()},
                     {"change", ChangeName(unit.change)}});
    if (!unit.made_before.empty()) units.back()["made_before"] = unit.made_before;
  }
  Json json = {{"run", message.run},
               {"table_to_backup", message.table_to_backup.ToString()},
               {"method", MethodName(message.method)},
               {"partitions", std::move(units)}};
  if (!message.policy.empty()) json["policy"] = message.policy;
  if (!message.note.empty()) json["note"] = message.note;
  if (message.as_of_ms) json["as_of_ms"] = *message.as_of_ms;
  if (message.shares_moment) json["shares_moment"] = true;
  if (!message.data_class.empty()) json["data_class"] = message.data_class;
  if (message.rpo_seconds > 0) json["rpo_seconds"] = message.rpo_seconds;
  return json;
}

// A project's first piece by its name alone, any other by what tells it from the rest.
std::string SubjectOf(const CheckProjectTables& message) {
  if (message.piece.dataset.empty() && message.page_token.empty() && message.restarts == 0) {
    return message.project_to_check;
  }
  return DumpJson(
      Json::array({message.project_to_check, message.piece.dataset, message.piece.routines,
                   message.page_token, message.after, message.restarts}));
}

// What is asked for, as text; each part preceded by its length.
std::string SubjectOf(const WorkMessage& message) {
  if (const auto* check = std::get_if<CheckProjectTables>(&message)) return SubjectOf(*check);
  const auto* backup = std::get_if<RunBackup>(&message);
  if (backup == nullptr) return {};
  std::string subject =
      fmt::format("{} {}", MethodName(backup->method), backup->table_to_backup.ToString());
  for (const BackupUnit& unit : backup->units) {
    subject += fmt::format(";{}:{}", unit.partition.size(), unit.partition);
  }
  return subject;
}

Result<BackupUnit> ParseUnit(const Json& json) {
  BackupUnit unit;
  HF_ASSIGN_OR_RETURN(unit.partition, RequiredString(json, "partition"));
  const Json* fingerprint = FindField(json, "fingerprint");
  if (fingerprint == nullptr) {
    return MakeError(ErrorId::kInvalidJson, "\"fingerprint\" is missing");
  }
  HF_ASSIGN_OR_RETURN(unit.fingerprint, Fingerprint::FromJson(*fingerprint));
  HF_ASSIGN_OR_RETURN(const std::string name, RequiredString(json, "change"));
  const auto change = FindChange(name);
  if (!change) return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is no change", name));
  unit.change = *change;
  HF_ASSIGN_OR_RETURN(auto made_before, OptionalString(json, "made_before"));
  unit.made_before = std::move(made_before).value_or("");
  if (!unit.made_before.empty() && !IsValidId(unit.made_before)) {
    return MakeError(ErrorId::kInvalidName, "\"made_before\" is not the id of a backup");
  }
  return unit;
}

Status ParseUnits(const Json& json, std::vector<BackupUnit>& units) {
  const Json* list = FindField(json, "partitions");
  if (list == nullptr || !list->is_array() || list->empty()) {
    return MakeError(ErrorId::kInvalidJson, "\"partitions\" is not a list of at least one");
  }
  if (list->size() > kMessagePartitionsMax) {
    return MakeError(ErrorId::kLimitExceeded,
                     fmt::format("more than {} partitions", kMessagePartitionsMax));
  }
  std::set<std::string> seen;
  for (const Json& item : *list) {
    HF_ASSIGN_OR_RETURN(BackupUnit unit, ParseUnit(item).WithContext("partitions"));
    if (!seen.insert(unit.partition).second) {
      return MakeError(ErrorId::kInvalidJson,
                       fmt::format("partition \"{}\" is there twice", unit.partition));
    }
    units.push_back(std::move(unit));
  }
  if (units.size() > 1 && seen.contains("")) {
    return MakeError(ErrorId::kInvalidJson, "the whole table and partitions of it in one message");
  }
  return Ok();
}

bool IsText(const Json& item) { return item.is_string(); }

// The labels in that member; none when it is absent.
Result<std::map<std::string, std::string>> ParseLabels(const Json& json, std::string_view key) {
  std::map<std::string, std::string> labels;
  const Json* found = FindField(json, key);
  if (found == nullptr) return labels;
  if (!found->is_object() || !std::ranges::all_of(*found, IsText)) {
    return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is not of texts", key));
  }
  found->get_to(labels);
  return labels;
}

Status ParseAncestry(const Json& json, CheckProjectTables& message) {
  const Json* folders = FindField(json, "folders");
  if (folders != nullptr && !(folders->is_array() && std::ranges::all_of(*folders, IsText))) {
    return MakeError(ErrorId::kInvalidJson, "\"folders\" is not of texts");
  }
  if (folders != nullptr) folders->get_to(message.folders);
  HF_ASSIGN_OR_RETURN(message.labels, ParseLabels(json, "labels"));
  return Ok();
}

// Which piece of the project it is.
Status ParsePiece(const Json& json, CheckProjectTables& message) {
  constexpr int64_t kRestartsMax = 1'000;
  const auto text = [&](std::string_view key, std::string& member) -> Status {
    HF_ASSIGN_OR_RETURN(auto value, OptionalString(json, key));
    member = std::move(value).value_or("");
    return Ok();
  };
  HF_RETURN_IF_ERROR(text("dataset", message.piece.dataset));
  HF_RETURN_IF_ERROR(text("location", message.piece.location));
  HF_RETURN_IF_ERROR(text("page_token", message.page_token));
  HF_RETURN_IF_ERROR(text("after", message.after));
  HF_ASSIGN_OR_RETURN(message.piece.labels, ParseLabels(json, "dataset_labels"));
  HF_ASSIGN_OR_RETURN(const auto routines, OptionalBool(json, "routines"));
  message.piece.routines = routines.value_or(false);
  if (message.piece.dataset.empty() && (message.piece.routines || !message.after.empty())) {
    return MakeError(ErrorId::kInvalidJson, "a piece of a dataset without \"dataset\"");
  }
  const int64_t restarts = Int64Or(json, "restarts", 0);
  if (restarts < 0 || restarts > kRestartsMax) {
    return MakeError(ErrorId::kInvalidJson, "\"restarts\" is out of its range");
  }
  message.restarts = static_cast<int>(restarts);
  return Ok();
}

Status ParseUrgency(const Json& json, RunBackup& message) {
  HF_ASSIGN_OR_RETURN(auto data_class, OptionalString(json, "data_class"));
  message.data_class = std::move(data_class).value_or("");
  HF_ASSIGN_OR_RETURN(const auto rpo_seconds, OptionalInt64(json, "rpo_seconds"));
  message.rpo_seconds = rpo_seconds.value_or(0);
  if (message.rpo_seconds < 0 || message.rpo_seconds > kRpoSecondsMax) {
    return MakeError(ErrorId::kInvalidJson, "\"rpo_seconds\" is out of bounds");
  }
  return Ok();
}

Result<WorkMessage> ParseRunBackup(const Json& json, std::string run) {
  RunBackup message{.run = std::move(run), .table_to_backup = {}, .method = {}, .units = {}};
  HF_ASSIGN_OR_RETURN(const std::string table, RequiredString(json, "table_to_backup"));
  HF_ASSIGN_OR_RETURN(message.table_to_backup, ParseTableRef(table));
  if (!message.table_to_backup.partition.empty()) {
    return MakeError(ErrorId::kInvalidName, "\"table_to_backup\" names a partition");
  }
  HF_ASSIGN_OR_RETURN(const std::string name, RequiredString(json, "method"));
  const auto method = FindMethod(name);
  if (!method) return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is no method", name));
  message.method = *method;
  HF_RETURN_IF_ERROR(ParseUnits(json, message.units));
  if (const Json* policy = FindField(json, "policy")) {
    HF_RETURN_IF_ERROR(BackupPolicy::FromJson(*policy).WithContext("policy"));
    message.policy = *policy;
  }
  HF_ASSIGN_OR_RETURN(auto note, OptionalString(json, "note"));
  message.note = std::move(note).value_or("");
  HF_ASSIGN_OR_RETURN(message.as_of_ms, OptionalInt64(json, "as_of_ms"));
  HF_ASSIGN_OR_RETURN(const auto shares_moment, OptionalBool(json, "shares_moment"));
  message.shares_moment = shares_moment.value_or(false);
  HF_RETURN_IF_ERROR(ParseUrgency(json, message));
  const bool of_definition = message.method == Method::kDefinition;
  if (of_definition && (message.units.size() != 1 || !message.units.front().partition.empty())) {
    return MakeError(ErrorId::kInvalidJson, "a definition is backed up whole, and alone");
  }
  if (!of_definition && ParseReservedName(message.table_to_backup.table)) {
    return MakeError(ErrorId::kInvalidName, "\"table_to_backup\" does not name a table");
  }
  return WorkMessage(std::move(message));
}

}  // namespace

std::string_view TopicOf(const WorkMessage& message) {
  if (std::holds_alternative<StartBackupProcess>(message)) return kStartTopic;
  if (std::holds_alternative<CheckProjectTables>(message)) return kCheckTopic;
  return kBackupTopic;
}

const std::string& RunOf(const WorkMessage& message) {
  return std::visit([](const auto& content) -> const std::string& { return content.run; }, message);
}

std::string TaskId(const WorkMessage& message) {
  const std::string text =
      fmt::format("{}\n{}\n{}", TopicOf(message), RunOf(message), SubjectOf(message));
  return Sha256Hex(text).substr(0, 32);
}

Json ToJson(const WorkMessage& message) {
  return std::visit([](const auto& content) { return ContentOf(content); }, message);
}

Result<WorkMessage> ParseWorkMessage(std::string_view topic, std::string_view text) {
  HF_ASSIGN_OR_RETURN(const Json json, ParseJson(text, {.size_bytes_max = kMessageTextMax}));
  if (!json.is_object()) return MakeError(ErrorId::kInvalidJson, "a message is not an object");
  HF_ASSIGN_OR_RETURN(std::string run, RequiredString(json, "run"));
  if (!IsValidId(run)) {
    return MakeError(ErrorId::kInvalidName, "\"run\" is not the id of a run");
  }
  if (topic == kStartTopic) return WorkMessage(StartBackupProcess{std::move(run)});
  if (topic == kCheckTopic) {
    HF_ASSIGN_OR_RETURN(std::string project, RequiredString(json, "project_to_check"));
    HF_RETURN_IF_ERROR(ValidateProjectId(project));
    CheckProjectTables message;
    message.run = std::move(run);
    message.project_to_check = std::move(project);
    HF_RETURN_IF_ERROR(ParseAncestry(json, message));
    HF_RETURN_IF_ERROR(ParsePiece(json, message));
    return WorkMessage(std::move(message));
  }
  if (topic == kBackupTopic) return ParseRunBackup(json, std::move(run));
  return MakeError(ErrorId::kInvalidName, fmt::format("\"{}\" is not a topic of ours", topic));
}

}  // namespace holdfast
