#include "restore/definitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "restore/access.h"
#include "restore/compare.h"
#include "restore/damage.h"
#include "restore/target.h"

namespace holdfast::restore {

namespace {

constexpr std::array kDatasetMembers = {
    "friendlyName",      "description",         "labels",
    "defaultCollation",  "defaultRoundingMode", "maxTimeTravelHours",
    "isCaseInsensitive", "storageBillingModel"};

// Where the SQL of a definition is.
constexpr std::array<std::array<const char*, 2>, 2> kQueries = {
    {{"view", "query"}, {"materializedView", "query"}}};

bool IsLegacySql(const Json& resource) {
  const Json* view = FindField(resource, "view");
  return view != nullptr && BoolOr(*view, "useLegacySql", true);
}

// A function in another language has names in its own syntax, if any.
bool IsSqlRoutine(const Json& resource) { return StringOr(resource, "language", "SQL") == "SQL"; }

// The SQL of a definition; empty: it has none that can be read.
std::string SqlOf(const Manifest& manifest) {
  const Json& resource = manifest.Definition();
  if (manifest.kind == ObjectKind::kRoutine) {
    return IsSqlRoutine(resource) ? StringOr(resource, "definitionBody", "") : "";
  }
  if (IsLegacySql(resource)) return {};
  for (const auto& [object, member] : kQueries) {
    const Json* holder = FindField(resource, object);
    if (holder != nullptr) return StringOr(*holder, member, "");
  }
  return {};
}

Renames RenamesOf(const RestorePlan& plan) {
  Renames renames;
  for (const TableRestore& table : plan.tables) renames[table.source] = table.target;
  return renames;
}

// A name before a parenthesis may be that of a table all the same.
bool IsKnown(const Renames& renames, const TableRef& name) {
  if (renames.contains(name)) return true;
  if (name.table.ends_with('*')) {
    const TableRef prefix{name.project, name.dataset, name.table.substr(0, name.table.size() - 1),
                          ""};
    const auto first = renames.lower_bound(prefix);
    return first != renames.end() && first->first.dataset_ref() == name.dataset_ref() &&
           first->first.table.starts_with(prefix.table);
  }
  const auto reserved = ParseReservedName(name.table);
  return reserved && renames.contains({name.project, name.dataset, reserved->routine, {}});
}

// References that a person must know of: they are not restored with it.
std::vector<std::string> NotesOn(const Manifest& manifest, const TableRef& target,
                                 const Renames& renames) {
  std::vector<std::string> notes;
  const DatasetRef home = manifest.object.dataset_ref();
  const bool moved = target.dataset_ref() != home;
  const std::string sql = SqlOf(manifest);
  for (const TableRef& name : NamesInSql(sql, home)) {
    if (IsKnown(renames, name) || (!moved && name.dataset_ref() != home)) continue;
    notes.push_back(fmt::format("it refers to {}, which is not restored with it{}", name.ToString(),
                                moved ? ", and still does" : ""));
  }
  if (moved && notes.empty() && MayNameDataset(RewriteSql(sql, home, renames), home)) {
    notes.push_back("its SQL may still name " + home.ToString() + ": look at it");
  }
  if (moved && IsLegacySql(manifest.Definition())) {
    notes.emplace_back("it is in legacy SQL: the names in it are still those of the source");
  }
  if (const int64_t at_ms = Int64Or(manifest.Definition(), "expirationTime", 0); at_ms != 0) {
    notes.push_back("it expired at " + FormatTimestamp(FromUnixMillis(at_ms)) +
                    "; the restored one does not");
  }
  if (manifest.kind == ObjectKind::kExternal) {
    notes.emplace_back("its files are not part of the backup: it reads those that are there");
  }
  return notes;
}

// Whether `there` has all that `wanted` has; what the service adds does not count.
bool HoldsAll(const Json& there, const Json& wanted) {
  if (!wanted.is_object()) return there == wanted;
  return there.is_object() && std::ranges::all_of(wanted.items(), [&](const auto& item) {
           const auto found = there.find(item.key());
           return found != there.end() && HoldsAll(*found, item.value());
         });
}

struct Access {
  Json kept = Json::array();
  std::vector<std::string> left_out;
};

Access AccessOf(const Json& saved_resource, bool same_project) {
  Access access;
  bool has_owner = false;
  const Json* saved = FindField(saved_resource, "access");
  for (const Json& entry : saved != nullptr && saved->is_array() ? *saved : Json::array()) {
    const bool is_authorized_object =
        entry.contains("view") || entry.contains("routine") || entry.contains("dataset");
    const bool means_others = !same_project && entry.contains("specialGroup");
    if (is_authorized_object || means_others) {
      access.left_out.push_back(DumpJson(entry));
      continue;
    }
    has_owner = has_owner || StringOr(entry, "role", "") == "OWNER";
    access.kept.push_back(entry);
  }
  // A dataset has to have an owner; those of the project can read it in any case.
  if (!has_owner) access.kept.push_back({{"role", "OWNER"}, {"specialGroup", "projectOwners"}});
  return access;
}

class DefinitionRestore {
 public:
  DefinitionRestore(const RestorePlan& plan, const TableRestore& restore, const Manifest& manifest,
                    const Services& services)
      : restore_(restore),
        manifest_(manifest),
        services_(services),
        renames_(RenamesOf(plan)),
        wanted_(DefinitionToMake(manifest, restore.target, renames_)) {}

  // Ok: it was made now.
  Status Make() {
    if (manifest_.kind == ObjectKind::kDataset) return MakeDataset();
    HF_RETURN_IF_ERROR(EnsureDataset());
    if (manifest_.kind == ObjectKind::kRoutine) {
      HF_RETURN_IF_ERROR(
          services_.definitions.CreateRoutine(restore_.target.dataset_ref(), RoutineId(), wanted_));
      return Ok();
    }
    HF_RETURN_IF_ERROR(services_.warehouse.CreateTable(restore_.target, wanted_));
    return DescribeColumns();
  }

  // Whether what is there under its name is what would be made. kTableNotFound...: nothing is.
  Result<bool> IsThere() {
    if (manifest_.kind == ObjectKind::kDataset) {
      HF_ASSIGN_OR_RETURN(const DatasetInfo dataset,
                          services_.warehouse.GetDataset(restore_.target.dataset_ref()));
      return HoldsAll(dataset.resource, wanted_);
    }
    if (manifest_.kind == ObjectKind::kRoutine) {
      HF_ASSIGN_OR_RETURN(
          const cloud::RoutineInfo routine,
          services_.definitions.GetRoutine(restore_.target.dataset_ref(), RoutineId()));
      return HoldsAll(routine.resource, wanted_);
    }
    HF_ASSIGN_OR_RETURN(const TableInfo table, services_.warehouse.GetTable(restore_.target));
    return ObjectKindOf(table.kind) == manifest_.kind && HoldsAll(table.resource, wanted_);
  }

  Error Conflict() const {
    const bool is_routine = manifest_.kind == ObjectKind::kRoutine;
    return MakeError(
        is_routine ? ErrorId::kRoutineExists : ErrorId::kTableExists,
        fmt::format("the target {} exists already, and is another {} than the backup's",
                    restore_.target.ToString(), ObjectKindWords(manifest_.kind)),
        "Choose another target with --to-dataset, drop what is there, or leave it as "
        "it is with --if-exists=skip");
  }

  std::vector<std::string> Notes() const {
    if (manifest_.kind != ObjectKind::kDataset) {
      return NotesOn(manifest_, restore_.target, renames_);
    }
    std::vector<std::string> notes = ExpirationsLeftOut(manifest_, restore_.target);
    for (const std::string& entry :
         AccessLeftOut(manifest_.Definition(), restore_.source.project, restore_.target.project)) {
      notes.push_back("access left out: " + entry);
    }
    return notes;
  }

 private:
  std::string RoutineId() const { return ParseReservedName(restore_.target.table)->routine; }

  Status EnsureDataset() {
    HF_RETURN_IF_ERROR(services_.warehouse.EnsureDataset(
        {.ref = restore_.target.dataset_ref(),
         .location = manifest_.location,
         .resource = TargetDatasetResource(manifest_.dataset_resource, restore_.source.project,
                                           restore_.target.project)}));
    return Ok();
  }

  Status MakeDataset() {
    const auto there = services_.warehouse.GetDataset(restore_.target.dataset_ref());
    if (there.ok()) {
      return MakeError(ErrorId::kTableExists,
                       "the dataset " + restore_.target.dataset_ref().ToString() + " is there");
    }
    if (there.error().code != Code::kNotFound) return there.error();
    return EnsureDataset();
  }

  // The schema of a view is not taken when it is made, only afterwards.
  Status DescribeColumns() {
    const Json* schema = FindField(manifest_.Definition(), "schema");
    const bool has_description = std::ranges::any_of(
        manifest_.schema.fields, [](const Field& field) { return !field.description.empty(); });
    if (wanted_.contains("schema") || schema == nullptr || !has_description) return Ok();
    HF_RETURN_IF_ERROR(services_.warehouse.UpdateTable(restore_.target, {{"schema", *schema}}));
    return Ok();
  }

  const TableRestore& restore_;
  const Manifest& manifest_;
  const Services& services_;
  const Renames renames_;
  const Json wanted_;
};

// The indexes of `all` so that each comes after those it refers to; of a circle, in their order.
class ByReferences {
 public:
  explicit ByReferences(std::vector<std::set<size_t>> references)
      : references_(std::move(references)), seen_(references_.size()) {}

  void Visit(size_t index, std::vector<size_t>& order) {
    // Each is pushed once it is entered and left once, so depth is not on the machine's stack.
    std::vector<std::pair<size_t, bool>> open = {{index, false}};
    while (!open.empty()) {
      const auto [at, is_left] = open.back();
      open.pop_back();
      if (is_left) {
        order.push_back(at);
      } else if (!seen_[at]) {
        seen_[at] = true;
        open.emplace_back(at, true);
        for (const size_t next : references_[at]) open.emplace_back(next, false);
      }
    }
  }

 private:
  std::vector<std::set<size_t>> references_;
  std::vector<bool> seen_;
};

std::set<size_t> ReferencesOf(const Manifest& manifest,
                              const std::map<TableRef, size_t>& definitions) {
  std::set<size_t> references;
  for (const TableRef& name : NamesInSql(SqlOf(manifest), manifest.object.dataset_ref())) {
    auto found = definitions.find(name);
    if (const auto reserved = ParseReservedName(name.table);
        found == definitions.end() && reserved) {
      found = definitions.find({name.project, name.dataset, reserved->routine, {}});
    }
    if (found != definitions.end()) references.insert(found->second);
  }
  return references;
}

}  // namespace

bool IsDefinition(const TableRestore& restore) {
  return IsDefinitionOnly(restore.backups.front().kind);
}

std::vector<size_t> OrderOfRestore(const RestorePlan& plan, const Services& services) {
  std::vector<size_t> order;
  const auto take = [&](const auto& wanted) {
    for (size_t i = 0; i < plan.tables.size(); ++i) {
      if (wanted(plan.tables[i].backups.front().kind)) order.push_back(i);
    }
  };
  take([](ObjectKind kind) { return kind == ObjectKind::kDataset; });
  take([](ObjectKind kind) { return kind == ObjectKind::kTable; });
  std::map<TableRef, size_t> definitions;
  for (size_t i = 0; i < plan.tables.size(); ++i) {
    const ObjectKind kind = plan.tables[i].backups.front().kind;
    if (IsDefinitionOnly(kind) && kind != ObjectKind::kDataset) {
      definitions[plan.tables[i].source] = i;
    }
  }
  std::vector<std::set<size_t>> references(plan.tables.size());
  for (const auto& [source, index] : definitions) {
    std::vector<std::string> told_later;  // when it is restored
    const auto manifests = ReadManifests(services, plan.tables[index], told_later);
    if (manifests.ok()) references[index] = ReferencesOf(manifests->front(), definitions);
  }
  ByReferences by_references(std::move(references));
  for (const auto& [source, index] : definitions) by_references.Visit(index, order);
  return order;
}

Status RestoreDefinition(const RestoreRequest& request, const RestorePlan& plan,
                         const TableRestore& restore, const Services& services,
                         TableReport& report) {
  HF_ASSIGN_OR_RETURN(const std::vector<Manifest> manifests,
                      ReadManifests(services, restore, report.notes));
  const Manifest& manifest = NewestOf(manifests);
  DefinitionRestore definition(plan, restore, manifest, services);
  const Status made = definition.Make();
  if (!made.ok()) {
    if (made.error().code != Code::kAlreadyExists) return made;
    HF_ASSIGN_OR_RETURN(const bool is_there, definition.IsThere());
    if (!is_there && manifest.kind == ObjectKind::kDataset) {
      report.outcome = TableOutcome::kSkipped;
      report.notes.emplace_back("the dataset is there, and its definition is left as it is");
      return Ok();
    }
    if (!is_there && request.if_exists == IfExists::kFail) return definition.Conflict();
    report.outcome = is_there ? TableOutcome::kRestored : TableOutcome::kSkipped;
    if (is_there) report.notes.emplace_back("it was there, as it is in the backup");
    return Ok();
  }
  report.outcome = TableOutcome::kRestored;
  std::ranges::copy(definition.Notes(), std::back_inserter(report.notes));
  if (request.without_access) {
    std::ranges::move(AccessNotRestored(manifest), std::back_inserter(report.notes));
  } else {
    RestoreIamPolicy(services, manifest, restore.target, report.notes);
  }
  return Ok();
}

Status CheckDefinitionTarget(const RestorePlan& plan, const TableRestore& restore,
                             const Services& services) {
  if (restore.backups.front().kind == ObjectKind::kDataset) return Ok();
  std::vector<std::string> told_later;  // when it is restored
  HF_ASSIGN_OR_RETURN(const std::vector<Manifest> manifests,
                      ReadManifests(services, restore, told_later));
  DefinitionRestore definition(plan, restore, NewestOf(manifests), services);
  const auto is_there = definition.IsThere();
  if (is_there.ok()) return *is_there ? Ok() : Status(definition.Conflict());
  return is_there.error().code == Code::kNotFound ? Ok() : Status(is_there.error());
}

Json DefinitionToMake(const Manifest& manifest, const TableRef& target, const Renames& renames) {
  const DatasetRef home = manifest.object.dataset_ref();
  if (manifest.kind == ObjectKind::kDataset) {
    return TargetDatasetResource(manifest.Definition(), home.project, target.project);
  }
  Json made = StableMembers(manifest.Definition());
  for (const char* member : {"tableReference", "routineReference", "expirationTime", "location"}) {
    made.erase(member);
  }
  if (manifest.kind == ObjectKind::kRoutine) {
    if (IsSqlRoutine(made)) {
      made["definitionBody"] = RewriteSql(StringOr(made, "definitionBody", ""), home, renames);
    }
    return made;
  }
  if (manifest.kind == ObjectKind::kExternal) return made;
  // BigQuery tells the schema of a view from its query, and refuses one that comes with it.
  made.erase("schema");
  if (IsLegacySql(made)) return made;
  for (const auto& [object, member] : kQueries) {
    const auto holder = made.find(object);
    if (holder == made.end() || !holder->is_object()) continue;
    (*holder)[member] = RewriteSql(StringOr(*holder, member, ""), home, renames);
  }
  return made;
}

Json TargetDatasetResource(const Json& saved_resource, const std::string& source_project,
                           const std::string& target_project) {
  Json resource = Json::object();
  for (const char* member : kDatasetMembers) {
    if (const Json* value = FindField(saved_resource, member)) resource[member] = *value;
  }
  resource["access"] = AccessOf(saved_resource, source_project == target_project).kept;
  return resource;
}

std::vector<std::string> AccessLeftOut(const Json& saved_resource,
                                       const std::string& source_project,
                                       const std::string& target_project) {
  return AccessOf(saved_resource, source_project == target_project).left_out;
}

}  // namespace holdfast::restore
