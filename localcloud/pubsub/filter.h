// The filter of a subscription: which messages it receives, by their attributes.
//
// The language is Google's: `attributes:key`, `attributes.key = "v"`, `!=`,
// `hasPrefix(attributes.key, "v")`, NOT (or '-'), and AND or OR, which mix only inside parentheses.
// A key that is no word of letters, digits, '-' and '_' is written as a string. Outside input: at
// most 256 bytes and so of bounded depth. A parsed filter is immutable; thread-safe. Source:
// cloud.google.com/pubsub/docs/subscription-message-filter.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace google::pubsub::v1 {
class PubsubMessage;
}

namespace holdfast::pubsub {

inline constexpr size_t kFilterBytesMax = 256;

class Filter {
 public:
  // Parses `text`; an empty one matches everything. Errors: kPubsubInvalidRequest, with the
  // position of what was not understood.
  static Result<Filter> Parse(std::string_view text);

  // Whether the subscription receives `message`. An absent attribute equals nothing: `!=` holds.
  bool Matches(const ::google::pubsub::v1::PubsubMessage& message) const;

  struct Node;  // of the expression's tree

 private:
  explicit Filter(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  std::shared_ptr<const Node> root_;  // shared: a Filter is copied with its subscription's settings
};

}  // namespace holdfast::pubsub
