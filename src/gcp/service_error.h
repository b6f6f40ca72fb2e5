// Google's error answers as ours: one table from the service's `reason` to code and error id.
//
// The reason decides, not the HTTP status: a 403 may mean "slow down", "come back tomorrow" or
// "never". An unknown reason fails closed: it is not retried unless the status itself says so.
// Source: google-semantics.md A5 #38, #40.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "net/http.h"

namespace holdfast::gcp {

// What to call a 404 and a 409 of this request: a table, a dataset, a bucket...
struct ErrorNames {
  ErrorId not_found = ErrorId::kServiceRejected;
  ErrorId exists = ErrorId::kServiceRejected;
};

// The Error::reason of a call to an API that is not enabled in its project, however the service put
// it; the id is kAccessDenied.
inline constexpr std::string_view kApiDisabled = "accessNotConfigured";

// The Error of an answer whose status is not 2xx. `what` names the object ("table a.b.c"). A body
// that is not Google's JSON (a proxy's HTML, a cut-off text) is tolerated and classified by status.
Error ErrorFromResponse(const net::HttpResponse& response, std::string_view what,
                        const ErrorNames& names);

// The Error of an `ErrorProto` {reason, location, message}, as in a job's status.errorResult.
Error ErrorFromReason(std::string_view reason, std::string_view message, std::string_view what,
                      const ErrorNames& names);

}  // namespace holdfast::gcp
