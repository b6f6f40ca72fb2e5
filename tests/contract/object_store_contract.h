// What every ObjectStore must do, whoever implements it: the fixture that a test run fills in.
//
// The promises are in object_store_contract_test.cc, once; each implementation instantiates them
// with a factory of its world.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "cloud/object_store.h"

namespace holdfast::contract {

// A fresh store without buckets.
class ObjectStoreWorld {
 public:
  virtual ~ObjectStoreWorld() = default;
  virtual cloud::ObjectStore& objects() = 0;
  virtual std::string project() = 0;  // that may own buckets
};

struct ObjectStoreFactory {
  std::string name;
  std::function<std::unique_ptr<ObjectStoreWorld>()> make;
};

class ObjectStoreContract : public testing::TestWithParam<ObjectStoreFactory> {
 protected:
  void SetUp() override;

  cloud::ObjectStore& store() { return world_->objects(); }
  cloud::ObjectRef Named(const std::string& name) const { return {bucket_, name, 0}; }

  std::unique_ptr<ObjectStoreWorld> world_;
  std::string bucket_;  // exists, without retention
};

}  // namespace holdfast::contract
