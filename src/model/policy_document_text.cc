// The YAML text of a policy document as a PolicyDocument, with the place of every mistake.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "model/policy_document.h"
#include "model/policy_field.h"
#include "model/resource_names.h"
#include "model/yaml_tree.h"

namespace holdfast {

namespace {

constexpr size_t kProblemsMax = 100;
constexpr size_t kRulesMax = 50'000;

bool IsGlobOfParts(std::string_view key, size_t parts) {
  const auto dots_of = [](std::string_view text) {
    return static_cast<size_t>(std::ranges::count(text, '.'));
  };
  // A project may hold dots before a colon ("example.com:project"); what is no table has a colon
  // in its last part ("routine:f").
  const size_t colon = key.find(':');
  std::string_view rest = key;
  if (colon != key.npos && dots_of(key.substr(colon)) + 1 == parts) rest = key.substr(colon + 1);
  return dots_of(rest) + 1 == parts && !rest.empty() && rest.front() != '.' && rest.back() != '.' &&
         rest.find("..") == rest.npos;
}

std::string KeyMistake(PolicyLevel level, const std::string& key) {
  switch (level) {
    case PolicyLevel::kDefaults:
      return {};
    case PolicyLevel::kClasses:
      return key.empty() ? "a class has a name" : "";
    case PolicyLevel::kFolders:
      return key.starts_with("folders/") ? "" : "expected folders/NUMBER, with * and ?";
    case PolicyLevel::kProjects:
      return IsGlobOfParts(key, 1) ? "" : "expected the id of a project, with * and ?";
    case PolicyLevel::kDatasets:
      return IsGlobOfParts(key, 2) ? "" : "expected project.dataset, each part with * and ?";
    case PolicyLevel::kTables:
      return IsGlobOfParts(key, 3) ? "" : "expected project.dataset.table, each part with * and ?";
    case PolicyLevel::kLabels: {
      const auto terms = ParseLabelSelector(key);
      return terms.ok() ? "" : terms.error().message;
    }
  }
  return {};
}

// The node that a path of members and indices leads to, as far as it goes.
const YamlNode& NodeAt(const YamlNode& node, const std::vector<std::string>& path) {
  const YamlNode* at = &node;
  for (const std::string& step : path) {
    const YamlNode* next = at->Find(step);
    if (next == nullptr && at->kind == YamlNode::Kind::kList) {
      const size_t index = std::strtoul(step.c_str(), nullptr, 10);
      if (index < at->items.size()) next = &at->items[index];
    }
    if (next == nullptr) break;
    at = next;
  }
  return *at;
}

class DocumentReader {
 public:
  void ReadDocument(const YamlNode& root) {
    if (!IsMapOrNothing(root, "the document", "a map of sections")) return;
    for (size_t i = 0; i < root.keys.size(); ++i) ReadSection(root.keys[i], root.items[i]);
    CheckClasses();
  }

  PolicyValues ReadFields(const YamlNode& map) {
    PolicyValues values;
    if (!IsMapOrNothing(map, "this", "a map of fields")) return values;
    for (size_t i = 0; i < map.keys.size(); ++i) ReadField(map.keys[i], map.items[i], values);
    return values;
  }

  void AddProblem(const YamlNode& at, std::string message) {
    problems.push_back({.line = at.line, .column = at.column, .message = std::move(message)});
  }

  PolicyDocument document;
  std::vector<PolicyProblem> problems;

 private:
  bool IsMapOrNothing(const YamlNode& node, std::string_view what, std::string_view expected) {
    if (node.kind == YamlNode::Kind::kMap) return true;
    if (node.kind != YamlNode::Kind::kNull) {
      AddProblem(node, fmt::format("{} is not {}", what, expected));
    }
    return false;
  }

  // For a document that says which form it has; there is one so far.
  void CheckVersion(const YamlNode& version) {
    const Json value = version.ToJson();
    if (value == 1) return;
    AddProblem(version,
               fmt::format("is version {}: this program reads version 1", DumpJson(value)));
  }

  void ReadSection(const YamlNode& key, const YamlNode& section) {
    constexpr std::array kLevels = {PolicyLevel::kDefaults, PolicyLevel::kClasses,
                                    PolicyLevel::kFolders,  PolicyLevel::kProjects,
                                    PolicyLevel::kDatasets, PolicyLevel::kTables,
                                    PolicyLevel::kLabels};
    if (key.text == "owner_bounds") return ReadBounds(section);
    if (key.text == "version") return CheckVersion(section);
    const auto* level = std::ranges::find(kLevels, key.text, PolicyLevelName);
    if (level == kLevels.end()) {
      AddProblem(key,
                 fmt::format("there is no section \"{}\": expected defaults, classes, folders, "
                             "projects, datasets, tables, labels or owner_bounds",
                             key.text));
      return;
    }
    if (*level == PolicyLevel::kDefaults) {
      AddRule(*level, key, "", section);
    } else if (IsMapOrNothing(section, "\"" + key.text + "\"", "a map")) {
      for (size_t i = 0; i < section.keys.size(); ++i) {
        AddRule(*level, section.keys[i], section.keys[i].text, section.items[i]);
      }
    }
  }

  void AddRule(PolicyLevel level, const YamlNode& at, const std::string& key,
               const YamlNode& fields) {
    if (document.rules.size() >= kRulesMax) {
      if (document.rules.size() == kRulesMax) AddProblem(at, "too many rules");
      return;
    }
    if (const std::string mistake = KeyMistake(level, key); !mistake.empty()) {
      AddProblem(at, fmt::format("\"{}\": {}", key, mistake));
      return;
    }
    PolicyRule rule{.level = level, .key = key, .fields = ReadFields(fields)};
    if (level == PolicyLevel::kClasses && rule.fields.erase("class") > 0) {
      AddProblem(at, fmt::format("class \"{}\" is of a class itself", key));
    }
    if (const auto named = rule.fields.find("class"); named != rule.fields.end()) {
      class_places_.emplace_back(named->second.value.get<std::string>(), *fields.Find("class"));
    }
    document.rules.push_back(std::move(rule));
  }

  void ReadField(const YamlNode& key, const YamlNode& node, PolicyValues& values) {
    std::string name = key.text;
    Json value = node.ToJson();
    if (name == "method") name = "methods";
    if (name == "exclude") {
      name = "enabled";
      if (value.is_boolean()) value = !value.get<bool>();
    }
    const PolicyField* field = FindPolicyField(name);
    if (field == nullptr) {
      std::vector<std::string_view> names;
      for (const PolicyField& known : AllPolicyFields()) names.push_back(known.name);
      AddProblem(key, fmt::format("there is no field \"{}\": expected one of {}, method, exclude",
                                  key.text, fmt::join(names, ", ")));
      return;
    }
    if (node.kind == YamlNode::Kind::kNull) return AddProblem(key, key.text + " has no value");
    if (field->type == PolicyFieldType::kText && node.kind == YamlNode::Kind::kScalar) {
      value = node.text;
    }
    std::vector<std::string> path;
    auto normal = NormalPolicyValue(*field, value, path);
    if (!normal.ok()) {
      return AddProblem(NodeAt(node, path), key.text + " " + normal.error().message);
    }
    PolicyValue read{.value = *std::move(normal), .line = key.line};
    if (!values.emplace(name, std::move(read)).second) {
      AddProblem(key, fmt::format("{} says again what is said above: {}", key.text, name));
    }
  }

  void CheckClasses() {
    for (const auto& [name, node] : class_places_) {
      if (!document.HasClass(name)) {
        AddProblem(node, fmt::format("there is no class \"{}\"", name));
      }
    }
  }

  void ReadBounds(const YamlNode& section) {
    if (!IsMapOrNothing(section, "\"owner_bounds\"", "a map")) return;
    OwnerBounds& bounds = document.bounds;
    for (size_t i = 0; i < section.keys.size(); ++i) {
      const YamlNode& key = section.keys[i];
      const YamlNode& value = section.items[i];
      if (key.text == "labels") {
        const Json flag = value.ToJson();
        if (!flag.is_boolean()) AddProblem(value, "labels is not true or false");
        bounds.labels = flag == true;
      } else if (key.text == "bucket" || key.text == "prefix") {
        if (value.kind != YamlNode::Kind::kScalar) AddProblem(value, key.text + " is not a text");
        (key.text == "bucket" ? bounds.bucket : bounds.prefix) = value.text;
      } else if (key.text != "fields") {
        AddProblem(key, "expected labels, bucket, prefix or fields");
      } else if (IsMapOrNothing(value, "\"fields\"", "a map of fields")) {
        for (size_t j = 0; j < value.keys.size(); ++j) ReadBound(value.keys[j], value.items[j]);
      }
    }
  }

  void ReadBound(const YamlNode& key, const YamlNode& map) {
    constexpr std::string_view kRetentionPart = "retention.";
    OwnerBound bound;
    bound.field = key.text == "method" ? "methods" : key.text == "exclude" ? "enabled" : key.text;
    const bool is_part = key.text.starts_with(kRetentionPart);
    const PolicyField* field = FindPolicyField(is_part ? "retention" : bound.field);
    if (field == nullptr) return AddProblem(key, fmt::format("no field \"{}\"", key.text));
    if (map.kind != YamlNode::Kind::kNull && map.kind != YamlNode::Kind::kMap) {
      return AddProblem(map, "expected a map of min, max and allow");
    }
    for (size_t i = 0; i < map.keys.size(); ++i) {
      ReadBoundMember(*field, is_part, map.keys[i], map.items[i], bound);
    }
    if (bound.field == "schedule" && bound.allow.empty()) {
      return AddProblem(key, "schedule needs allow: the schedules that owners may choose from");
    }
    if (document.bounds.Find(bound.field) != nullptr) {
      return AddProblem(key, fmt::format("{} is bounded above already", bound.field));
    }
    document.bounds.fields.push_back(std::move(bound));
  }

  void ReadBoundMember(const PolicyField& field, bool is_part, const YamlNode& key,
                       const YamlNode& node, OwnerBound& bound) {
    const Json value = node.ToJson();
    const bool compares = is_part || field.type == PolicyFieldType::kInteger ||
                          field.type == PolicyFieldType::kNumber ||
                          field.type == PolicyFieldType::kDuration;
    if (key.text == "min" || key.text == "max") {
      if (!compares || !PolicyValueAsNumber(value).ok()) {
        return AddProblem(node, fmt::format("{} of {} is not a number or duration that it may have",
                                            key.text, bound.field));
      }
      (key.text == "min" ? bound.minimum : bound.maximum) = value;
    } else if (key.text == "allow" && !is_part && value.is_array() && !value.empty()) {
      for (size_t i = 0; i < value.size(); ++i) {
        std::vector<std::string> path;
        auto normal = NormalPolicyValue(field, value[i], path);
        if (!normal.ok()) {
          AddProblem(node.items[i], fmt::format("{} {}", field.name, normal.error().message));
          continue;
        }
        // Of fields that are lists, each of the allowed items.
        if (normal->is_array()) {
          bound.allow.insert(bound.allow.end(), normal->begin(), normal->end());
        } else {
          bound.allow.push_back(*std::move(normal));
        }
      }
    } else {
      AddProblem(key, "expected min, max, or allow with a list of values");
    }
  }

  std::vector<std::pair<std::string, YamlNode>> class_places_;  // where a class is named
};

// An error of the parser begins with its place, which is told apart here.
PolicyProblem ProblemOf(const Error& error) {
  int line = 1;
  int column = 1;
  int end = 0;
  if (std::sscanf(error.message.c_str(), "line %d, column %d: %n", &line, &column, &end) == 2 &&
      end > 0) {
    return {.line = line, .column = column, .message = error.message.substr(end)};
  }
  return {.line = 1, .column = 1, .message = error.message};
}

void Arrange(std::vector<PolicyProblem>& problems) {
  std::ranges::stable_sort(problems, {}, [](const PolicyProblem& problem) {
    return std::pair(problem.line, problem.column);
  });
  if (problems.size() > kProblemsMax) problems.resize(kProblemsMax);
}

}  // namespace

ParsedPolicy ParsePolicyText(const std::string& text, const std::string& file,
                             std::string_view member) {
  DocumentReader reader;
  reader.document.file = file;
  const auto tree = ParseYamlTree(text);
  if (!tree.ok()) {
    reader.problems.push_back(ProblemOf(tree.error()));
  } else if (member.empty()) {
    reader.ReadDocument(*tree);
  } else if (const YamlNode* node = tree->Find(member)) {
    reader.ReadDocument(*node);
  }
  Arrange(reader.problems);
  return {.document = std::move(reader.document), .problems = std::move(reader.problems)};
}

Result<PolicyDocument> ReadPolicyText(const std::string& text, const std::string& file,
                                      std::string_view member) {
  ParsedPolicy parsed = ParsePolicyText(text, file, member);
  if (parsed.problems.empty()) return std::move(parsed.document);
  std::string message = file + ": ";
  for (size_t i = 0; i < parsed.problems.size(); ++i) {
    message += (i == 0 ? "" : "; ") + parsed.problems[i].ToString();
  }
  return MakeError(ErrorId::kInvalidPolicy, std::move(message));
}

ParsedOwnerPolicy ParseOwnerText(const std::string& text) {
  DocumentReader reader;
  ParsedOwnerPolicy parsed;
  const auto tree = ParseYamlTree(text, {.size_bytes_max = size_t{64} << 10U, .nodes_max = 2'000});
  if (tree.ok()) {
    parsed.fields = reader.ReadFields(*tree);
  } else {
    reader.problems.push_back(ProblemOf(tree.error()));
  }
  Arrange(reader.problems);
  parsed.problems = std::move(reader.problems);
  return parsed;
}

}  // namespace holdfast
