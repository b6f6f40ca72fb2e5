// A good document with edits that outside bytes choose: reaches the members of a strict format,
// which random text hardly ever does.
//
// Used by fuzzers. Pure; one call, one document.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace holdfast::testing_support {

// Each line of `edits` is one edit: its first byte chooses a place of `document` (counted in the
// order of its flattened form, containers included), the rest is the JSON text to put there, or
// when it is no JSON the string of those bytes; an empty rest removes the member.
inline Json EditedJson(Json document, std::string_view edits) {
  while (!edits.empty()) {
    const size_t end = edits.find('\n');
    const std::string_view edit = edits.substr(0, end);
    edits = end == std::string_view::npos ? std::string_view() : edits.substr(end + 1);
    if (edit.empty()) continue;
    std::vector<Json*> places = {&document};
    for (size_t i = 0; i < places.size() && places.size() < 256; ++i) {
      if (!places[i]->is_structured()) continue;
      for (auto& member : *places[i]) places.push_back(&member);
    }
    Json* const place = places[static_cast<unsigned char>(edit[0]) % places.size()];
    const std::string_view value = edit.substr(1);
    if (value.empty()) {
      if (place->is_structured() && !place->empty()) place->erase(place->begin());
    } else if (auto parsed = ParseJson(value); parsed.ok()) {
      *place = *std::move(parsed);
    } else {
      *place = std::string(value);
    }
  }
  return document;
}

}  // namespace holdfast::testing_support
