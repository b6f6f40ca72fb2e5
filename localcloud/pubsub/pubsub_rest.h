// Pub/Sub over REST: the HTTP form of the same calls, under /v1/projects/…, on the shared router.
//
// Bodies and answers are the JSON of Google's own protocol messages (camelCase, base64 data, "10s"
// durations); an unknown field is refused. It translates between HTTP and the Broker and holds no
// state. Snapshots and schemas answer 501. Source: google.api.http options of pubsub.proto.
#pragma once

#include "base/clock.h"
#include "localcloud/pubsub/broker.h"
#include "localcloud/rest/router.h"

namespace holdfast::pubsub {

struct RestOptions {
  // An empty pull answers after this long. It holds a worker thread of the HTTP server meanwhile…
  Duration pull_wait_max = std::chrono::seconds{5};
  // …so no more pulls than this wait at once; another one answers empty at once.
  int waiting_pulls_max = 4;
};

// Adds Pub/Sub's routes. `broker` must outlive the router.
void RegisterRoutes(const RestOptions& options, Broker& broker, rest::Router& router);

}  // namespace holdfast::pubsub
