#include "model/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace holdfast {

namespace {

constexpr std::array<std::string_view, kOutcomes> kOutcomeNames = {
    "backed_up", "unchanged", "metadata_only", "unsupported", "failed",
    "vanished",  "excluded",  "not_due",       "carried"};

// A project, "project.dataset" or a table: whatever of the object has a name.
std::string ObjectText(const TableRef& object) {
  if (object.dataset.empty()) return object.project;
  if (object.table.empty()) return object.dataset_ref().ToString();
  return object.ToString();
}

Result<std::vector<std::string>> SchedulesFromJson(const Json& json) {
  std::vector<std::string> schedules;
  if (!json.is_array()) return MakeError(ErrorId::kInvalidJson, "\"due\" is not a list");
  for (const Json& item : json) {
    if (!item.is_string()) return MakeError(ErrorId::kInvalidJson, "\"due\" is not of texts");
    schedules.push_back(item.get<std::string>());
  }
  return schedules;
}

}  // namespace

std::string_view RunStateName(RunState state) {
  return state == RunState::kRunning ? "running" : "finished";
}

Json Run::ToJson() const {
  Json json = {{"id", id},
               {"state", RunStateName(state)},
               {"started_ms", started_ms},
               {"finished_ms", finished_ms},
               {"policy", policy.ToJson()}};
  if (document) json["policy_document"] = document->ToJson();
  if (!due.empty()) json["due"] = due;
  return json;
}

Result<Run> Run::FromJson(const Json& json) {
  Run run;
  HF_ASSIGN_OR_RETURN(run.id, RequiredString(json, "id"));
  HF_ASSIGN_OR_RETURN(const std::string state, RequiredString(json, "state"));
  if (state != "running" && state != "finished") {
    return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is not the state of a run", state));
  }
  run.state = state == "running" ? RunState::kRunning : RunState::kFinished;
  HF_ASSIGN_OR_RETURN(run.started_ms, RequiredInt64(json, "started_ms"));
  HF_ASSIGN_OR_RETURN(run.finished_ms, RequiredInt64(json, "finished_ms"));
  const Json* policy = FindField(json, "policy");
  if (policy == nullptr) return MakeError(ErrorId::kInvalidJson, "a run without \"policy\"");
  HF_ASSIGN_OR_RETURN(run.policy, BackupPolicy::FromJson(*policy));
  if (const Json* document = FindField(json, "policy_document")) {
    HF_ASSIGN_OR_RETURN(run.document, PolicyDocument::FromJson(*document));
  }
  if (const Json* due = FindField(json, "due")) {
    HF_ASSIGN_OR_RETURN(run.due, SchedulesFromJson(*due));
  }
  return run;
}

std::string_view OutcomeName(Outcome outcome) {
  return kOutcomeNames[static_cast<size_t>(outcome)];
}

std::optional<Outcome> FindOutcome(std::string_view name) {
  const auto found = std::ranges::find(kOutcomeNames, name);
  if (found == kOutcomeNames.end()) return std::nullopt;
  return static_cast<Outcome>(found - kOutcomeNames.begin());
}

Json ItemOutcome::ToJson() const {
  Json json = {{"object", ObjectText(object)},
               {"project", object.project},
               {"dataset", object.dataset},
               {"table", object.table},
               {"partition", object.partition},
               {"outcome", OutcomeName(outcome)},
               {"reason", reason},
               {"backup", backup},
               {"rows", rows},
               {"bytes", bytes},
               {"duration_ms", duration_ms}};
  if (!error_id.empty()) json["error_id"] = error_id;
  if (suspect) json["suspect"] = true;
  if (!note.empty()) json["note"] = note;
  if (!expected.empty()) json["expected"] = expected;
  if (kind != ObjectKind::kTable) json["kind"] = ObjectKindName(kind);
  return json;
}

Result<ItemOutcome> ItemOutcome::FromJson(const Json& json) {
  ItemOutcome item;
  HF_ASSIGN_OR_RETURN(item.object.project, RequiredString(json, "project"));
  HF_ASSIGN_OR_RETURN(item.object.dataset, RequiredString(json, "dataset"));
  HF_ASSIGN_OR_RETURN(item.object.table, RequiredString(json, "table"));
  HF_ASSIGN_OR_RETURN(item.object.partition, RequiredString(json, "partition"));
  HF_ASSIGN_OR_RETURN(const std::string name, RequiredString(json, "outcome"));
  const auto outcome = FindOutcome(name);
  if (!outcome) {
    return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is not an outcome", name));
  }
  item.outcome = *outcome;
  HF_ASSIGN_OR_RETURN(item.reason, RequiredString(json, "reason"));
  HF_ASSIGN_OR_RETURN(item.backup, RequiredString(json, "backup"));
  HF_ASSIGN_OR_RETURN(item.rows, RequiredInt64(json, "rows"));
  HF_ASSIGN_OR_RETURN(item.bytes, RequiredInt64(json, "bytes"));
  HF_ASSIGN_OR_RETURN(item.duration_ms, RequiredInt64(json, "duration_ms"));
  HF_ASSIGN_OR_RETURN(auto error_id, OptionalString(json, "error_id"));
  item.error_id = std::move(error_id).value_or("");
  HF_ASSIGN_OR_RETURN(const auto suspect, OptionalBool(json, "suspect"));
  item.suspect = suspect.value_or(false);
  HF_ASSIGN_OR_RETURN(auto note, OptionalString(json, "note"));
  item.note = std::move(note).value_or("");
  HF_ASSIGN_OR_RETURN(auto expected, OptionalString(json, "expected"));
  item.expected = std::move(expected).value_or("");
  HF_ASSIGN_OR_RETURN(const auto kind_name, OptionalString(json, "kind"));
  const auto kind = FindObjectKind(kind_name.value_or(std::string(ObjectKindName(item.kind))));
  if (!kind) return MakeError(ErrorId::kInvalidJson, "\"kind\" is not a kind of object");
  item.kind = *kind;
  return item;
}

bool IsUnseen(const ItemOutcome& item) {
  return item.outcome == Outcome::kFailed || item.outcome == Outcome::kExcluded ||
         item.outcome == Outcome::kNotDue;
}

void RunTotals::Add(const ItemOutcome& item) {
  ++objects;
  ++count[static_cast<int>(item.outcome)];
  rows += item.rows;
  bytes += item.bytes;
}

Json RunTotals::ToJson() const {
  Json json = {{"objects", objects}, {"rows", rows}, {"bytes", bytes}};
  for (int i = 0; i < kOutcomes; ++i) json[std::string(kOutcomeNames[i])] = count[i];
  return json;
}

Json RunReport::ToJson() const {
  Json list = Json::array();
  for (const ItemOutcome& item : items) list.push_back(item.ToJson());
  return {{"run", run.ToJson()}, {"items", std::move(list)}, {"totals", totals.ToJson()}};
}

Result<RunReport> RunReport::FromJson(const Json& json) {
  const Json* run = FindField(json, "run");
  const Json* items = FindField(json, "items");
  if (run == nullptr || items == nullptr || !items->is_array()) {
    return MakeError(ErrorId::kInvalidJson, "a run's report without \"run\" or \"items\"");
  }
  HF_ASSIGN_OR_RETURN(Run of_run, Run::FromJson(*run));
  std::vector<ItemOutcome> outcomes;
  for (const Json& item : *items) {
    HF_ASSIGN_OR_RETURN(ItemOutcome outcome, ItemOutcome::FromJson(item));
    outcomes.push_back(std::move(outcome));
  }
  return MakeRunReport(std::move(of_run), std::move(outcomes));
}

int64_t CountSuspects(const std::vector<ItemOutcome>& items) {
  return std::ranges::count_if(items, &ItemOutcome::suspect);
}

RunReport MakeRunReport(Run run, std::vector<ItemOutcome> items) {
  std::ranges::sort(items, {}, &ItemOutcome::object);
  RunReport report{.run = std::move(run), .items = std::move(items), .totals = {}};
  for (const ItemOutcome& item : report.items) report.totals.Add(item);
  return report;
}

}  // namespace holdfast
