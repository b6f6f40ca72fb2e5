// What prune is given. References outlive every call; all of it is thread-safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "cloud/definitions.h"
#include "cloud/object_store.h"
#include "cloud/warehouse.h"
#include "model/resource_names.h"
#include "model/retention.h"
#include "repository/layout.h"

namespace holdfast::retain {

struct Services {
  cloud::Warehouse& warehouse;
  cloud::Definitions& definitions;
  cloud::ObjectStore& objects;
  catalog::Catalog& catalog;
  Clock& clock;
  Random& random;
  // The retention of an object: the one place where prune asks for it.
  std::function<Result<RetentionPolicy>(const TableRef& object)> policy_of;
  // The further repositories that a backup of the object, made in this location, may have been
  // copied to. Unset: none.
  std::function<std::vector<repository::Location>(const TableRef& object,
                                                  const std::string& location)>
      further_places = {};
};

}  // namespace holdfast::retain
