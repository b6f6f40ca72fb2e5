#include "repository/leftovers.h"

#include <optional>
#include <set>

namespace holdfast::repository {

namespace {

constexpr size_t kFailuresMax = 100;

// What the manifest of one backup says of its data; kept while objects of that backup come by.
struct Claim {
  std::string manifest_name;
  bool in_doubt = false;          // it is there and cannot be read
  std::set<std::string> claimed;  // the names it lists; none when there is no manifest
};

Result<Claim> ReadClaim(Repository& repository, const std::string& manifest_name) {
  Claim claim{.manifest_name = manifest_name, .in_doubt = false, .claimed = {}};
  const std::string& prefix = repository.location().prefix;
  const cloud::ObjectRef name{repository.location().bucket, manifest_name, 0};
  const auto path = ParseManifestName(prefix, manifest_name);
  if (!path) {
    claim.in_doubt = true;
    return claim;
  }
  const auto manifest = repository.ReadManifest(ManifestEntry{*path, {.ref = name}});
  if (manifest.ok()) {
    for (const DataObject& object : manifest->objects) claim.claimed.insert(object.name);
    return claim;
  }
  if (manifest.error().id == ErrorId::kManifestNotFound) return claim;
  if (manifest.error().id != ErrorId::kManifestDamaged &&
      manifest.error().id != ErrorId::kManifestVersion) {
    return manifest.error();
  }
  claim.in_doubt = true;
  return claim;
}

// The claim on a data object, read anew only when the object is of another backup than the last
// one. nullopt: the name is not of our layout.
Result<std::optional<const Claim*>> ClaimOn(Repository& repository, const std::string& object_name,
                                            std::optional<Claim>& last) {
  const std::string& prefix = repository.location().prefix;
  const auto path = ParseDataName(prefix, object_name);
  if (!path) return std::optional<const Claim*>();
  const std::string manifest_name = ManifestNameOf(prefix, *path);
  if (!last || last->manifest_name != manifest_name) {
    HF_ASSIGN_OR_RETURN(last, ReadClaim(repository, manifest_name));
  }
  return std::optional<const Claim*>(&*last);
}

}  // namespace

Result<LeftoverPlan> PlanLeftovers(Repository& repository, const TableRef& scope, Timestamp now,
                                   const LeftoverOptions& options) {
  const int64_t newest_ms = ToUnixMillis(now - options.grace);
  const std::string prefix = DataPrefix(repository.location().prefix, scope);
  LeftoverPlan plan;
  std::optional<Claim> last;
  const auto visit = [&](cloud::ObjectInfo&& info) -> Status {
    HF_ASSIGN_OR_RETURN(const auto claim, ClaimOn(repository, info.ref.name, last));
    if (!claim || (*claim)->in_doubt) {
      ++plan.kept_in_doubt;
    } else if ((*claim)->claimed.contains(info.ref.name)) {
      return Ok();
    } else if (info.created_ms > newest_ms) {
      ++plan.kept_young;
    } else if (plan.objects.size() == options.objects_max) {
      plan.truncated = true;
    } else {
      plan.bytes += info.size_bytes;
      plan.objects.push_back(std::move(info));
    }
    return Ok();
  };
  const Status listed = cloud::ForEachPage<cloud::ObjectInfo>(
      [&](const std::string& token) -> Result<cloud::Page<cloud::ObjectInfo>> {
        if (plan.truncated) return cloud::Page<cloud::ObjectInfo>{};
        return repository.store().ListObjects(repository.location().bucket, prefix, token);
      },
      visit);
  HF_RETURN_IF_ERROR(listed);
  return plan;
}

Result<LeftoverReport> CollectLeftovers(Repository& repository, const LeftoverPlan& plan) {
  LeftoverReport report;
  std::optional<Claim> last;
  for (const cloud::ObjectInfo& info : plan.objects) {
    HF_ASSIGN_OR_RETURN(const auto claim, ClaimOn(repository, info.ref.name, last));
    if (!claim || (*claim)->in_doubt || (*claim)->claimed.contains(info.ref.name)) {
      ++report.kept;
      continue;
    }
    const Status deleted = repository.store().DeleteObject(info.ref);
    if (deleted.ok()) {
      ++report.deleted;
      report.bytes += info.size_bytes;
    } else if (report.failures.size() < kFailuresMax) {
      report.failures.push_back(deleted.error().WithContext(info.ref.Uri()));
    }
  }
  return report;
}

}  // namespace holdfast::repository
