#include "model/effective_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

#include "model/owner_policy.h"
#include "model/policy_field.h"

namespace holdfast {

namespace {

// Places in the order of the levels; a folder's comes with its distance.
enum class Rank { kDefaults, kFolder, kProject, kDataset, kTable };

// What decides between two rules of one level and place: the larger one wins.
struct Specificity {
  bool is_name = false;  // false: a selector of labels
  bool is_exact = false;
  size_t literals = 0;
  int64_t fewer_stars = 0;

  auto operator<=>(const Specificity&) const = default;
};

Specificity SpecificityOfGlob(std::string_view glob) {
  const auto stars = std::ranges::count(glob, '*');
  const auto marks = std::ranges::count(glob, '?');
  return {.is_name = true,
          .is_exact = stars + marks == 0,
          .literals = glob.size() - static_cast<size_t>(stars + marks),
          .fewer_stars = -stars};
}

Specificity SpecificityOfTerms(const std::vector<LabelTerm>& terms) {
  Specificity specificity{.is_exact = false, .literals = 0, .fewer_stars = 0};
  for (const LabelTerm& term : terms) {
    // More terms say more than longer ones.
    specificity.literals += 1000 + SpecificityOfGlob(term.value).literals;
    specificity.fewer_stars -= std::ranges::count(term.value, '*');
  }
  return specificity;
}

bool FitsName(const std::string& pattern, const TableRef& name, PolicyLevel level) {
  const Scope scope{.include = {pattern}, .exclude = {}};
  if (level == PolicyLevel::kProjects) return scope.MayCoverProject(name.project);
  if (level == PolicyLevel::kDatasets) {
    return !name.dataset.empty() && scope.MayCoverDataset(name.dataset_ref());
  }
  return !name.table.empty() && scope.CoversTable(name);
}

// Whether something in the project may fit the rule.
bool MayFitProject(const PolicyRule& rule, const std::string& project) {
  if (rule.level != PolicyLevel::kProjects && rule.level != PolicyLevel::kDatasets &&
      rule.level != PolicyLevel::kTables) {
    return true;
  }
  return Scope{.include = {rule.key}, .exclude = {}}.MayCoverProject(project);
}

std::string OriginOf(const PolicyDocument& document, const PolicyRule& rule, int line) {
  std::string origin(PolicyLevelName(rule.level));
  if (!rule.key.empty()) origin += "." + rule.key;
  return fmt::format("{} at {}:{}", origin, document.file, line);
}

void SetClassFields(const PolicyDocument& document, const std::string& name,
                    EffectivePolicy& policy) {
  for (const PolicyRule& rule : BuiltInClasses()) {
    if (rule.key != name) continue;
    for (const auto& [field, value] : rule.fields) {
      policy.fields[field] = {.value = value.value, .origin = "the class " + name + " as built in"};
    }
  }
  const PolicyRule* rule = document.FindClass(name);
  if (rule == nullptr) return;
  for (const auto& [field, value] : rule->fields) {
    policy.fields[field] = {.value = value.value, .origin = OriginOf(document, *rule, value.line)};
  }
}

}  // namespace

// What is asked about, and the labels on the way to it.
struct PolicyResolver::Subject {
  TableRef name;
  const Labels* dataset_labels = nullptr;
  const Labels* table_labels = nullptr;
  const OwnerFile* owner_file = nullptr;
};

struct PolicyResolver::Candidate {
  Rank rank = Rank::kDefaults;
  int64_t nearness = 0;  // of a folder: larger is nearer
  Specificity specificity;
  size_t order = 0;  // in the document
  const PolicyRule* rule = nullptr;

  auto Key() const { return std::tuple(rank, nearness, specificity, order); }
};

std::string PolicyRefusal::ToString() const {
  return fmt::format("{}: {} {}", origin, field, reason);
}

bool EffectivePolicy::enabled() const {
  const auto found = fields.find("enabled");
  return found == fields.end() || found->second.value != false;
}

std::string EffectivePolicy::ExcludedBy() const {
  return enabled() ? std::string() : fields.find("enabled")->second.origin;
}

std::vector<std::string> EffectivePolicy::Schedules() const {
  std::vector<std::string> texts;
  const auto found = fields.find("schedule");
  if (found == fields.end()) return texts;
  for (const Json& schedule : found->second.value) {
    texts.push_back(StringOr(schedule, "cron", "") + " " + StringOr(schedule, "time_zone", ""));
  }
  return texts;
}

std::vector<FurtherRepository> AllFurtherRepositories(
    const BackupPolicy& settings, const std::optional<PolicyDocument>& document) {
  std::vector<FurtherRepository> all;
  const auto add = [&all](const BackupPolicy& policy) {
    for (const FurtherRepository& further : policy.repositories) {
      if (std::ranges::find(all, further) == all.end()) all.push_back(further);
    }
  };
  const auto add_json = [&add](const Json& repositories) {
    const auto policy = BackupPolicy::FromJson({{"repositories", repositories}});
    if (policy.ok()) add(*policy);
  };
  add(settings);
  if (!document) return all;
  for (const PolicyRule& rule : document->rules) {
    const auto said = rule.fields.find("repositories");
    if (said != rule.fields.end()) add_json(said->second.value);
  }
  if (const OwnerBound* bound = document->bounds.Find("repositories")) add_json(bound->allow);
  return all;
}

Json EffectivePolicy::BackupPolicyPatch() const {
  Json patch = Json::object();
  for (const auto& [name, value] : fields) {
    const PolicyField* field = FindPolicyField(name);
    if (field != nullptr && field->in_backup_policy) patch[name] = value.value;
    if (name == "methods" && !value.value.empty()) patch["method"] = value.value;
  }
  return patch;
}

std::string EffectivePolicy::RefusalText() const {
  std::string text;
  for (const PolicyRefusal& refusal : refusals) {
    text += (text.empty() ? "" : "; ") + refusal.ToString();
  }
  return text;
}

Result<BackupPolicy> PatchPolicy(const BackupPolicy& policy, const Json& patch) {
  Json patched = policy.ToJson();
  patched.update(patch);
  return BackupPolicy::FromJson(patched);
}

PolicyResolver::PolicyResolver(const PolicyDocument& document, std::string project,
                               std::vector<std::string> folders, Labels labels)
    : document_(document),
      project_(std::move(project)),
      folders_(std::move(folders)),
      labels_(std::move(labels)) {
  for (const PolicyRule& rule : document_.rules) {
    if (rule.level != PolicyLevel::kClasses && MayFitProject(rule, project_)) {
      rules_.push_back(&rule);
    }
  }
}

void PolicyResolver::AddCandidates(const Subject& subject, std::vector<Candidate>& found) const {
  // The value of a label, and the rank of the resource that carries it; the lowest one counts.
  const auto find_label =
      [&](const std::string& key) -> std::optional<std::pair<Rank, std::string>> {
    const std::array<std::pair<Rank, const Labels*>, 3> carriers = {
        {{Rank::kTable, subject.table_labels},
         {Rank::kDataset, subject.dataset_labels},
         {Rank::kProject, &labels_}}};
    for (const auto& [rank, labels] : carriers) {
      if (labels == nullptr) continue;
      if (const auto label = labels->find(key); label != labels->end()) {
        return std::pair(rank, label->second);
      }
    }
    return std::nullopt;
  };
  const auto add_by_labels = [&](const PolicyRule& rule, size_t order) {
    const auto terms = ParseLabelSelector(rule.key);
    if (!terms.ok()) return;
    Rank rank = Rank::kProject;
    for (const LabelTerm& term : *terms) {
      const auto label = find_label(term.key);
      if (!label || !MatchesGlob(term.value, label->second)) return;
      rank = std::max(rank, label->first);
    }
    found.push_back({rank, 0, SpecificityOfTerms(*terms), order, &rule});
  };
  const auto add_by_folder = [&](const PolicyRule& rule, size_t order) {
    for (size_t i = 0; i < folders_.size(); ++i) {
      if (!MatchesGlob(rule.key, folders_[i])) continue;
      found.push_back(
          {Rank::kFolder, -static_cast<int64_t>(i), SpecificityOfGlob(rule.key), order, &rule});
      return;  // of a glob that fits several the nearest
    }
  };
  for (size_t order = 0; order < rules_.size(); ++order) {
    const PolicyRule& rule = *rules_[order];
    if (rule.level == PolicyLevel::kDefaults) {
      found.push_back({Rank::kDefaults, 0, {}, order, &rule});
    } else if (rule.level == PolicyLevel::kFolders) {
      add_by_folder(rule, order);
    } else if (rule.level == PolicyLevel::kLabels) {
      add_by_labels(rule, order);
    } else if (FitsName(rule.key, subject.name, rule.level)) {
      const Rank rank = rule.level == PolicyLevel::kProjects   ? Rank::kProject
                        : rule.level == PolicyLevel::kDatasets ? Rank::kDataset
                                                               : Rank::kTable;
      found.push_back({rank, 0, SpecificityOfGlob(rule.key), order, &rule});
    }
  }
}

EffectivePolicy PolicyResolver::Resolve(const Subject& subject) const {
  EffectivePolicy policy;
  std::vector<Candidate> candidates;
  AddCandidates(subject, candidates);
  std::ranges::sort(candidates, {}, &Candidate::Key);
  // From the weakest place to the strongest, each with what it says.
  std::vector<std::map<std::string, EffectiveValue, std::less<>>> places;
  for (const Candidate& candidate : candidates) {
    auto& place = places.emplace_back();
    for (const auto& [name, value] : candidate.rule->fields) {
      place[name] = {.value = value.value,
                     .origin = OriginOf(document_, *candidate.rule, value.line)};
    }
  }
  const auto allow = [&](OwnerWords words) {
    places.push_back(std::move(words.allowed));
    std::ranges::move(words.refusals, std::back_inserter(policy.refusals));
  };
  if (subject.owner_file != nullptr) allow(JudgeOwnerFile(document_, *subject.owner_file));
  if (subject.table_labels != nullptr && document_.bounds.labels) {
    allow(JudgeOwnerLabels(document_, *subject.table_labels));
  }
  const auto names_class = [](const auto& place) { return place.contains("class"); };
  const auto last = std::find_if(places.rbegin(), places.rend(), names_class);
  for (auto place = places.begin(); place != places.end(); ++place) {
    if (last != places.rend() && place == std::prev(last.base())) {
      SetClassFields(document_, place->find("class")->second.value.get<std::string>(), policy);
    }
    for (auto& [name, value] : *place) policy.fields[name] = std::move(value);
  }
  return policy;
}

EffectivePolicy PolicyResolver::OfProject() const {
  return Resolve({.name = {.project = project_, .dataset = {}, .table = {}, .partition = {}}});
}

EffectivePolicy PolicyResolver::OfDataset(const DatasetRef& dataset, const Labels& labels) const {
  return Resolve({.name = {dataset.project, dataset.dataset, "", ""}, .dataset_labels = &labels});
}

EffectivePolicy PolicyResolver::OfTable(const TableRef& table, const Labels& dataset_labels,
                                        const Labels& table_labels,
                                        const OwnerFile* owner_file) const {
  return Resolve({.name = table.WholeTable(),
                  .dataset_labels = &dataset_labels,
                  .table_labels = &table_labels,
                  .owner_file = owner_file});
}

}  // namespace holdfast
