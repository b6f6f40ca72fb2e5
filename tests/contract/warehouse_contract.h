// What every Warehouse must do, whoever implements it: the fixture that a test run fills in.
//
// The promises are in warehouse_contract_test.cc, once; each implementation instantiates them with
// a factory of its world (sim_contract_test.cc). Everything is said through cloud/ but for what
// only the owner of the data can do: making projects and tables with rows.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "cloud/object_store.h"
#include "cloud/warehouse.h"

namespace holdfast::contract {

// A fresh cloud with a warehouse and an object store beside it.
class WarehouseWorld {
 public:
  virtual ~WarehouseWorld() = default;

  virtual cloud::Warehouse& warehouse() = 0;
  virtual cloud::ObjectStore& objects() = 0;
  virtual Clock& clock() = 0;  // waits between polls of a job are spent on it

  virtual std::string project() = 0;         // exists
  virtual std::string absent_project() = 0;  // does not, and is not made by naming it; empty: every
                                             // name is a project here

  // Adds rows (each an object by column name, cells as avro/cell_json.h) to a table that exists,
  // visible to extract at once (not through a streaming buffer).
  virtual void AppendRows(const TableRef& table, const std::vector<Json>& rows) = 0;
};

struct WarehouseFactory {
  std::string name;  // of the implementation, in test names
  std::function<std::unique_ptr<WarehouseWorld>()> make;
};

class WarehouseContract : public testing::TestWithParam<WarehouseFactory> {
 protected:
  // Makes the dataset "contract" and the bucket for extracts, both in US.
  void SetUp() override;

  cloud::Warehouse& warehouse() { return world_->warehouse(); }

  DatasetInfo DatasetOf(const std::string& id, const std::string& location);
  TableRef Table(const std::string& name);  // of the dataset "contract"
  TableRef Create(const std::string& name, const Json& resource,
                  const std::vector<Json>& rows = {});

  cloud::JobRef Job(const std::string& id);
  // Starts the job and polls it to its end. An error of the calls comes as the job's.
  cloud::JobStatus RunJob(const std::string& id, const cloud::JobSpec& spec);

  // What a table (or partition) holds, by way of an extract under that id: each row as JSON,
  // sorted.
  std::vector<std::string> Content(const TableRef& table, const std::string& id,
                                   std::optional<int64_t> as_of_ms = std::nullopt);
  std::vector<std::string> ObjectNames(const std::string& prefix);
  std::vector<std::string> ReadObjects(const std::string& prefix);

  std::unique_ptr<WarehouseWorld> world_;
};

// Names the instances of a suite by their implementation.
template <typename Factory>
std::string InstanceName(const testing::TestParamInfo<Factory>& info) {
  return info.param.name;
}

}  // namespace holdfast::contract
