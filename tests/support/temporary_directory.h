// A directory of a test's own, removed with everything in it when the test ends.
//
// In memory where the system has such a place (/dev/shm), so that a test of what is synced to disk
// waits for no disk; a killed process loses nothing there either. Used by one thread.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "base/check.h"

namespace holdfast::testing_support {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::error_code ignored;
    for (const auto& parent :
         {std::filesystem::path("/dev/shm"), std::filesystem::temp_directory_path(ignored)}) {
      std::string pattern = (parent / "holdfast-XXXXXX").string();
      if (mkdtemp(pattern.data()) == nullptr) continue;
      path_ = pattern;
      return;
    }
    CHECK(false, "no temporary directory can be made");
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace holdfast::testing_support
