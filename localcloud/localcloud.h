// localcloud: Google's protocols for one machine, with a directory as its whole state.
//
// Opens the stores below the data directory, serves every REST service on one HTTP port and
// Pub/Sub's gRPC on another. One process at a time may have a directory open (a lock file says so);
// where it listens stands in endpoint.json beside the lock. State survives kill -9. Source: DESIGN
// §6.
//
// Thread-safe. Takes requests from `Start` until `Stop` or destruction.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "localcloud/control/control_store.h"

namespace holdfast::localcloud {

struct Options {
  std::string data_dir;
  std::string address =
      "127.0.0.1";         // there are no credentials: anything else is open to the network
  uint16_t http_port = 0;  // 0: any free one
  uint16_t grpc_port = 0;
  bool strict_projects = false;                          // refuse projects that were not created
  Duration log_retention = std::chrono::hours{24 * 30};  // of entries written to Cloud Logging
};

// Where a localcloud listens: "127.0.0.1:9050".
struct Endpoint {
  std::string http;
  std::string grpc;
};

class Localcloud {
 public:
  // Errors: kDirectoryInUse (another process has the directory), kHttpListenFailed,
  // kPubsubListenFailed, those of the stores. Borrows the ports of time and chance.
  static Result<std::unique_ptr<Localcloud>> Start(const Options& options, Clock& clock,
                                                   Random& random);
  virtual ~Localcloud() = default;

  // Where it listens; the same as long as it lives.
  virtual Endpoint endpoint() const = 0;

  // The resource hierarchy, for setting up organizations from inside this process.
  virtual control::ControlStore& control() = 0;

  // Stops taking requests, lets those that run finish, closes the stores. Idempotent.
  virtual void Stop() = 0;
};

// Where the localcloud that has `data_dir` open listens; nullopt: none has.
std::optional<Endpoint> FindRunning(const std::string& data_dir);

// The environment variables that Google's clients read, as "NAME=value".
std::vector<std::string> EmulatorVariables(const Endpoint& endpoint);

}  // namespace holdfast::localcloud
