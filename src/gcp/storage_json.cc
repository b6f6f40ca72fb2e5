#include "gcp/storage_json.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/hash.h"

namespace holdfast::gcp {

Result<uint32_t> ParseCrc32c(std::string_view base64) {
  HF_ASSIGN_OR_RETURN(const std::string bytes, Base64Decode(base64));
  if (bytes.size() != 4) return MakeError(ErrorId::kInvalidJson, "a crc32c is not of four bytes");
  uint32_t crc = 0;
  for (const char byte : bytes) crc = (crc << 8U) | static_cast<unsigned char>(byte);
  return crc;
}

Result<cloud::ObjectInfo> ObjectFromJson(const Json& json) {
  cloud::ObjectInfo object;
  HF_ASSIGN_OR_RETURN(object.ref.bucket, RequiredString(json, "bucket"));
  HF_ASSIGN_OR_RETURN(object.ref.name, RequiredString(json, "name"));
  HF_ASSIGN_OR_RETURN(object.ref.generation, RequiredInt64(json, "generation"));
  HF_ASSIGN_OR_RETURN(object.size_bytes, RequiredInt64(json, "size"));
  HF_ASSIGN_OR_RETURN(const std::string crc, RequiredString(json, "crc32c"));
  HF_ASSIGN_OR_RETURN(object.crc32c, ParseCrc32c(crc));
  if (const auto created = ParseTimestamp(StringOr(json, "timeCreated", "")); created.ok()) {
    object.created_ms = ToUnixMillis(*created);
  }
  return object;
}

Result<cloud::BucketInfo> BucketFromJson(const Json& json) {
  cloud::BucketInfo bucket;
  HF_ASSIGN_OR_RETURN(bucket.name, RequiredString(json, "name"));
  bucket.location = StringOr(json, "location", "");
  bucket.project = StringOr(json, "projectNumber", "");
  if (const Json* retention = FindField(json, "retentionPolicy")) {
    HF_ASSIGN_OR_RETURN(bucket.retention_seconds, OptionalInt64(*retention, "retentionPeriod"));
    bucket.retention_locked = BoolOr(*retention, "isLocked", false);
  }
  const Json* rules = FindPath(json, {"lifecycle", "rule"});
  for (const Json& rule : rules != nullptr && rules->is_array() ? *rules : Json::array()) {
    const Json* condition = FindField(rule, "condition");
    const Json* action = FindField(rule, "action");
    if (condition == nullptr || action == nullptr || condition->size() != 1) continue;
    if (StringOr(*action, "type", "") != "Delete") continue;
    HF_ASSIGN_OR_RETURN(bucket.delete_after_days, OptionalInt64(*condition, "age"));
  }
  return bucket;
}

std::string ObjectPath(const cloud::ObjectRef& object) {
  return fmt::format("/storage/v1/b/{}/o/{}", net::PercentEncode(object.bucket),
                     net::PercentEncode(object.name));
}

RestCall ObjectCall(const cloud::ObjectRef& object) {
  RestCall call{.path = ObjectPath(object), .what = object.Uri(), .names = kObjectErrors};
  if (object.generation != 0) call.query.Add("generation", std::to_string(object.generation));
  return call;
}

}  // namespace holdfast::gcp
