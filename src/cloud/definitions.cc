#include "cloud/definitions.h"

#include <algorithm>

namespace holdfast::cloud {

Result<RoutineInfo> RoutineInfo::FromJson(const Json& resource) {
  const Json* reference = FindField(resource, "routineReference");
  if (reference == nullptr) {
    return MakeError(ErrorId::kInvalidJson, "a routine without \"routineReference\"");
  }
  RoutineInfo routine;
  HF_ASSIGN_OR_RETURN(routine.dataset.project, RequiredString(*reference, "projectId"));
  HF_ASSIGN_OR_RETURN(routine.dataset.dataset, RequiredString(*reference, "datasetId"));
  HF_ASSIGN_OR_RETURN(routine.routine, RequiredString(*reference, "routineId"));
  HF_RETURN_IF_ERROR(ValidateRoutineId(routine.routine));
  HF_ASSIGN_OR_RETURN(const auto created, OptionalInt64(resource, "creationTime"));
  HF_ASSIGN_OR_RETURN(const auto modified, OptionalInt64(resource, "lastModifiedTime"));
  routine.creation_ms = created.value_or(0);
  routine.last_modified_ms = modified.value_or(0);
  routine.resource = resource;
  return routine;
}

Result<RowAccessPolicy> RowAccessPolicy::FromJson(const Json& json) {
  RowAccessPolicy policy;
  HF_ASSIGN_OR_RETURN(policy.id, RequiredString(json, "id"));
  HF_ASSIGN_OR_RETURN(policy.filter, RequiredString(json, "filter"));
  const Json* grantees = FindField(json, "grantees");
  if (grantees == nullptr || !grantees->is_array()) {
    return MakeError(ErrorId::kInvalidJson, "\"grantees\" is not a list");
  }
  for (const Json& grantee : *grantees) {
    if (!grantee.is_string()) {
      return MakeError(ErrorId::kInvalidJson, "\"grantees\" holds more than names");
    }
    policy.grantees.push_back(grantee.get<std::string>());
  }
  std::ranges::sort(policy.grantees);
  return policy;
}

Json RowAccessPolicy::ToJson() const {
  return {{"id", id}, {"filter", filter}, {"grantees", grantees}};
}

}  // namespace holdfast::cloud
