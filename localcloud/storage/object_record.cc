#include "localcloud/storage/object_record.h"

namespace holdfast::storage {

bool BucketRecord::versioned() const {
  const Json* enabled = FindPath(settings, {"versioning", "enabled"});
  return enabled != nullptr && enabled->is_boolean() && enabled->get<bool>();
}

bool BucketRecord::default_event_based_hold() const {
  return BoolOr(settings, "defaultEventBasedHold", false);
}

bool ObjectRecord::held() const {
  return BoolOr(settings, "temporaryHold", false) || BoolOr(settings, "eventBasedHold", false);
}

std::optional<Timestamp> RetentionExpiration(const BucketRecord& bucket,
                                             const ObjectRecord& object) {
  if (!bucket.retention || BoolOr(object.settings, "eventBasedHold", false)) return std::nullopt;
  return object.retention_start.value_or(object.created) +
         std::chrono::seconds{bucket.retention->seconds};
}

}  // namespace holdfast::storage
