// The acknowledgement id of one hand-out: opaque to clients, four numbers to the broker.
//
// It names the hand-out, not the message, so that a consumer whose lease ran out cannot acknowledge
// for the one who has the message now. Outside input when it comes back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::pubsub {

struct AckId {
  int64_t generation = 0;  // the life of the broker in which it was made
  int64_t subscription = 0;
  int64_t message = 0;
  int64_t lease = 0;

  // The four numbers in decimal, parted by '-'.
  std::string ToString() const;
  auto operator<=>(const AckId&) const = default;
};

// Errors: kPubsubInvalidRequest when `text` was not made by ToString.
Result<AckId> ParseAckId(std::string_view text);

}  // namespace holdfast::pubsub
