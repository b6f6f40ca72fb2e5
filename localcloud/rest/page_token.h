// Opaque page tokens and page sizes of list calls.
//
// A token holds a position (an offset, or the last key given) and is bound to its listing: a token
// that was altered, cut, made up or taken from another listing is refused with 400 invalid instead
// of skipping items silently. It is checked, not secret, and holds no state on the server. Pure
// functions. Source: AIP-158; BigQuery and Cloud Storage list methods.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace holdfast::rest {

// The token for the page that begins at (or after: the service's choice) `position` in `listing`.
// `listing` names what is listed with everything that changes order or content (parent, filter,
// prefix), but not the page size. URL-safe text.
std::string EncodePageToken(std::string_view listing, std::string_view position);
std::string EncodePageToken(std::string_view listing, int64_t offset);

// The position in `token`; "" for an empty token, which means the first page.
// Errors: kPageTokenInvalid with reason "invalid".
Result<std::string> DecodePageToken(std::string_view listing, std::string_view token);

// The same for offsets; 0 for an empty token.
Result<int64_t> DecodePageOffset(std::string_view listing, std::string_view token);

struct PageSizes {
  int64_t usual = 50;      // when the request names none, or 0
  int64_t maximum = 1000;  // more is cut down to this without an error, as Google does
};

// The page size in parameter `name` ("maxResults", "pageSize").
// Errors: kRestInvalidRequest with reason "invalid": not a number, or negative.
Result<int64_t> ReadPageSize(const net::QueryParameters& query, std::string_view name,
                             PageSizes sizes);

}  // namespace holdfast::rest
