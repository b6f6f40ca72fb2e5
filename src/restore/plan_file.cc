#include "restore/plan_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "base/hash.h"
#include "catalog/record_json.h"
#include "model/ids.h"
#include "repository/layout.h"

namespace holdfast::restore {

namespace {

constexpr int64_t kPlanFormat = 1;
constexpr int64_t kTimeMsMax = 253'402'300'799'999;  // the end of the year 9999
constexpr std::string_view kPlanSum = "plan_sha256";

Error WrongMember(std::string_view member, std::string_view what) {
  return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" {}", member, what));
}

Result<int64_t> CountOf(const Json& json, std::string_view key) {
  HF_ASSIGN_OR_RETURN(const int64_t count, RequiredInt64(json, key));
  if (count < 0) return WrongMember(key, "is negative");
  return count;
}

Result<int64_t> TimeIn(const Json& json, std::string_view key) {
  HF_ASSIGN_OR_RETURN(const int64_t ms, CountOf(json, key));
  if (ms > kTimeMsMax) return WrongMember(key, "is after the year 9999");
  return ms;
}

Result<std::optional<int64_t>> OptionalTimeIn(const Json& json, std::string_view key) {
  if (FindField(json, key) == nullptr) return std::optional<int64_t>();
  HF_ASSIGN_OR_RETURN(const int64_t ms, TimeIn(json, key));
  return std::optional(ms);
}

Result<const Json*> ListIn(const Json& json, std::string_view key) {
  const Json* list = FindField(json, key);
  if (list == nullptr || !list->is_array()) return WrongMember(key, "is not a list");
  return list;
}

Result<std::vector<std::string>> TextsIn(const Json& json, std::string_view key) {
  HF_ASSIGN_OR_RETURN(const Json* list, ListIn(json, key));
  std::vector<std::string> texts;
  for (const Json& text : *list) {
    if (!text.is_string()) return WrongMember(key, "holds more than texts");
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

Result<TableRef> ObjectIn(const Json& json, std::string_view key) {
  HF_ASSIGN_OR_RETURN(const std::string text, RequiredString(json, key));
  return ParseTableRef(text);
}

// Each item of a list by `read`.
template <typename T, typename Read>
Status ReadList(const Json& json, std::string_view key, std::vector<T>& to, const Read& read) {
  HF_ASSIGN_OR_RETURN(const Json* list, ListIn(json, key));
  for (const Json& item : *list) {
    HF_ASSIGN_OR_RETURN(T value, read(item).WithContext(key));
    to.push_back(std::move(value));
  }
  return Ok();
}

template <typename T, typename Write>
Json WriteList(const std::vector<T>& from, const Write& write) {
  Json list = Json::array();
  for (const T& value : from) list.push_back(write(value));
  return list;
}

Json JobsJson(const JobCounts& jobs) {
  return {{"load", jobs.load}, {"copy", jobs.copy}, {"extract", jobs.extract}};
}

Result<JobCounts> JobsFrom(const Json& json) {
  const Json* member = FindField(json, "jobs");
  if (member == nullptr) return WrongMember("jobs", "is missing");
  JobCounts jobs;
  HF_ASSIGN_OR_RETURN(jobs.load, CountOf(*member, "load"));
  HF_ASSIGN_OR_RETURN(jobs.copy, CountOf(*member, "copy"));
  HF_ASSIGN_OR_RETURN(jobs.extract, CountOf(*member, "extract"));
  return jobs;
}

Json RecordJson(const catalog::BackupRecord& record) {
  // The text is the catalog's own, so it parses.
  Json json = ParseJson(catalog::BackupRecordToText(record)).value_or(Json::object());
  if (record.damaged) json["damaged"] = true;
  return json;
}

bool IsCount(int64_t number) { return number >= 0; }
bool IsTime(int64_t ms) { return ms >= 0 && ms <= kTimeMsMax; }

Result<catalog::BackupRecord> RecordFrom(const Json& json, catalog::BackupRecordReader& reader) {
  HF_ASSIGN_OR_RETURN(catalog::BackupRecord record, reader.Read(DumpJson(json)));
  record.damaged = BoolOr(json, "damaged", false);
  if (!IsValidId(record.backup)) return WrongMember("backup", "is not an id of a backup");
  HF_RETURN_IF_ERROR(repository::ValidateLocation({record.bucket, record.prefix}));
  if (!IsCount(record.rows) || !IsCount(record.stored_bytes) || !IsCount(record.objects) ||
      !IsCount(record.source.bytes) || !IsTime(record.consistent_through_ms) ||
      !IsTime(record.created_ms)) {
    return WrongMember("backups", "holds a number that cannot be");
  }
  return record;
}

Json SeenTargetJson(const SeenTarget& seen) {
  if (!seen.exists) return nullptr;
  return {{"creation_ms", seen.creation_ms},
          {"last_modified_ms", seen.last_modified_ms},
          {"rows", seen.rows}};
}

Result<SeenTarget> SeenTargetFrom(const Json& json) {
  SeenTarget seen;
  const Json* member = FindField(json, "before");
  if (member == nullptr) return seen;
  seen.exists = true;
  HF_ASSIGN_OR_RETURN(seen.creation_ms, TimeIn(*member, "creation_ms"));
  HF_ASSIGN_OR_RETURN(seen.last_modified_ms, TimeIn(*member, "last_modified_ms"));
  HF_ASSIGN_OR_RETURN(seen.rows, CountOf(*member, "rows"));
  return seen;
}

// What a name says of the kind of what it names: a reserved one is never a table's.
bool FitsKind(const TableRef& object, ObjectKind kind) {
  const auto reserved = ParseReservedName(object.table);
  if (kind == ObjectKind::kDataset) return reserved && reserved->routine.empty();
  if (kind == ObjectKind::kRoutine) return reserved && !reserved->routine.empty();
  return !reserved;
}

Json RestoreJson(const TableRestore& table) {
  return {{"source", table.source.ToString()},
          {"target", table.target.ToString()},
          {"backups", WriteList(table.backups, RecordJson)},
          {"notes", table.notes},
          {"finished", table.finished},
          {"before", SeenTargetJson(table.before)},
          {"jobs", JobsJson(table.jobs)}};
}

Result<TableRestore> RestoreFrom(const Json& json, catalog::BackupRecordReader& reader) {
  TableRestore table;
  HF_ASSIGN_OR_RETURN(table.source, ObjectIn(json, "source"));
  HF_ASSIGN_OR_RETURN(table.target, ObjectIn(json, "target"));
  if (!table.source.partition.empty() || !table.target.partition.empty()) {
    return WrongMember("target", "is a partition");
  }
  HF_RETURN_IF_ERROR(ReadList(json, "backups", table.backups,
                              [&](const Json& item) { return RecordFrom(item, reader); }));
  if (table.backups.empty()) return WrongMember("backups", "is empty");
  std::set<std::string> partitions;
  for (const catalog::BackupRecord& backup : table.backups) {
    if (backup.object.WholeTable() != table.source || backup.kind != table.backups.front().kind ||
        !partitions.insert(backup.object.partition).second) {
      return WrongMember("backups", "is not of the object's partitions, each once");
    }
  }
  const ObjectKind kind = table.backups.front().kind;
  if (!FitsKind(table.source, kind) || !FitsKind(table.target, kind)) {
    return WrongMember("target", "is not the name of such an object");
  }
  HF_ASSIGN_OR_RETURN(table.notes, TextsIn(json, "notes"));
  table.finished = BoolOr(json, "finished", false);
  HF_ASSIGN_OR_RETURN(table.before, SeenTargetFrom(json));
  HF_ASSIGN_OR_RETURN(table.jobs, JobsFrom(json));
  return table;
}

Json SeenDatasetJson(const SeenDataset& seen) {
  return {{"dataset", seen.dataset.ToString()},
          {"exists", seen.exists},
          {"creation_ms", seen.creation_ms},
          {"location", seen.location},
          {"access_hash", seen.access_hash}};
}

Result<DatasetRef> DatasetIn(const Json& json) {
  HF_ASSIGN_OR_RETURN(const std::string text, RequiredString(json, "dataset"));
  return ParseDatasetRef(text);
}

Result<SeenDataset> SeenDatasetFrom(const Json& json) {
  SeenDataset seen;
  HF_ASSIGN_OR_RETURN(seen.dataset, DatasetIn(json));
  seen.exists = BoolOr(json, "exists", false);
  HF_ASSIGN_OR_RETURN(seen.creation_ms, TimeIn(json, "creation_ms"));
  HF_ASSIGN_OR_RETURN(seen.location, RequiredString(json, "location"));
  HF_ASSIGN_OR_RETURN(seen.access_hash, RequiredString(json, "access_hash"));
  return seen;
}

Json MissingJson(const MissingObject& missing) {
  Json json = {{"object",
                {missing.object.project, missing.object.dataset, missing.object.table,
                 missing.object.partition}},
               {"reason", missing.reason},
               {"unsupported", missing.unsupported}};
  if (missing.before_ms) json["before_ms"] = *missing.before_ms;
  if (missing.after_ms) json["after_ms"] = *missing.after_ms;
  return json;
}

// A name of which the last parts may be empty, for a person only.
Result<TableRef> PartsFrom(const Json& json) {
  HF_ASSIGN_OR_RETURN(const std::vector<std::string> parts, TextsIn(json, "object"));
  if (parts.size() != 4) return WrongMember("object", "is not of four parts");
  return TableRef{parts[0], parts[1], parts[2], parts[3]};
}

Result<MissingObject> MissingFrom(const Json& json) {
  MissingObject missing;
  HF_ASSIGN_OR_RETURN(missing.object, PartsFrom(json));
  HF_ASSIGN_OR_RETURN(missing.reason, RequiredString(json, "reason"));
  missing.unsupported = BoolOr(json, "unsupported", false);
  HF_ASSIGN_OR_RETURN(missing.before_ms, OptionalTimeIn(json, "before_ms"));
  HF_ASSIGN_OR_RETURN(missing.after_ms, OptionalTimeIn(json, "after_ms"));
  return missing;
}

Json ConflictJson(const Conflict& conflict) {
  return {{"object",
           {conflict.object.project, conflict.object.dataset, conflict.object.table,
            conflict.object.partition}},
          {"error", FindError(conflict.error.id).id},
          {"message", conflict.error.message},
          {"hint", conflict.error.hint},
          {"fatal", conflict.is_fatal}};
}

Result<Conflict> ConflictFrom(const Json& json) {
  Conflict conflict;
  HF_ASSIGN_OR_RETURN(conflict.object, PartsFrom(json));
  HF_ASSIGN_OR_RETURN(const std::string id, RequiredString(json, "error"));
  const ErrorEntry* entry = FindError(id);
  if (entry == nullptr) return WrongMember("error", "is not an error's id");
  HF_ASSIGN_OR_RETURN(std::string message, RequiredString(json, "message"));
  HF_ASSIGN_OR_RETURN(std::string hint, RequiredString(json, "hint"));
  conflict.error = MakeError(entry->error_id, std::move(message), std::move(hint));
  conflict.is_fatal = BoolOr(json, "fatal", true);
  return conflict;
}

Json AccessChangeJson(const AccessChange& change) {
  return {{"dataset", change.dataset.ToString()}, {"change", change.what}};
}

Result<AccessChange> AccessChangeFrom(const Json& json) {
  AccessChange change;
  HF_ASSIGN_OR_RETURN(change.dataset, DatasetIn(json));
  HF_ASSIGN_OR_RETURN(change.what, RequiredString(json, "change"));
  return change;
}

Json QuotaJson(const QuotaNeed& need) {
  return {{"of", need.of}, {"quota", need.quota}, {"needed", need.needed}, {"limit", need.limit}};
}

Result<QuotaNeed> QuotaFrom(const Json& json) {
  QuotaNeed need;
  HF_ASSIGN_OR_RETURN(need.of, RequiredString(json, "of"));
  HF_ASSIGN_OR_RETURN(need.quota, RequiredString(json, "quota"));
  HF_ASSIGN_OR_RETURN(need.needed, CountOf(json, "needed"));
  HF_ASSIGN_OR_RETURN(need.limit, CountOf(json, "limit"));
  return need;
}

// What a request asks for beside what names it (RequestKey).
Json OptionsJson(const RestoreRequest& request) {
  return {{"if_exists", request.if_exists == IfExists::kSkip ? "skip" : "fail"},
          {"compare", request.compare},
          {"allow_wider_access", request.allow_wider_access},
          {"allow_over_quota", request.allow_over_quota}};
}

Status OptionsFrom(const Json& json, RestoreRequest& request) {
  const Json* options = FindField(json, "options");
  if (options == nullptr) return WrongMember("options", "is missing");
  HF_ASSIGN_OR_RETURN(const std::string if_exists, RequiredString(*options, "if_exists"));
  if (if_exists != "skip" && if_exists != "fail") {
    return WrongMember("if_exists", "is not what this version does");
  }
  request.if_exists = if_exists == "skip" ? IfExists::kSkip : IfExists::kFail;
  HF_ASSIGN_OR_RETURN(const auto compare, OptionalBool(*options, "compare"));
  request.compare = compare.value_or(true);
  HF_ASSIGN_OR_RETURN(const auto wider, OptionalBool(*options, "allow_wider_access"));
  request.allow_wider_access = wider.value_or(false);
  HF_ASSIGN_OR_RETURN(const auto over, OptionalBool(*options, "allow_over_quota"));
  request.allow_over_quota = over.value_or(false);
  return Ok();
}

Json ToDocument(const ApprovedPlan& approved) {
  const RestorePlan& plan = approved.plan;
  Json json = {{"format", kPlanFormat},
               {"id", plan.id},
               {"created_ms", plan.created_ms},
               {"held_until_ms", plan.held_until_ms},
               {"request", RequestToJson(approved.request)},
               {"options", OptionsJson(approved.request)},
               {"tables", WriteList(plan.tables, RestoreJson)},
               {"missing", WriteList(plan.missing, MissingJson)},
               {"notes", plan.notes},
               {"datasets", WriteList(plan.datasets, SeenDatasetJson)},
               {"conflicts", WriteList(plan.conflicts, ConflictJson)},
               {"access_changes", WriteList(plan.access_changes, AccessChangeJson)},
               {"quotas", WriteList(plan.quotas, QuotaJson)},
               {"jobs", JobsJson(plan.jobs)},
               {"estimate_ms", plan.estimate_ms}};
  if (plan.resumes_ms) json["resumes_ms"] = *plan.resumes_ms;
  return json;
}

// Rows and bytes are added up: no sum may leave the range.
Status CheckSums(const std::vector<TableRestore>& tables) {
  __int128 rows = 0;
  __int128 bytes = 0;
  __int128 others = 0;
  std::set<TableRef> targets;
  for (const TableRestore& table : tables) {
    if (!targets.insert(table.target).second) return WrongMember("tables", "has a target twice");
    for (const catalog::BackupRecord& backup : table.backups) {
      rows += backup.rows;
      bytes += backup.stored_bytes;
      others += backup.objects + static_cast<__int128>(backup.source.bytes);
    }
  }
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  if (rows > kMax || bytes > kMax || others > kMax) {
    return WrongMember("tables", "adds up to more than there can be");
  }
  return Ok();
}

Result<ApprovedPlan> FromDocument(const Json& json) {
  ApprovedPlan approved;
  HF_ASSIGN_OR_RETURN(const int64_t format, RequiredInt64(json, "format"));
  if (format != kPlanFormat) return WrongMember("format", "is not one that this version writes");
  const Json* request = FindField(json, "request");
  if (request == nullptr) return WrongMember("request", "is missing");
  HF_ASSIGN_OR_RETURN(approved.request, RequestFromJson(*request).WithContext("request"));
  HF_RETURN_IF_ERROR(OptionsFrom(json, approved.request));
  HF_RETURN_IF_ERROR(ValidateRequest(approved.request));
  catalog::BackupRecordReader reader;
  std::vector<TableRestore> tables;
  HF_RETURN_IF_ERROR(ReadList(json, "tables", tables,
                              [&](const Json& item) { return RestoreFrom(item, reader); }));
  if (tables.empty()) return WrongMember("tables", "is empty");
  HF_RETURN_IF_ERROR(CheckSums(tables));
  std::vector<MissingObject> missing;
  HF_RETURN_IF_ERROR(ReadList(json, "missing", missing, MissingFrom));
  HF_ASSIGN_OR_RETURN(std::vector<std::string> notes, TextsIn(json, "notes"));
  RestorePlan& plan = approved.plan;
  plan = PlanOf(approved.request, std::move(tables), std::move(missing), std::move(notes));
  HF_ASSIGN_OR_RETURN(plan.id, RequiredString(json, "id"));
  if (!IsValidId(plan.id)) return WrongMember("id", "is not an id of ours");
  HF_ASSIGN_OR_RETURN(plan.created_ms, TimeIn(json, "created_ms"));
  HF_ASSIGN_OR_RETURN(plan.held_until_ms, TimeIn(json, "held_until_ms"));
  HF_ASSIGN_OR_RETURN(plan.resumes_ms, OptionalTimeIn(json, "resumes_ms"));
  HF_RETURN_IF_ERROR(ReadList(json, "datasets", plan.datasets, SeenDatasetFrom));
  HF_RETURN_IF_ERROR(ReadList(json, "conflicts", plan.conflicts, ConflictFrom));
  HF_RETURN_IF_ERROR(ReadList(json, "access_changes", plan.access_changes, AccessChangeFrom));
  HF_RETURN_IF_ERROR(ReadList(json, "quotas", plan.quotas, QuotaFrom));
  HF_ASSIGN_OR_RETURN(plan.jobs, JobsFrom(json));
  HF_ASSIGN_OR_RETURN(plan.estimate_ms, CountOf(json, "estimate_ms"));
  return approved;
}

Error Invalid(const Error& why) {
  return MakeError(ErrorId::kPlanInvalid, "the plan cannot be used: " + why.message);
}

// The document without its sum, which must be right.
Result<Json> CheckedDocument(std::string_view text) {
  HF_ASSIGN_OR_RETURN(Json json, ParseJson(text, {.size_bytes_max = kPlanFileBytesMax}));
  if (!json.is_object()) return MakeError(ErrorId::kInvalidJson, "it is not an object");
  HF_ASSIGN_OR_RETURN(const std::string sum, RequiredString(json, kPlanSum));
  json.erase(std::string(kPlanSum));
  if (sum == Sha256Hex(DumpJson(json))) return json;
  return MakeError(ErrorId::kInvalidJson,
                   "it was edited or damaged after it was written: its SHA-256 is another");
}

}  // namespace

std::string SerializePlan(const ApprovedPlan& approved) {
  Json json = ToDocument(approved);
  const std::string sum = Sha256Hex(DumpJson(json));
  json[std::string(kPlanSum)] = sum;
  return DumpJson(json) + "\n";
}

Result<ApprovedPlan> ParsePlan(std::string_view text) {
  const auto json = CheckedDocument(text);
  if (!json.ok()) return Invalid(json.error());
  auto approved = FromDocument(*json);
  if (!approved.ok()) return Invalid(approved.error());
  // One byte may be changed so that the document stays the same: the text is not what was written.
  if (SerializePlan(*approved) == text) return approved;
  return Invalid(MakeError(ErrorId::kInvalidJson, "it is not as it was written"));
}

}  // namespace holdfast::restore
