// The embedded BigQuery: the v2 REST API over the warehouse, the object store and a pool of job
// workers.
//
// `Open` takes up the jobs that an earlier process left unfinished; `Register` adds the routes
// under /bigquery/v2 and /upload/bigquery/v2. What is given in the dependencies must outlive the
// service, and the router must not be used after it. The upload directory, and the object store's,
// have to be among the warehouse's `readable_directories`. Thread-safe. Source: BigQuery REST
// reference v2.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "localcloud/rest/router.h"
#include "localcloud/storage/object_store.h"
#include "localcloud/warehouse/warehouse.h"

namespace holdfast::bigquery {

struct BigQueryOptions {
  std::string upload_directory;  // the service's own; created when absent
  int job_threads = 4;           // jobs that run at the same time
  // Called with each project that a request names, before anything is done for it; an error refuses
  // the request. Empty: every project is welcome. Thread-safe, idempotent.
  std::function<Status(const std::string& project)> ensure_project;
  // Every project there is, for projects.list. Empty: the list is empty.
  std::function<Result<std::vector<std::string>>()> list_projects;
};

class BigQueryService {
 public:
  // Blocks only to read what is on disk: jobs taken up run on. Errors: kFileError, kDiskFull of the
  // upload directory; those of localcloud/sqlite/database.h.
  static Result<std::unique_ptr<BigQueryService>> Open(BigQueryOptions options,
                                                       warehouse::Warehouse& warehouse,
                                                       storage::ObjectStore& objects, Clock& clock,
                                                       Random& random);
  // Asks running jobs to stop and waits for them; they run again at the next start.
  ~BigQueryService();
  BigQueryService(const BigQueryService&) = delete;
  BigQueryService& operator=(const BigQueryService&) = delete;

  // Adds the routes. Call before the router serves; once per router.
  void Register(rest::Router& router);

 private:
  class Implementation;
  explicit BigQueryService(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace holdfast::bigquery
