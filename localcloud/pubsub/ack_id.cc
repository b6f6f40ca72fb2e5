#include "localcloud/pubsub/ack_id.h"

#include <array>
#include <charconv>

namespace holdfast::pubsub {

std::string AckId::ToString() const {
  std::string text;
  for (const int64_t part : {generation, subscription, message, lease}) {
    if (!text.empty()) text.push_back('-');
    text.append(std::to_string(part));
  }
  return text;
}

Result<AckId> ParseAckId(std::string_view text) {
  std::array<int64_t, 4> parts{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) at = at != end && *at == '-' ? at + 1 : end;
    const auto [rest, failure] = std::from_chars(at, end, parts[i]);
    if (failure != std::errc() || parts[i] < 0) {
      return MakeError(ErrorId::kPubsubInvalidRequest, "malformed acknowledgement id");
    }
    at = rest;
  }
  if (at != end) return MakeError(ErrorId::kPubsubInvalidRequest, "malformed acknowledgement id");
  return AckId{
      .generation = parts[0], .subscription = parts[1], .message = parts[2], .lease = parts[3]};
}

}  // namespace holdfast::pubsub
