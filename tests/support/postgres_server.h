// A PostgreSQL server of a test's own: a new cluster in a temporary directory, reached through a
// Unix socket in it and by nothing else.
//
// It runs as the user `postgres` (or `nobody`) when the test is root, since PostgreSQL refuses
// root, and ends with the thread that started it, even when that is killed. Its default order of
// texts is not that of their bytes, so that a statement that relies on it is found. Not
// thread-safe.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "tests/support/temporary_directory.h"

namespace holdfast::testing_support {

class PostgresServer {
 public:
  // Makes the cluster and starts it. kFileError with what initdb or the server said.
  static Result<std::unique_ptr<PostgresServer>> Start();
  ~PostgresServer();

  // The URL of the database that is there from the start. `guarded` is a user that must exist and
  // give a password; without it, everything may be done.
  std::string Url(const std::string& user = "holdfast") const;

  // Ends the server as a machine that is switched off does; and starts it again.
  void Stop();
  Status StartAgain();

  // What the server wrote so far.
  std::string Log() const;

 private:
  PostgresServer() = default;
  Status MakeCluster();
  Status WaitUntilReady();
  pid_t Spawn(const std::vector<std::string>& arguments) const;
  std::string DataDirectory() const { return directory_.path() + "/data"; }
  std::string LogFile() const { return directory_.path() + "/log"; }

  const TemporaryDirectory directory_;
  pid_t server_ = -1;
};

}  // namespace holdfast::testing_support
