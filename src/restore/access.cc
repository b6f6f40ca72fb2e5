#include "restore/access.h"

#include <fmt/format.h>

#include <algorithm>

#include "restore/sql_names.h"

namespace holdfast::restore {

namespace {

constexpr const char* kRowPolicies = "row_access_policies";
constexpr const char* kIamPolicy = "iam_policy";

const Json* SavedAccess(const Manifest& manifest, const char* member) {
  return manifest.access ? FindField(*manifest.access, member) : nullptr;
}

bool GrantsAnything(const Json* iam) {
  const Json* bindings = iam == nullptr ? nullptr : FindField(*iam, "bindings");
  return bindings != nullptr && !bindings->empty();
}

Result<std::vector<cloud::RowAccessPolicy>> SavedRowPolicies(const Manifest& manifest) {
  std::vector<cloud::RowAccessPolicy> policies;
  const Json* saved = SavedAccess(manifest, kRowPolicies);
  if (saved == nullptr || !saved->is_array()) return policies;
  for (const Json& json : *saved) {
    HF_ASSIGN_OR_RETURN(cloud::RowAccessPolicy policy, cloud::RowAccessPolicy::FromJson(json));
    policies.push_back(std::move(policy));
  }
  return policies;
}

Status SetRowPolicy(const Services& services, const TableRef& target,
                    const cloud::RowAccessPolicy& policy) {
  const Status created = services.definitions.CreateRowAccessPolicy(target, policy);
  if (created.ok() || created.error().code != Code::kAlreadyExists) return created;
  // An earlier process of this restore made it, or it is somebody else's.
  HF_ASSIGN_OR_RETURN(const auto there, services.definitions.ListRowAccessPolicies(target));
  return std::ranges::find(there, policy) != there.end() ? Ok() : created;
}

}  // namespace

Status RestoreRowPolicies(const Services& services, const Manifest& manifest,
                          const TableRef& target, std::vector<std::string>& notes) {
  if (SavedAccess(manifest, kRowPolicies) == nullptr) {
    notes.emplace_back(
        "whether it had row access policies was not saved with its backup: it has none now");
  }
  HF_ASSIGN_OR_RETURN(const auto policies, SavedRowPolicies(manifest));
  for (const cloud::RowAccessPolicy& policy : policies) {
    const Status set = SetRowPolicy(services, target, policy);
    const DatasetRef home = manifest.object.dataset_ref();
    if (target.dataset_ref() != home && MayNameDataset(policy.filter, home)) {
      notes.push_back(fmt::format("row access policy {} asks {} who may read, not {}", policy.id,
                                  home.ToString(), target.dataset_ref().ToString()));
    }
    if (set.ok()) continue;
    Error error = set.error();
    error.message = fmt::format(
        "row access policy {} cannot be set, and without it more people "
        "could read the table than before: {}",
        policy.id, error.message);
    error.hint = "To restore without who may read what, and set that by hand: --without-access";
    return error;
  }
  return Ok();
}

void RestoreIamPolicy(const Services& services, const Manifest& manifest, const TableRef& target,
                      std::vector<std::string>& notes) {
  const Json* iam = SavedAccess(manifest, kIamPolicy);
  if (!GrantsAnything(iam)) return;
  const Status set = services.definitions.SetIamPolicy(target, *iam);
  if (set.ok()) return;
  notes.push_back(fmt::format("its IAM policy is left out: {}; it was {}", set.error().message,
                              DumpJson(*iam)));
}

std::vector<std::string> AccessNotRestored(const Manifest& manifest) {
  std::vector<std::string> notes;
  const Json* rows = SavedAccess(manifest, kRowPolicies);
  if (rows != nullptr && !rows->empty()) {
    notes.push_back("row access policies left out, so all rows can be read: " + DumpJson(*rows));
  }
  if (const Json* iam = SavedAccess(manifest, kIamPolicy); GrantsAnything(iam)) {
    notes.push_back("IAM policy left out: " + DumpJson(*iam));
  }
  return notes;
}

}  // namespace holdfast::restore
