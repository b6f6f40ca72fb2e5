#include "localcloud/storage/blob_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/file_error.h"
#include "base/log.h"

namespace holdfast::storage {
namespace {

constexpr int kIdBytes = 16;
constexpr size_t kReadBytes = size_t{1} << 20U;

Status WriteAll(int file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError("writing", path, errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return Ok();
}

Status SyncFolder(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return FileError("opening", path, errno);
  const int code = ::fsync(folder);
  Status status = code == 0 ? Ok() : Status(FileError("syncing", path, errno));
  ::close(folder);
  return status;
}

}  // namespace

BlobPin::BlobPin(BlobDirectory& directory, std::string id)
    : directory_(&directory), id_(std::move(id)) {}

BlobPin::BlobPin(BlobPin&& other) noexcept
    : directory_(std::exchange(other.directory_, nullptr)), id_(std::move(other.id_)) {}

BlobPin& BlobPin::operator=(BlobPin&& other) noexcept {
  std::swap(directory_, other.directory_);
  std::swap(id_, other.id_);
  return *this;
}

BlobPin::~BlobPin() {
  if (directory_ != nullptr) directory_->Unpin(id_);
}

BlobWriter::BlobWriter(BlobDirectory& directory, std::string id, int file)
    : directory_(directory), id_(std::move(id)), file_(file), md5_(Hasher::Md5()) {}

BlobWriter::~BlobWriter() {
  if (file_ >= 0) ::close(file_);
  if (!kept_) directory_.Remove(id_);
}

Status BlobWriter::Append(std::string_view bytes) {
  HF_RETURN_IF_ERROR(WriteAll(file_, bytes, directory_.PathOf(id_)));
  digest_.size_bytes += static_cast<int64_t>(bytes.size());
  digest_.crc32c = ExtendCrc32c(digest_.crc32c, bytes);
  md5_.Update(bytes);
  return Ok();
}

Result<BlobDigest> BlobWriter::Finish() {
  if (::fsync(file_) != 0) return FileError("syncing", directory_.PathOf(id_), errno);
  HF_RETURN_IF_ERROR(SyncFolder(directory_.path_));
  digest_.md5 = md5_.Finish();
  return digest_;
}

Result<std::unique_ptr<BlobDirectory>> BlobDirectory::Open(const std::string& path,
                                                           Random& random) {
  std::error_code code;
  std::filesystem::create_directories(path, code);
  if (code) return FileError("creating", path, code.value());
  HF_RETURN_IF_ERROR(SyncFolder(std::filesystem::path(path).parent_path().string()));
  return std::unique_ptr<BlobDirectory>(new BlobDirectory(path, random));
}

std::string BlobDirectory::PathOf(const std::string& id) const { return path_ + "/" + id; }

Result<int> BlobDirectory::CreateFile(const std::string& id) {
  const std::string path = PathOf(id);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return FileError("creating", path, errno);
  return file;
}

Result<std::unique_ptr<BlobWriter>> BlobDirectory::Create() {
  std::string id = RandomHex(random_, kIdBytes);
  HF_ASSIGN_OR_RETURN(const int file, CreateFile(id));
  return std::unique_ptr<BlobWriter>(new BlobWriter(*this, std::move(id), file));
}

Result<std::string> BlobDirectory::CreateEmpty() {
  HF_ASSIGN_OR_RETURN(const std::unique_ptr<BlobWriter> writer, Create());
  HF_RETURN_IF_ERROR(writer->Finish());
  writer->Keep();
  return writer->id();
}

Result<BlobDigest> BlobDirectory::Digest(const std::string& id) {
  const std::string path = PathOf(id);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return FileError("opening", path, errno);
  BlobDigest digest;
  Hasher md5 = Hasher::Md5();
  std::string buffer(kReadBytes, '\0');
  for (;;) {
    const ssize_t count = ::read(file, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      Error error = FileError("reading", path, errno);
      ::close(file);
      return error;
    }
    if (count == 0) break;
    const std::string_view bytes(buffer.data(), static_cast<size_t>(count));
    digest.size_bytes += count;
    digest.crc32c = ExtendCrc32c(digest.crc32c, bytes);
    md5.Update(bytes);
  }
  ::close(file);
  digest.md5 = md5.Finish();
  return digest;
}

BlobPin BlobDirectory::Pin(const std::string& id) {
  const std::lock_guard lock(mutex_);
  ++pins_[id];
  return {*this, id};
}

void BlobDirectory::Unpin(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto pin = pins_.find(id);
  if (--pin->second > 0) return;
  pins_.erase(pin);
  if (doomed_.erase(id) > 0) ::unlink(PathOf(id).c_str());
}

void BlobDirectory::Remove(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (pins_.contains(id)) {
    doomed_.insert(id);
    return;
  }
  if (::unlink(PathOf(id).c_str()) != 0 && errno != ENOENT) {
    LogWarning("a blob could not be removed",
               {{"path", PathOf(id)}, {"cause", std::strerror(errno)}});
  }
}

Status BlobDirectory::CollectOrphans(
    const std::function<Result<bool>(const std::string& id)>& is_named) {
  std::error_code code;
  std::filesystem::directory_iterator files(path_, code);
  for (; !code && files != std::filesystem::directory_iterator(); files.increment(code)) {
    const std::string id = files->path().filename().string();
    HF_ASSIGN_OR_RETURN(const bool named, is_named(id));
    if (!named) ::unlink(files->path().c_str());
  }
  if (code) return FileError("listing", path_, code.value());
  return Ok();
}

}  // namespace holdfast::storage
