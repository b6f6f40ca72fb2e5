#include "cli/export_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/file_error.h"
#include "base/log.h"

namespace holdfast::cli {

namespace {

constexpr const char* kPartialSuffix = ".partial";

// A new file of this process. Finish puts it on the disk; who made it removes or renames it.
class LocalFile final : public warehouse::ExtractSink {
 public:
  static Result<std::unique_ptr<warehouse::ExtractSink>> Create(const std::string& path) {
    const int descriptor = open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor < 0) return FileError("writing", path, errno);
    std::unique_ptr<warehouse::ExtractSink> file(new LocalFile(descriptor, path));
    return file;
  }

  ~LocalFile() override { close(descriptor_); }
  LocalFile(const LocalFile&) = delete;
  LocalFile& operator=(const LocalFile&) = delete;

  Status Write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return FileError("writing", path_, errno);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return Ok();
  }

  Status Finish() override {
    return fsync(descriptor_) == 0 ? Ok() : Status(FileError("syncing", path_, errno));
  }

 private:
  LocalFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}

  int descriptor_;
  std::string path_;
};

class DirectoryFiles final : public ExportFiles {
 public:
  explicit DirectoryFiles(std::string directory) : directory_(std::move(directory)) {}

  // What was not renamed is of an export that failed.
  ~DirectoryFiles() override {
    std::error_code ignored;
    for (const std::string& path : paths_) {
      std::filesystem::remove(path + kPartialSuffix, ignored);
    }
  }

  Result<std::unique_ptr<warehouse::ExtractSink>> Make(const std::string& name) override {
    const std::string path = directory_ + "/" + name;
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) {
      return MakeError(ErrorId::kExportExists, path + " is there already");
    }
    paths_.push_back(path);
    return LocalFile::Create(path + kPartialSuffix);
  }

  Status Commit() override {
    for (const std::string& path : paths_) {
      if (std::rename((path + kPartialSuffix).c_str(), path.c_str()) != 0) {
        return FileError("writing", path, errno);
      }
    }
    return Ok();
  }

  std::vector<std::string> Places() const override { return paths_; }

 private:
  std::string directory_;
  std::vector<std::string> paths_;
};

class BucketFiles final : public ExportFiles {
 public:
  BucketFiles(cloud::ObjectStore& store, std::string bucket, std::string prefix,
              std::string scratch_directory)
      : store_(store),
        bucket_(std::move(bucket)),
        prefix_(std::move(prefix)),
        scratch_directory_(std::move(scratch_directory)) {}

  Result<std::unique_ptr<warehouse::ExtractSink>> Make(const std::string& name) override {
    const cloud::ObjectRef object{bucket_, prefix_ + name, 0};
    HF_ASSIGN_OR_RETURN(const auto there, store_.StatObject(object));
    if (there) return MakeError(ErrorId::kExportExists, object.Uri() + " is there already");
    names_.push_back(name);
    return LocalFile::Create(ScratchPath(name));
  }

  Status Commit() override {
    std::vector<cloud::ObjectInfo> created;
    for (const std::string& name : names_) {
      auto object = Upload(name);
      if (!object.ok()) {
        TakeBack(created);
        return std::move(object).error();
      }
      created.push_back(*std::move(object));
    }
    return Ok();
  }

  std::vector<std::string> Places() const override {
    std::vector<std::string> places;
    for (const std::string& name : names_) {
      places.push_back(cloud::ObjectRef{bucket_, prefix_ + name, 0}.Uri());
    }
    return places;
  }

 private:
  std::string ScratchPath(const std::string& name) const { return scratch_directory_ + "/" + name; }

  Result<cloud::ObjectInfo> Upload(const std::string& name) {
    const std::string path = ScratchPath(name);
    std::error_code error;
    const auto size = static_cast<int64_t>(std::filesystem::file_size(path, error));
    if (error) return FileError("reading", path, error.value());
    const auto open = [path] {
      auto file = std::make_shared<std::ifstream>(path, std::ios::binary);
      return ByteSource([file, path](std::span<char> buffer) -> Result<size_t> {
        file->read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        if (file->bad()) return FileError("reading", path, EIO);
        return static_cast<size_t>(file->gcount());
      });
    };
    return store_.CreateObject({bucket_, prefix_ + name, 0}, size, open);
  }

  void TakeBack(const std::vector<cloud::ObjectInfo>& created) {
    for (const cloud::ObjectInfo& object : created) {
      const Status deleted = store_.DeleteObject(object.ref);
      if (deleted.ok()) continue;
      LogWarning("a file of an export that failed was not deleted",
                 {{"object", object.ref.Uri()}, {"error", deleted.error().message}});
    }
  }

  cloud::ObjectStore& store_;
  std::string bucket_;
  std::string prefix_;
  std::string scratch_directory_;
  std::vector<std::string> names_;
};

}  // namespace

Result<std::unique_ptr<ExportFiles>> ExportToDirectory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return FileError("making", directory, error.value());
  std::unique_ptr<ExportFiles> files = std::make_unique<DirectoryFiles>(directory);
  return files;
}

std::unique_ptr<ExportFiles> ExportToBucket(cloud::ObjectStore& store, std::string bucket,
                                            std::string prefix, std::string scratch_directory) {
  return std::make_unique<BucketFiles>(store, std::move(bucket), std::move(prefix),
                                       std::move(scratch_directory));
}

}  // namespace holdfast::cli
