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
  return json;
}

Json ContentOf(const RunBackup& message) {
  Json units = Json::array();
  for (const BackupUnit& unit : message.units) {
    units.push_back({{"partition", unit.partition},
                     {"fingerprint", unit.fingerprint.ToJson()},
                     {"change", ChangeName(unit.change)}});
  }
  Json json = {{"run", message.run},
               {"table_to_backup", message.table_to_backup.ToString()},
               {"method", MethodName(message.method)},
               {"partitions", std::move(units)}};
  if (!message.policy.empty()) json["policy"] = message.policy;
  if (!message.note.empty()) json["note"] = message.note;
  if (!message.data_class.empty()) json["data_class"] = message.data_class;
  if (message.rpo_seconds > 0) json["rpo_seconds"] = message.rpo_seconds;
  return json;
}

// What is asked for, as text; each part preceded by its length.
std::string SubjectOf(const WorkMessage& message) {
  if (const auto* check = std::get_if<CheckProjectTables>(&message)) return check->project_to_check;
  const auto* backup = std::get_if<RunBackup>(&message);
  if (backup == nullptr) return {};
  std::string subject = backup->table_to_backup.ToString();
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

Status ParseAncestry(const Json& json, CheckProjectTables& message) {
  const Json* folders = FindField(json, "folders");
  const Json* labels = FindField(json, "labels");
  const auto is_text = [](const Json& item) { return item.is_string(); };
  if ((folders != nullptr && !(folders->is_array() && std::ranges::all_of(*folders, is_text))) ||
      (labels != nullptr && !(labels->is_object() && std::ranges::all_of(*labels, is_text)))) {
    return MakeError(ErrorId::kInvalidJson, "\"folders\" or \"labels\" is not of texts");
  }
  if (folders != nullptr) folders->get_to(message.folders);
  if (labels != nullptr) labels->get_to(message.labels);
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
    CheckProjectTables message{
        .run = std::move(run), .project_to_check = std::move(project), .folders = {}, .labels = {}};
    HF_RETURN_IF_ERROR(ParseAncestry(json, message));
    return WorkMessage(std::move(message));
  }
  if (topic == kBackupTopic) return ParseRunBackup(json, std::move(run));
  return MakeError(ErrorId::kInvalidName, fmt::format("\"{}\" is not a topic of ours", topic));
}

}  // namespace holdfast
