#include "sim/sim_definitions.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/paging.h"

namespace holdfast::sim {

Result<cloud::Page<cloud::RoutineInfo>> SimDefinitions::ListRoutines(
    const DatasetRef& dataset, const std::string& page_token) {
  HF_RETURN_IF_ERROR(faults_.Before(dataset.ToString()));
  HF_RETURN_IF_ERROR(warehouse_.LookAtDataset(dataset));
  const std::lock_guard lock(mutex_);
  std::map<std::string, cloud::RoutineInfo> listed = routines_[dataset];
  for (auto& [id, routine] : listed) routine.resource.erase("definitionBody");
  HF_RETURN_IF_ERROR(faults_.After());
  return PageOf(listed, page_token, page_size_);
}

Result<cloud::RoutineInfo> SimDefinitions::GetRoutine(const DatasetRef& dataset,
                                                      const std::string& routine) {
  HF_RETURN_IF_ERROR(faults_.Before(dataset.ToString()));
  const std::lock_guard lock(mutex_);
  const auto& of_dataset = routines_[dataset];
  const auto found = of_dataset.find(routine);
  if (found == of_dataset.end()) {
    return MakeError(ErrorId::kRoutineNotFound,
                     fmt::format("routine {}.{} is not there", dataset.ToString(), routine));
  }
  HF_RETURN_IF_ERROR(faults_.After());
  return found->second;
}

Result<cloud::RoutineInfo> SimDefinitions::CreateRoutine(const DatasetRef& dataset,
                                                         const std::string& routine,
                                                         const Json& resource) {
  HF_RETURN_IF_ERROR(faults_.Before(dataset.ToString()));
  HF_RETURN_IF_ERROR(warehouse_.LookAtDataset(dataset));
  const std::lock_guard lock(mutex_);
  if (routines_[dataset].contains(routine)) {
    return MakeError(ErrorId::kRoutineExists,
                     fmt::format("routine {}.{} is there already", dataset.ToString(), routine));
  }
  cloud::RoutineInfo made = Put(dataset, routine, resource);
  HF_RETURN_IF_ERROR(faults_.After());
  return made;
}

Result<std::vector<cloud::RowAccessPolicy>> SimDefinitions::ListRowAccessPolicies(
    const TableRef& table) {
  HF_RETURN_IF_ERROR(faults_.Before(table.WholeTable().ToString()));
  HF_RETURN_IF_ERROR(warehouse_.Look(table.WholeTable()));
  const std::lock_guard lock(mutex_);
  std::vector<cloud::RowAccessPolicy> policies;
  for (const auto& [id, policy] : row_policies_[table.WholeTable()]) policies.push_back(policy);
  HF_RETURN_IF_ERROR(faults_.After());
  return policies;
}

Result<bool> SimDefinitions::IsGranted(const TableRef& table, const std::string& policy) {
  HF_RETURN_IF_ERROR(faults_.Before(table.WholeTable().ToString()));
  HF_RETURN_IF_ERROR(warehouse_.Look(table.WholeTable()));
  const std::lock_guard lock(mutex_);
  const Policies& policies = row_policies_[table.WholeTable()];
  const auto found = policies.find(policy);
  HF_RETURN_IF_ERROR(faults_.After());
  return found != policies.end() &&
         std::ranges::any_of(found->second.grantees, [](const std::string& grantee) {
           return grantee == kSimIdentity || grantee == "allAuthenticatedUsers";
         });
}

Status SimDefinitions::CreateRowAccessPolicy(const TableRef& table,
                                             const cloud::RowAccessPolicy& policy) {
  HF_RETURN_IF_ERROR(faults_.Before(table.WholeTable().ToString()));
  HF_RETURN_IF_ERROR(warehouse_.Look(table.WholeTable()));
  const std::lock_guard lock(mutex_);
  if (!row_policies_[table.WholeTable()].emplace(policy.id, policy).second) {
    return MakeError(ErrorId::kTableExists, fmt::format("row access policy {} of {} is there",
                                                        policy.id, table.ToString()));
  }
  return faults_.After();
}

Result<Json> SimDefinitions::GetIamPolicy(const TableRef& table) {
  HF_RETURN_IF_ERROR(faults_.Before(table.WholeTable().ToString()));
  HF_RETURN_IF_ERROR(warehouse_.Look(table.WholeTable()));
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(faults_.After());
  const auto found = iam_policies_.find(table.WholeTable());
  return found == iam_policies_.end() ? Json(Json::object()) : found->second;
}

Status SimDefinitions::SetIamPolicy(const TableRef& table, const Json& policy) {
  HF_RETURN_IF_ERROR(faults_.Before(table.WholeTable().ToString()));
  HF_RETURN_IF_ERROR(warehouse_.Look(table.WholeTable()));
  PutIamPolicy(table, policy);
  return faults_.After();
}

cloud::RoutineInfo SimDefinitions::Put(const DatasetRef& dataset, const std::string& routine,
                                       const Json& resource) {
  const int64_t now_ms = ToUnixMillis(clock_.Now());
  const auto before = routines_[dataset].find(routine);
  const int64_t created_ms =
      before == routines_[dataset].end() ? now_ms : before->second.creation_ms;
  Json kept = resource;
  kept["routineReference"] = {
      {"projectId", dataset.project}, {"datasetId", dataset.dataset}, {"routineId", routine}};
  kept["creationTime"] = std::to_string(created_ms);
  kept["lastModifiedTime"] = std::to_string(now_ms);
  kept["etag"] = std::to_string(now_ms);
  auto info = cloud::RoutineInfo::FromJson(kept);
  CHECK(info.ok(), "a simulated routine does not parse");
  return routines_[dataset].insert_or_assign(routine, *std::move(info)).first->second;
}

void SimDefinitions::PutRoutine(const DatasetRef& dataset, const std::string& routine,
                                const Json& resource) {
  const std::lock_guard lock(mutex_);
  Put(dataset, routine, resource);
}

void SimDefinitions::DropRoutine(const DatasetRef& dataset, const std::string& routine) {
  const std::lock_guard lock(mutex_);
  routines_[dataset].erase(routine);
}

void SimDefinitions::DropDataset(const DatasetRef& dataset) {
  const std::lock_guard lock(mutex_);
  routines_.erase(dataset);
  const auto in_dataset = [&](const auto& entry) { return entry.first.dataset_ref() == dataset; };
  std::erase_if(row_policies_, in_dataset);
  std::erase_if(iam_policies_, in_dataset);
}

void SimDefinitions::PutRowAccessPolicy(const TableRef& table,
                                        const cloud::RowAccessPolicy& policy) {
  const std::lock_guard lock(mutex_);
  row_policies_[table.WholeTable()].insert_or_assign(policy.id, policy);
}

void SimDefinitions::PutIamPolicy(const TableRef& table, const Json& policy) {
  const std::lock_guard lock(mutex_);
  iam_policies_.insert_or_assign(table.WholeTable(), policy);
}

}  // namespace holdfast::sim
