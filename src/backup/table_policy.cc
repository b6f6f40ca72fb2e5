#include "backup/table_policy.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/retry.h"
#include "model/policy_field.h"

namespace holdfast::backup {

namespace {

constexpr size_t kOwnerFileBytesMax = size_t{64} << 10U;

ItemOutcome ExcludedOutcome(TableRef object, const EffectivePolicy& policy) {
  return {.object = std::move(object),
          .outcome = Outcome::kExcluded,
          .reason = "excluded by " + policy.ExcludedBy(),
          .note = policy.RefusalText()};
}

// What the policy says of who goes first.
void SetUrgency(const EffectivePolicy& policy, TablePolicy& result) {
  const auto text = [&](std::string_view field) -> std::string {
    const auto found = policy.fields.find(field);
    if (found == policy.fields.end() || !found->second.value.is_string()) return {};
    return found->second.value.get<std::string>();
  };
  result.data_class = text("class");
  const auto rpo = ParsePolicyDuration(text("rpo"));  // none said: an error
  result.rpo_seconds = rpo.ok() ? rpo->count() : 0;
}

}  // namespace

ProjectPolicies::ProjectPolicies(const CheckProjectTables& message, const StageContext& context,
                                 const Services& services)
    : context_(context), services_(services), project_(message.project_to_check) {
  if (!context.run.document) return;
  const PolicyDocument& document = *context.run.document;
  resolver_.emplace(document, project_, message.folders,
                    Labels(message.labels.begin(), message.labels.end()));
  for (const PolicyRule& rule : document.rules) {
    if (rule.level != PolicyLevel::kLabels) continue;
    const auto terms = ParseLabelSelector(rule.key);
    if (!terms.ok()) continue;  // the document was validated
    for (const LabelTerm& term : *terms) selected_labels_.insert(term.key);
  }
}

std::optional<ItemOutcome> ProjectPolicies::ExcludedProject() const {
  if (!resolver_ || context_.run.document->MayEnableBelow()) return std::nullopt;
  const EffectivePolicy policy = resolver_->OfProject();
  if (policy.enabled()) return std::nullopt;
  return ExcludedOutcome({.project = project_, .dataset = {}, .table = {}, .partition = {}},
                         policy);
}

std::optional<ItemOutcome> ProjectPolicies::ExcludedDataset(const DatasetInfo& dataset) const {
  if (!resolver_ || context_.run.document->MayEnableBelow()) return std::nullopt;
  const EffectivePolicy policy = resolver_->OfDataset(dataset.ref, LabelsOf(dataset.resource));
  if (policy.enabled()) return std::nullopt;
  return ExcludedOutcome({dataset.ref.project, dataset.ref.dataset, "", ""}, policy);
}

Status ProjectPolicies::EnterDataset(const DatasetInfo& dataset,
                                     const std::optional<NameRange>& tables) {
  if (!resolver_) return Ok();
  dataset_labels_ = LabelsOf(dataset.resource);
  table_labels_.clear();
  owner_files_.clear();
  owner_note_.clear();
  const bool has_tables = !tables || !tables->last.empty();
  if (has_tables && context_.run.document->NeedsLabels()) {
    HF_RETURN_IF_ERROR(ReadLabels(dataset.ref, tables));
  }
  if (context_.run.document->bounds.bucket.empty()) return Ok();
  const Status listed = ListOwnerFiles(dataset.ref, tables);
  if (listed.ok() || IsRetryable(listed.error()) || listed.error().id == ErrorId::kCancelled) {
    return listed;
  }
  // Backed up without the owners' word rather than not at all, and said.
  owner_note_ = "owners' files could not be read: " + listed.error().message;
  LogWarning("owners' files could not be read",
             {{"dataset", dataset.ref.ToString()}, {"error", listed.error().message}});
  return Ok();
}

bool ProjectPolicies::UsesLabel(std::string_view key) const {
  return selected_labels_.contains(key) ||
         (context_.run.document->bounds.labels && key.starts_with(kOwnerLabelPrefix));
}

void ProjectPolicies::RememberLabels(const TableRef& table, Labels labels) {
  std::erase_if(labels, [&](const auto& label) { return !UsesLabel(label.first); });
  if (!labels.empty()) table_labels_[table.table] = std::move(labels);
}

Status ProjectPolicies::ReadLabels(const DatasetRef& dataset,
                                   const std::optional<NameRange>& tables) {
  const Status listed = cloud::ForEachPage<TableLabels>(
      [&](const std::string& token) { return services_.warehouse.ListTableLabels(dataset, token); },
      [&](TableLabels&& table) -> Status {
        if (!tables || tables->Contains(table.ref.table)) {
          RememberLabels(table.ref, std::move(table.labels));
        }
        return context_.keep_alive();
      });
  // A dataset that is gone has no tables to ask of; who asks for one that was remembers its labels.
  return !listed.ok() && listed.error().id == ErrorId::kDatasetNotFound ? Ok() : listed;
}

std::string ProjectPolicies::OwnerObject(const DatasetRef& dataset) const {
  const std::string& prefix = context_.run.document->bounds.prefix;
  return fmt::format("{}{}{}/{}/", prefix, prefix.empty() || prefix.ends_with('/') ? "" : "/",
                     dataset.project, dataset.dataset);
}

Status ProjectPolicies::ListOwnerFiles(const DatasetRef& dataset,
                                       const std::optional<NameRange>& tables) {
  constexpr std::string_view kEnding = ".yaml";
  const std::string folder = OwnerObject(dataset);
  return cloud::ForEachPage<cloud::ObjectInfo>(
      [&](const std::string& token) {
        return services_.objects.ListObjects(context_.run.document->bounds.bucket, folder, token);
      },
      [&](cloud::ObjectInfo&& object) -> Status {
        std::string_view table = object.ref.name;
        table.remove_prefix(std::min(folder.size(), table.size()));
        if (table.ends_with(kEnding)) table.remove_suffix(kEnding.size());
        // What belongs to no table at all, as the file of a routine, is few and always wanted.
        const bool is_asked_for =
            !tables || tables->Contains(table) || table.find(':') != table.npos;
        if (is_asked_for) owner_files_.insert(std::move(object.ref.name));
        return context_.keep_alive();
      });
}

Result<std::optional<OwnerFile>> ProjectPolicies::ReadOwnerFile(const TableRef& table) {
  const std::string name = OwnerObject(table.dataset_ref()) + table.table + ".yaml";
  if (!owner_files_.contains(name)) return std::optional<OwnerFile>();
  const std::string& bucket = context_.run.document->bounds.bucket;
  OwnerFile file{.origin = fmt::format("gs://{}/{}", bucket, name), .content = {}};
  std::string text;
  const Status read =
      services_.objects.ReadObject({.bucket = bucket, .name = name}, 0, kOwnerFileBytesMax + 1,
                                   [&](std::string_view bytes) -> Status {
                                     text += bytes;
                                     return Ok();
                                   });
  if (read.ok()) {
    file.content = ParseOwnerText(text);
  } else if (IsRetryable(read.error()) || read.error().id == ErrorId::kCancelled) {
    return read.error();
  } else {
    file.content.problems.push_back({.line = 1, .column = 1, .message = read.error().message});
  }
  return std::optional(std::move(file));
}

bool ProjectPolicies::IsDue(const EffectivePolicy& policy) const {
  const std::vector<std::string>& due = context_.run.due;
  return due.empty() || std::ranges::any_of(policy.Schedules(), [&](const std::string& schedule) {
           return std::ranges::find(due, schedule) != due.end();
         });
}

Result<EffectivePolicy> ProjectPolicies::EffectiveOf(const TableRef& table) {
  const auto labels = table_labels_.find(table.table);
  HF_ASSIGN_OR_RETURN(const auto file, ReadOwnerFile(table));
  return resolver_->OfTable(table, dataset_labels_,
                            labels == table_labels_.end() ? Labels() : labels->second,
                            file ? &*file : nullptr);
}

Result<TablePolicy> ProjectPolicies::Of(const TableRef& table) {
  if (!resolver_) return TablePolicy{.policy = context_.run.policy};
  HF_ASSIGN_OR_RETURN(const EffectivePolicy effective, EffectiveOf(table));
  TablePolicy result;
  result.note = effective.RefusalText();
  if (!owner_note_.empty()) result.note += (result.note.empty() ? "" : "; ") + owner_note_;
  if (!effective.enabled()) {
    result.settled = ExcludedOutcome(table, effective);
  } else if (!IsDue(effective)) {
    result.settled = {.object = table,
                      .outcome = Outcome::kNotDue,
                      .reason = effective.fields.contains("schedule")
                                    ? "its schedule is another one"
                                    : "it has no schedule"};
  }
  if (result.settled) {
    result.settled->note = result.note;
    return result;
  }
  SetUrgency(effective, result);
  result.patch = effective.BackupPolicyPatch();
  HF_ASSIGN_OR_RETURN(result.policy, PatchPolicy(context_.run.policy, result.patch));
  return result;
}

}  // namespace holdfast::backup
