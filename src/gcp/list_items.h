// The items of one page of a Google listing.
//
// A page without items leaves the field out; anything but an array in it is an error, since a
// listing cut short is data that no one backs up (google-semantics A1 #1). Pure.
#pragma once

#include <span>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace holdfast::gcp {

// The items in the field `key` of `page`, none when it is absent. They live as long as `page`.
// Errors: kInvalidJson.
Result<std::span<const Json>> ListItems(const Json& page, std::string_view key);

}  // namespace holdfast::gcp
