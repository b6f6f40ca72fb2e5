// What a restore is given besides its plan. References outlive it; all of it is thread-safe.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "cloud/definitions.h"
#include "cloud/object_store.h"
#include "cloud/run_job.h"
#include "cloud/warehouse.h"
#include "verify/verify_recorded.h"

namespace holdfast::restore {

struct Services {
  cloud::Warehouse& warehouse;
  cloud::Definitions& definitions;
  cloud::ObjectStore& objects;
  catalog::Catalog& catalog;
  Clock& clock;
  Random& random;
  std::string staging_bucket_pattern;  // {project} and {location} are the target's
  std::function<void(const std::string& step)> on_step = [](const std::string&) {};
  verify::FurtherPlaces further_places = {};
};

// The staging bucket of a target, created if absent.
Result<std::string> EnsureStagingBucket(const Services& services, const std::string& project,
                                        const std::string& location);

// Deletes every object below a prefix of the staging bucket. What cannot be deleted is logged: it
// costs storage only.
void DeleteStaged(const Services& services, const std::string& bucket, const std::string& prefix);

}  // namespace holdfast::restore
