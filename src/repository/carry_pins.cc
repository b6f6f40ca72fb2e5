#include "repository/carry_pins.h"

namespace holdfast::repository {

Status CarryPins(cloud::ObjectStore& store, const Location& from, const Location& to,
                 const std::string& backup) {
  const std::string prefix = PinsPrefix(from.prefix, backup);
  const Status carried = cloud::ForEachPage<cloud::ObjectInfo>(
      [&](const std::string& token) { return store.ListObjects(from.bucket, prefix, token); },
      [&](cloud::ObjectInfo&& pin) -> Status {
        const std::string name = PinsPrefix(to.prefix, backup) + pin.ref.name.substr(prefix.size());
        const auto copied = store.CopyObject(pin.ref, {to.bucket, name, 0});
        if (!copied.ok() && copied.error().id != ErrorId::kObjectExists) return copied.error();
        return Ok();
      });
  if (!carried.ok() && carried.error().id == ErrorId::kBucketNotFound) return Ok();
  return carried;
}

}  // namespace holdfast::repository
