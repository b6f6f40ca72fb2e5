// multipart/related bodies of two parts: a JSON document, then bytes of any length.
//
// The first part is read whole, within a limit; the second streams into a file. Hostile input: every
// length is bounded and a body that is cut short is refused. Source: RFC 2387; Google's "multipart
// upload".
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "net/http.h"

namespace holdfast::bigquery {

// The boundary in a Content-Type header. Errors: reason "invalid".
Result<std::string> ParseBoundary(std::string_view content_type);

// Reads the body: returns the JSON part and writes the other to `path`, which must not exist.
// Errors: reason "invalid" for a malformed body; kFileError, kDiskFull.
Result<Json> ReadMultipart(const net::BodyReader& body, const std::string& boundary,
                           const std::string& path);

}  // namespace holdfast::bigquery
