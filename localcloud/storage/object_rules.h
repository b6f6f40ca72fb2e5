// The rules of Cloud Storage that need no storage: names, preconditions, retention, listing order.
//
// Pure functions. Source: "Buckets and objects naming", "Request preconditions", "Bucket Lock" and
// "Object holds" of the Cloud Storage documentation.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "localcloud/storage/object_record.h"

namespace holdfast::storage {

// Errors: kStorageInvalid, saying which rule the name breaks.
Status CheckBucketName(std::string_view name);
Status CheckObjectName(std::string_view name);

// The preconditions of a write, a delete or a metadata change; `live` is the object they speak of,
// nullptr when there is none. Errors: kStoragePrecondition.
Status CheckWriteConditions(const Preconditions& conditions, const ObjectRecord* live);

// The preconditions of a read. Errors: kStoragePrecondition; kStorageNotModified for a not-match.
Status CheckReadConditions(const Preconditions& conditions, const ObjectRecord& object);

// The same for a bucket, which has a metageneration only.
Status CheckBucketWriteConditions(const Preconditions& conditions, const BucketRecord& bucket);
Status CheckBucketReadConditions(const Preconditions& conditions, const BucketRecord& bucket);

// Whether `object` may be deleted or replaced at `now`. Errors: kStorageRetained.
Status CheckNotRetained(const BucketRecord& bucket, const ObjectRecord& object, Timestamp now);

// Whether a bucket may go from one policy to another. Errors: kStoragePolicyLocked,
// kStorageInvalid.
Status CheckRetentionChange(const BucketRecord& before, const BucketRecord& after);

// The least string, by bytes, that is greater than every string that begins with `prefix`; nullopt
// when there is none.
std::optional<std::string> AfterPrefix(std::string_view prefix);

// Whether `name` fits `pattern`, in which each '*' stands for any characters, none included.
bool MatchesWildcard(std::string_view pattern, std::string_view name);

}  // namespace holdfast::storage
