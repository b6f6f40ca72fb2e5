#include "model/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

#include "base/hash.h"
#include "model/policy_field.h"

namespace holdfast {

namespace {

constexpr int64_t kWindowHoursMax = 876'000;

constexpr size_t kPatternsMax = 10'000;
constexpr size_t kBucketNameMax = 63;
constexpr size_t kRepositoriesMax = 4;
constexpr int64_t kTimeTravelDaysMax = 7;

// A pattern as its parts; those that are not given match everything.
struct Pattern {
  std::array<std::string_view, 3> parts = {"*", "*", "*"};
  size_t given = 0;
};

// A project may hold dots before a colon ("example.com:project"): the dots that part the names are
// after it.
// Nor is the colon of a reserved name ("routine:net_price") one of a project's.
Pattern SplitPattern(std::string_view text) {
  Pattern pattern;
  const size_t last_dot = text.rfind('.');
  const std::string_view last = last_dot == text.npos ? "" : text.substr(last_dot + 1);
  const bool reserved = last.starts_with("routine:") || last.starts_with("dataset:");
  const size_t colon = text.substr(0, reserved ? last_dot : text.npos).find(':');
  size_t start = 0;
  size_t search = colon == text.npos ? 0 : colon;
  while (pattern.given < 2) {
    const size_t dot = text.find('.', search);
    if (dot == text.npos) break;
    pattern.parts[pattern.given++] = text.substr(start, dot - start);
    start = search = dot + 1;
  }
  pattern.parts[pattern.given++] = text.substr(start);
  return pattern;
}

bool IsPattern(std::string_view text) {
  if (text.empty() || text.size() > 4096) return false;
  const Pattern pattern = SplitPattern(text);
  for (size_t i = 0; i < pattern.given; ++i) {
    if (pattern.parts[i].empty()) return false;
  }
  return pattern.parts[2].find('.') == std::string_view::npos;
}

// Whether the first `depth` parts of the pattern match the names.
bool MatchesDown(const Pattern& pattern, const std::array<std::string_view, 3>& names,
                 size_t depth) {
  for (size_t i = 0; i < depth; ++i) {
    if (!MatchesGlob(pattern.parts[i], names[i])) return false;
  }
  return true;
}

using Names = std::array<std::string_view, 3>;

bool IsIncluded(const Scope& scope, const Names& names, size_t depth) {
  return scope.include.empty() || std::ranges::any_of(scope.include, [&](const std::string& text) {
           return MatchesDown(SplitPattern(text), names, depth);
         });
}

// The exclude that takes all of it. One counts for a whole dataset or project only when it names no
// part below.
const std::string* FindExclude(const Scope& scope, const Names& names, size_t depth) {
  const auto found = std::ranges::find_if(scope.exclude, [&](const std::string& text) {
    const Pattern pattern = SplitPattern(text);
    for (size_t i = depth; i < 3; ++i) {
      if (pattern.parts[i] != "*") return false;
    }
    return MatchesDown(pattern, names, depth);
  });
  return found == scope.exclude.end() ? nullptr : &*found;
}

// Whether something at or below the first `depth` names may be covered.
bool MayCover(const Scope& scope, const Names& names, size_t depth) {
  return IsIncluded(scope, names, depth) && FindExclude(scope, names, depth) == nullptr;
}

Result<std::vector<std::string>> PatternsFromJson(const Json& json, std::string_view key) {
  std::vector<std::string> patterns;
  const Json* list = FindField(json, key);
  if (list == nullptr) return patterns;
  if (!list->is_array() || list->size() > kPatternsMax) {
    return MakeError(ErrorId::kInvalidJson,
                     fmt::format("\"{}\" is not a list of at most {} patterns", key, kPatternsMax));
  }
  for (const Json& item : *list) {
    if (!item.is_string() || !IsPattern(item.get_ref<const std::string&>())) {
      return MakeError(ErrorId::kInvalidName,
                       fmt::format("\"{}\": {} is not a pattern: expected project, project.dataset "
                                   "or project.dataset.table, each part with * and ?",
                                   key, DumpJson(item)));
    }
    patterns.push_back(item.get<std::string>());
  }
  return patterns;
}

Result<std::set<TableRef>> PartitionsFromJson(const Json& json) {
  std::set<TableRef> partitions;
  const Json* list = FindField(json, "partitions");
  if (list == nullptr) return partitions;
  if (!list->is_array() || list->size() > kPatternsMax) {
    return MakeError(ErrorId::kInvalidJson,
                     fmt::format("\"partitions\" is not a list of at most {}", kPatternsMax));
  }
  for (const Json& item : *list) {
    HF_ASSIGN_OR_RETURN(TableRef partition,
                        ParseTableRef(item.is_string() ? item.get<std::string>() : DumpJson(item)));
    if (partition.partition.empty()) {
      return MakeError(ErrorId::kInvalidName, partition.ToString() + " names no partition");
    }
    partitions.insert(std::move(partition));
  }
  return partitions;
}

std::string ReplaceAll(std::string text, std::string_view what, std::string_view by) {
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

Status SetString(const Json& json, std::string_view key, std::string& member) {
  HF_ASSIGN_OR_RETURN(auto value, OptionalString(json, key));
  if (value) member = std::move(*value);
  return Ok();
}

Status SetBool(const Json& json, std::string_view key, bool& member) {
  HF_ASSIGN_OR_RETURN(const auto value, OptionalBool(json, key));
  member = value.value_or(member);
  return Ok();
}

// A pattern is taken as it stands but for its two fields: a field that is mistyped, or a letter
// that no bucket may have, would put backups into a bucket that nobody named.
Status CheckBucketPattern(std::string_view member, std::string_view pattern) {
  const std::string sample =
      ReplaceAll(ReplaceAll(std::string(pattern), "{project}", "p"), "{location}", "l");
  const size_t wrong = sample.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.");
  if (pattern.size() >= 3 && wrong == std::string::npos) return Ok();
  return MakeError(
      ErrorId::kInvalidName,
      fmt::format("\"{}\": \"{}\" is no bucket's name of 3 characters or more: lower "
                  "case letters, digits, '-', '_', '.', and the fields {{project}} and "
                  "{{location}}",
                  member, pattern));
}

Status CheckPrefix(std::string_view prefix) {
  for (size_t begin = 0; begin < prefix.size();) {
    const size_t end = std::min(prefix.find('/', begin), prefix.size());
    const std::string_view part = prefix.substr(begin, end - begin);
    const bool last_is_empty = end + 1 == prefix.size();
    if (part.empty() || part == "." || part == ".." || last_is_empty ||
        std::ranges::any_of(part, [](unsigned char c) {
          return std::isalnum(c) == 0 && c != '.' && c != '_' && c != '-';
        })) {
      return MakeError(ErrorId::kInvalidName,
                       fmt::format("\"prefix\": \"{}\" is not of the form some/path", prefix));
    }
    begin = end + 1;
  }
  return Ok();
}

Status CheckPlaces(const BackupPolicy& policy) {
  HF_RETURN_IF_ERROR(CheckBucketPattern("bucket_pattern", policy.bucket_pattern));
  HF_RETURN_IF_ERROR(CheckBucketPattern("staging_bucket_pattern", policy.staging_bucket_pattern));
  HF_RETURN_IF_ERROR(CheckPrefix(policy.prefix));
  // What is staged is deleted once it is in the repository.
  if (policy.bucket_pattern != policy.staging_bucket_pattern) return Ok();
  return MakeError(
      ErrorId::kInvalidName,
      "\"bucket_pattern\" and \"staging_bucket_pattern\" name the same buckets: what is "
      "staged is deleted after each backup");
}

Status SetNames(const Json& json, BackupPolicy& policy) {
  HF_RETURN_IF_ERROR(SetString(json, "name", policy.name));
  HF_RETURN_IF_ERROR(SetString(json, "bucket_pattern", policy.bucket_pattern));
  HF_RETURN_IF_ERROR(SetString(json, "staging_bucket_pattern", policy.staging_bucket_pattern));
  HF_RETURN_IF_ERROR(SetString(json, "prefix", policy.prefix));
  HF_RETURN_IF_ERROR(CheckPlaces(policy));
  HF_RETURN_IF_ERROR(SetString(json, "bucket_project", policy.bucket_project));
  HF_RETURN_IF_ERROR(SetString(json, "copy_project", policy.copy_project));
  HF_RETURN_IF_ERROR(SetString(json, "bucket_retention", policy.bucket_retention));
  if (!policy.bucket_retention.empty()) {
    HF_RETURN_IF_ERROR(
        ParsePolicyDuration(policy.bucket_retention).WithContext("bucket_retention"));
  }
  HF_RETURN_IF_ERROR(SetString(json, "codec", policy.codec));
  if (policy.codec != "NONE" && policy.codec != "DEFLATE" && policy.codec != "SNAPPY") {
    return MakeError(ErrorId::kInvalidJson, "\"codec\" is none of NONE, DEFLATE, SNAPPY");
  }
  return Ok();
}

Status SetMethods(const Json& json, BackupPolicy& policy) {
  const Json* given = FindField(json, "method");
  if (given == nullptr) return Ok();
  const Json list = given->is_array() ? *given : Json::array({*given});
  std::vector<Method> methods;
  for (const Json& item : list) {
    const auto method =
        item.is_string() ? FindMethod(item.get_ref<const std::string&>()) : std::optional<Method>();
    if (!method || *method == Method::kDefinition || std::ranges::count(methods, *method) > 0) {
      return MakeError(
          ErrorId::kInvalidJson,
          fmt::format("\"method\": {} is not a method, or there twice", DumpJson(item)));
    }
    methods.push_back(*method);
  }
  if (methods.empty()) return MakeError(ErrorId::kInvalidJson, "\"method\" names none");
  policy.method = methods.front();
  policy.further_methods.assign(methods.begin() + 1, methods.end());
  return Ok();
}

Status SetChoices(const Json& json, BackupPolicy& policy) {
  std::string verify(VerifyLevelName(policy.verify));
  HF_RETURN_IF_ERROR(SetMethods(json, policy));
  HF_RETURN_IF_ERROR(SetString(json, "verify", verify));
  const auto found_level = FindVerifyLevel(verify);
  if (!found_level || *found_level == VerifyLevel::kNone || *found_level > VerifyLevel::kL2) {
    return MakeError(ErrorId::kInvalidJson, "\"verify\" is none of L0, L1, L2");
  }
  policy.verify = *found_level;
  return Ok();
}

Status SetProjects(const Json& json, BackupPolicy& policy) {
  const Json* list = FindField(json, "backup_operation_projects");
  if (list == nullptr) return Ok();
  if (!list->is_array() || list->size() > kPatternsMax) {
    return MakeError(ErrorId::kInvalidJson, "\"backup_operation_projects\" is not a list");
  }
  policy.backup_operation_projects.clear();
  for (const Json& item : *list) {
    if (!item.is_string()) {
      return MakeError(ErrorId::kInvalidJson, "\"backup_operation_projects\" is not of texts");
    }
    HF_RETURN_IF_ERROR(ValidateProjectId(item.get_ref<const std::string&>()));
    policy.backup_operation_projects.push_back(item.get<std::string>());
  }
  return Ok();
}

Status SetRepositories(const Json& json, BackupPolicy& policy) {
  const Json* list = FindField(json, "repositories");
  if (list == nullptr) return Ok();
  if (!list->is_array() || list->size() > kRepositoriesMax) {
    return MakeError(ErrorId::kInvalidJson,
                     fmt::format("\"repositories\" is not a list of at most {}", kRepositoriesMax));
  }
  policy.repositories.clear();
  for (const Json& item : *list) {
    FurtherRepository further;
    HF_ASSIGN_OR_RETURN(further.bucket_pattern, RequiredString(item, "bucket_pattern"));
    HF_RETURN_IF_ERROR(SetString(item, "prefix", further.prefix));
    HF_RETURN_IF_ERROR(SetString(item, "project", further.project));
    HF_RETURN_IF_ERROR(SetString(item, "location", further.location));
    HF_RETURN_IF_ERROR(CheckBucketPattern("bucket_pattern", further.bucket_pattern));
    HF_RETURN_IF_ERROR(CheckPrefix(further.prefix));
    if (further.bucket_pattern == policy.bucket_pattern ||
        further.bucket_pattern == policy.staging_bucket_pattern) {
      return MakeError(ErrorId::kInvalidName,
                       fmt::format("\"repositories\": \"{}\" names the buckets of the first "
                                   "repository, or those for staging",
                                   further.bucket_pattern));
    }
    policy.repositories.push_back(std::move(further));
  }
  return Ok();
}

Json RepositoriesToJson(const std::vector<FurtherRepository>& repositories) {
  Json list = Json::array();
  for (const FurtherRepository& further : repositories) {
    Json& json = list.emplace_back(Json{{"bucket_pattern", further.bucket_pattern}});
    if (!further.prefix.empty()) json["prefix"] = further.prefix;
    if (!further.project.empty()) json["project"] = further.project;
    if (!further.location.empty()) json["location"] = further.location;
  }
  return list;
}

Status SetNumbers(const Json& json, BackupPolicy& policy) {
  HF_ASSIGN_OR_RETURN(const auto window, OptionalInt64(json, "changed_within_hours"));
  policy.changed_within_hours = window.value_or(policy.changed_within_hours);
  if (policy.changed_within_hours < 0 || policy.changed_within_hours > kWindowHoursMax) {
    return MakeError(ErrorId::kInvalidJson,
                     fmt::format("\"changed_within_hours\" is not from 0 to {}", kWindowHoursMax));
  }
  HF_ASSIGN_OR_RETURN(const auto forced, OptionalInt64(json, "forced_full_days"));
  policy.forced_full_days = forced.value_or(policy.forced_full_days);
  if (policy.forced_full_days < 0) {
    return MakeError(ErrorId::kInvalidJson, "\"forced_full_days\" is negative");
  }
  HF_ASSIGN_OR_RETURN(const auto delay, OptionalInt64(json, "storage_view_delay_minutes"));
  policy.storage_view_delay_minutes = delay.value_or(policy.storage_view_delay_minutes);
  if (policy.storage_view_delay_minutes < 0) {
    return MakeError(ErrorId::kInvalidJson, "\"storage_view_delay_minutes\" is negative");
  }
  HF_ASSIGN_OR_RETURN(const auto offset, OptionalInt64(json, "time_travel_days"));
  policy.time_travel_days = offset.value_or(policy.time_travel_days);
  if (policy.time_travel_days < 0 || policy.time_travel_days > kTimeTravelDaysMax) {
    return MakeError(ErrorId::kInvalidJson, "\"time_travel_days\" is not a number in 0..7");
  }
  const Json* threshold = FindField(json, "shrink_threshold");
  if (threshold == nullptr) return Ok();
  if (!threshold->is_number() || threshold->get<double>() < 0 || threshold->get<double>() > 1) {
    return MakeError(ErrorId::kInvalidJson, "\"shrink_threshold\" is not a number in 0..1");
  }
  policy.shrink_threshold = threshold->get<double>();
  return Ok();
}

}  // namespace

bool Scope::CoversTable(const TableRef& table) const {
  return MayCoverTable(table) && PartitionsOf(table).empty();
}

bool Scope::MayCoverTable(const TableRef& table) const {
  return MayCover(*this, {table.project, table.dataset, table.table}, 3);
}

std::set<std::string> Scope::PartitionsOf(const TableRef& table) const {
  std::set<std::string> found;
  for (auto it = partitions.lower_bound(table.WholeTable());
       it != partitions.end() && it->WholeTable() == table.WholeTable(); ++it) {
    found.insert(it->partition);
  }
  return found;
}

std::optional<std::string> Scope::ExcludedBy(const TableRef& name) const {
  const size_t depth = name.dataset.empty() ? 1 : name.table.empty() ? 2 : 3;
  const Names names = {name.project, name.dataset, name.table};
  if (!IsIncluded(*this, names, depth)) return std::nullopt;
  const std::string* found = FindExclude(*this, names, depth);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

bool Scope::MayCoverDataset(const DatasetRef& dataset) const {
  return MayCover(*this, {dataset.project, dataset.dataset, ""}, 2);
}

bool Scope::MayCoverRoutines(const DatasetRef& dataset) const {
  constexpr std::string_view kRoutines = "routine:";
  const auto fits = [&](const std::string& text) {
    const Pattern pattern = SplitPattern(text);
    const std::string_view name = pattern.parts[2];
    const std::string_view fixed = name.substr(0, name.find_first_of("*?"));
    const bool may_match = fixed.starts_with(kRoutines) ||
                           (fixed.size() < name.size() && kRoutines.starts_with(fixed));
    return may_match && MatchesDown(pattern, {dataset.project, dataset.dataset, ""}, 2);
  };
  return MayCoverDataset(dataset) && (include.empty() || std::ranges::any_of(include, fits));
}

bool Scope::MayCoverProject(std::string_view project) const {
  return MayCover(*this, {project, "", ""}, 1);
}

Result<Scope> Scope::FromJson(const Json& json) {
  Scope scope;
  HF_ASSIGN_OR_RETURN(scope.include, PatternsFromJson(json, "include"));
  HF_ASSIGN_OR_RETURN(scope.exclude, PatternsFromJson(json, "exclude"));
  HF_ASSIGN_OR_RETURN(scope.partitions, PartitionsFromJson(json));
  return scope;
}

Json Scope::ToJson() const {
  Json json = {{"include", include}, {"exclude", exclude}};
  for (const TableRef& partition : partitions) {
    json["partitions"].push_back(partition.ToString());
  }
  return json;
}

Result<BackupPolicy> BackupPolicy::FromJson(const Json& json) {
  if (!json.is_object()) return MakeError(ErrorId::kInvalidJson, "a policy is not an object");
  BackupPolicy policy;
  HF_RETURN_IF_ERROR(SetNames(json, policy));
  HF_RETURN_IF_ERROR(SetChoices(json, policy));
  HF_RETURN_IF_ERROR(SetNumbers(json, policy));
  HF_RETURN_IF_ERROR(SetProjects(json, policy));
  HF_RETURN_IF_ERROR(SetRepositories(json, policy));
  HF_RETURN_IF_ERROR(SetBool(json, "direct_extract", policy.direct_extract));
  HF_RETURN_IF_ERROR(SetBool(json, "force", policy.force));
  HF_RETURN_IF_ERROR(SetBool(json, "create_buckets", policy.create_buckets));
  HF_RETURN_IF_ERROR(SetBool(json, "trust_equal_counts", policy.trust_equal_counts));
  HF_RETURN_IF_ERROR(SetBool(json, "require_access", policy.require_access));
  HF_RETURN_IF_ERROR(SetBool(json, "freeze", policy.freeze));
  if (const Json* scope = FindField(json, "scope")) {
    HF_ASSIGN_OR_RETURN(policy.scope, Scope::FromJson(*scope));
  }
  return policy;
}

std::vector<Method> BackupPolicy::Methods() const {
  std::vector<Method> methods = {method};
  methods.insert(methods.end(), further_methods.begin(), further_methods.end());
  return methods;
}

std::optional<int64_t> BackupPolicy::BucketRetentionSeconds() const {
  if (bucket_retention.empty()) return std::nullopt;
  const auto seconds = ParsePolicyDuration(bucket_retention);
  if (!seconds.ok()) return std::nullopt;  // FromJson takes none that is not one
  return seconds->count();
}

BackupPolicy BackupPolicy::ForMethod(Method one) const {
  BackupPolicy policy = *this;
  policy.method = one;
  policy.further_methods = Methods();
  std::erase(policy.further_methods, one);
  return policy;
}

Json BackupPolicy::ToJson() const {
  Json json = {{"name", name},
               {"method", MethodName(method)},
               {"scope", scope.ToJson()},
               {"bucket_pattern", bucket_pattern},
               {"staging_bucket_pattern", staging_bucket_pattern},
               {"prefix", prefix},
               {"direct_extract", direct_extract},
               {"bucket_project", bucket_project},
               {"create_buckets", create_buckets},
               {"copy_project", copy_project},
               {"codec", codec},
               {"verify", VerifyLevelName(verify)},
               {"shrink_threshold", shrink_threshold},
               {"trust_equal_counts", trust_equal_counts},
               {"storage_view_delay_minutes", storage_view_delay_minutes},
               {"require_access", require_access},
               {"time_travel_days", time_travel_days},
               {"freeze", freeze},
               {"changed_within_hours", changed_within_hours},
               {"forced_full_days", forced_full_days}};
  if (force) json["force"] = true;
  if (!further_methods.empty()) {
    json["method"] = Json::array();
    for (const Method each : Methods()) json["method"].push_back(MethodName(each));
  }
  if (!bucket_retention.empty()) json["bucket_retention"] = bucket_retention;
  if (!repositories.empty()) json["repositories"] = RepositoriesToJson(repositories);
  if (!backup_operation_projects.empty()) {
    json["backup_operation_projects"] = backup_operation_projects;
  }
  return json;
}

std::string FillBucketPattern(std::string_view pattern, std::string_view project,
                              std::string_view location) {
  const std::string filled =
      ReplaceAll(ReplaceAll(std::string(pattern), "{project}", project), "{location}", location);
  std::string name;
  for (const unsigned char c : filled) {
    const char lower = static_cast<char>(std::tolower(c));
    const bool allowed = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') ||
                         lower == '-' || lower == '_';
    if (allowed) {
      name += lower;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  if (name.size() <= kBucketNameMax) return name;
  return name.substr(0, kBucketNameMax - 11) + "-" + Sha256Hex(filled).substr(0, 10);
}

std::string JobProjectOf(const BackupPolicy& policy, const TableRef& object) {
  const std::vector<std::string>& projects = policy.backup_operation_projects;
  if (projects.empty()) return object.project;
  const std::string hash = Sha256Hex(object.ToString()).substr(0, 8);
  return projects[std::strtoul(hash.c_str(), nullptr, 16) % projects.size()];
}

std::string ShrinkReason(const BackupPolicy& policy, ObjectSize last, ObjectSize now) {
  if (last.rows > 0 && now.rows == 0) {
    return fmt::format("rows fell from {} to 0: the object was emptied", last.rows);
  }
  const auto fell = [&](std::string_view what, int64_t before, int64_t after) -> std::string {
    if (static_cast<double>(after) >= static_cast<double>(before) * policy.shrink_threshold) {
      return {};
    }
    return fmt::format("{} fell from {} to {}, below {:.0f}% of the last good backup", what, before,
                       after, policy.shrink_threshold * 100);
  };
  std::string reason = fell("rows", last.rows, now.rows);
  if (reason.empty() && last.bytes > 0 && now.bytes > 0) {
    reason = fell("bytes", last.bytes, now.bytes);
  }
  return reason;
}

bool IsFallOfBytes(std::string_view shrink_reason) {
  return shrink_reason.starts_with("bytes fell");
}

}  // namespace holdfast
