// Where a resource of Google Cloud lies: "EU", "europe-west3". Pure and thread-safe.
#pragma once

#include <algorithm>
#include <string_view>

namespace holdfast::gcp {

// Whether both name one location. The services differ in the case they answer in: Cloud Storage
// says "EUROPE-WEST3" of what BigQuery calls "europe-west3".
inline bool SameLocation(std::string_view a, std::string_view b) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  return std::ranges::equal(a, b, {}, upper, upper);
}

}  // namespace holdfast::gcp
