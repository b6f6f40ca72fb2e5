// "Did you mean": the known word that is nearest to one that was mistyped.
//
// Used for commands, flags, values and settings, so that every refusal of a word offers one. Pure.
// Source: interfaces.md "Bad value".
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace holdfast {

// The candidate with the fewest edits (insert, delete, replace, swap of two neighbours; case does
// not count) from `text`; the first of equals. Empty: none is near, where near is at most one edit
// for every three characters of `text`, and one at least.
std::string NearestWord(std::string_view text, std::span<const std::string> candidates);

// "did you mean \"nearest\"?", or empty when none is near.
std::string DidYouMean(std::string_view text, std::span<const std::string> candidates);

}  // namespace holdfast
