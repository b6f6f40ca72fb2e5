// PageReader: a paged listing read one item at a time, a page in memory.
//
// For listings that are read side by side, where cloud::ForEachPage will not do. Used by one
// thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "base/result.h"
#include "cloud/page.h"

namespace holdfast::cloud {

template <typename T>
class PageReader {
 public:
  using List = std::function<Result<Page<T>>(const std::string& page_token)>;

  explicit PageReader(List list) : list_(std::move(list)) {}

  // The item that is next; nullptr at the end. It stays until Next. Errors: the listing's.
  Result<const T*> Peek() {
    while (at_ == page_.items.size()) {
      if (begun_ && page_.next_page_token.empty()) return static_cast<const T*>(nullptr);
      HF_ASSIGN_OR_RETURN(page_, list_(page_.next_page_token));
      begun_ = true;
      at_ = 0;
    }
    return &page_.items[at_];
  }

  // Goes on behind it; Peek gave one.
  void Next() { ++at_; }

 private:
  List list_;
  Page<T> page_;
  size_t at_ = 0;
  bool begun_ = false;
};

}  // namespace holdfast::cloud
