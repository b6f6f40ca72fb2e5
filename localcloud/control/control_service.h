// Resource Manager v3 over REST: organizations (get, search), folders (create, get, list, search)
// and projects (create, get, list, search, patch, delete, undelete), under /v3.
//
// Only translates; the store decides. Operations are done when they are answered, so each comes
// back with "done": true and its response. Thread-safe. Source: cloudresourcemanager v3 REST
// reference.
#pragma once

#include "localcloud/control/control_store.h"
#include "localcloud/rest/router.h"

namespace holdfast::control {

// Adds the routes to `router`. `store` must outlive it.
void RegisterControlRoutes(rest::Router& router, ControlStore& store);

}  // namespace holdfast::control
