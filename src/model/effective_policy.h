// EffectivePolicy: what a policy document says of one object, field by field, and where it says so.
//
// Of the rules that fit an object the most specific one wins, for each field by itself:
//   defaults < folders, the farthest first < project < dataset < table < the owner's file < the
//   owner's labels.
// A selector in `labels` counts at the level of the resource that carries the label (of several
// terms, the lowest), below the names of that level. Within a level a name without wildcards wins
// over a glob, then more characters that are no wildcard, then fewer stars, then what the document
// says later. The fields of a data class count at the place where the class that is in effect was
// named, below what is said there itself; critical, important and reference exist without being
// defined, with the RTO and RPO of the recovery plan. What an owner says beyond the bounds is left
// out and named as a refusal. Pure. Source: issue "Policy"; seed 003 "Data classification".
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/policy.h"
#include "model/policy_document.h"
#include "model/resource_names.h"

namespace holdfast {

using Labels = std::map<std::string, std::string, std::less<>>;

// Labels of a table that begin so are its owner's word: "holdfast-forced_full_days=3", where '-'
// may stand for '_'.
inline constexpr std::string_view kOwnerLabelPrefix = "holdfast-";

struct EffectiveValue {
  Json value;
  std::string origin;  // "tables.a.b.* at policy.yaml:12", "label holdfast-class of the table"

  bool operator==(const EffectiveValue&) const = default;
};

// Something that an owner said and that is not done.
struct PolicyRefusal {
  std::string field;
  std::string origin;
  std::string reason;

  std::string ToString() const;  // "label ...: forced_full_days is 90: at most 30 is allowed"
};

// A file in the policy bucket.
struct OwnerFile {
  std::string origin;  // "gs://bucket/project/dataset/table.yaml"
  ParsedOwnerPolicy content;
};

struct EffectivePolicy {
  std::map<std::string, EffectiveValue, std::less<>> fields;  // those that are said at all
  std::vector<PolicyRefusal> refusals;

  // Whether the object is backed up.
  bool enabled() const;
  // Where it is said that it is not; empty when it is.
  std::string ExcludedBy() const;
  // The schedules' texts ("0 23 * * * America/New_York"); empty: none is said.
  std::vector<std::string> Schedules() const;
  // The members of BackupPolicy that are said, by its names.
  Json BackupPolicyPatch() const;
  // The refusals as one text; empty: there are none.
  std::string RefusalText() const;
};

// The policy under a patch of its members. Errors: those of BackupPolicy::FromJson.
Result<BackupPolicy> PatchPolicy(const BackupPolicy& policy, const Json& patch);

// Every further repository that the settings or some rule of the document name, or that an owner
// may choose from a list, each once.
std::vector<FurtherRepository> AllFurtherRepositories(
    const BackupPolicy& settings, const std::optional<PolicyDocument>& document);

// Resolves what holds in one project, so that a rule of another costs nothing per table. Refers to
// the document, which outlives it.
class PolicyResolver {
 public:
  // `folders`: the project's ancestors as "folders/123", the nearest first.
  PolicyResolver(const PolicyDocument& document, std::string project,
                 std::vector<std::string> folders, Labels labels);

  // What holds for the project, a dataset, or a table. Owners have a say only in tables.
  EffectivePolicy OfProject() const;
  EffectivePolicy OfDataset(const DatasetRef& dataset, const Labels& labels) const;
  EffectivePolicy OfTable(const TableRef& table, const Labels& dataset_labels,
                          const Labels& table_labels, const OwnerFile* owner_file = nullptr) const;

 private:
  struct Candidate;
  struct Subject;
  EffectivePolicy Resolve(const Subject& subject) const;
  void AddCandidates(const Subject& subject, std::vector<Candidate>& found) const;

  const PolicyDocument& document_;
  std::string project_;
  std::vector<std::string> folders_;
  Labels labels_;
  std::vector<const PolicyRule*> rules_;  // those that may fit something in the project
};

}  // namespace holdfast
