// Writing of objects: publishing a new generation, copies, composition, metadata, deletion.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "localcloud/storage/object_rules.h"
#include "localcloud/storage/object_store_state.h"

namespace holdfast::storage {
namespace {

constexpr size_t kCopyBytes = size_t{1} << 20U;
constexpr size_t kComposeSourcesMax = 32;

// Appends the whole file at `path` to `writer`.
Status AppendFile(const std::string& path, ObjectWriter& writer) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return MakeError(ErrorId::kFileError, "opening " + path + ": " + std::strerror(errno));
  }
  std::string buffer(kCopyBytes, '\0');
  Status status;
  for (;;) {
    const ssize_t count = ::read(file, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      status = MakeError(ErrorId::kFileError, "reading " + path + ": " + std::strerror(errno));
    }
    if (count <= 0) break;
    status = writer.Append(std::string_view(buffer.data(), static_cast<size_t>(count)));
    if (!status.ok()) break;
  }
  ::close(file);
  return status;
}

}  // namespace

// An object under way: its bytes are in a blob that no record names yet.
class ObjectStore::Writer final : public ObjectWriter {
 public:
  Writer(State& state, NewObject object, std::unique_ptr<BlobWriter> blob)
      : state_(state), object_(std::move(object)), blob_(std::move(blob)) {}

  Status Append(std::string_view bytes) override { return blob_->Append(bytes); }

  Result<ObjectRecord> Finish() override { return FinishAs(0); }

  // `component_count` above 0: a composite object, which has no MD5.
  Result<ObjectRecord> FinishAs(int component_count) {
    HF_ASSIGN_OR_RETURN(BlobDigest digest, blob_->Finish());
    HF_RETURN_IF_ERROR(State::CheckDigest(object_, object_.expected, digest));
    if (component_count > 0) digest.md5.clear();
    const std::lock_guard lock(state_.mutex);
    auto published = state_.Publish(
        object_,
        {.blob = blob_->id(), .digest = std::move(digest), .component_count = component_count});
    // A commit that failed for another reason than space may still turn out durable: then the file
    // stays, and the next start collects it if no record names it.
    if (published.ok() || published.error().id == ErrorId::kLocalDatabaseFailed ||
        published.error().id == ErrorId::kLocalDatabaseDamaged) {
      blob_->Keep();
    }
    return published;
  }

 private:
  State& state_;
  const NewObject object_;
  const std::unique_ptr<BlobWriter> blob_;
};

Result<ObjectStore::State::Target> ObjectStore::State::CheckTarget(const NewObject& object) {
  HF_RETURN_IF_ERROR(CheckObjectName(object.name));
  Target target;
  HF_ASSIGN_OR_RETURN(target.bucket, FindBucket(object.bucket));
  HF_ASSIGN_OR_RETURN(target.live, objects.FindLive(object.bucket, object.name));
  HF_RETURN_IF_ERROR(
      CheckWriteConditions(object.preconditions, target.live ? &*target.live : nullptr));
  if (target.live) {
    HF_RETURN_IF_ERROR(CheckNotRetained(target.bucket, *target.live, clock.Now()));
  }
  return target;
}

Status ObjectStore::State::CheckDigest(const NewObject& object, const Checksums& expected,
                                       const BlobDigest& digest) {
  const auto mismatch = [&](const std::string& which, const std::string& announced,
                            const std::string& actual) {
    return WithReason(
        "invalid", MakeError(ErrorId::kStorageChecksumMismatch,
                             "object " + object.bucket + "/" + object.name + ": the " + which +
                                 " announced is " + announced + ", that of the bytes " + actual));
  };
  if (expected.crc32c && *expected.crc32c != digest.crc32c) {
    return mismatch("crc32c", Crc32cBase64(*expected.crc32c), Crc32cBase64(digest.crc32c));
  }
  if (!expected.md5.empty() && expected.md5 != digest.md5) {
    return mismatch("MD5", Base64Encode(expected.md5), Base64Encode(digest.md5));
  }
  return Ok();
}

void ObjectStore::State::ReleaseBlob(const std::string& blob) {
  const auto of_object = objects.NamesBlob(blob);
  const auto of_upload = uploads.NamesBlob(blob);
  // When in doubt the file stays; the next start collects it.
  if (!of_object.ok() || !of_upload.ok() || *of_object || *of_upload) return;
  blobs->Remove(blob);
}

Status ObjectStore::State::Retire(const BucketRecord& bucket, const ObjectRecord& live) {
  if (!bucket.versioned()) return objects.Erase(live);
  ObjectRecord noncurrent = live;
  noncurrent.deleted = clock.Now();
  return objects.Update(noncurrent);
}

Result<ObjectRecord> ObjectStore::State::Publish(
    const NewObject& object, const PublishedBytes& bytes,
    const std::function<Status(const ObjectRecord&)>& also) {
  HF_ASSIGN_OR_RETURN(const Target target, CheckTarget(object));
  HF_ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::Begin(*database));
  const Timestamp now = clock.Now();
  HF_ASSIGN_OR_RETURN(const int64_t generation, NextGeneration(*database, now));
  ObjectRecord record{.bucket = object.bucket,
                      .name = object.name,
                      .generation = generation,
                      .size_bytes = bytes.digest.size_bytes,
                      .crc32c = bytes.digest.crc32c,
                      .md5 = bytes.digest.md5,
                      .component_count = bytes.component_count,
                      .created = now,
                      .updated = now,
                      .settings = object.settings,
                      .blob = bytes.blob};
  if (target.bucket.default_event_based_hold() && !record.settings.contains("eventBasedHold")) {
    record.settings["eventBasedHold"] = true;
  }
  if (target.live) HF_RETURN_IF_ERROR(Retire(target.bucket, *target.live));
  HF_RETURN_IF_ERROR(objects.Insert(record));
  if (also) HF_RETURN_IF_ERROR(also(record));
  HF_RETURN_IF_ERROR(transaction.Commit());
  if (target.live) ReleaseBlob(target.live->blob);
  return record;
}

Result<std::unique_ptr<ObjectWriter>> ObjectStore::StartObject(const NewObject& object) {
  {
    const std::lock_guard lock(state_->mutex);
    HF_RETURN_IF_ERROR(state_->CheckTarget(object));
  }
  HF_ASSIGN_OR_RETURN(auto blob, state_->blobs->Create());
  return std::unique_ptr<ObjectWriter>(std::make_unique<Writer>(*state_, object, std::move(blob)));
}

Result<ObjectRecord> ObjectStore::CreateObjectFromFile(const NewObject& object,
                                                       const std::string& path) {
  HF_ASSIGN_OR_RETURN(const auto writer, StartObject(object));
  HF_RETURN_IF_ERROR(AppendFile(path, *writer));
  return writer->Finish();
}

Result<ObjectRecord> ObjectStore::CopyObject(const ObjectSelector& source,
                                             const Preconditions& conditions,
                                             const NewObject& destination,
                                             const std::optional<Json>& settings) {
  const std::lock_guard lock(state_->mutex);
  HF_ASSIGN_OR_RETURN(const ObjectRecord original, state_->FindObject(source));
  HF_RETURN_IF_ERROR(CheckWriteConditions(conditions, &original));
  NewObject copy = destination;
  copy.settings = settings.value_or(original.settings);
  if (!settings) {
    // A hold is on the source, not on what is made of it.
    copy.settings.erase("temporaryHold");
    copy.settings.erase("eventBasedHold");
  }
  return state_->Publish(copy, {.blob = original.blob,
                                .digest = {.size_bytes = original.size_bytes,
                                           .crc32c = original.crc32c,
                                           .md5 = original.md5},
                                .component_count = original.component_count});
}

Result<ObjectRecord> ObjectStore::ComposeObject(const std::vector<ComposeSource>& sources,
                                                const NewObject& destination) {
  if (sources.empty() || sources.size() > kComposeSourcesMax) {
    return StorageInvalid("compose takes 1 to 32 source objects");
  }
  std::vector<ObjectFile> parts;
  for (const ComposeSource& source : sources) {
    HF_ASSIGN_OR_RETURN(ObjectFile part,
                        OpenObject({destination.bucket, source.name, source.generation}));
    HF_RETURN_IF_ERROR(
        CheckWriteConditions({.generation_match = source.if_generation_match}, &part.record));
    parts.push_back(std::move(part));
  }
  NewObject object = destination;
  const std::string content_type = StringOr(parts.front().record.settings, "contentType", "");
  if (!object.settings.contains("contentType") && !content_type.empty()) {
    object.settings["contentType"] = content_type;
  }
  {
    const std::lock_guard lock(state_->mutex);
    HF_RETURN_IF_ERROR(state_->CheckTarget(object));
  }
  HF_ASSIGN_OR_RETURN(auto blob, state_->blobs->Create());
  Writer writer(*state_, std::move(object), std::move(blob));
  int component_count = 0;
  for (const ObjectFile& part : parts) {
    HF_RETURN_IF_ERROR(AppendFile(part.path, writer));
    component_count += std::max(part.record.component_count, 1);
  }
  return writer.FinishAs(component_count);
}

Result<ObjectRecord> ObjectStore::ChangeObject(const ObjectSelector& object,
                                               const Preconditions& conditions,
                                               const std::function<Status(ObjectRecord&)>& change) {
  const std::lock_guard lock(state_->mutex);
  HF_ASSIGN_OR_RETURN(const ObjectRecord before, state_->FindObject(object));
  HF_RETURN_IF_ERROR(CheckWriteConditions(conditions, &before));
  ObjectRecord proposed = before;
  HF_RETURN_IF_ERROR(change(proposed));
  ObjectRecord after = before;
  after.settings = std::move(proposed.settings);
  after.metageneration += 1;
  after.updated = state_->clock.Now();
  if (BoolOr(before.settings, "eventBasedHold", false) &&
      !BoolOr(after.settings, "eventBasedHold", false)) {
    after.retention_start = after.updated;
  }
  HF_RETURN_IF_ERROR(state_->objects.Update(after));
  return after;
}

Status ObjectStore::DeleteObject(const ObjectSelector& object, const Preconditions& conditions) {
  const std::lock_guard lock(state_->mutex);
  HF_ASSIGN_OR_RETURN(const ObjectRecord record, state_->FindObject(object));
  HF_RETURN_IF_ERROR(CheckWriteConditions(conditions, &record));
  HF_ASSIGN_OR_RETURN(const BucketRecord bucket, state_->FindBucket(object.bucket));
  HF_RETURN_IF_ERROR(CheckNotRetained(bucket, record, state_->clock.Now()));
  if (object.generation == 0) {
    HF_RETURN_IF_ERROR(state_->Retire(bucket, record));
  } else {
    HF_RETURN_IF_ERROR(state_->objects.Erase(record));
  }
  state_->ReleaseBlob(record.blob);
  return Ok();
}

}  // namespace holdfast::storage
