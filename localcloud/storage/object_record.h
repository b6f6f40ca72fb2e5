// Buckets and objects as the embedded Cloud Storage keeps them: plain values.
//
// What the service itself computes or enforces is a field of its own; every other writable field of
// the JSON resource (contentType, labels, lifecycle, …) stays in `settings` as it was written.
// Source: Cloud Storage JSON API v1, resources "Buckets" and "Objects".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace holdfast::storage {

// Objects younger than `seconds` can be neither deleted nor replaced.
struct RetentionPolicy {
  int64_t seconds = 0;
  Timestamp effective;  // when the policy was set
  bool locked = false;  // irreversible: the policy can then only be extended
};

struct BucketRecord {
  std::string name;  // global: no two projects have a bucket of one name
  std::string project;
  int64_t metageneration = 1;
  Timestamp created;
  Timestamp updated;
  std::optional<RetentionPolicy> retention;
  Json settings = Json::object();    // location, storageClass, labels, versioning, lifecycle, …
  Json iam_policy = Json::object();  // as last set; kept and echoed, not enforced

  bool versioned() const;                 // versioning.enabled
  bool default_event_based_hold() const;  // defaultEventBasedHold
};

// One generation of an object. Live unless `deleted` is set.
struct ObjectRecord {
  std::string bucket;
  std::string name;
  int64_t generation = 0;
  int64_t metageneration = 1;
  int64_t size_bytes = 0;
  uint32_t crc32c = 0;
  std::string md5;          // 16 raw bytes; empty for a composite object, as in Cloud Storage
  int component_count = 0;  // parts of a composite object; 0: not composite
  Timestamp created;
  Timestamp updated;
  std::optional<Timestamp> deleted;          // when it became noncurrent
  std::optional<Timestamp> retention_start;  // when an event-based hold was released, if ever
  Json settings = Json::object();  // contentType, metadata, customTime, temporaryHold, …
  std::string blob;                // id of the file that holds the bytes

  bool held() const;  // a temporary or an event-based hold is set
};

// Which generation of an object: 0 is the live one.
struct ObjectSelector {
  std::string bucket;
  std::string name;
  int64_t generation = 0;
};

// What must hold for a request to be carried out. A generation_match of 0: no live object.
struct Preconditions {
  std::optional<int64_t> generation_match;
  std::optional<int64_t> generation_not_match;
  std::optional<int64_t> metageneration_match;
  std::optional<int64_t> metageneration_not_match;
};

// Checksums that a request announces for its bytes; absent ones are not compared.
struct Checksums {
  std::optional<uint32_t> crc32c;
  std::string md5;  // 16 raw bytes, or empty
};

// An object about to be written.
struct NewObject {
  std::string bucket;
  std::string name;                // 1-1024 bytes of UTF-8, any character but CR and LF
  Json settings = Json::object();  // writable fields of the JSON resource, e.g. {"contentType": …}
  Preconditions preconditions;
  Checksums expected;  // bytes with others: kStorageChecksumMismatch
};

// When the object may be deleted at the earliest under the bucket's policy; nullopt: no policy, or
// an event-based hold that has not been released yet.
std::optional<Timestamp> RetentionExpiration(const BucketRecord& bucket,
                                             const ObjectRecord& object);

}  // namespace holdfast::storage
