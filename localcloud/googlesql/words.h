// Words of GoogleSQL, whose letters count without case.
//
// Pure functions over ASCII; other bytes compare as they are.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::googlesql {

// `text` with a-z as A-Z.
std::string UpperCase(std::string_view text);

// `text` with A-Z as a-z.
std::string LowerCase(std::string_view text);

// Whether the two are equal but for the case of letters.
bool SameWord(std::string_view left, std::string_view right);

}  // namespace holdfast::googlesql
