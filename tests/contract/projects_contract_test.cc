#include "tests/contract/projects_contract.h"

#include <set>

namespace holdfast::contract {
namespace {

using cloud::FolderInfo;
using cloud::ProjectInfo;

std::set<std::string> IdsBelow(cloud::Projects& projects, const std::string& parent) {
  std::set<std::string> ids;
  const Status status = cloud::ForEachPage<ProjectInfo>(
      [&](const std::string& token) { return projects.ListProjects(parent, token); },
      [&](ProjectInfo&& project) -> Status {
        EXPECT_TRUE(ids.insert(project.id).second) << project.id << " was listed twice";
        EXPECT_EQ(project.parent, parent);
        return Ok();
      });
  EXPECT_TRUE(status.ok()) << status.error().ToString();
  return ids;
}

TEST_P(ProjectsContract, ListsProjectsDirectlyBelowTheirParent) {
  const std::string organization = world_->organization();
  const std::string folder = world_->AddFolder(organization);
  std::set<std::string> expected;
  for (int i = 0; i < 11; ++i) {
    const std::string id = "contract-top-" + std::to_string(i);
    world_->AddProject(id, organization);
    expected.insert(id);
  }
  world_->AddProject("contract-in-folder", folder);
  EXPECT_EQ(IdsBelow(projects(), organization), expected);
  EXPECT_EQ(IdsBelow(projects(), folder), std::set<std::string>{"contract-in-folder"});
}

TEST_P(ProjectsContract, ListsFoldersDirectlyBelowTheirParent) {
  const std::string organization = world_->organization();
  const std::string folder = world_->AddFolder(organization);
  const std::string inner = world_->AddFolder(folder);
  std::set<std::string> names;
  const Status status = cloud::ForEachPage<FolderInfo>(
      [&](const std::string& token) { return projects().ListFolders(organization, token); },
      [&](FolderInfo&& info) -> Status {
        names.insert(info.name);
        return Ok();
      });
  ASSERT_TRUE(status.ok()) << status.error().ToString();
  EXPECT_TRUE(names.contains(folder));
  EXPECT_FALSE(names.contains(inner));
}

TEST_P(ProjectsContract, SearchFindsProjectsWhereverTheyAre) {
  const std::string folder = world_->AddFolder(world_->organization());
  world_->AddProject("contract-searched-a", world_->organization());
  world_->AddProject("contract-searched-b", folder);
  std::set<std::string> ids;
  const Status status = cloud::ForEachPage<ProjectInfo>(
      [&](const std::string& token) { return projects().SearchProjects(token); },
      [&](ProjectInfo&& project) -> Status {
        ids.insert(project.id);
        return Ok();
      });
  ASSERT_TRUE(status.ok()) << status.error().ToString();
  EXPECT_TRUE(ids.contains("contract-searched-a"));
  EXPECT_TRUE(ids.contains("contract-searched-b"));
}

TEST_P(ProjectsContract, TellsOneProject) {
  world_->AddProject("contract-one", world_->organization());
  const auto project = projects().GetProject("contract-one");
  ASSERT_TRUE(project.ok()) << project.error().ToString();
  EXPECT_EQ(project->id, "contract-one");
  EXPECT_EQ(project->parent, world_->organization());
  EXPECT_FALSE(project->number.empty());
  EXPECT_TRUE(project->active);
}

TEST_P(ProjectsContract, AnAbsentProjectIsNotFound) {
  const auto project = projects().GetProject("contract-absent");
  ASSERT_FALSE(project.ok());
  // Google answers alike for what is absent and what may not be seen.
  EXPECT_TRUE(project.error().id == ErrorId::kProjectNotFound ||
              project.error().id == ErrorId::kAccessDenied)
      << project.error().ToString();
}

}  // namespace
}  // namespace holdfast::contract
