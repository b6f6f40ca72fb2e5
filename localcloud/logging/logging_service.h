// Cloud Logging v2 over REST: entries:write and entries:list.
//
// Only translates; the store keeps. A write is taken whole or, with partialSuccess, without the
// entries that are wrong. Listing is of one project at a time. Thread-safe. Source: Cloud Logging
// v2 REST reference.
#pragma once

#include <functional>
#include <string>

#include "base/random.h"
#include "localcloud/logging/log_store.h"
#include "localcloud/rest/router.h"

namespace holdfast::logging {

struct LoggingServices {
  LogStore& store;
  const Clock& clock;
  Random& random;
  std::function<Status(const std::string& project)> ensure_project;
};

// Adds the routes to `router`; what the services refer to outlives it.
void RegisterLoggingRoutes(rest::Router& router, const LoggingServices& services);

}  // namespace holdfast::logging
