#include "restore/unfinished.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "model/policy.h"
#include "restore/target.h"

namespace holdfast::restore {

namespace {

constexpr int64_t kFormat = 1;
constexpr int64_t kPlanBytesMax = int64_t{64} << 20U;

// A plan as it is stored: backups by their ids.
struct StoredTable {
  TableRef source;
  TableRef target;
  std::vector<std::string> backups;
  std::vector<std::string> notes;
  bool finished = false;
};

struct StoredPlan {
  RestoreRequest request;
  int64_t begun_ms = 0;
  std::vector<StoredTable> tables;
};

struct Place {
  std::string bucket;
  std::string prefix;
};

Place PlaceOf(const Services& services, const std::string& key, const std::string& project,
              const std::string& location) {
  return {FillBucketPattern(services.staging_bucket_pattern, project, location),
          "restore-plans/" + key + "/"};
}

// A project and a location that a plan has targets in; data stays in its location.
using Region = std::pair<std::string, std::string>;

// Each once, in order. The plan is stored in all of them, so that it is found from any target, and
// from whatever target comes first another time.
std::set<Region> RegionsOf(const RestorePlan& plan) {
  std::set<Region> regions;
  for (const TableRestore& table : plan.tables) {
    regions.emplace(table.target.project, table.backups.back().location);
  }
  return regions;
}

Json TextsToJson(const std::vector<std::string>& texts) { return texts; }

Result<std::vector<std::string>> TextsFromJson(const Json& json, std::string_view key) {
  const Json* list = FindField(json, key);
  std::vector<std::string> texts;
  if (list == nullptr || !list->is_array()) {
    return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is not a list", key));
  }
  for (const Json& text : *list) {
    if (!text.is_string()) {
      return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" holds more than texts", key));
    }
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

std::string StoredText(const RestoreRequest& request, const RestorePlan& plan, int64_t begun_ms) {
  Json tables = Json::array();
  for (const TableRestore& table : plan.tables) {
    std::vector<std::string> backups;
    for (const catalog::BackupRecord& backup : table.backups) backups.push_back(backup.backup);
    tables.push_back({{"source", table.source.ToString()},
                      {"target", table.target.ToString()},
                      {"backups", TextsToJson(backups)},
                      {"notes", TextsToJson(table.notes)},
                      {"finished", table.finished}});
  }
  return DumpJson({{"format", kFormat},
                   {"request", RequestToJson(request)},
                   {"begun_ms", begun_ms},
                   {"tables", std::move(tables)}});
}

Result<StoredTable> TableFromJson(const Json& json) {
  StoredTable table;
  HF_ASSIGN_OR_RETURN(const std::string source, RequiredString(json, "source"));
  HF_ASSIGN_OR_RETURN(const std::string target, RequiredString(json, "target"));
  HF_ASSIGN_OR_RETURN(table.source, ParseTableRef(source));
  HF_ASSIGN_OR_RETURN(table.target, ParseTableRef(target));
  HF_ASSIGN_OR_RETURN(table.backups, TextsFromJson(json, "backups"));
  HF_ASSIGN_OR_RETURN(table.notes, TextsFromJson(json, "notes"));
  table.finished = BoolOr(json, "finished", false);
  if (table.backups.empty()) {
    return MakeError(ErrorId::kInvalidJson, "a table of the plan has no backup");
  }
  return table;
}

Result<StoredPlan> ParseStored(const std::string& text) {
  StoredPlan plan;
  HF_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  HF_ASSIGN_OR_RETURN(const int64_t format, RequiredInt64(json, "format"));
  const Json* request = FindField(json, "request");
  const Json* tables = FindField(json, "tables");
  if (format != kFormat || request == nullptr || tables == nullptr || !tables->is_array()) {
    return MakeError(ErrorId::kInvalidJson, "the stored plan is not one that this version writes");
  }
  HF_ASSIGN_OR_RETURN(plan.request, RequestFromJson(*request));
  HF_ASSIGN_OR_RETURN(plan.begun_ms, RequiredInt64(json, "begun_ms"));
  for (const Json& table : *tables) {
    HF_ASSIGN_OR_RETURN(StoredTable stored, TableFromJson(table));
    plan.tables.push_back(std::move(stored));
  }
  return plan;
}

// The last plan that was stored there; nullopt: none.
Result<std::optional<StoredPlan>> ReadStored(const Services& services, const Place& place) {
  std::optional<cloud::ObjectInfo> last;
  const Status listed = cloud::ForEachPage<cloud::ObjectInfo>(
      [&](const std::string& token) {
        return services.objects.ListObjects(place.bucket, place.prefix, token);
      },
      [&](cloud::ObjectInfo&& object) -> Status {
        last = std::move(object);
        return Ok();
      });
  if (!listed.ok() && listed.error().code != Code::kNotFound) return listed.error();
  if (!listed.ok() || !last) return std::optional<StoredPlan>();
  HF_ASSIGN_OR_RETURN(const std::string text,
                      cloud::ReadObjectToString(services.objects, last->ref, kPlanBytesMax));
  auto plan = ParseStored(text);
  if (!plan.ok()) return plan.error().WithContext(last->ref.Uri());
  return std::optional(*std::move(plan));
}

enum class TargetState { kAbsent, kUnfinished, kComplete };

Result<TargetState> StateOf(const Services& services, const TableRef& table) {
  // A dataset or routine is made in one call: nothing of it is ever begun.
  if (ParseReservedName(table.table)) return TargetState::kAbsent;
  const auto found = services.warehouse.GetTable(table);
  if (found.ok()) {
    return RestoreLabelOf(*found).empty() ? TargetState::kComplete : TargetState::kUnfinished;
  }
  if (found.error().code == Code::kNotFound) return TargetState::kAbsent;
  return found.error();
}

// The table with its backups as the index has them; nullopt when one is not known any more.
Result<std::optional<TableRestore>> Load(const Services& services, const StoredTable& stored) {
  TableRestore table{.source = stored.source, .target = stored.target, .notes = stored.notes};
  for (const std::string& backup : stored.backups) {
    auto record = catalog::GetBackup(services.catalog, backup);
    if (!record.ok() && record.error().code == Code::kNotFound) {
      return std::optional<TableRestore>();
    }
    if (!record.ok()) return record.error();
    table.backups.push_back(*std::move(record));
  }
  return std::optional(std::move(table));
}

// What is missing of `fresh` and not in the tables of a resumed plan.
std::vector<MissingObject> StillMissing(const RestorePlan& fresh,
                                        const std::vector<TableRestore>& tables) {
  std::set<TableRef> restored;
  for (const TableRestore& table : tables) {
    for (const catalog::BackupRecord& backup : table.backups) restored.insert(backup.object);
  }
  std::vector<MissingObject> missing = fresh.missing;
  std::erase_if(missing, [&](const auto& object) { return restored.contains(object.object); });
  return missing;
}

const TableRestore* FindTarget(const std::vector<TableRestore>& tables, const TableRef& target) {
  const auto found = std::ranges::find(tables, target, &TableRestore::target);
  return found == tables.end() ? nullptr : &*found;
}

// What a resumed plan does with one stored table; nullopt: nothing is known of its backups.
Result<std::optional<TableRestore>> ResumeTable(const Services& services, const StoredTable& entry,
                                                TargetState state, const TableRestore* fresh) {
  HF_ASSIGN_OR_RETURN(std::optional<TableRestore> table, Load(services, entry));
  // Nothing of it is there that newer backups would not go with.
  const bool anew = state == TargetState::kAbsent || !table;
  if (anew && fresh != nullptr) table = *fresh;
  if (table) table->finished = entry.finished && state == TargetState::kComplete;
  return table;
}

// The plan that goes on with `stored`; nullopt when nothing of it was begun.
Result<std::optional<RestorePlan>> Resume(const RestoreRequest& request, const Services& services,
                                          const StoredPlan& stored, const RestorePlan& fresh) {
  bool begun = false;
  std::vector<TableRestore> tables;
  for (const StoredTable& entry : stored.tables) {
    HF_ASSIGN_OR_RETURN(const TargetState state, StateOf(services, entry.target));
    begun = begun || state != TargetState::kAbsent;
    HF_ASSIGN_OR_RETURN(
        auto table, ResumeTable(services, entry, state, FindTarget(fresh.tables, entry.target)));
    if (table) tables.push_back(*std::move(table));
  }
  if (!begun) return std::optional<RestorePlan>();
  for (const TableRestore& table : fresh.tables) {
    if (FindTarget(tables, table.target) == nullptr) tables.push_back(table);
  }
  std::vector<MissingObject> missing = StillMissing(fresh, tables);
  RestorePlan plan = PlanOf(request, std::move(tables), std::move(missing), fresh.notes);
  plan.resumes_ms = stored.begun_ms;
  return std::optional(std::move(plan));
}

// Found from any place in which the plan has targets.
Result<std::optional<StoredPlan>> FindStored(const Services& services, const RestorePlan& plan) {
  for (const auto& [project, location] : RegionsOf(plan)) {
    HF_ASSIGN_OR_RETURN(std::optional<StoredPlan> stored,
                        ReadStored(services, PlaceOf(services, plan.key, project, location)));
    if (stored) return stored;
  }
  return std::optional<StoredPlan>();
}

// Whether a stored plan is of exactly the same objects, from the same backups.
bool HoldsTheSame(const StoredPlan& stored, const RestorePlan& plan) {
  if (stored.tables.size() != plan.tables.size()) return false;
  return std::ranges::equal(stored.tables, plan.tables, [](const auto& was, const auto& table) {
    return was.source == table.source && was.target == table.target &&
           std::ranges::equal(was.backups, table.backups, {}, {}, &catalog::BackupRecord::backup);
  });
}

}  // namespace

Result<RestorePlan> PlanRestore(const RestoreRequest& request, const Services& services) {
  HF_RETURN_IF_ERROR(ValidateRequest(request));
  HF_ASSIGN_OR_RETURN(const Selection selection,
                      Select(services.catalog, request, services.clock.Now()));
  HF_ASSIGN_OR_RETURN(RestorePlan fresh, MakePlan(request, selection));
  HF_ASSIGN_OR_RETURN(const std::optional<StoredPlan> stored, FindStored(services, fresh));
  if (!stored) return fresh;
  HF_ASSIGN_OR_RETURN(auto resumed, Resume(request, services, *stored, fresh));
  return resumed ? *std::move(resumed) : std::move(fresh);
}

Result<std::optional<RestorePlan>> ResumePlan(const RestoreRequest& request,
                                              const RestorePlan& plan, const Services& services) {
  HF_ASSIGN_OR_RETURN(const std::optional<StoredPlan> stored, FindStored(services, plan));
  if (!stored || !HoldsTheSame(*stored, plan)) return std::optional<RestorePlan>();
  HF_ASSIGN_OR_RETURN(auto resumed, Resume(request, services, *stored, plan));
  if (!resumed) return resumed;
  resumed->id = plan.id;
  resumed->created_ms = plan.created_ms;
  resumed->held_until_ms = plan.held_until_ms;
  return resumed;
}

Status KeepPlan(const RestoreRequest& request, const RestorePlan& plan, const Services& services) {
  const int64_t begun_ms = plan.resumes_ms.value_or(ToUnixMillis(services.clock.Now()));
  const std::string text = StoredText(request, plan, begun_ms);
  for (const auto& [project, location] : RegionsOf(plan)) {
    HF_RETURN_IF_ERROR(EnsureStagingBucket(services, project, location));
    const Place place = PlaceOf(services, plan.key, project, location);
    const std::string name = fmt::format("{}{:015}-{}.json", place.prefix, begun_ms, plan.hash);
    HF_RETURN_IF_ERROR(
        cloud::CreateObjectFromString(services.objects, {place.bucket, name, 0}, text));
    HF_RETURN_IF_ERROR(cloud::ForEachPage<cloud::ObjectInfo>(
        [&](const std::string& token) {
          return services.objects.ListObjects(place.bucket, place.prefix, token);
        },
        [&](cloud::ObjectInfo&& object) {
          return object.ref.name == name ? Ok() : services.objects.DeleteObject(object.ref);
        }));
  }
  return Ok();
}

void ForgetPlan(const RestorePlan& plan, const Services& services) {
  for (const auto& [project, location] : RegionsOf(plan)) {
    const Place place = PlaceOf(services, plan.key, project, location);
    DeleteStaged(services, place.bucket, place.prefix);
  }
}

Result<std::optional<UnfinishedRestore>> FindRestoreOf(const TableInfo& table,
                                                       const Services& services) {
  const std::string key = RequestKeyOfLabel(RestoreLabelOf(table));
  if (key.empty()) return std::optional<UnfinishedRestore>();
  HF_ASSIGN_OR_RETURN(
      auto stored, ReadStored(services, PlaceOf(services, key, table.ref.project, table.location)));
  if (!stored) return std::optional<UnfinishedRestore>();
  return std::optional(UnfinishedRestore{std::move(stored->request), stored->begun_ms});
}

}  // namespace holdfast::restore
