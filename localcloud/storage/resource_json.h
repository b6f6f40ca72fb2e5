// The JSON of Cloud Storage's resources: records to documents, and what a request may set.
//
// Pure functions. int64 values are strings in JSON, times RFC 3339. Fields that only the service
// sets are ignored in a request, as Google does. Source: Cloud Storage JSON API v1, resources
// "Buckets" and "Objects".
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "localcloud/storage/object_record.h"

namespace holdfast::storage {

// `base_url` ("http://host:port") begins selfLink and mediaLink; `project_number` ("123") is left
// out when it is empty.
Json BucketToJson(const BucketRecord& bucket, const std::string& project_number,
                  const std::string& base_url);
Json ObjectToJson(const BucketRecord& bucket, const ObjectRecord& object,
                  const std::string& base_url);

// The IAM policy of a bucket, with its etag.
Json PolicyToJson(const BucketRecord& bucket);

// Opaque text that names one state of an object or a bucket.
std::string ObjectEtag(const ObjectRecord& object);
std::string BucketEtag(const BucketRecord& bucket);

// The writable fields of a request's body, checked; JSON nulls stay, for a patch.
// Errors: kStorageInvalid or kStorageUnsupported, naming the field.
Result<Json> BucketSettings(const Json& body);
Result<Json> ObjectSettings(const Json& body);

// Sets `bucket`'s settings and retention policy from a body: a merge patch (RFC 7396), or, with
// `replace`, everything. The location stays when the body has none.
Status ApplyBucketBody(const Json& body, bool replace, BucketRecord& bucket);

// The same for an object. A custom time can only be moved forward.
Status ApplyObjectBody(const Json& body, bool replace, ObjectRecord& object);

// The checksums that a body announces (crc32c, md5Hash). Errors: kStorageInvalid.
Result<Checksums> BodyChecksums(const Json& body);

// The checksums of an X-Goog-Hash header ("crc32c=…,md5=…") and a Content-MD5 header, which may be
// empty. Errors: kStorageInvalid.
Result<Checksums> HeaderChecksums(std::string_view goog_hash, std::string_view content_md5);

// Both; where both announce one, `second`'s.
Checksums Merge(Checksums first, const Checksums& second);

}  // namespace holdfast::storage
