// The warehouse's directory of immutable Parquet files, and how a file gets into it.
//
// A file is written under staging/, then published: renamed to a random name in files/ and synced
// to the disk. Until a version names it, a published file is only held by its `PublishedFiles`,
// which deletes it unless told to keep it; after a crash the sweep on open does. Paths that leave
// this class are relative to files/. Thread-safe. Errors: kDiskFull, kFileError naming the path.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"

namespace holdfast::warehouse {

class FileArea;

// A directory under staging/ that disappears with the object.
class StagingDirectory {
 public:
  // Takes over a directory that exists.
  explicit StagingDirectory(std::string path) : path_(std::move(path)) {}
  ~StagingDirectory();
  StagingDirectory(StagingDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  StagingDirectory& operator=(StagingDirectory&&) = delete;

  // Absolute.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Published files that are deleted on destruction, unless `Keep` was called after the commit.
class PublishedFiles {
 public:
  // Of no file yet; FileArea adds them. `area` must outlive this.
  explicit PublishedFiles(FileArea& area) : area_(&area) {}
  ~PublishedFiles();
  PublishedFiles(PublishedFiles&& other) noexcept
      : area_(other.area_), paths_(std::exchange(other.paths_, {})) {}
  PublishedFiles& operator=(PublishedFiles&&) = delete;

  // Relative to files/, in the order of publishing. Empty after Keep.
  const std::vector<std::string>& paths() const { return paths_; }

  // A committed version names the files now: they are no longer this object's.
  void Keep() { paths_.clear(); }

 private:
  friend class FileArea;
  FileArea* area_;
  std::vector<std::string> paths_;
};

class FileArea {
 public:
  // Creates the directories and empties staging/ and spill/. `random` must outlive the area.
  static Result<std::unique_ptr<FileArea>> Open(const std::string& directory, Random& random);

  // A new, empty directory under staging/.
  Result<StagingDirectory> MakeStaging();

  // Renames the staged files (absolute paths) into the area, in order, and syncs them: they are
  // durable on return. On failure none of them stays.
  Result<PublishedFiles> Publish(const std::vector<std::string>& staged);

  // A second name for the same bytes (a hard link), as durable as Publish's.
  Result<PublishedFiles> Link(const std::vector<std::string>& paths);

  // Where a path of files/ is on the disk.
  std::string Absolute(const std::string& path) const { return files_ + "/" + path; }
  std::string spill_directory() const { return directory_ + "/spill"; }

  // What Open was given, absolute and without links.
  const std::string& directory() const { return directory_; }

  // Deletes the files; one that is absent already is fine.
  void Remove(const std::vector<std::string>& paths);

  // Deletes every file that is not in `known`; returns how many. Only while nobody writes.
  Result<int64_t> SweepOrphans(const std::set<std::string>& known);

 private:
  FileArea(std::string directory, Random& random);
  Result<std::string> FreshPath();
  Status Sync(const std::vector<std::string>& paths);

  std::string directory_;
  std::string files_;
  Random& random_;
};

}  // namespace holdfast::warehouse
