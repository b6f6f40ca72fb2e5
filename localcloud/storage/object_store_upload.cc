// Resumable uploads: a session is a row and a blob that grows until the object is published.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/file_error.h"
#include "localcloud/storage/object_rules.h"
#include "localcloud/storage/object_store_state.h"

namespace holdfast::storage {
namespace {

constexpr int64_t kChunkBytes = int64_t{256} << 10U;     // what Cloud Storage keeps whole
constexpr int64_t kCheckpointBytes = int64_t{8} << 20U;  // at most this much is sent twice
constexpr size_t kReceiveBytes = size_t{256} << 10U;
constexpr int kSessionIdBytes = 24;
constexpr auto kSessionLifetime = std::chrono::days{7};

int64_t WholeChunks(int64_t bytes) { return bytes / kChunkBytes * kChunkBytes; }

Error OffsetError(const std::string& message) {
  return WithReason("invalid", MakeError(ErrorId::kStorageUploadOffset, message));
}

// The file of an upload, open for writing while one append runs.
class UploadFile {
 public:
  static Result<UploadFile> Open(std::string path) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    UploadFile opened(file, std::move(path));
    if (file < 0) return opened.Failure("opening");
    return opened;
  }
  UploadFile(UploadFile&& other) noexcept
      : file_(std::exchange(other.file_, -1)), path_(std::move(other.path_)) {}
  UploadFile& operator=(UploadFile&&) = delete;
  ~UploadFile() {
    if (file_ >= 0) ::close(file_);
  }

  Status WriteAt(int64_t offset, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), offset);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Failure("writing");
      bytes.remove_prefix(static_cast<size_t>(written));
      offset += written;
    }
    return Ok();
  }

  // Cuts or keeps the file at `size` bytes and makes them durable.
  Status Settle(int64_t size) {
    if (::ftruncate(file_, size) != 0) return Failure("truncating");
    if (::fdatasync(file_) != 0) return Failure("syncing");
    return Ok();
  }

 private:
  UploadFile(int file, std::string path) : file_(file), path_(std::move(path)) {}
  Error Failure(std::string_view doing) const { return FileError(doing, path_, errno); }

  int file_;
  std::string path_;
};

}  // namespace

// One call of AppendUpload: it owns the upload until another call takes over.
class ObjectStore::Append {
 public:
  Append(State& state, std::string id, std::shared_ptr<ActiveUpload> active, UploadFile file)
      : state_(state), id_(std::move(id)), active_(std::move(active)), file_(std::move(file)) {}

  // Takes over the upload for bytes that begin at `offset`.
  Status Begin(int64_t offset) {
    {
      const std::lock_guard lock(state_.mutex);
      owner_ = ++state_.next_owner;
    }
    const std::lock_guard lock(active_->mutex);
    if (offset > active_->received_bytes) {
      return OffsetError("the bytes sent begin at " + std::to_string(offset) + ", but only " +
                         std::to_string(active_->received_bytes) + " have arrived before");
    }
    active_->owner = owner_;
    skip_ = active_->received_bytes - offset;
    return Ok();
  }

  Status Receive(const ByteSource& source, const std::optional<int64_t>& total_bytes) {
    std::string buffer(kReceiveBytes, '\0');
    for (;;) {
      HF_ASSIGN_OR_RETURN(const size_t count, source(std::span(buffer)));
      if (count == 0) return Ok();
      std::string_view bytes(buffer.data(), count);
      const auto skipped = std::min(skip_, static_cast<int64_t>(count));
      skip_ -= skipped;
      bytes.remove_prefix(static_cast<size_t>(skipped));
      HF_RETURN_IF_ERROR(Write(bytes, total_bytes));
    }
  }

  // Records what has arrived: all of it when `everything`, otherwise whole chunks.
  Status End(bool everything) {
    const std::lock_guard lock(active_->mutex);
    if (active_->owner != owner_) return TakenOver();
    const int64_t kept =
        everything ? active_->received_bytes
                   : std::max(WholeChunks(active_->received_bytes), active_->durable_bytes);
    active_->received_bytes = kept;
    return Checkpoint();
  }

 private:
  Error TakenOver() const {
    return MakeError(ErrorId::kCancelled, "another request continues upload session " + id_);
  }

  Status Write(std::string_view bytes, const std::optional<int64_t>& total_bytes) {
    const std::lock_guard lock(active_->mutex);
    if (active_->owner != owner_) return TakenOver();
    const int64_t after = active_->received_bytes + static_cast<int64_t>(bytes.size());
    if (total_bytes && after > *total_bytes) {
      return OffsetError("more bytes arrive than the " + std::to_string(*total_bytes) +
                         " announced");
    }
    HF_RETURN_IF_ERROR(file_.WriteAt(active_->received_bytes, bytes));
    active_->received_bytes = after;
    if (after - active_->durable_bytes < kCheckpointBytes) return Ok();
    return Checkpoint();
  }

  // Called with the upload's mutex held.
  Status Checkpoint() {
    HF_RETURN_IF_ERROR(file_.Settle(active_->received_bytes));
    const std::lock_guard lock(state_.mutex);
    HF_RETURN_IF_ERROR(state_.uploads.SetReceived(id_, active_->received_bytes));
    active_->durable_bytes = active_->received_bytes;
    return Ok();
  }

  State& state_;
  const std::string id_;
  const std::shared_ptr<ActiveUpload> active_;
  UploadFile file_;
  uint64_t owner_ = 0;
  int64_t skip_ = 0;  // bytes of the source that have arrived before
};

Result<UploadRow> ObjectStore::State::FindUpload(const std::string& id) {
  HF_ASSIGN_OR_RETURN(auto row, uploads.Find(id));
  if (!row) return StorageNotFound("upload session " + id);
  return *std::move(row);
}

std::shared_ptr<ActiveUpload> ObjectStore::State::Activate(const UploadRow& row) {
  std::shared_ptr<ActiveUpload>& active = active_uploads[row.id];
  if (active == nullptr) {
    active = std::make_shared<ActiveUpload>();
    active->received_bytes = row.received_bytes;
    active->durable_bytes = row.received_bytes;
  }
  return active;
}

Result<UploadSession> ObjectStore::State::ToSession(const UploadRow& row) {
  UploadSession session{.id = row.id,
                        .object = row.object,
                        .total_bytes = row.total_bytes,
                        .received_bytes = row.received_bytes};
  if (row.finished_generation == 0) return session;
  HF_ASSIGN_OR_RETURN(session.finished,
                      FindObject({row.object.bucket, row.object.name, row.finished_generation}));
  return session;
}

Status ObjectStore::State::DropUpload(const UploadRow& row) {
  HF_RETURN_IF_ERROR(uploads.Erase(row.id));
  active_uploads.erase(row.id);
  if (row.finished_generation == 0) ReleaseBlob(row.blob);
  return Ok();
}

Status ObjectStore::State::ExpireUploads() {
  HF_ASSIGN_OR_RETURN(const auto expired,
                      uploads.ListCreatedBefore(clock.Now() - kSessionLifetime));
  for (const UploadRow& row : expired) HF_RETURN_IF_ERROR(DropUpload(row));
  return Ok();
}

Result<UploadSession> ObjectStore::StartUpload(const NewObject& object,
                                               std::optional<int64_t> total_bytes) {
  {
    const std::lock_guard lock(state_->mutex);
    HF_RETURN_IF_ERROR(state_->CheckTarget(object));
    HF_RETURN_IF_ERROR(state_->ExpireUploads());
  }
  HF_ASSIGN_OR_RETURN(std::string blob, state_->blobs->CreateEmpty());
  const UploadRow row{.id = RandomHex(state_->random, kSessionIdBytes),
                      .object = object,
                      .total_bytes = total_bytes,
                      .blob = std::move(blob),
                      .created = state_->clock.Now()};
  const std::lock_guard lock(state_->mutex);
  HF_RETURN_IF_ERROR(state_->uploads.Insert(row));
  return state_->ToSession(row);
}

Result<UploadSession> ObjectStore::GetUpload(const std::string& id) {
  std::shared_ptr<ActiveUpload> active;
  std::string path;
  {
    const std::lock_guard lock(state_->mutex);
    HF_ASSIGN_OR_RETURN(const UploadRow row, state_->FindUpload(id));
    if (row.finished_generation != 0) return state_->ToSession(row);
    active = state_->Activate(row);
    path = state_->blobs->PathOf(row.blob);
  }
  const std::lock_guard upload_lock(active->mutex);
  if (active->received_bytes > active->durable_bytes) {
    HF_ASSIGN_OR_RETURN(UploadFile file, UploadFile::Open(path));
    HF_RETURN_IF_ERROR(file.Settle(active->received_bytes));
  }
  const std::lock_guard lock(state_->mutex);
  HF_RETURN_IF_ERROR(state_->uploads.SetReceived(id, active->received_bytes));
  active->durable_bytes = active->received_bytes;
  HF_ASSIGN_OR_RETURN(const UploadRow row, state_->FindUpload(id));
  return state_->ToSession(row);
}

Result<UploadSession> ObjectStore::AppendUpload(const std::string& id, int64_t offset,
                                                bool complete, const ByteSource& source) {
  std::shared_ptr<ActiveUpload> active;
  std::string path;
  std::optional<int64_t> total_bytes;
  {
    const std::lock_guard lock(state_->mutex);
    HF_ASSIGN_OR_RETURN(const UploadRow row, state_->FindUpload(id));
    if (row.finished_generation != 0) return state_->ToSession(row);
    active = state_->Activate(row);
    path = state_->blobs->PathOf(row.blob);
    total_bytes = row.total_bytes;
  }
  HF_ASSIGN_OR_RETURN(UploadFile file, UploadFile::Open(path));
  Append append(*state_, id, std::move(active), std::move(file));
  HF_RETURN_IF_ERROR(append.Begin(offset));
  const Status received = append.Receive(source, total_bytes);
  HF_RETURN_IF_ERROR(append.End(complete && received.ok()));
  HF_RETURN_IF_ERROR(received);
  const std::lock_guard lock(state_->mutex);
  HF_ASSIGN_OR_RETURN(const UploadRow row, state_->FindUpload(id));
  return state_->ToSession(row);
}

Result<UploadSession> ObjectStore::FinishUpload(const std::string& id, int64_t total_bytes,
                                                const Checksums& expected) {
  std::shared_ptr<ActiveUpload> active;
  {
    const std::lock_guard lock(state_->mutex);
    HF_ASSIGN_OR_RETURN(const UploadRow row, state_->FindUpload(id));
    if (row.finished_generation != 0) return state_->ToSession(row);
    active = state_->Activate(row);
  }
  // Held to the end: nobody appends to bytes that are being published, and a second finish waits.
  const std::lock_guard upload_lock(active->mutex);
  std::unique_lock lock(state_->mutex);
  HF_ASSIGN_OR_RETURN(UploadRow row, state_->FindUpload(id));
  if (row.finished_generation != 0) return state_->ToSession(row);
  lock.unlock();

  active->owner = 0;
  if (active->received_bytes != total_bytes ||
      row.total_bytes.value_or(total_bytes) != total_bytes) {
    return OffsetError("the upload is said to have " + std::to_string(total_bytes) + " bytes; " +
                       std::to_string(active->received_bytes) + " have arrived");
  }
  HF_ASSIGN_OR_RETURN(UploadFile file, UploadFile::Open(state_->blobs->PathOf(row.blob)));
  HF_RETURN_IF_ERROR(file.Settle(total_bytes));
  HF_ASSIGN_OR_RETURN(BlobDigest digest, state_->blobs->Digest(row.blob));

  lock.lock();
  Status matched = State::CheckDigest(row.object, row.object.expected, digest);
  if (matched.ok()) matched = State::CheckDigest(row.object, expected, digest);
  if (!matched.ok()) {
    HF_RETURN_IF_ERROR(state_->DropUpload(row));
    return std::move(matched).error();
  }
  HF_RETURN_IF_ERROR(state_->FindUpload(id));  // it may have been cancelled meanwhile
  HF_ASSIGN_OR_RETURN(const ObjectRecord record,
                      state_->Publish(row.object, {.blob = row.blob, .digest = std::move(digest)},
                                      [&](const ObjectRecord& object) {
                                        return state_->uploads.SetFinished(id, object.generation);
                                      }));
  state_->active_uploads.erase(id);
  row.finished_generation = record.generation;
  row.received_bytes = total_bytes;
  return state_->ToSession(row);
}

Status ObjectStore::CancelUpload(const std::string& id) {
  const std::lock_guard lock(state_->mutex);
  HF_ASSIGN_OR_RETURN(const UploadRow row, state_->FindUpload(id));
  return state_->DropUpload(row);
}

}  // namespace holdfast::storage
