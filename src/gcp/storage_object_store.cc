#include "gcp/storage_object_store.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/log.h"
#include "gcp/list_items.h"
#include "gcp/location.h"
#include "gcp/storage_json.h"
#include "gcp/storage_transfer.h"

namespace holdfast::gcp {

namespace {

std::string BucketPath(std::string_view bucket) {
  return "/storage/v1/b/" + net::PercentEncode(bucket);
}

// A call of a rewrite works for up to half a minute; the largest object takes far fewer.
constexpr int kRewriteCallsMax = 100'000;

// Access by IAM alone, and never by the public: a backup is nobody else's to read.
Json NewBucketBody(const cloud::BucketInfo& bucket) {
  Json body = {{"name", bucket.name},
               {"location", bucket.location},
               {"iamConfiguration",
                {{"uniformBucketLevelAccess", {{"enabled", true}}},
                 {"publicAccessPrevention", "enforced"}}}};
  if (bucket.retention_seconds) {
    body["retentionPolicy"] = {{"retentionPeriod", std::to_string(*bucket.retention_seconds)}};
  }
  if (bucket.delete_after_days) {
    const Json rule = {{"action", {{"type", "Delete"}}},
                       {"condition", {{"age", *bucket.delete_after_days}}}};
    body["lifecycle"] = {{"rule", Json::array({rule})}};
  }
  return body;
}

}  // namespace

StorageObjectStore::StorageObjectStore(std::string endpoint, RestEnvironment environment)
    : client_(std::move(endpoint), std::move(environment)) {}

Result<cloud::BucketInfo> StorageObjectStore::GetBucket(const std::string& bucket) {
  HF_ASSIGN_OR_RETURN(const Json json, client_.Call({.path = BucketPath(bucket),
                                                     .what = "bucket " + bucket,
                                                     .names = kBucketErrors}));
  return BucketFromJson(json);
}

Result<cloud::BucketInfo> StorageObjectStore::EnsureBucket(const cloud::BucketInfo& bucket) {
  // Looking first: creations are limited to about one in two seconds for a whole project, and who
  // may use a bucket need not be allowed to create one.
  auto existing = GetBucket(bucket.name);
  if (!existing.ok() && existing.error().code == Code::kNotFound) {
    RestCall call{.method = "POST",
                  .path = "/storage/v1/b",
                  .body = NewBucketBody(bucket),
                  .what = "bucket " + bucket.name,
                  .names = kBucketErrors};
    call.query.Add("project", bucket.project);
    const auto created = client_.Call(call);
    if (created.ok()) return BucketFromJson(*created);
    if (created.error().code != Code::kAlreadyExists) return created.error();
    existing = GetBucket(bucket.name);
  }
  // Names are global: someone else's bucket answers 403 here, unless they let us in.
  if (!existing.ok()) return existing;
  HF_RETURN_IF_ERROR(CheckOwner(bucket.name, bucket.project));
  if (!bucket.location.empty() && !SameLocation(existing->location, bucket.location)) {
    return MakeError(ErrorId::kLocationMismatch,
                     fmt::format("bucket {} is in {}, not in {}", bucket.name, existing->location,
                                 bucket.location));
  }
  return existing;
}

// Whoever takes a name that we will ask for, and lets us write, gets our data. A bucket tells the
// number of its project only; the project's own list tells it by name.
Status StorageObjectStore::CheckOwner(const std::string& bucket, const std::string& project) {
  {
    const std::lock_guard lock(mutex_);
    if (checked_.contains(bucket)) return Ok();
  }
  RestCall call{.path = "/storage/v1/b", .what = "buckets of " + project, .names = kBucketErrors};
  call.query.Add("project", project);
  call.query.Add("prefix", bucket);  // the bucket itself comes first of those that begin so
  const auto page = client_.Call(call);
  if (!page.ok() && page.error().id != ErrorId::kAccessDenied) return page.error();
  if (page.ok()) {
    HF_ASSIGN_OR_RETURN(const auto items, ListItems(*page, "items"));
    if (items.empty() || StringOr(items.front(), "name", "") != bucket) {
      return MakeError(ErrorId::kAccessDenied,
                       fmt::format("bucket {} belongs to another project than {}: its owner could "
                                   "read what is written to it",
                                   bucket, project),
                       "If that is where backups are meant to go, name the project as the policy's "
                       "bucket_project; if not, choose another bucket_pattern");
    }
  } else {
    LogWarning("not known whether the bucket is the project's own: its buckets may not be listed",
               {{"bucket", bucket}, {"project", project}});
  }
  const std::lock_guard lock(mutex_);
  checked_.insert(bucket);
  return Ok();
}

Result<cloud::ObjectInfo> StorageObjectStore::SettleConflict(const cloud::ObjectRef& object,
                                                             int64_t size_bytes, uint32_t crc32c) {
  HF_ASSIGN_OR_RETURN(auto existing, StatObject({object.bucket, object.name, 0}));
  if (!existing) {
    return MakeError(ErrorId::kServiceUnavailable, Code::kAborted,
                     object.Uri() + ": exists for a create but not for a read");
  }
  if (existing->size_bytes == size_bytes && existing->crc32c == crc32c) return *std::move(existing);
  return MakeError(ErrorId::kObjectExists, object.Uri() + " exists with other content");
}

Result<cloud::ObjectInfo> StorageObjectStore::CreateObject(
    const cloud::ObjectRef& object, int64_t size_bytes, const std::function<ByteSource()>& open) {
  HF_ASSIGN_OR_RETURN(UploadResult uploaded, Upload(client_, object, size_bytes, open));
  if (uploaded.object) return *std::move(uploaded.object);
  // A session that ended early has not seen all bytes: the checksum takes a pass of its own.
  uint32_t crc32c = 0;
  const ByteSource source = open();
  std::vector<char> buffer(size_t{1} << 20U);
  while (true) {
    HF_ASSIGN_OR_RETURN(const size_t count, source(buffer));
    if (count == 0) break;
    crc32c = ExtendCrc32c(crc32c, {buffer.data(), count});
  }
  return SettleConflict(object, size_bytes, crc32c);
}

Status StorageObjectStore::ReadObject(const cloud::ObjectRef& object, int64_t offset,
                                      int64_t length, const ByteSink& sink) {
  HF_ASSIGN_OR_RETURN(const auto found, StatObject(object));
  if (!found) return MakeError(ErrorId::kObjectNotFound, object.Uri() + " does not exist");
  const bool to_end = length < 0 || length > found->size_bytes - offset;
  const int64_t end = to_end ? found->size_bytes : offset + length;
  const bool whole = offset == 0 && end == found->size_bytes;
  uint32_t crc32c = 0;
  const ByteSink counted = [&](std::string_view bytes) -> Status {
    if (whole) crc32c = ExtendCrc32c(crc32c, bytes);
    return sink(bytes);
  };
  HF_RETURN_IF_ERROR(Download(client_, found->ref, offset, end, counted));
  if (whole && crc32c != found->crc32c) {
    return MakeError(ErrorId::kObjectCorrupt,
                     fmt::format("{}: the bytes read have crc32c {:08x}, the object {:08x}",
                                 object.Uri(), crc32c, found->crc32c));
  }
  return Ok();
}

Result<std::optional<cloud::ObjectInfo>> StorageObjectStore::StatObject(
    const cloud::ObjectRef& object) {
  const auto json = client_.Call(ObjectCall(object));
  if (!json.ok()) {
    if (json.error().code == Code::kNotFound) return std::optional<cloud::ObjectInfo>();
    return json.error();
  }
  HF_ASSIGN_OR_RETURN(cloud::ObjectInfo info, ObjectFromJson(*json));
  return std::optional(std::move(info));
}

Result<cloud::Page<cloud::ObjectInfo>> StorageObjectStore::ListObjects(
    const std::string& bucket, const std::string& prefix, const std::string& page_token) {
  return ListObjectsFrom(bucket, prefix, "", page_token);
}

Result<cloud::Page<cloud::ObjectInfo>> StorageObjectStore::ListObjectsFrom(
    const std::string& bucket, const std::string& prefix, const std::string& start,
    const std::string& page_token) {
  RestCall call{.path = BucketPath(bucket) + "/o",
                .what = fmt::format("objects of gs://{}/{}", bucket, prefix),
                .names = kBucketErrors};
  call.query.Add("prefix", prefix);
  if (!start.empty()) call.query.Add("startOffset", start);
  call.query.Add("maxResults", "1000");
  if (!page_token.empty()) call.query.Add("pageToken", page_token);
  HF_ASSIGN_OR_RETURN(const Json json, client_.Call(call));

  cloud::Page<cloud::ObjectInfo> page;
  page.next_page_token = StringOr(json, "nextPageToken", "");
  HF_ASSIGN_OR_RETURN(const std::span<const Json> items, ListItems(json, "items"));
  for (const Json& item : items) {
    HF_ASSIGN_OR_RETURN(cloud::ObjectInfo object, ObjectFromJson(item));
    page.items.push_back(std::move(object));
  }
  return page;
}

Result<cloud::ObjectInfo> StorageObjectStore::CopyObject(const cloud::ObjectRef& source,
                                                         const cloud::ObjectRef& destination) {
  std::string rewrite_token;
  for (int calls = 0; calls < kRewriteCallsMax; ++calls) {
    RestCall call{.method = "POST",
                  .path = ObjectPath(source) + "/rewriteTo/b/" +
                          net::PercentEncode(destination.bucket) + "/o/" +
                          net::PercentEncode(destination.name),
                  .what = fmt::format("copy of {} to {}", source.Uri(), destination.Uri()),
                  .names = kObjectErrors};
    call.query.Add("ifGenerationMatch", "0");
    if (source.generation != 0) {
      call.query.Add("sourceGeneration", std::to_string(source.generation));
    }
    if (!rewrite_token.empty()) call.query.Add("rewriteToken", rewrite_token);
    const auto json = client_.Call(call);
    if (!json.ok()) {
      if (json.error().reason != "conditionNotMet") return json.error();
      HF_ASSIGN_OR_RETURN(const auto original, StatObject(source));
      if (!original) return MakeError(ErrorId::kObjectNotFound, source.Uri() + " does not exist");
      return SettleConflict(destination, original->size_bytes, original->crc32c);
    }
    if (BoolOr(*json, "done", false)) {
      const Json* resource = FindField(*json, "resource");
      if (resource == nullptr)
        return MakeError(ErrorId::kInvalidJson, "a rewrite without resource");
      return ObjectFromJson(*resource);
    }
    HF_ASSIGN_OR_RETURN(rewrite_token, RequiredString(*json, "rewriteToken"));
  }
  return MakeError(ErrorId::kServiceUnavailable, Code::kInternal,
                   fmt::format("copy of {}: the rewrite does not end", source.Uri()));
}

Status StorageObjectStore::DeleteObject(const cloud::ObjectRef& object) {
  if (object.generation == 0) {
    return MakeError(ErrorId::kServiceRejected, object.Uri() + ": a delete names the generation");
  }
  RestCall call = ObjectCall(object);
  call.method = "DELETE";
  const auto deleted = client_.Call(call);
  if (deleted.ok() || deleted.error().code == Code::kNotFound) return Ok();
  return deleted.error();
}

}  // namespace holdfast::gcp
