#include "localcloud/warehouse/file_area.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/file_error.h"

namespace holdfast::warehouse {

namespace {

namespace fs = std::filesystem;

// From this many files on, one sync of the file system is cheaper than one for each.
constexpr size_t kSyncEachMax = 8;

Status SyncPath(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return FileError("opening", path, errno);
  const int result = fsync(descriptor);
  const int code = errno;
  close(descriptor);
  if (result != 0) return FileError("syncing", path, code);
  return Ok();
}

Status MakeDirectory(const std::string& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) return FileError("creating", path, code.value());
  return Ok();
}

}  // namespace

StagingDirectory::~StagingDirectory() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

PublishedFiles::~PublishedFiles() { area_->Remove(paths_); }

FileArea::FileArea(std::string directory, Random& random)
    : directory_(std::move(directory)), files_(directory_ + "/files"), random_(random) {}

Result<std::unique_ptr<FileArea>> FileArea::Open(const std::string& directory, Random& random) {
  HF_RETURN_IF_ERROR(MakeDirectory(directory));
  std::error_code code;
  const std::string absolute = fs::canonical(directory, code).string();
  if (code) return FileError("opening", directory, code.value());
  std::unique_ptr<FileArea> area(new FileArea(absolute, random));
  for (const char* scratch : {"/staging", "/spill"}) {
    fs::remove_all(absolute + scratch, code);
    HF_RETURN_IF_ERROR(MakeDirectory(absolute + scratch));
  }
  HF_RETURN_IF_ERROR(MakeDirectory(area->files_));
  return area;
}

Result<StagingDirectory> FileArea::MakeStaging() {
  std::string path = directory_ + "/staging/" + RandomHex(random_, 16);
  HF_RETURN_IF_ERROR(MakeDirectory(path));
  return StagingDirectory(std::move(path));
}

Result<std::string> FileArea::FreshPath() {
  const std::string name = RandomHex(random_, 16);
  const std::string folder = name.substr(0, 2);
  HF_RETURN_IF_ERROR(MakeDirectory(files_ + "/" + folder));
  return folder + "/" + name + ".parquet";
}

Result<PublishedFiles> FileArea::Publish(const std::vector<std::string>& staged) {
  PublishedFiles published(*this);
  for (const std::string& source : staged) {
    HF_ASSIGN_OR_RETURN(const std::string path, FreshPath());
    std::error_code code;
    fs::rename(source, Absolute(path), code);
    if (code) return FileError("renaming to", Absolute(path), code.value());
    published.paths_.push_back(path);
  }
  HF_RETURN_IF_ERROR(Sync(published.paths_));
  return published;
}

Result<PublishedFiles> FileArea::Link(const std::vector<std::string>& paths) {
  PublishedFiles published(*this);
  for (const std::string& source : paths) {
    HF_ASSIGN_OR_RETURN(const std::string path, FreshPath());
    std::error_code code;
    fs::create_hard_link(Absolute(source), Absolute(path), code);
    if (code) return FileError("linking", Absolute(path), code.value());
    published.paths_.push_back(path);
  }
  HF_RETURN_IF_ERROR(Sync(published.paths_));
  return published;
}

Status FileArea::Sync(const std::vector<std::string>& paths) {
  if (paths.size() <= kSyncEachMax) {
    for (const std::string& path : paths) {
      HF_RETURN_IF_ERROR(SyncPath(Absolute(path)));
      HF_RETURN_IF_ERROR(SyncPath(fs::path(Absolute(path)).parent_path().string()));
    }
    return SyncPath(files_);
  }
  const int descriptor = open(files_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return FileError("opening", files_, errno);
  const int result = syncfs(descriptor);
  const int code = errno;
  close(descriptor);
  if (result != 0) return FileError("syncing", files_, code);
  return Ok();
}

void FileArea::Remove(const std::vector<std::string>& paths) {
  // What cannot be deleted now is an orphan that the next open sweeps.
  std::error_code ignored;
  for (const std::string& path : paths) fs::remove(Absolute(path), ignored);
}

Result<int64_t> FileArea::SweepOrphans(const std::set<std::string>& known) {
  std::error_code code;
  std::vector<std::string> orphans;
  for (fs::recursive_directory_iterator it(files_, code), end; !code && it != end;
       it.increment(code)) {
    if (!it->is_regular_file()) continue;
    std::string path = it->path().string().substr(files_.size() + 1);
    if (!known.contains(path)) orphans.push_back(std::move(path));
  }
  if (code) return FileError("listing", files_, code.value());
  Remove(orphans);
  return static_cast<int64_t>(orphans.size());
}

}  // namespace holdfast::warehouse
