#include "gcp/resource_manager_projects.h"

#include <gtest/gtest.h>

#include "gcp/scripted_http_for_test.h"

namespace holdfast::gcp {
namespace {

class ResourceManagerProjectsTest : public testing::Test, protected RestSurroundings {
 protected:
  ResourceManagerProjects Projects() { return {kEndpoint, Environment()}; }
};

TEST_F(ResourceManagerProjectsTest, ReadsAProject) {
  http.Answer(200, R"({"name": "projects/415104041262", "parent": "folders/7",
                       "projectId": "tokyo-rain-123", "state": "ACTIVE",
                       "displayName": "Tokyo", "labels": {"team": "data", "odd": 7}})");
  const auto project = Projects().GetProject("tokyo-rain-123");
  ASSERT_TRUE(project.ok()) << project.error().message;
  EXPECT_EQ(http.requests().at(0).url, "https://service.test/v3/projects/tokyo-rain-123");
  EXPECT_EQ(project->id, "tokyo-rain-123");
  EXPECT_EQ(project->number, "415104041262");
  EXPECT_EQ(project->parent, "folders/7");
  EXPECT_EQ(project->display_name, "Tokyo");
  EXPECT_TRUE(project->active);
  EXPECT_EQ(project->labels, (std::map<std::string, std::string>{{"team", "data"}}));
}

TEST_F(ResourceManagerProjectsTest, OnlyAnActiveProjectIsActive) {
  const std::pair<const char*, bool> states[] = {
      {"ACTIVE", true}, {"DELETE_REQUESTED", false}, {"STATE_UNSPECIFIED", false}, {"NEW", false}};
  for (const auto& [state, active] : states) {
    http.Answer(200, DumpJson({{"projectId", "gone"}, {"state", state}}));
    EXPECT_EQ(Projects().GetProject("gone").value().active, active) << state;
  }
}

TEST_F(ResourceManagerProjectsTest, ListsPageAfterPage) {
  http.Answer(200, R"({"projects": [{"projectId": "a"}], "nextPageToken": "1&2"})")
      .Answer(200, R"({"nextPageToken": "3"})")  // empty in the middle
      .Answer(200, R"({"projects": [{"projectId": "b", "state": "DELETE_REQUESTED"}]})");
  std::vector<std::string> seen;
  ResourceManagerProjects projects = Projects();
  const Status listed = cloud::ForEachPage<cloud::ProjectInfo>(
      [&](const std::string& token) { return projects.ListProjects("folders/7", token); },
      [&](cloud::ProjectInfo&& project) -> Status {
        seen.push_back(project.id + (project.active ? "" : " (deleted)"));
        return Ok();
      });
  ASSERT_TRUE(listed.ok()) << listed.error().message;
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b (deleted)"}));
  EXPECT_EQ(http.requests().at(0).url,
            "https://service.test/v3/projects?parent=folders%2F7&pageSize=500");
  EXPECT_EQ(http.requests().at(1).url,
            "https://service.test/v3/projects?parent=folders%2F7&pageSize=500&pageToken=1%262");
}

TEST_F(ResourceManagerProjectsTest, SearchesWithoutParentAndListsFolders) {
  http.Answer(200, R"({"projects": [{"projectId": "a"}], "nextPageToken": "t"})");
  EXPECT_EQ(Projects().SearchProjects("").value().next_page_token, "t");
  EXPECT_EQ(http.requests().at(0).url, "https://service.test/v3/projects:search?pageSize=500");

  http.Answer(200, R"({"folders": [{"name": "folders/8", "parent": "folders/7",
                                    "displayName": "Eight"}]})");
  const auto folders = Projects().ListFolders("folders/7", "");
  ASSERT_TRUE(folders.ok()) << folders.error().message;
  EXPECT_EQ(http.requests().at(1).url,
            "https://service.test/v3/folders?parent=folders%2F7&pageSize=500");
  ASSERT_EQ(folders->items.size(), 1U);
  EXPECT_EQ(folders->items[0].name, "folders/8");
  EXPECT_EQ(folders->items[0].parent, "folders/7");
  EXPECT_EQ(folders->items[0].display_name, "Eight");
}

// google-semantics A1 #2: what may not be seen is an error, never an empty answer.
TEST_F(ResourceManagerProjectsTest, ARefusalIsAnErrorAndNotAnEmptyList) {
  const struct {
    int status;
    const char* body;
    ErrorId id;
  } cases[] = {{403, R"({"error": {"code": 403, "message": "no", "status": "PERMISSION_DENIED"}})",
                ErrorId::kAccessDenied},
               {404, R"({"error": {"code": 404, "message": "no", "status": "NOT_FOUND"}})",
                ErrorId::kProjectNotFound},
               {400, R"({"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}})",
                ErrorId::kServiceRejected}};
  for (const auto& expected : cases) {
    for (int i = 0; i < 4; ++i) http.Answer(expected.status, expected.body);
    EXPECT_EQ(Projects().ListProjects("folders/7", "").error().id, expected.id);
    EXPECT_EQ(Projects().ListFolders("folders/7", "").error().id, expected.id);
    EXPECT_EQ(Projects().SearchProjects("").error().id, expected.id);
    const auto project = Projects().GetProject("a");
    EXPECT_EQ(project.error().id, expected.id);
    EXPECT_NE(project.error().message.find("project a"), std::string::npos);
  }
}

TEST_F(ResourceManagerProjectsTest, AnItemThatCannotBeReadIsNotLeftOut) {
  http.Answer(200, R"({"projects": [{"projectId": "a"}, {"name": "projects/7"}]})");
  EXPECT_EQ(Projects().SearchProjects("").error().id, ErrorId::kInvalidJson);
  http.Answer(200, R"({"folders": [{"displayName": "Eight"}]})");
  EXPECT_EQ(Projects().ListFolders("folders/7", "").error().id, ErrorId::kInvalidJson);
  for (const char* text : {R"({"projects": {"projectId": "a"}})", R"({"projects": "a"})"}) {
    http.Answer(200, text);
    const auto page = Projects().SearchProjects("");
    ASSERT_FALSE(page.ok()) << text;
    EXPECT_EQ(page.error().id, ErrorId::kInvalidJson) << text;
  }
}

TEST_F(ResourceManagerProjectsTest, ABusyServiceIsAskedAgain) {
  http.Answer(429, R"({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}})")
      .Answer(503)
      .Answer(200, R"({"projectId": "a"})");
  EXPECT_TRUE(Projects().GetProject("a").ok());
}

}  // namespace
}  // namespace holdfast::gcp
