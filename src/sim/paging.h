// Listings cut into pages as the services cut them, an empty page in the middle included.
//
// Every second page is empty though more follow: code that takes an empty page for the end fails
// here (google-semantics A1 #1). Pure function.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "cloud/page.h"

namespace holdfast::sim {

// The page after `token` of the items in order of key. A token is '0' or '1' and the last key
// shown; '1' asks for the empty page.
template <typename T>
cloud::Page<T> PageOf(const std::map<std::string, T>& items, const std::string& token,
                      size_t page_size) {
  cloud::Page<T> page;
  if (token.starts_with('1')) {
    page.next_page_token = "0" + token.substr(1);
    return page;
  }
  auto at = token.empty() ? items.begin() : items.upper_bound(token.substr(1));
  std::string last;
  for (; at != items.end() && page.items.size() < page_size; ++at) {
    page.items.push_back(at->second);
    last = at->first;
  }
  if (at != items.end()) page.next_page_token = "1" + last;
  return page;
}

}  // namespace holdfast::sim
