#include "cloud/message_bus.h"

namespace holdfast::cloud {

Status CheckMessage(const Message& message) {
  const auto refuse = [](std::string why) {
    return MakeError(ErrorId::kLimitExceeded, "message: " + std::move(why));
  };
  size_t size = message.data.size() + message.ordering_key.size();
  for (const auto& [key, value] : message.attributes) {
    if (key.empty() || key.size() > kAttributeKeyBytesMax) {
      return refuse("an attribute's key must have 1 to 256 bytes");
    }
    if (value.size() > kAttributeValueBytesMax) {
      return refuse("attribute \"" + key + "\" is longer than 1024 bytes");
    }
    size += key.size() + value.size();
  }
  if (message.data.empty() && message.attributes.empty()) return refuse("no data, no attribute");
  if (message.attributes.size() > kMessageAttributesMax) {
    return refuse("more than 100 attributes");
  }
  if (message.ordering_key.size() > kOrderingKeyBytesMax) {
    return refuse("the ordering key is longer than 1024 bytes");
  }
  return size > kMessageBytesMax ? refuse("larger than 9,900,000 bytes") : Ok();
}

}  // namespace holdfast::cloud
