#include "cli/table_policies.h"

#include <algorithm>

#include "backup/projects_stage.h"
#include "repository/repository.h"

namespace holdfast::cli {

namespace {

// The project as a run would check it: with its labels, and the folders that it is in where the
// document asks for them.
Result<CheckProjectTables> FindProject(const std::string& project,
                                       const backup::StageContext& context,
                                       const backup::Services& services) {
  const PolicyDocument& document = *context.run.document;
  const bool asks_folders = std::ranges::any_of(
      document.rules, [](const PolicyRule& rule) { return rule.level == PolicyLevel::kFolders; });
  CheckProjectTables check;
  check.project_to_check = project;
  if (asks_folders) {
    HF_ASSIGN_OR_RETURN(backup::StageResult listed,
                        backup::ListProjects({.run = ""}, context, services));
    for (WorkMessage& message : listed.follow_ups) {
      auto& found = std::get<CheckProjectTables>(message);
      if (found.project_to_check == project) return std::move(found);
    }
    return MakeError(ErrorId::kProjectNotFound,
                     "project " + project + " is not in " + services.organization);
  }
  if (document.NeedsLabels()) {
    HF_ASSIGN_OR_RETURN(const cloud::ProjectInfo info, services.projects.GetProject(project));
    check.labels = info.labels;
  }
  return check;
}

// The manifest of the newest backup of the table or of one of its partitions.
Result<Manifest> NewestManifest(const backup::Services& services, const TableRef& table) {
  std::optional<catalog::BackupRecord> newest;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) {
        return services.catalog.FindBackups({.project = table.project,
                                             .dataset = table.dataset,
                                             .table = table.table,
                                             .newest_only = true},
                                            token);
      },
      [&](catalog::BackupRecord&& record) -> Status {
        if (!newest || record.created_ms > newest->created_ms) newest = std::move(record);
        return Ok();
      }));
  if (!newest) {
    return MakeError(ErrorId::kTableNotFound,
                     "it is gone, and with it the labels by which the policy may keep its backups "
                     "longer: no backup of it tells them");
  }
  HF_ASSIGN_OR_RETURN(auto repository, repository::Repository::Open(
                                           services.objects, {newest->bucket, newest->prefix}));
  return repository.ReadManifest(newest->object, newest->backup);
}

}  // namespace

TablePolicies::TablePolicies(Environment& environment, const PolicyDocument& document)
    : environment_(environment), services_(environment.backup_services()) {
  context_.run.policy = environment_.config().policy;
  context_.run.policy.scope = {};
  context_.run.document = document;
}

Status TablePolicies::EnterProject(const std::string& project) {
  if (project_ && project_->project_to_check == project) return Ok();
  policies_.reset();
  project_.reset();
  dataset_ = {};
  HF_ASSIGN_OR_RETURN(CheckProjectTables found, FindProject(project, context_, services_));
  project_ = std::make_unique<CheckProjectTables>(std::move(found));
  policies_.emplace(*project_, context_, services_);
  return Ok();
}

Status TablePolicies::EnterDataset(const DatasetRef& dataset) {
  HF_RETURN_IF_ERROR(EnterProject(dataset.project));
  if (dataset_ == dataset) return Ok();
  const PolicyDocument& document = *context_.run.document;
  DatasetInfo info{.ref = dataset, .location = {}};
  if (document.NeedsLabels()) {
    HF_ASSIGN_OR_RETURN(info, services_.warehouse.GetDataset(dataset));
  }
  if (document.NeedsLabels() || !document.bounds.bucket.empty()) {
    HF_RETURN_IF_ERROR(policies_->EnterDataset(info));
  }
  dataset_ = dataset;
  return Ok();
}

Result<EffectivePolicy> TablePolicies::Of(const TableRef& table) {
  HF_RETURN_IF_ERROR(EnterDataset(table.dataset_ref()));
  return policies_->EffectiveOf(table);
}

Result<std::optional<RetentionPolicy>> TablePolicies::RetentionOf(const TableRef& table) {
  if (context_.run.document->NeedsLabels() && !ParseReservedName(table.table)) {
    const auto info = services_.warehouse.GetTable(table);
    if (!info.ok() && info.error().code == Code::kNotFound) return RetentionOfGone(table);
    if (!info.ok()) return info.error();
  }
  HF_ASSIGN_OR_RETURN(const EffectivePolicy policy, Of(table));
  return RetentionIn(table, policy);
}

Result<std::optional<RetentionPolicy>> TablePolicies::RetentionOfGone(const TableRef& table) {
  HF_ASSIGN_OR_RETURN(const Manifest manifest, NewestManifest(services_, table));
  HF_RETURN_IF_ERROR(EnterProject(table.project));
  dataset_ = {};  // the next table's dataset is to be read anew
  HF_RETURN_IF_ERROR(policies_->EnterDataset({.ref = table.dataset_ref(),
                                              .location = manifest.location,
                                              .resource = manifest.dataset_resource}));
  policies_->RememberLabels(table, LabelsOf(manifest.table_resource));
  HF_ASSIGN_OR_RETURN(const EffectivePolicy policy, policies_->EffectiveOf(table));
  return RetentionIn(table, policy);
}

Result<std::optional<RetentionPolicy>> TablePolicies::RetentionIn(const TableRef& table,
                                                                  const EffectivePolicy& policy) {
  // A backup may be made without an owner's word; nothing is deleted without it.
  HF_ASSIGN_OR_RETURN(const backup::TablePolicy of_table, policies_->Of(table));
  if (!of_table.note.empty()) {
    return MakeError(ErrorId::kInvalidPolicy,
                     "what its owner says cannot be taken: " + of_table.note);
  }
  const auto found = policy.fields.find("retention");
  if (found == policy.fields.end()) return std::optional<RetentionPolicy>();
  HF_ASSIGN_OR_RETURN(RetentionPolicy retention, RetentionPolicy::FromJson(found->second.value));
  return std::optional(std::move(retention));
}

}  // namespace holdfast::cli
