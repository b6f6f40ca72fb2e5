// One page of a listing, and the loop that reads them all.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace holdfast::cloud {

template <typename T>
struct Page {
  std::vector<T> items;         // may be empty in the middle of a listing
  std::string next_page_token;  // empty: this was the last page
};

// Calls `visit` for each item of every page that `list(page_token)` gives. A token that repeats is
// an error (kPageTokenRepeated), never a silent end: a listing cut short is data that no one backs
// up (google-semantics A1 #1).
template <typename T>
Status ForEachPage(const std::function<Result<Page<T>>(const std::string& page_token)>& list,
                   const std::function<Status(T&& item)>& visit) {
  std::string token;
  while (true) {
    HF_ASSIGN_OR_RETURN(Page<T> page, list(token));
    for (T& item : page.items) HF_RETURN_IF_ERROR(visit(std::move(item)));
    if (page.next_page_token.empty()) return Ok();
    if (page.next_page_token == token) {
      return MakeError(ErrorId::kPageTokenRepeated, "the service gave the same page token twice");
    }
    token = std::move(page.next_page_token);
  }
}

}  // namespace holdfast::cloud
