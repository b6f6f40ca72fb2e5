// Load jobs whose bytes come with the request: multipart and resumable uploads.
//
// Bytes stream to a file of the service's own; the load job reads it and deletes it. A resumable
// upload is a session (a file of bytes and one of the job's description) that survives a restart
// and tells how far it got. Sessions and files that nobody finished within a week are removed when
// the service opens. Thread-safe; one session is written by one request at a time. Source: "Loading
// data with a POST request"; Google's resumable upload protocol.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "localcloud/bigquery/jobs.h"
#include "localcloud/bigquery/service_context.h"
#include "localcloud/rest/router.h"
#include "net/http_server.h"

namespace holdfast::bigquery {

class Uploads {
 public:
  // Both must outlive this.
  Uploads(const ServiceContext& context, Jobs& jobs) : context_(context), jobs_(jobs) {}

  // Creates the directory and removes what was left over, but for the files in `keep`: uploads of
  // jobs that will run again.
  Status Open(const std::set<std::string>& keep);

  // POST /upload/bigquery/v2/projects/{projectId}/jobs: a whole multipart upload, or the beginning
  // of a resumable one. Blocks until the bytes are read. Failures are error documents.
  net::HttpResponse Begin(net::ServerRequest& http, const rest::PathParameters& path);

  // PUT of the same path with upload_id: the next bytes, or the question how many there are.
  net::HttpResponse Continue(net::ServerRequest& http, const rest::PathParameters& path);

 private:
  Result<Json> InsertMultipart(net::ServerRequest& http, const rest::PathParameters& path);
  Result<std::string> BeginSession(net::ServerRequest& http);
  Result<Json> FinishSession(const std::string& id, const rest::PathParameters& path);
  std::string PathOf(const std::string& id, std::string_view suffix) const;

  const ServiceContext& context_;
  Jobs& jobs_;
  std::mutex mutex_;
  std::set<std::string> busy_;  // sessions that a request is writing
};

}  // namespace holdfast::bigquery
