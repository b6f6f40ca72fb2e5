// A Pub/Sub server alone, for interop tests: `pubsub_server DIRECTORY`. It prints the line that
// Google's clients read, and serves until its standard input ends.
#include <cstdio>
#include <iostream>

#include "adapters/system_clock.h"
#include "localcloud/pubsub/pubsub_grpc.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: pubsub_server DIRECTORY\n";
    return 2;
  }
  holdfast::SystemClock clock;
  const auto broker = holdfast::pubsub::Broker::Open({.directory = argv[1]}, clock);
  if (!broker.ok()) {
    std::cerr << broker.error().ToString() << "\n";
    return 1;
  }
  const auto server = holdfast::pubsub::GrpcServer::Start({}, **broker);
  if (!server.ok()) {
    std::cerr << server.error().ToString() << "\n";
    return 1;
  }
  std::cout << "PUBSUB_EMULATOR_HOST=127.0.0.1:" << (*server)->port() << std::endl;
  while (std::getchar() != EOF) {
  }
  (*server)->Stop();
  (*broker)->Stop();
  return 0;
}
