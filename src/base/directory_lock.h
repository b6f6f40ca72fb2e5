// The right to have a directory open: at most one holder at a time, among all processes.
//
// It is an advisory lock (flock) on the file `lock` in the directory, which stays there. The kernel
// takes it back when the holder dies, however it dies, so it can never be stale. Two locks of one
// process exclude each other too. The path is fixed at construction; safe to destroy in any thread.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace holdfast {

class DirectoryLock {
 public:
  // Creates the directory, with its parents, when it is absent; never waits. Errors:
  // kDirectoryInUse (someone else holds it), kDiskFull, kFileError; each names the directory.
  static Result<std::unique_ptr<DirectoryLock>> Take(const std::string& directory);

  // The right to use what the holder serves: any number at once, on the file `users` beside it.
  // Waits while a holder is closing (`CloseToUsers`). Creates the directory when it is absent.
  // Errors: kDiskFull, kFileError.
  static Result<std::unique_ptr<DirectoryLock>> Share(const std::string& directory);

  // For the holder, before it stops: waits until no one uses it, and keeps new ones waiting for as
  // long as the result lives. Errors as Share.
  static Result<std::unique_ptr<DirectoryLock>> CloseToUsers(const std::string& directory);

  // Whether someone holds it now. False when the directory is absent or cannot be read.
  static bool IsHeld(const std::string& directory);

  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int file) : file_(file) {}
  int file_;
};

}  // namespace holdfast
