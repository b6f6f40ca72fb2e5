// The message bus over Google Cloud Pub/Sub, or an emulator of it.
//
// It translates to Pub/Sub's messages, splits what its limits do not take in one request, and
// retries as the port says. Unary Pull is used: a worker asks for what it can do, and no stream
// holds leases for it. A pull whose time runs out is an empty one. Thread-safe.
// Source: google/pubsub/v1/pubsub.proto; cloud.google.com/pubsub/quotas.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/random.h"
#include "base/retry.h"
#include "cloud/message_bus.h"
#include "gcp/pubsub_transport.h"

namespace holdfast::gcp {

struct PubsubOptions {
  RetryPolicy retry;
  Duration call_timeout = std::chrono::seconds{60};  // of one attempt; a pull adds none to its wait
};

// `clock` and `random` outlive the bus.
std::unique_ptr<cloud::MessageBus> MakePubsubMessageBus(std::unique_ptr<PubsubTransport> transport,
                                                        PubsubOptions options, Clock& clock,
                                                        Random& random);

}  // namespace holdfast::gcp
