// The contract suites over sim/.
#include "base/virtual_clock.h"
#include "sim/sim_cloud.h"
#include "sim/sim_definitions.h"
#include "tests/contract/definitions_contract.h"
#include "tests/contract/message_bus_contract.h"
#include "tests/contract/object_store_contract.h"
#include "tests/contract/projects_contract.h"
#include "tests/contract/warehouse_contract.h"

namespace holdfast::contract {
namespace {

// One simulated cloud as the world of every suite.
class SimWorld final : public WarehouseWorld,
                       public DefinitionsWorld,
                       public ObjectStoreWorld,
                       public ProjectsWorld,
                       public MessageBusWorld {
 public:
  SimWorld() { cloud_.AddProject(kProject); }

  cloud::Warehouse& warehouse() override { return cloud_.warehouse(); }
  cloud::Definitions& definitions() override { return cloud_.definitions(); }
  std::string caller() override { return std::string(sim::kSimIdentity); }
  cloud::ObjectStore& objects() override { return cloud_.objects(); }
  cloud::Projects& projects() override { return cloud_.projects(); }
  cloud::MessageBus& bus() override { return cloud_.bus(); }
  Clock& clock() override { return clock_; }
  bool Advance(Duration duration) override {
    clock_.Advance(duration);
    return true;
  }

  std::string project() override { return kProject; }
  std::string absent_project() override { return "sim-absent"; }
  std::string organization() override { return "organizations/7"; }

  void AppendRows(const TableRef& table, const std::vector<Json>& rows) override {
    cloud_.AppendRows(table, rows);
  }
  void AddProject(const std::string& id, const std::string& parent) override {
    cloud_.AddProject(id, parent);
  }
  std::string AddFolder(const std::string& parent) override {
    const std::string name = "folders/" + std::to_string(++folders_);
    cloud_.AddFolder(name, parent);
    return name;
  }

 private:
  static constexpr const char* kProject = "sim-project";
  VirtualClock clock_{FromUnixMillis(1'700'000'000'000)};
  sim::SimCloud cloud_{clock_, {.storage_view_delay = {}}};
  int folders_ = 0;
};

std::unique_ptr<SimWorld> MakeSimWorld() { return std::make_unique<SimWorld>(); }

INSTANTIATE_TEST_SUITE_P(Clouds, WarehouseContract,
                         testing::Values(WarehouseFactory{"sim", MakeSimWorld}),
                         InstanceName<WarehouseFactory>);
INSTANTIATE_TEST_SUITE_P(Clouds, DefinitionsContract,
                         testing::Values(DefinitionsFactory{"sim", MakeSimWorld}),
                         InstanceName<DefinitionsFactory>);
INSTANTIATE_TEST_SUITE_P(Clouds, ObjectStoreContract,
                         testing::Values(ObjectStoreFactory{"sim", MakeSimWorld}),
                         InstanceName<ObjectStoreFactory>);
INSTANTIATE_TEST_SUITE_P(Clouds, ProjectsContract,
                         testing::Values(ProjectsFactory{"sim", MakeSimWorld}),
                         InstanceName<ProjectsFactory>);
INSTANTIATE_TEST_SUITE_P(Clouds, MessageBusContract,
                         testing::Values(MessageBusFactory{"sim", MakeSimWorld}),
                         InstanceName<MessageBusFactory>);

}  // namespace
}  // namespace holdfast::contract
