#include "localcloud/control/control_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/virtual_clock.h"
#include "tests/support/temporary_directory.h"

namespace holdfast::control {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Hierarchy : public ::testing::Test {
 protected:
  Hierarchy() { Open(); }

  void Open(ControlOptions options = {}) {
    store_.reset();
    auto opened = ControlStore::Open(directory_.path() + "/control.sqlite", clock_, options);
    CHECK(opened.ok(), opened.ok() ? "" : opened.error().message);
    store_ = std::move(opened).value();
  }

  // Project ids of a listing, page by page.
  std::vector<std::string> ProjectsIn(const std::string& parent, int page_size) {
    std::vector<std::string> ids;
    PageRequest page{.limit = page_size};
    do {
      const auto found = store_->ListProjects(parent, false, page).value();
      EXPECT_LE(found.items.size(), static_cast<size_t>(page_size));
      for (const Project& project : found.items) ids.push_back(project.id);
      page.after = found.next;
    } while (!page.after.empty());
    return ids;
  }

  testing_support::TemporaryDirectory directory_;
  VirtualClock clock_{FromUnixMillis(1'790'000'000'000)};
  std::unique_ptr<ControlStore> store_;
};

TEST_F(Hierarchy, HoldsFoldersAndProjectsOverARestart) {
  const std::string organization = store_->EnsureOrganization("acme.example").value().name;
  const std::string folder = store_->CreateFolder(organization, "Teams").value().name;
  const std::string inner = store_->CreateFolder(folder, "Data").value().name;
  ASSERT_TRUE(store_
                  ->CreateProject({.id = "acme-sales",
                                   .parent = inner,
                                   .display_name = "Sales",
                                   .labels = {{"tier", "one"}}})
                  .ok());
  Open();
  EXPECT_EQ(store_->EnsureOrganization("another").value().display_name, "acme.example");
  EXPECT_EQ(store_->GetFolder(inner)->parent, folder);
  const Project project = store_->GetProject("acme-sales").value();
  EXPECT_EQ(project.parent, inner);
  EXPECT_EQ(project.labels.at("tier"), "one");
  EXPECT_EQ(store_->GetProject("projects/" + project.number)->id, "acme-sales");
}

TEST_F(Hierarchy, ListsDirectChildrenByPage) {
  const std::string organization = store_->EnsureOrganization("acme").value().name;
  const std::string folder = store_->CreateFolder(organization, "Teams").value().name;
  for (const char* id : {"project-a", "project-b", "project-c"}) {
    ASSERT_TRUE(store_->CreateProject({.id = id, .parent = folder}).ok());
  }
  ASSERT_TRUE(store_->CreateProject({.id = "elsewhere"}).ok());
  for (const int page_size : {1, 2, 3, 100}) {
    EXPECT_THAT(ProjectsIn(folder, page_size), ElementsAre("project-a", "project-b", "project-c"));
  }
  EXPECT_THAT(ProjectsIn(organization, 10), ElementsAre("elsewhere"));
  EXPECT_EQ(store_->ListProjects("folders/1", false, {}).error().id, ErrorId::kControlNotFound);
  EXPECT_EQ(store_->ListProjects("", false, {}).error().id, ErrorId::kControlInvalid);
}

TEST_F(Hierarchy, SearchesByEachField) {
  const std::string organization = store_->EnsureOrganization("acme").value().name;
  ASSERT_TRUE(
      store_
          ->CreateProject({.id = "project-a", .display_name = "Sales", .labels = {{"tier", "one"}}})
          .ok());
  ASSERT_TRUE(store_->CreateProject({.id = "project-b", .labels = {{"tier", "two"}}}).ok());
  ASSERT_TRUE(store_->DeleteProject("project-b").ok());
  const auto search = [&](const ProjectFilter& filter) {
    std::vector<std::string> ids;
    const auto found = store_->SearchProjects(filter, {}).value();
    for (const Project& project : found.items) ids.push_back(project.id);
    return ids;
  };
  EXPECT_THAT(search({}), ElementsAre("project-a", "project-b"));
  EXPECT_THAT(search({.display_name = "sALES"}), ElementsAre("project-a"));
  EXPECT_THAT(search({.labels = {{"tier", "*"}}}), ElementsAre("project-a", "project-b"));
  EXPECT_THAT(search({.labels = {{"tier", "two"}}}), ElementsAre("project-b"));
  EXPECT_THAT(search({.labels = {{"absent", "*"}}}), IsEmpty());
  EXPECT_THAT(search({.state = LifecycleState::kActive}), ElementsAre("project-a"));
  EXPECT_THAT(search({.parent = organization, .id = "project-b"}), ElementsAre("project-b"));
  EXPECT_THAT(ProjectsIn(organization, 10), ElementsAre("project-a"));
}

TEST_F(Hierarchy, DeletesAndUndeletesOnce) {
  ASSERT_TRUE(store_->CreateProject({.id = "project-a"}).ok());
  EXPECT_EQ(store_->DeleteProject("project-a")->state, LifecycleState::kDeleteRequested);
  EXPECT_EQ(store_->DeleteProject("project-a").error().id, ErrorId::kControlPrecondition);
  EXPECT_EQ(store_->EnsureProject("project-a").error().id, ErrorId::kControlPrecondition);
  EXPECT_EQ(store_->UndeleteProject("project-a")->state, LifecycleState::kActive);
  EXPECT_TRUE(store_->EnsureProject("project-a").ok());
}

TEST_F(Hierarchy, LetsNamedProjectsComeIntoBeingUnlessStrict) {
  const std::string organization = store_->EnsureOrganization("acme").value().name;
  ASSERT_TRUE(store_->EnsureProject("by-name").ok());
  ASSERT_TRUE(store_->EnsureProject("by-name").ok());
  EXPECT_EQ(store_->GetProject("by-name")->parent, organization);
  ASSERT_TRUE(store_->CreateProject({.id = "declared"}).ok());
  Open({.strict_projects = true});
  EXPECT_TRUE(store_->EnsureProject("declared").ok());
  EXPECT_EQ(store_->EnsureProject("by-name").error().id, ErrorId::kControlNotFound);
  EXPECT_EQ(store_->EnsureProject("never-seen").error().id, ErrorId::kControlNotFound);
}

TEST_F(Hierarchy, RefusesDuplicatesAndMalformedNames) {
  const std::string organization = store_->EnsureOrganization("acme").value().name;
  ASSERT_TRUE(store_->CreateFolder(organization, "Teams").ok());
  EXPECT_EQ(store_->CreateFolder(organization, "teams").error().id, ErrorId::kControlExists);
  EXPECT_EQ(store_->CreateFolder("folders/999", "x").error().id, ErrorId::kControlNotFound);
  EXPECT_EQ(store_->CreateFolder(organization, "").error().id, ErrorId::kControlInvalid);
  ASSERT_TRUE(store_->CreateProject({.id = "project-a"}).ok());
  EXPECT_EQ(store_->CreateProject({.id = "project-a"}).error().id, ErrorId::kControlExists);
  for (const char* id : {"", "UPPER", "1digit", "dash-", "sp ace", "a/b", "../x", "a;b"}) {
    EXPECT_EQ(store_->EnsureProject(id).error().id, ErrorId::kControlInvalid) << id;
  }
  EXPECT_TRUE(store_->EnsureProject("example.com:legacy").ok());
}

}  // namespace
}  // namespace holdfast::control
