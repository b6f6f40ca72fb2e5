#include "localcloud/storage/resource_json.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "base/hash.h"
#include "localcloud/rest/labels.h"
#include "net/http.h"

namespace holdfast::storage {
namespace {

enum class Kind { kText, kBool, kObject, kArray, kTextMap, kTime };

struct Field {
  const char* name;
  Kind kind;
};

constexpr Field kBucketFields[] = {
    {"location", Kind::kText},
    {"storageClass", Kind::kText},
    {"labels", Kind::kTextMap},
    {"versioning", Kind::kObject},
    {"lifecycle", Kind::kObject},
    {"defaultEventBasedHold", Kind::kBool},
    {"website", Kind::kObject},
    {"cors", Kind::kArray},
    {"logging", Kind::kObject},
    {"billing", Kind::kObject},
    {"encryption", Kind::kObject},
    {"iamConfiguration", Kind::kObject},
    {"rpo", Kind::kText},
    {"autoclass", Kind::kObject},
    {"customPlacementConfig", Kind::kObject},
    {"softDeletePolicy", Kind::kObject},
    {"acl", Kind::kArray},
    {"defaultObjectAcl", Kind::kArray},
};

constexpr Field kObjectFields[] = {
    {"cacheControl", Kind::kText},
    {"contentDisposition", Kind::kText},
    {"contentEncoding", Kind::kText},
    {"contentLanguage", Kind::kText},
    {"contentType", Kind::kText},
    {"storageClass", Kind::kText},
    {"metadata", Kind::kTextMap},
    {"customTime", Kind::kTime},
    {"eventBasedHold", Kind::kBool},
    {"temporaryHold", Kind::kBool},
    {"acl", Kind::kArray},
    {"contexts", Kind::kObject},
};

Error Refusal(ErrorId id, std::string message, std::string_view reason) {
  return WithReason(reason, MakeError(id, std::move(message)));
}

Error InvalidField(const std::string& name, const std::string& what) {
  return Refusal(ErrorId::kStorageInvalid, "field " + name + ": " + what, "invalid");
}

bool HasControlCharacter(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20U || byte == 0x7FU;
  });
}

// Text fields become response headers of a download, where a line break would forge another header.
Status CheckText(const Field& field, const Json& value) {
  if (!value.is_string()) return InvalidField(field.name, "must be a string");
  if (HasControlCharacter(value.get<std::string>())) {
    return InvalidField(field.name, "must not have control characters");
  }
  return Ok();
}

Status CheckTextMap(const Field& field, const Json& value) {
  const bool texts =
      value.is_object() && std::all_of(value.begin(), value.end(), [](const Json& entry) {
        return entry.is_string() || entry.is_null();
      });
  return texts ? Ok() : Status(InvalidField(field.name, "must be an object of strings"));
}

Status CheckField(const Field& field, const Json& value) {
  switch (field.kind) {
    case Kind::kText:
      return CheckText(field, value);
    case Kind::kTextMap:
      return CheckTextMap(field, value);
    case Kind::kBool:
      if (!value.is_boolean()) return InvalidField(field.name, "must be a boolean");
      return Ok();
    case Kind::kObject:
      if (!value.is_object()) return InvalidField(field.name, "must be an object");
      return Ok();
    case Kind::kArray:
      if (!value.is_array()) return InvalidField(field.name, "must be a list");
      return Ok();
    case Kind::kTime:
      if (!value.is_string() || !ParseTimestamp(value.get<std::string>()).ok()) {
        return InvalidField(field.name, "must be an RFC 3339 time");
      }
      return Ok();
  }
  return Ok();
}

template <size_t N>
Result<Json> Settings(const Json& body, const Field (&fields)[N]) {
  if (!body.is_object()) {
    return Refusal(ErrorId::kStorageInvalid, "the body is not a JSON object", "parseError");
  }
  Json settings = Json::object();
  for (const Field& field : fields) {
    const auto value = body.find(field.name);
    if (value == body.end()) continue;
    if (!value->is_null()) HF_RETURN_IF_ERROR(CheckField(field, *value));
    settings[field.name] = *value;
  }
  return settings;
}

std::string LocationType(const std::string& location) {
  for (const char* multi_region : {"US", "EU", "ASIA"}) {
    if (location == multi_region) return "multi-region";
  }
  return location.find_first_of("0123456789") == std::string::npos ? "multi-region" : "region";
}

// Etags have the form of Google's: a protobuf of generation (1) and metageneration (2), in base64.
std::string EncodeEtag(std::initializer_list<int64_t> numbers) {
  std::string bytes;
  char tag = 0x08;
  for (const int64_t number : numbers) {
    bytes.push_back(tag);
    auto rest = static_cast<uint64_t>(number);
    for (; rest >= 0x80U; rest >>= 7U) bytes.push_back(static_cast<char>((rest & 0x7FU) | 0x80U));
    bytes.push_back(static_cast<char>(rest));
    tag = 0x10;
  }
  return Base64Encode(bytes);
}

Result<uint32_t> DecodeCrc32c(std::string_view text) {
  const auto bytes = Base64Decode(text);
  if (!bytes.ok() || bytes->size() != 4) return InvalidField("crc32c", "must be 4 bytes in base64");
  uint32_t crc = 0;
  for (const char c : *bytes) crc = crc << 8U | static_cast<unsigned char>(c);
  return crc;
}

Result<std::string> DecodeMd5(std::string_view text) {
  auto bytes = Base64Decode(text);
  if (!bytes.ok() || bytes->size() != 16) return InvalidField("md5", "must be 16 bytes in base64");
  return *std::move(bytes);
}

// The retention period that a body sets: absent, null (removed), or seconds.
Status ApplyRetention(const Json& body, bool replace, BucketRecord& bucket) {
  const auto policy = body.find("retentionPolicy");
  if (policy == body.end() && !replace) return Ok();
  if (policy == body.end() || policy->is_null()) {
    bucket.retention.reset();
    return Ok();
  }
  const auto seconds = OptionalInt64(*policy, "retentionPeriod");
  if (!policy->is_object() || !seconds.ok()) {
    return InvalidField("retentionPolicy.retentionPeriod", "must be a number of seconds");
  }
  bucket.retention.reset();
  if (*seconds) bucket.retention = RetentionPolicy{.seconds = **seconds};
  return Ok();
}

// What a bucket does not say of it, Google's answers do.
Json IamConfiguration(const Json& settings) {
  Json configuration = {{"uniformBucketLevelAccess", {{"enabled", false}}},
                        {"publicAccessPrevention", "inherited"}};
  if (const Json* own = FindField(settings, "iamConfiguration")) configuration.merge_patch(*own);
  return configuration;
}

Status CheckIamConfiguration(const Json& settings) {
  const Json* enabled =
      FindPath(settings, {"iamConfiguration", "uniformBucketLevelAccess", "enabled"});
  if (enabled != nullptr && !enabled->is_boolean()) {
    return InvalidField("iamConfiguration.uniformBucketLevelAccess.enabled", "must be a boolean");
  }
  const Json* prevention = FindPath(settings, {"iamConfiguration", "publicAccessPrevention"});
  if (prevention != nullptr && *prevention != "enforced" && *prevention != "inherited") {
    return InvalidField("iamConfiguration.publicAccessPrevention",
                        "must be \"enforced\" or \"inherited\"");
  }
  return Ok();
}

Json RetentionToJson(const RetentionPolicy& retention) {
  Json json = {{"retentionPeriod", std::to_string(retention.seconds)},
               {"effectiveTime", FormatTimestamp(retention.effective)}};
  if (retention.locked) json["isLocked"] = true;
  return json;
}

}  // namespace

std::string ObjectEtag(const ObjectRecord& object) {
  return EncodeEtag({object.generation, object.metageneration});
}

std::string BucketEtag(const BucketRecord& bucket) { return EncodeEtag({bucket.metageneration}); }

Json BucketToJson(const BucketRecord& bucket, const std::string& project_number,
                  const std::string& base_url) {
  Json json = bucket.settings;
  json["kind"] = "storage#bucket";
  json["id"] = bucket.name;
  json["name"] = bucket.name;
  json["selfLink"] = base_url + "/storage/v1/b/" + net::PercentEncode(bucket.name);
  json["projectId"] = bucket.project;
  if (!project_number.empty()) json["projectNumber"] = project_number;
  json["iamConfiguration"] = IamConfiguration(bucket.settings);
  json["metageneration"] = std::to_string(bucket.metageneration);
  json["timeCreated"] = FormatTimestamp(bucket.created);
  json["updated"] = FormatTimestamp(bucket.updated);
  json["etag"] = BucketEtag(bucket);
  json["locationType"] = LocationType(StringOr(bucket.settings, "location", ""));
  if (bucket.retention) json["retentionPolicy"] = RetentionToJson(*bucket.retention);
  return json;
}

Json ObjectToJson(const BucketRecord& bucket, const ObjectRecord& object,
                  const std::string& base_url) {
  const std::string generation = std::to_string(object.generation);
  const std::string path = "/storage/v1/b/" + net::PercentEncode(object.bucket) + "/o/" +
                           net::PercentEncode(object.name);
  Json json = object.settings;
  json["kind"] = "storage#object";
  json["id"] = object.bucket + "/" + object.name + "/" + generation;
  json["selfLink"] = base_url + path;
  json["mediaLink"] = base_url + "/download" + path + "?generation=" + generation + "&alt=media";
  json["name"] = object.name;
  json["bucket"] = object.bucket;
  json["generation"] = generation;
  json["metageneration"] = std::to_string(object.metageneration);
  json["size"] = std::to_string(object.size_bytes);
  json["crc32c"] = Crc32cBase64(object.crc32c);
  if (!object.md5.empty()) json["md5Hash"] = Base64Encode(object.md5);
  if (object.component_count > 0) json["componentCount"] = object.component_count;
  json["etag"] = ObjectEtag(object);
  json["timeCreated"] = FormatTimestamp(object.created);
  json["timeFinalized"] = FormatTimestamp(object.created);
  json["timeStorageClassUpdated"] = FormatTimestamp(object.created);
  json["updated"] = FormatTimestamp(object.updated);
  if (object.deleted) json["timeDeleted"] = FormatTimestamp(*object.deleted);
  if (!json.contains("storageClass")) {
    json["storageClass"] = StringOr(bucket.settings, "storageClass", "STANDARD");
  }
  if (const auto expiration = RetentionExpiration(bucket, object)) {
    json["retentionExpirationTime"] = FormatTimestamp(*expiration);
  }
  return json;
}

Json PolicyToJson(const BucketRecord& bucket) {
  Json json = bucket.iam_policy;
  json["kind"] = "storage#policy";
  json["resourceId"] = "projects/_/buckets/" + bucket.name;
  if (!json.contains("version")) json["version"] = 1;
  if (!json.contains("bindings")) json["bindings"] = Json::array();
  json["etag"] = Base64Encode(Sha256Hex(DumpJson(bucket.iam_policy)).substr(0, 12));
  return json;
}

Result<Json> BucketSettings(const Json& body) {
  HF_ASSIGN_OR_RETURN(Json settings, Settings(body, kBucketFields));
  const Json* hierarchical = FindPath(body, {"hierarchicalNamespace", "enabled"});
  if (hierarchical != nullptr && *hierarchical == true) {
    return Refusal(ErrorId::kStorageUnsupported, "hierarchicalNamespace is not supported",
                   "notImplemented");
  }
  const Json* versioned = FindPath(settings, {"versioning", "enabled"});
  if (versioned != nullptr && !versioned->is_boolean()) {
    return InvalidField("versioning.enabled", "must be a boolean");
  }
  HF_RETURN_IF_ERROR(CheckIamConfiguration(settings));
  if (settings.contains("location") && settings["location"].is_string()) {
    std::string location = settings["location"];
    std::transform(location.begin(), location.end(), location.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    settings["location"] = location;
  }
  return settings;
}

Result<Json> ObjectSettings(const Json& body) {
  if (body.is_object() && FindField(body, "retention") != nullptr) {
    return Refusal(ErrorId::kStorageUnsupported,
                   "retention of single objects is not supported; set it on the bucket",
                   "notImplemented");
  }
  return Settings(body, kObjectFields);
}

Status ApplyBucketBody(const Json& body, bool replace, BucketRecord& bucket) {
  HF_ASSIGN_OR_RETURN(const Json settings, BucketSettings(body));
  const std::string location = StringOr(bucket.settings, "location", "");
  if (replace) bucket.settings = Json::object();
  bucket.settings.merge_patch(settings);
  if (!bucket.settings.contains("location")) bucket.settings["location"] = location;
  if (const Json* labels = FindField(bucket.settings, "labels")) {
    if (const auto complaint = rest::LabelsComplaint(*labels)) {
      return InvalidField("labels", *complaint);
    }
  }
  return ApplyRetention(body, replace, bucket);
}

Status ApplyObjectBody(const Json& body, bool replace, ObjectRecord& object) {
  HF_ASSIGN_OR_RETURN(const Json settings, ObjectSettings(body));
  const auto before = ParseTimestamp(StringOr(object.settings, "customTime", ""));
  if (replace) object.settings = Json::object();
  object.settings.merge_patch(settings);
  const auto after = ParseTimestamp(StringOr(object.settings, "customTime", ""));
  if (before.ok() && (!after.ok() || *after < *before)) {
    return InvalidField("customTime", "cannot be removed or set to an earlier time");
  }
  return Ok();
}

Result<Checksums> BodyChecksums(const Json& body) {
  Checksums checksums;
  const std::string crc32c = StringOr(body, "crc32c", "");
  const std::string md5 = StringOr(body, "md5Hash", "");
  if (!crc32c.empty()) {
    HF_ASSIGN_OR_RETURN(checksums.crc32c, DecodeCrc32c(crc32c));
  }
  if (!md5.empty()) {
    HF_ASSIGN_OR_RETURN(checksums.md5, DecodeMd5(md5));
  }
  return checksums;
}

Result<Checksums> HeaderChecksums(std::string_view goog_hash, std::string_view content_md5) {
  Checksums checksums;
  if (!content_md5.empty()) {
    HF_ASSIGN_OR_RETURN(checksums.md5, DecodeMd5(content_md5));
  }
  while (!goog_hash.empty()) {
    std::string_view entry = goog_hash.substr(0, goog_hash.find(','));
    goog_hash.remove_prefix(std::min(entry.size() + 1, goog_hash.size()));
    while (entry.starts_with(' ')) entry.remove_prefix(1);
    if (entry.starts_with("crc32c=")) {
      HF_ASSIGN_OR_RETURN(checksums.crc32c, DecodeCrc32c(entry.substr(7)));
    } else if (entry.starts_with("md5=")) {
      HF_ASSIGN_OR_RETURN(checksums.md5, DecodeMd5(entry.substr(4)));
    } else {
      return InvalidField("X-Goog-Hash", "must be crc32c=… or md5=…");
    }
  }
  return checksums;
}

Checksums Merge(Checksums first, const Checksums& second) {
  if (second.crc32c) first.crc32c = second.crc32c;
  if (!second.md5.empty()) first.md5 = second.md5;
  return first;
}

}  // namespace holdfast::storage
