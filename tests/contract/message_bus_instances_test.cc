// The contract of the message bus, over every implementation: Pub/Sub's client on a real port of
// localcloud, the simulation, and, where HOLDFAST_PUBSUB_HOST names one, a server of someone
// else's.
#include <cstdlib>

#include "adapters/system_clock.h"
#include "base/virtual_clock.h"
#include "gcp/pubsub_message_bus.h"
#include "localcloud/pubsub/pubsub_grpc.h"
#include "tests/contract/message_bus_contract.h"
#include "tests/support/temporary_directory.h"

namespace holdfast::contract {
namespace {

constexpr Timestamp kStart{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};

// Pub/Sub's client, on whatever server listens at an address without TLS.
class PubsubClient {
 public:
  explicit PubsubClient(const std::string& address)
      : bus_(gcp::MakePubsubMessageBus(
            gcp::MakePubsubTransport({.address = address, .plaintext = true}, {}), {}, clock_,
            *random_)) {}

  cloud::MessageBus& bus() { return *bus_; }
  Random& random() { return *random_; }

 private:
  SystemClock clock_;  // of the client: gRPC's deadlines pass in real time
  std::unique_ptr<Random> random_ = MakeSystemRandom();
  std::unique_ptr<cloud::MessageBus> bus_;
};

// localcloud's broker, whose leases end by a clock of the test's.
class LocalcloudWorld final : public MessageBusWorld {
 public:
  LocalcloudWorld() {
    auto broker = pubsub::Broker::Open({.directory = directory_.path()}, clock_);
    CHECK(broker.ok(), broker.error().message);
    broker_ = std::move(broker).value();
    auto server = pubsub::GrpcServer::Start({}, *broker_);
    CHECK(server.ok(), server.error().message);
    server_ = std::move(server).value();
    client_ = std::make_unique<PubsubClient>("127.0.0.1:" + std::to_string(server_->port()));
  }

  cloud::MessageBus& bus() override { return client_->bus(); }
  std::string project() override { return "contract"; }
  bool Advance(Duration duration) override {
    clock_.Advance(duration);
    broker_->RunDue();
    return true;
  }

 private:
  testing_support::TemporaryDirectory directory_;
  VirtualClock clock_{kStart};
  std::unique_ptr<pubsub::Broker> broker_;
  std::unique_ptr<pubsub::GrpcServer> server_;
  std::unique_ptr<PubsubClient> client_;
};

// A server of someone else's, in real time; each world has a project of its own.
class ForeignWorld final : public MessageBusWorld {
 public:
  explicit ForeignWorld(const std::string& address)
      : client_(address), project_("contract-" + RandomHex(client_.random(), 4)) {}

  cloud::MessageBus& bus() override { return client_.bus(); }
  std::string project() override { return project_; }
  size_t message_bytes_max() override { return 3'000'000; }
  bool Advance(Duration) override { return false; }

 private:
  PubsubClient client_;
  std::string project_;
};

std::vector<MessageBusFactory> Factories() {
  std::vector<MessageBusFactory> factories = {
      {"localcloud", [] { return std::make_unique<LocalcloudWorld>(); }}};
  const char* const address = std::getenv("HOLDFAST_PUBSUB_HOST");
  if (address != nullptr) {
    factories.push_back({"foreign", [address] { return std::make_unique<ForeignWorld>(address); }});
  }
  return factories;
}

INSTANTIATE_TEST_SUITE_P(Clouds, MessageBusContract, testing::ValuesIn(Factories()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace holdfast::contract
