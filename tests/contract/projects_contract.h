// What every Projects must do, whoever implements it: the fixture that a test run fills in.
//
// The promises are in projects_contract_test.cc, once; each implementation instantiates them with a
// factory of its world.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "cloud/projects.h"

namespace holdfast::contract {

// An organization of a folder and of projects in both places.
class ProjectsWorld {
 public:
  virtual ~ProjectsWorld() = default;
  virtual cloud::Projects& projects() = 0;

  virtual std::string organization() = 0;  // "organizations/1"
  virtual void AddProject(const std::string& id, const std::string& parent) = 0;
  virtual std::string AddFolder(const std::string& parent) = 0;  // its name, "folders/..."
};

struct ProjectsFactory {
  std::string name;
  std::function<std::unique_ptr<ProjectsWorld>()> make;
};

class ProjectsContract : public testing::TestWithParam<ProjectsFactory> {
 protected:
  void SetUp() override { world_ = GetParam().make(); }

  cloud::Projects& projects() { return world_->projects(); }
  std::unique_ptr<ProjectsWorld> world_;
};

}  // namespace holdfast::contract
