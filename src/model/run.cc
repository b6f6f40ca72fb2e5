#include "model/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace holdfast {

namespace {

constexpr size_t kMethodsMax = 8;
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

// From the one that matters most to who reads it.
constexpr std::array<Outcome, kOutcomes> kWorstFirst = {
    Outcome::kFailed,       Outcome::kCarried,   Outcome::kUnsupported,
    Outcome::kVanished,     Outcome::kNotDue,    Outcome::kBackedUp,
    Outcome::kMetadataOnly, Outcome::kUnchanged, Outcome::kExcluded};

bool IsWorse(Outcome a, Outcome b) {
  return std::ranges::find(kWorstFirst, a) < std::ranges::find(kWorstFirst, b);
}

Result<std::vector<ItemOutcome>> MethodsFromJson(const Json& json) {
  std::vector<ItemOutcome> outcomes;
  if (!json.is_array() || json.size() > kMethodsMax) {
    return MakeError(ErrorId::kInvalidJson, "\"by_method\" is not a list of some methods");
  }
  for (const Json& item : json) {
    HF_ASSIGN_OR_RETURN(ItemOutcome outcome, ItemOutcome::FromJson(item));
    if (!outcome.method || !outcome.by_method.empty()) {
      return MakeError(ErrorId::kInvalidJson, "\"by_method\" holds what is not of one method");
    }
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
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
  if (lost_ms != 0) json["lost_ms"] = lost_ms;
  if (kind != ObjectKind::kTable) json["kind"] = ObjectKindName(kind);
  if (method) json["method"] = MethodName(*method);
  for (const ItemOutcome& each : by_method) json["by_method"].push_back(each.ToJson());
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
  item.lost_ms = Int64Or(json, "lost_ms", 0);
  HF_ASSIGN_OR_RETURN(const auto kind_name, OptionalString(json, "kind"));
  const auto kind = FindObjectKind(kind_name.value_or(std::string(ObjectKindName(item.kind))));
  if (!kind) return MakeError(ErrorId::kInvalidJson, "\"kind\" is not a kind of object");
  item.kind = *kind;
  HF_ASSIGN_OR_RETURN(const auto method, OptionalString(json, "method"));
  if (method) item.method = FindMethod(*method);
  if (method && !item.method) return MakeError(ErrorId::kInvalidJson, "\"method\" is no method");
  if (const Json* list = FindField(json, "by_method")) {
    HF_ASSIGN_OR_RETURN(item.by_method, MethodsFromJson(*list));
  }
  return item;
}

ItemOutcome MergeMethods(const ItemOutcome& a, const ItemOutcome& b) {
  std::vector<ItemOutcome> parts;
  for (const ItemOutcome* whole : {&a, &b}) {
    std::vector<ItemOutcome> own = whole->by_method;
    if (own.empty()) own.push_back(*whole);
    for (ItemOutcome& part : own) {
      if (std::ranges::find(parts, part.method, &ItemOutcome::method) == parts.end()) {
        parts.push_back(std::move(part));
      }
    }
  }
  if (parts.size() == 1) return a;
  std::ranges::sort(parts, {}, &ItemOutcome::method);
  ItemOutcome whole{.object = a.object, .kind = a.kind, .outcome = Outcome::kExcluded};
  for (const ItemOutcome& part : parts) {
    if (IsWorse(part.outcome, whole.outcome)) {
      whole.outcome = part.outcome;
      whole.error_id = part.error_id;
    }
    whole.reason +=
        fmt::format("{}{}: {}", whole.reason.empty() ? "" : "; ",
                    part.method ? MethodName(*part.method) : "all methods", part.reason);
    if (whole.backup.empty()) whole.backup = part.backup;
    if (whole.note.empty()) whole.note = part.note;
    if (whole.expected.empty()) whole.expected = part.expected;
    whole.rows += part.rows;
    whole.bytes += part.bytes;
    whole.duration_ms = std::max(whole.duration_ms, part.duration_ms);
    whole.suspect = whole.suspect || part.suspect;
  }
  whole.by_method = std::move(parts);
  return whole;
}

bool IsUnseen(const ItemOutcome& item) {
  return item.outcome == Outcome::kFailed || item.outcome == Outcome::kExcluded ||
         item.outcome == Outcome::kNotDue;
}

bool IsLoss(const ItemOutcome& item) {
  return item.outcome == Outcome::kVanished && (item.suspect || item.lost_ms != 0);
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

Result<RunTotals> RunTotals::FromJson(const Json& json) {
  RunTotals totals;
  HF_ASSIGN_OR_RETURN(totals.objects, RequiredInt64(json, "objects"));
  HF_ASSIGN_OR_RETURN(totals.rows, RequiredInt64(json, "rows"));
  HF_ASSIGN_OR_RETURN(totals.bytes, RequiredInt64(json, "bytes"));
  for (int i = 0; i < kOutcomes; ++i) totals.count[i] = Int64Or(json, kOutcomeNames[i], 0);
  return totals;
}

Json RunSummary::ToJson() const {
  return {{"run", run.ToJson()}, {"totals", totals.ToJson()}, {"suspects", suspects}};
}

Result<RunSummary> RunSummary::FromJson(const Json& json) {
  const Json* run = FindField(json, "run");
  const Json* totals = FindField(json, "totals");
  if (run == nullptr || totals == nullptr) {
    return MakeError(ErrorId::kInvalidJson, "a run without \"run\" or \"totals\"");
  }
  RunSummary summary;
  HF_ASSIGN_OR_RETURN(summary.run, Run::FromJson(*run));
  HF_ASSIGN_OR_RETURN(summary.totals, RunTotals::FromJson(*totals));
  HF_ASSIGN_OR_RETURN(summary.suspects, RequiredInt64(json, "suspects"));
  return summary;
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
