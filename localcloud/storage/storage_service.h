// The Cloud Storage JSON API over an ObjectStore: /storage/v1, /upload/storage/v1,
// /download/storage/v1.
//
// Only translates: parses requests, applies the store's calls, renders resources and Google's error
// documents. Bodies stream in both directions; memory per request is bounded by the options
// whatever an object's size. Thread-safe. Source: Cloud Storage JSON API v1 reference.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "localcloud/rest/router.h"
#include "localcloud/storage/object_store.h"

namespace holdfast::storage {

struct StorageServiceOptions {
  // Called with the project that a request names; an error refuses the request. Empty: every
  // project is welcome.
  std::function<Status(const std::string& project)> ensure_project;
  // The number of a project ("123"), which a bucket's resource tells; "" when it has none. Empty:
  // no project has a number.
  std::function<std::string(const std::string& project)> project_number;
  size_t metadata_bytes_max = size_t{1} << 20U;  // of a JSON body or the metadata part of an upload
};

// Adds the routes to `router`. `store` must outlive it.
void RegisterStorageRoutes(rest::Router& router, ObjectStore& store,
                           StorageServiceOptions options = {});

}  // namespace holdfast::storage
