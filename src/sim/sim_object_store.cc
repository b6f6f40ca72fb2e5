#include "sim/sim_object_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "sim/paging.h"

namespace holdfast::sim {

namespace {

constexpr size_t kObjectNameMax = 1024;
constexpr size_t kReadPiece = 64 << 10;

Status CheckName(const cloud::ObjectRef& object) {
  const bool ok = !object.name.empty() && object.name.size() <= kObjectNameMax &&
                  object.name.front() != '/' && object.name.find("//") == std::string::npos;
  if (ok) return Ok();
  return MakeError(ErrorId::kServiceRejected, fmt::format("{} is not a name", object.Uri()));
}

Result<std::string> ReadAll(const std::function<ByteSource()>& open, int64_t size_bytes) {
  const ByteSource source = open();
  std::string content;
  std::string buffer(kReadPiece, '\0');
  while (true) {
    HF_ASSIGN_OR_RETURN(const size_t count, source(buffer));
    if (count == 0) break;
    content.append(buffer, 0, count);
  }
  if (static_cast<int64_t>(content.size()) == size_bytes) return content;
  return MakeError(ErrorId::kServiceRejected,
                   fmt::format("{} bytes came of {}", content.size(), size_bytes));
}

Error ObjectNotFound(const cloud::ObjectRef& object) {
  return MakeError(ErrorId::kObjectNotFound, fmt::format("{} is not there", object.Uri()));
}

}  // namespace

Result<SimObjectStore::Bucket*> SimObjectStore::FindBucket(const std::string& name) {
  const auto found = buckets_.find(name);
  if (found != buckets_.end()) return &found->second;
  return MakeError(ErrorId::kBucketNotFound, fmt::format("bucket {} is not there", name));
}

Result<SimObjectStore::Stored*> SimObjectStore::FindObject(const cloud::ObjectRef& object) {
  HF_ASSIGN_OR_RETURN(Bucket * bucket, FindBucket(object.bucket));
  const auto found = bucket->objects.find(object.name);
  const bool there =
      found != bucket->objects.end() &&
      (object.generation == 0 || found->second.info.ref.generation == object.generation);
  if (!there) return ObjectNotFound(object);
  return &found->second;
}

bool SimObjectStore::IsRetained(const Bucket& bucket, const Stored& stored) const {
  const int64_t retention_ms = bucket.info.retention_seconds.value_or(0) * 1000;
  return ToUnixMillis(clock_.Now()) < stored.info.created_ms + retention_ms;
}

SimObjectStore::Stored SimObjectStore::MakeStored(const cloud::ObjectRef& object,
                                                  std::string content) {
  Stored stored;
  stored.info.ref = {object.bucket, object.name, ++last_generation_};
  stored.info.size_bytes = static_cast<int64_t>(content.size());
  stored.info.crc32c = ExtendCrc32c(0, content);
  stored.info.created_ms = ToUnixMillis(clock_.Now());
  stored.content = std::make_shared<const std::string>(std::move(content));
  return stored;
}

// Create-only: what is there with the same bytes is a success of an earlier try.
Result<cloud::ObjectInfo> SimObjectStore::Insert(const cloud::ObjectRef& object,
                                                 std::string content) {
  HF_RETURN_IF_ERROR(CheckName(object));
  HF_ASSIGN_OR_RETURN(Bucket * bucket, FindBucket(object.bucket));
  const auto found = bucket->objects.find(object.name);
  if (found != bucket->objects.end()) {
    const cloud::ObjectInfo& info = found->second.info;
    const bool same = info.size_bytes == static_cast<int64_t>(content.size()) &&
                      info.crc32c == ExtendCrc32c(0, content);
    faults_.NoteConflict("412", object.Uri());
    if (same) return info;
    return MakeError(ErrorId::kObjectExists,
                     fmt::format("{} is there with other content", object.Uri()));
  }
  Stored stored = MakeStored(object, std::move(content));
  const cloud::ObjectInfo info = stored.info;
  bucket->objects.emplace(object.name, std::move(stored));
  return info;
}

Result<cloud::BucketInfo> SimObjectStore::GetBucket(const std::string& bucket) {
  HF_RETURN_IF_ERROR(faults_.Before(bucket));
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const Bucket* found, FindBucket(bucket));
  HF_RETURN_IF_ERROR(faults_.After());
  return found->info;
}

Result<cloud::BucketInfo> SimObjectStore::EnsureBucket(const cloud::BucketInfo& bucket) {
  HF_RETURN_IF_ERROR(faults_.Before(bucket.name));
  const std::lock_guard lock(mutex_);
  const auto [at, added] = buckets_.try_emplace(bucket.name);
  if (added) at->second.info = bucket;
  const cloud::BucketInfo& info = at->second.info;
  if (info.project != bucket.project) {
    return MakeError(ErrorId::kAccessDenied,
                     fmt::format("bucket {} belongs to another project", bucket.name));
  }
  if (info.location != bucket.location) {
    return MakeError(ErrorId::kLocationMismatch,
                     fmt::format("bucket {} is in {}", bucket.name, info.location));
  }
  HF_RETURN_IF_ERROR(faults_.After());
  return info;
}

Result<cloud::ObjectInfo> SimObjectStore::CreateObject(const cloud::ObjectRef& object,
                                                       int64_t size_bytes,
                                                       const std::function<ByteSource()>& open) {
  HF_RETURN_IF_ERROR(faults_.Before(object.bucket));
  HF_ASSIGN_OR_RETURN(std::string content, ReadAll(open, size_bytes));
  HF_RETURN_IF_ERROR(faults_.LetRivalWork());
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(cloud::ObjectInfo info, Insert(object, std::move(content)));
  HF_RETURN_IF_ERROR(faults_.After(object.Uri()));
  return info;
}

Status SimObjectStore::ReadObject(const cloud::ObjectRef& object, int64_t offset, int64_t length,
                                  const ByteSink& sink) {
  HF_RETURN_IF_ERROR(faults_.Before(object.bucket));
  Stored stored;
  {
    const std::lock_guard lock(mutex_);
    HF_ASSIGN_OR_RETURN(const Stored* found, FindObject(object));
    stored = *found;
  }
  const std::string_view all = *stored.content;
  const size_t begin = std::min(static_cast<size_t>(std::max<int64_t>(offset, 0)), all.size());
  const std::string_view wanted =
      all.substr(begin, length < 0 ? all.npos : static_cast<size_t>(length));
  if (faults_.CutsRead()) {
    HF_RETURN_IF_ERROR(sink(wanted.substr(0, wanted.size() / 2)));
    return MakeError(ErrorId::kServiceUnavailable,
                     fmt::format("simulated: {} ended early", object.Uri()));
  }
  for (size_t at = 0; at < wanted.size(); at += kReadPiece) {
    HF_RETURN_IF_ERROR(sink(wanted.substr(at, kReadPiece)));
  }
  HF_RETURN_IF_ERROR(faults_.After());
  if (wanted.size() == all.size() && ExtendCrc32c(0, all) != stored.info.crc32c) {
    return MakeError(ErrorId::kObjectCorrupt,
                     fmt::format("{} does not match its checksum", object.Uri()));
  }
  return Ok();
}

Result<std::optional<cloud::ObjectInfo>> SimObjectStore::StatObject(
    const cloud::ObjectRef& object) {
  HF_RETURN_IF_ERROR(faults_.Before(object.bucket));
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(FindBucket(object.bucket));
  HF_RETURN_IF_ERROR(faults_.After());
  const auto found = FindObject(object);
  if (!found.ok()) return std::optional<cloud::ObjectInfo>();
  return std::optional((*found)->info);
}

Result<cloud::Page<cloud::ObjectInfo>> SimObjectStore::ListObjects(const std::string& bucket,
                                                                   const std::string& prefix,
                                                                   const std::string& page_token) {
  return ListObjectsFrom(bucket, prefix, prefix, page_token);
}

Result<cloud::Page<cloud::ObjectInfo>> SimObjectStore::ListObjectsFrom(
    const std::string& bucket, const std::string& prefix, const std::string& start,
    const std::string& page_token) {
  HF_RETURN_IF_ERROR(faults_.Before(bucket));
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const Bucket* found, FindBucket(bucket));
  std::map<std::string, cloud::ObjectInfo> matching;
  for (auto at = found->objects.lower_bound(std::max(prefix, start));
       at != found->objects.end() && at->first.starts_with(prefix); ++at) {
    matching.emplace(at->first, at->second.info);
  }
  HF_RETURN_IF_ERROR(faults_.After());
  return PageOf(matching, page_token, page_size_);
}

Result<cloud::ObjectInfo> SimObjectStore::CopyObject(const cloud::ObjectRef& source,
                                                     const cloud::ObjectRef& destination) {
  HF_RETURN_IF_ERROR(faults_.Before(source.bucket));
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const Stored* found, FindObject(source));
  HF_ASSIGN_OR_RETURN(cloud::ObjectInfo info, Insert(destination, *found->content));
  HF_RETURN_IF_ERROR(faults_.After(destination.Uri()));
  return info;
}

Status SimObjectStore::DeleteObject(const cloud::ObjectRef& object) {
  HF_RETURN_IF_ERROR(faults_.Before(object.bucket));
  if (object.generation == 0) {
    return MakeError(ErrorId::kServiceRejected,
                     fmt::format("delete of {} names no generation", object.Uri()));
  }
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(Bucket * bucket, FindBucket(object.bucket));
  const auto found = FindObject(object);
  if (found.ok()) {
    if (IsRetained(*bucket, **found)) {
      return MakeError(ErrorId::kObjectRetained, fmt::format("{} is retained", object.Uri()));
    }
    bucket->objects.erase(object.name);
  }
  return faults_.After();
}

Status SimObjectStore::PutObject(const cloud::ObjectRef& object, std::string content) {
  HF_RETURN_IF_ERROR(CheckName(object));
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(Bucket * bucket, FindBucket(object.bucket));
  const auto found = bucket->objects.find(object.name);
  if (found != bucket->objects.end() && IsRetained(*bucket, found->second)) {
    return MakeError(ErrorId::kObjectRetained, fmt::format("{} is retained", object.Uri()));
  }
  bucket->objects.insert_or_assign(object.name, MakeStored(object, std::move(content)));
  return Ok();
}

Result<std::shared_ptr<const std::string>> SimObjectStore::GetContent(
    const cloud::ObjectRef& object) const {
  const std::lock_guard lock(mutex_);
  const auto bucket = buckets_.find(object.bucket);
  if (bucket == buckets_.end()) {
    return MakeError(ErrorId::kBucketNotFound, fmt::format("{} is not there", object.bucket));
  }
  const auto found = bucket->second.objects.find(object.name);
  if (found == bucket->second.objects.end()) return ObjectNotFound(object);
  return found->second.content;
}

bool SimObjectStore::FlipBit(const cloud::ObjectRef& object, size_t byte) {
  const std::lock_guard lock(mutex_);
  const auto found = FindObject(object);
  if (!found.ok() || byte >= (*found)->content->size()) return false;
  std::string content = *(*found)->content;
  content[byte] = static_cast<char>(content[byte] ^ 1);
  (*found)->content = std::make_shared<const std::string>(std::move(content));
  return true;
}

void SimObjectStore::RemoveObject(const cloud::ObjectRef& object) {
  const std::lock_guard lock(mutex_);
  const auto bucket = buckets_.find(object.bucket);
  if (bucket != buckets_.end()) bucket->second.objects.erase(object.name);
}

std::vector<cloud::ObjectInfo> SimObjectStore::AllObjects(const std::string& bucket) const {
  const std::lock_guard lock(mutex_);
  std::vector<cloud::ObjectInfo> all;
  const auto found = buckets_.find(bucket);
  if (found == buckets_.end()) return all;
  for (const auto& [name, stored] : found->second.objects) all.push_back(stored.info);
  return all;
}

}  // namespace holdfast::sim
