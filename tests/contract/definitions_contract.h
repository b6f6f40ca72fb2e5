// What every Definitions must do, whoever implements it: the fixture that a test run fills in.
//
// The promises are in definitions_contract_test.cc, once; see warehouse_contract.h.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "cloud/definitions.h"
#include "cloud/warehouse.h"

namespace holdfast::contract {

// A fresh cloud with definitions and a warehouse beside them.
class DefinitionsWorld {
 public:
  virtual ~DefinitionsWorld() = default;

  virtual cloud::Definitions& definitions() = 0;
  virtual cloud::Warehouse& warehouse() = 0;
  virtual std::string project() = 0;  // exists

  // As whom the caller counts among the grantees of a row access policy.
  virtual std::string caller() = 0;
};

struct DefinitionsFactory {
  std::string name;  // of the implementation, in test names
  std::function<std::unique_ptr<DefinitionsWorld>()> make;
};

class DefinitionsContract : public testing::TestWithParam<DefinitionsFactory> {
 protected:
  // Makes the dataset "defined" with one table.
  void SetUp() override;

  cloud::Definitions& definitions() { return world_->definitions(); }
  DatasetRef dataset() { return {world_->project(), "defined"}; }
  TableRef table() { return {world_->project(), "defined", "orders", ""}; }

  std::unique_ptr<DefinitionsWorld> world_;
};

}  // namespace holdfast::contract
