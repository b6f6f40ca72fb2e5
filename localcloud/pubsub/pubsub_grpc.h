// Pub/Sub over gRPC: google.pubsub.v1.Publisher, Subscriber and SchemaService on a port of its own.
//
// It translates between the wire and the Broker and holds no state but the open streams, each with
// at most one answer in flight. Schemas and snapshots answer UNIMPLEMENTED. No call blocks a gRPC
// thread on the disk for longer than one commit. Source: google/pubsub/v1/pubsub.proto.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "localcloud/pubsub/broker.h"

namespace holdfast::pubsub {

struct GrpcServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;                                  // 0: any free one, see port()
  Duration pull_wait_max = std::chrono::seconds{20};  // an empty unary Pull answers after this long
};

class GrpcServer {
 public:
  // Binds and serves. `broker` must outlive the server. Errors: kPubsubListenFailed.
  static Result<std::unique_ptr<GrpcServer>> Start(const GrpcServerOptions& options,
                                                   Broker& broker);
  virtual ~GrpcServer() = default;

  // The port that Start bound.
  virtual uint16_t port() const = 0;

  // Ends the open streams with UNAVAILABLE, lets running calls finish, closes the port. Idempotent.
  virtual void Stop() = 0;
};

}  // namespace holdfast::pubsub
