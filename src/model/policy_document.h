// PolicyDocument: what the platform team says of every object, as one YAML.
//
//   defaults:  {method: export, schedule: {cron: "0 23 * * *", time_zone: America/New_York}}
//   classes:   {critical: {rpo: 1h, forced_full_days: 1}}
//   folders:   {folders/123: {class: important}}
//   projects:  {acme-*: {...}}            keys are names or globs, of as many parts as the level
//   has datasets:  {acme-prod.sales: {...}} tables:    {"acme-*.*.tmp_*": {exclude: true}} labels:
//   {"env=prod,team=*": {...}}      all terms have to match owner_bounds: what owners of tables may
//   say themselves
//     labels: true                             labels holdfast-FIELD of the table
//     bucket: acme-policies                    files PROJECT/DATASET/TABLE.yaml
//     fields: {class: {allow: [critical]}, forced_full_days: {min: 1, max: 30}, rpo: {}}
//
// Every section is optional; so is `version: 1`. Which rule wins is said in effective_policy.h. The
// document is carried by a run as JSON with the line of each value, so that workers need no file
// and an edit during the run changes nothing. Plain values; pure. Source: issue "Policy".
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/schedule.h"

namespace holdfast {

enum class PolicyLevel { kDefaults, kClasses, kFolders, kProjects, kDatasets, kTables, kLabels };
std::string_view PolicyLevelName(PolicyLevel level);  // the section's name: "defaults", "classes"

struct PolicyValue {
  Json value;  // in its one spelling (policy_field.h)
  int line = 0;

  bool operator==(const PolicyValue&) const = default;
};
using PolicyValues = std::map<std::string, PolicyValue, std::less<>>;  // by the field's name

// One entry of a section.
struct PolicyRule {
  PolicyLevel level = PolicyLevel::kDefaults;
  std::string key;  // the name, glob or selector; empty for defaults
  PolicyValues fields;

  bool operator==(const PolicyRule&) const = default;
};

// What an owner may make of one field, or of one number in the map `retention`
// ("retention.keep_daily"). Without minimum, maximum and allow: anything.
struct OwnerBound {
  std::string field;
  std::optional<Json> minimum;  // a number or a duration
  std::optional<Json> maximum;
  std::vector<Json> allow;  // the only values; of a list, of its items. Empty: any

  bool operator==(const OwnerBound&) const = default;
};

struct OwnerBounds {
  bool labels = false;  // whether labels of tables count
  std::string bucket;   // of owners' files; empty: none
  std::string prefix;   // of those files in it
  std::vector<OwnerBound> fields;

  const OwnerBound* Find(std::string_view field) const;
  bool operator==(const OwnerBounds&) const = default;
};

struct PolicyDocument {
  std::string file;               // what origins call it
  std::vector<PolicyRule> rules;  // in the document's order
  OwnerBounds bounds;

  // The class of that name, as the document defines it; nullptr: it does not.
  const PolicyRule* FindClass(std::string_view name) const;
  // Whether there is such a class, defined or built in.
  bool HasClass(std::string_view name) const;
  // Whether an object's labels may change what holds for it.
  bool NeedsLabels() const;
  // Whether something below a project or dataset may be backed up although that itself is excluded.
  bool MayEnableBelow() const;
  // Every schedule that some rule gives or an owner may choose, each once, in order of their texts.
  std::vector<Schedule> Schedules() const;

  // JSON and back, without loss. Errors: kInvalidPolicy naming the member.
  static Result<PolicyDocument> FromJson(const Json& json);
  Json ToJson() const;
  bool operator==(const PolicyDocument&) const = default;
};

// The classes that exist without being defined: critical, important, reference. Source: seed 003,
// its table of data classes.
std::span<const PolicyRule> BuiltInClasses();

// A mistake of the document.
struct PolicyProblem {
  int line = 0;    // from 1
  int column = 0;  // from 1
  std::string message;

  std::string ToString() const;  // "line 3, column 7: ..."
};

struct ParsedPolicy {
  PolicyDocument document;              // without what is wrong
  std::vector<PolicyProblem> problems;  // in order of place, 100 at most; empty: it is valid
};

// The document of a YAML text; `file` is what origins call it. With `member`, the document is that
// member of the text's map (an absent one is an empty document).
ParsedPolicy ParsePolicyText(const std::string& text, const std::string& file,
                             std::string_view member = {});

// The same where nothing but a valid document will do. kInvalidPolicy with every problem.
Result<PolicyDocument> ReadPolicyText(const std::string& text, const std::string& file,
                                      std::string_view member = {});

// A file of an owner: a map of fields. Problems as above; whether the owner may say it is not
// looked at (effective_policy.h).
struct ParsedOwnerPolicy {
  PolicyValues fields;
  std::vector<PolicyProblem> problems;
};
ParsedOwnerPolicy ParseOwnerText(const std::string& text);

// The terms of a selector: "env=prod,team=*" or "env" (any value). kInvalidPolicy.
struct LabelTerm {
  std::string key;
  std::string value;  // a glob
};
Result<std::vector<LabelTerm>> ParseLabelSelector(std::string_view selector);

}  // namespace holdfast
