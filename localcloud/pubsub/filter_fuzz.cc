// The filter parser takes any bytes and answers with a filter or an error, never a crash.
#include <google/pubsub/v1/pubsub.pb.h>

#include <cstdint>

#include "localcloud/pubsub/filter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto filter = holdfast::pubsub::Filter::Parse(text);
  if (!filter.ok()) return 0;
  google::pubsub::v1::PubsubMessage message;
  (*message.mutable_attributes())["key"] = std::string(text.substr(0, 16));
  (void)filter->Matches(message);
  return 0;
}
