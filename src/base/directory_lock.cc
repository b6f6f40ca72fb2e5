#include "base/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/file_error.h"

namespace holdfast {

namespace {

constexpr mode_t kPrivate = 0600;

std::string LockFile(const std::string& directory) { return directory + "/lock"; }
std::string UsersFile(const std::string& directory) { return directory + "/users"; }

Result<int> OpenIn(const std::string& directory, const std::string& path) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) return FileError("creating", directory, failure.value());
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kPrivate);
  if (file < 0) return FileError("opening", path, errno);
  return file;
}

// Waits for the lock, whatever signals come.
Status AwaitLock(int file, int operation, const std::string& path) {
  while (::flock(file, operation) != 0) {
    if (errno != EINTR) return FileError("locking", path, errno);
  }
  return Ok();
}

}  // namespace

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::Take(const std::string& directory) {
  const std::string path = LockFile(directory);
  HF_ASSIGN_OR_RETURN(const int file, OpenIn(directory, path));
  std::unique_ptr<DirectoryLock> lock(new DirectoryLock(file));
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return FileError("locking", path, errno);
  return MakeError(ErrorId::kDirectoryInUse, directory + " is open in another process");
}

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::Share(const std::string& directory) {
  const std::string path = UsersFile(directory);
  HF_ASSIGN_OR_RETURN(const int file, OpenIn(directory, path));
  std::unique_ptr<DirectoryLock> lock(new DirectoryLock(file));
  HF_RETURN_IF_ERROR(AwaitLock(file, LOCK_SH, path));
  return lock;
}

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::CloseToUsers(const std::string& directory) {
  const std::string path = UsersFile(directory);
  HF_ASSIGN_OR_RETURN(const int file, OpenIn(directory, path));
  std::unique_ptr<DirectoryLock> lock(new DirectoryLock(file));
  HF_RETURN_IF_ERROR(AwaitLock(file, LOCK_EX, path));
  return lock;
}

bool DirectoryLock::IsHeld(const std::string& directory) {
  const int file = ::open(LockFile(directory).c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return false;
  const bool held = ::flock(file, LOCK_EX | LOCK_NB) != 0;
  ::close(file);
  return held;
}

DirectoryLock::~DirectoryLock() { ::close(file_); }

}  // namespace holdfast
