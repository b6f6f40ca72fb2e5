// What every MessageBus must do, whoever implements it: the fixture that a test run fills in.
//
// The promises are in message_bus_contract_test.cc, once; each implementation instantiates them
// with a factory of its world. Where the world's time cannot be moved, what waits for it is
// skipped.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "cloud/message_bus.h"

namespace holdfast::contract {

// A bus without topics.
class MessageBusWorld {
 public:
  virtual ~MessageBusWorld() = default;
  virtual cloud::MessageBus& bus() = 0;
  virtual std::string project() = 0;

  // The largest message that its server takes: Google's own fake takes less than the service.
  virtual size_t message_bytes_max() { return cloud::kMessageBytesMax; }

  // Moves the time of the bus, and lets it do what is due by then. False: it cannot be moved.
  virtual bool Advance(Duration duration) = 0;
};

struct MessageBusFactory {
  std::string name;
  std::function<std::unique_ptr<MessageBusWorld>()> make;
};

class MessageBusContract : public testing::TestWithParam<MessageBusFactory> {
 protected:
  void SetUp() override { world_ = GetParam().make(); }

  cloud::MessageBus& bus() { return world_->bus(); }
  std::unique_ptr<MessageBusWorld> world_;
};

}  // namespace holdfast::contract
