#include "retain/replicas.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "retain/pins.h"

namespace holdfast::retain {

namespace {

// nullopt: there is no such repository, or none any more.
Result<std::optional<repository::Repository>> OpenIfThere(const Services& services,
                                                          const repository::Location& place) {
  auto repository = repository::Repository::Open(services.objects, place);
  if (repository.ok()) return std::optional(*std::move(repository));
  const ErrorId id = repository.error().id;
  if (id == ErrorId::kRepositoryNotFound || id == ErrorId::kBucketNotFound) {
    return std::optional<repository::Repository>();
  }
  return repository.error().WithContext(place.Uri());
}

cloud::ObjectRef ManifestRef(const Replica& replica, const Tombstone& tombstone) {
  const repository::Location& place = replica.repository;
  return {place.bucket, repository::ManifestName(place.prefix, tombstone.object, tombstone.backup),
          replica.manifest_generation};
}

// Whether one is there, the one that was marked or a later one.
Result<bool> HasManifest(const Services& services, const Replica& replica,
                         const Tombstone& tombstone) {
  cloud::ObjectRef any = ManifestRef(replica, tombstone);
  any.generation = 0;
  HF_ASSIGN_OR_RETURN(const auto manifest, services.objects.StatObject(any));
  return manifest.has_value();
}

}  // namespace

Result<std::vector<Replica>> FindReplicas(const Services& services, const repository::Location& own,
                                          const TableRef& object, const std::string& backup,
                                          const std::string& location) {
  std::vector<Replica> replicas;
  if (!services.further_places) return replicas;
  for (const repository::Location& place : services.further_places(object, location)) {
    if (place == own) continue;
    HF_ASSIGN_OR_RETURN(auto repository, OpenIfThere(services, place));
    if (!repository) continue;
    const std::string name = repository::ManifestName(place.prefix, object, backup);
    HF_ASSIGN_OR_RETURN(const auto info, services.objects.StatObject({place.bucket, name, 0}));
    if (!info) continue;
    const auto manifest =
        repository->ReadManifest(repository::ManifestEntry{.path = {}, .info = *info});
    if (!manifest.ok() && manifest.error().id == ErrorId::kManifestDamaged) {
      LogWarning("a damaged copy of a backup is left where it is",
                 {{"repository", place.Uri()}, {"backup", backup}});
      continue;
    }
    if (!manifest.ok()) return manifest.error().WithContext(place.Uri());
    Replica& replica = replicas.emplace_back();
    replica.repository = place;
    replica.manifest_generation = info->ref.generation;
    replica.data = DataOf(*manifest);
  }
  return replicas;
}

Result<std::vector<std::string>> ReasonsToKeepReplicas(const Services& services,
                                                       const repository::Location& own,
                                                       const Tombstone& tombstone,
                                                       const std::string& location) {
  std::vector<std::string> reasons;
  HF_ASSIGN_OR_RETURN(const auto found,
                      FindReplicas(services, own, tombstone.object, tombstone.backup, location));
  for (const Replica& replica : found) {
    const bool is_marked = std::ranges::any_of(tombstone.replicas, [&](const Replica& marked) {
      return marked.repository == replica.repository &&
             marked.manifest_generation == replica.manifest_generation;
    });
    if (is_marked) continue;
    reasons.push_back(
        fmt::format("it was copied to {} after it was marked", replica.repository.Uri()));
  }
  for (const Replica& replica : tombstone.replicas) {
    HF_ASSIGN_OR_RETURN(auto repository, OpenIfThere(services, replica.repository));
    if (!repository) continue;
    HF_RETURN_IF_ERROR(WriteIntent(*repository, tombstone.backup));
    HF_ASSIGN_OR_RETURN(const PinCounts counts,
                        CountKeepers(*repository, tombstone.backup, services.clock.Now()));
    if (counts.pins + counts.holds == 0) continue;
    reasons.push_back(fmt::format("it is pinned in {}", replica.repository.Uri()));
  }
  return reasons;
}

Status WithdrawReplicaIntents(const Services& services, const Tombstone& tombstone) {
  for (const Replica& replica : tombstone.replicas) {
    HF_ASSIGN_OR_RETURN(auto repository, OpenIfThere(services, replica.repository));
    if (repository) HF_RETURN_IF_ERROR(WithdrawIntent(*repository, tombstone.backup));
  }
  return Ok();
}

Status DeleteReplicaManifests(const Services& services, const Tombstone& tombstone) {
  for (const Replica& replica : tombstone.replicas) {
    HF_RETURN_IF_ERROR(services.objects.DeleteObject(ManifestRef(replica, tombstone))
                           .WithContext(replica.repository.Uri()));
  }
  return Ok();
}

Status DeleteReplicaData(const Services& services, const Tombstone& tombstone) {
  for (const Replica& replica : tombstone.replicas) {
    HF_ASSIGN_OR_RETURN(const bool whole, HasManifest(services, replica, tombstone));
    if (whole) continue;
    HF_ASSIGN_OR_RETURN(auto repository, OpenIfThere(services, replica.repository));
    if (!repository) continue;
    for (const cloud::ObjectRef& object : replica.data) {
      HF_RETURN_IF_ERROR(services.objects.DeleteObject(object).WithContext(object.Uri()));
    }
    HF_RETURN_IF_ERROR(LeaveWord(*repository, tombstone));
  }
  return Ok();
}

}  // namespace holdfast::retain
