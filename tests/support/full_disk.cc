// A disk that is full on request: a library to be preloaded into the program under test.
//
// While the file that the environment variable HOLDFAST_FULL_DISK names exists, everything below
// the directory whose path it holds is on a full disk: what would take up more space fails with
// ENOSPC, as does syncing (a file system may put off looking for space until then); what is there
// can be read and deleted, and an empty file be made where its directory has room for the name. The
// test makes and removes the file whenever it likes. Only calls that go through the C library's
// dynamic symbols are seen; DuckDB, SQLite, libstdc++ and Holdfast make all of theirs so.
// Thread-safe.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

// The next definition of `name`: the C library's.
template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::string ReadAll(const char* path) {
  std::string text;
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return text;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::read(file, buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(count));
  }
  ::close(file);
  return text;
}

// Whether the path is below the directory that is full now. Keeps errno.
bool IsOnFullDisk(std::string_view path) {
  const char* flag = std::getenv("HOLDFAST_FULL_DISK");
  if (flag == nullptr) return false;
  const int before = errno;
  const std::string directory = ReadAll(flag);
  errno = before;
  return !directory.empty() && path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

bool IsOnFullDisk(int file) {
  if (std::getenv("HOLDFAST_FULL_DISK") == nullptr) return false;
  const int before = errno;
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  const ssize_t size = ::readlink(link.c_str(), path, sizeof(path));
  errno = before;
  return size > 0 && IsOnFullDisk(std::string_view(path, static_cast<size_t>(size)));
}

template <typename Result>
Result NoSpace(Result answer) {
  errno = ENOSPC;
  return answer;
}

bool Grows(int file, off_t size) {
  struct stat now {};
  return ::fstat(file, &now) == 0 && size > now.st_size;
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* data, size_t size) {
  if (size > 0 && IsOnFullDisk(file)) return NoSpace<ssize_t>(-1);
  return Next<ssize_t(int, const void*, size_t)>("write")(file, data, size);
}

ssize_t writev(int file, const iovec* parts, int count) {
  if (IsOnFullDisk(file)) return NoSpace<ssize_t>(-1);
  return Next<ssize_t(int, const iovec*, int)>("writev")(file, parts, count);
}

ssize_t pwrite(int file, const void* data, size_t size, off_t offset) {
  if (size > 0 && IsOnFullDisk(file)) return NoSpace<ssize_t>(-1);
  return Next<ssize_t(int, const void*, size_t, off_t)>("pwrite")(file, data, size, offset);
}

ssize_t pwrite64(int file, const void* data, size_t size, off64_t offset) {
  return pwrite(file, data, size, offset);
}

int ftruncate(int file, off_t size) noexcept {
  if (Grows(file, size) && IsOnFullDisk(file)) return NoSpace(-1);
  return Next<int(int, off_t)>("ftruncate")(file, size);
}

int ftruncate64(int file, off64_t size) noexcept { return ftruncate(file, size); }

int fallocate(int file, int mode, off_t offset, off_t size) {
  if (IsOnFullDisk(file)) return NoSpace(-1);
  return Next<int(int, int, off_t, off_t)>("fallocate")(file, mode, offset, size);
}

int posix_fallocate(int file, off_t offset, off_t size) {
  if (IsOnFullDisk(file)) return ENOSPC;
  return Next<int(int, off_t, off_t)>("posix_fallocate")(file, offset, size);
}

ssize_t sendfile(int to, int from, off_t* offset, size_t size) noexcept {
  if (IsOnFullDisk(to)) return NoSpace<ssize_t>(-1);
  return Next<ssize_t(int, int, off_t*, size_t)>("sendfile")(to, from, offset, size);
}

int fsync(int file) {
  if (IsOnFullDisk(file)) return NoSpace(-1);
  return Next<int(int)>("fsync")(file);
}

int fdatasync(int file) {
  if (IsOnFullDisk(file)) return NoSpace(-1);
  return Next<int(int)>("fdatasync")(file);
}

int syncfs(int file) noexcept {
  if (IsOnFullDisk(file)) return NoSpace(-1);
  return Next<int(int)>("syncfs")(file);
}

int mkdir(const char* path, mode_t mode) noexcept {
  if (::access(path, F_OK) != 0 && IsOnFullDisk(path)) return NoSpace(-1);
  return Next<int(const char*, mode_t)>("mkdir")(path, mode);
}

}  // extern "C"
