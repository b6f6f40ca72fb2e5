// Routines, row access policies and IAM policies of the simulated warehouse.
//
// Kept and shown; no reader is kept from a row by them. Who the engine is, is `kSimIdentity`.
// Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cloud/definitions.h"
#include "sim/fault_plan.h"
#include "sim/sim_warehouse.h"

namespace holdfast::sim {

// As a policy's grantee is written.
inline constexpr std::string_view kSimIdentity = "serviceAccount:holdfast@sim.example.com";

class SimDefinitions final : public cloud::Definitions {
 public:
  // Borrows all of them; datasets and tables are the warehouse's.
  SimDefinitions(Clock& clock, FaultPlan& faults, SimWarehouse& warehouse, size_t page_size)
      : clock_(clock), faults_(faults), warehouse_(warehouse), page_size_(page_size) {}

  Result<cloud::Page<cloud::RoutineInfo>> ListRoutines(const DatasetRef& dataset,
                                                       const std::string& page_token) override;
  Result<cloud::RoutineInfo> GetRoutine(const DatasetRef& dataset,
                                        const std::string& routine) override;
  Result<cloud::RoutineInfo> CreateRoutine(const DatasetRef& dataset, const std::string& routine,
                                           const Json& resource) override;
  Result<std::vector<cloud::RowAccessPolicy>> ListRowAccessPolicies(const TableRef& table) override;
  Result<bool> IsGranted(const TableRef& table, const std::string& policy) override;
  Status CreateRowAccessPolicy(const TableRef& table,
                               const cloud::RowAccessPolicy& policy) override;
  Result<Json> GetIamPolicy(const TableRef& table) override;
  Status SetIamPolicy(const TableRef& table, const Json& policy) override;

  // As users do, outside of the fault plan.
  void PutRoutine(const DatasetRef& dataset, const std::string& routine, const Json& resource);
  void DropRoutine(const DatasetRef& dataset, const std::string& routine);
  void DropDataset(const DatasetRef& dataset);
  void PutRowAccessPolicy(const TableRef& table, const cloud::RowAccessPolicy& policy);
  void PutIamPolicy(const TableRef& table, const Json& policy);

 private:
  using Policies = std::map<std::string, cloud::RowAccessPolicy>;

  // The lock is held. What nobody has changed keeps its creation time.
  cloud::RoutineInfo Put(const DatasetRef& dataset, const std::string& routine,
                         const Json& resource);

  Clock& clock_;
  FaultPlan& faults_;
  SimWarehouse& warehouse_;
  const size_t page_size_;
  std::mutex mutex_;
  std::map<DatasetRef, std::map<std::string, cloud::RoutineInfo>> routines_;
  std::map<TableRef, Policies> row_policies_;
  std::map<TableRef, Json> iam_policies_;
};

}  // namespace holdfast::sim
