// Cloud Storage's resources as our values, and the calls on them. Pure translation, no I/O.
#pragma once

#include <string>

#include "base/json.h"
#include "cloud/object_store.h"
#include "gcp/rest_client.h"

namespace holdfast::gcp {

// An object's and a bucket's resource. Of a bucket's lifecycle only Delete by age alone counts.
// Errors: kInvalidJson naming the member.
Result<cloud::ObjectInfo> ObjectFromJson(const Json& json);
Result<cloud::BucketInfo> BucketFromJson(const Json& json);

// The four big-endian bytes behind Cloud Storage's base64 text of a crc32c.
Result<uint32_t> ParseCrc32c(std::string_view base64);

// "/storage/v1/b/<bucket>/o/<object>", encoded.
std::string ObjectPath(const cloud::ObjectRef& object);

// A call on one object, with its generation where one is named.
RestCall ObjectCall(const cloud::ObjectRef& object);

// What 404 and 409 mean of an object and of a bucket.
inline constexpr ErrorNames kObjectErrors = {.not_found = ErrorId::kObjectNotFound,
                                             .exists = ErrorId::kObjectExists};
inline constexpr ErrorNames kBucketErrors = {.not_found = ErrorId::kBucketNotFound,
                                             .exists = ErrorId::kObjectExists};

}  // namespace holdfast::gcp
