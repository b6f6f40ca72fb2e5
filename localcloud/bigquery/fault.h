// Errors in BigQuery's words: a reason, where, and a message.
//
// The reason decides what a client does (retry, give up, look for a duplicate). A fault is what a
// job's status and an insertAll answer carry; the error document of a failed request is
// rest/api_error.h. Pure. Source: BigQuery REST `ErrorProto`, "Error messages".
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace holdfast::bigquery {

// ErrorProto: one thing that went wrong.
struct Fault {
  std::string reason;    // "invalid", "notFound", ...
  std::string location;  // the resource, the field or "query"; may be empty
  std::string message;

  // ErrorProto and back; a member that is absent or no text is "".
  Json ToJson() const;
  static Fault FromJson(const Json& json);
  bool operator==(const Fault&) const = default;
};

// The fault that an error of ours is.
Fault FaultOf(const Error& error);

// The error that a fault is: of a job, when its results are asked for.
Error ErrorOf(const Fault& fault);

// Whether the error's reason is "notFound".
bool IsNotFound(const Error& error);

// Errors of this module, in the form that Google words them; `reason` is set.
Error NotFound(std::string message);      // notFound, 404: "Not found: " + message
Error Duplicate(std::string message);     // duplicate, 409: "Already Exists: " + message
Error Invalid(std::string message);       // invalid, 400
Error InvalidQuery(std::string message);  // invalidQuery, 400
Error Required(std::string_view field);   // required, 400

}  // namespace holdfast::bigquery
