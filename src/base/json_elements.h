// The elements of a large JSON array, one at a time, in the memory of one of them.
//
// For documents of others that hold any number of entries: ParseJson would keep them all, at about
// twenty times the size of their text.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace holdfast {

// Takes an element and its number, the first being 1.
using VisitElement = std::function<void(size_t number, Json&& element)>;

// Visits the elements of the array that `text` is. Errors: kInvalidJson (with the byte position;
// what comes before it was visited) and kLimitExceeded as ParseJson's; kInvalidJson where it is no
// array, of which nothing was visited.
Status ForEachElement(std::string_view text, JsonLimits limits, const VisitElement& visit);

}  // namespace holdfast
