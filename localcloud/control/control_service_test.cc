// Resource Manager v3 through the router.
#include "localcloud/control/control_service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/virtual_clock.h"
#include "tests/support/temporary_directory.h"

namespace holdfast::control {
namespace {

class ControlApi : public ::testing::Test {
 protected:
  ControlApi() {
    auto opened = ControlStore::Open(directory_.path() + "/control.sqlite", clock_);
    CHECK(opened.ok(), opened.ok() ? "" : opened.error().message);
    store_ = std::move(opened).value();
    RegisterControlRoutes(router_, *store_);
    organization_ = store_->EnsureOrganization("acme.example").value().name;
  }

  net::HttpResponse Send(const std::string& method, const std::string& target,
                         const Json& body = nullptr) {
    net::ServerRequest request;
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    for (size_t at = 0; at < request.path.size();) {
      const size_t end = std::min(request.path.find('/', at + 1), request.path.size());
      request.segments.push_back(request.path.substr(at + 1, end - at - 1));
      at = end;
    }
    if (request.path.size() < target.size()) {
      request.query = net::QueryParameters::Parse(target.substr(request.path.size() + 1));
    }
    const std::string text = body.is_null() ? "" : DumpJson(body);
    request.content_length = text.size();
    request.body = [text, at = size_t{0}](std::span<char> buffer) mutable -> Result<size_t> {
      const size_t count = std::min(buffer.size(), text.size() - at);
      std::copy_n(text.data() + at, count, buffer.data());
      at += count;
      return count;
    };
    return router_.Handle(request);
  }

  Json Get(const std::string& target) { return ParseJson(Send("GET", target).body).value(); }

  testing_support::TemporaryDirectory directory_;
  VirtualClock clock_{FromUnixMillis(1'790'000'000'000)};
  std::unique_ptr<ControlStore> store_;
  rest::Router router_;
  std::string organization_;
};

TEST_F(ControlApi, FindsTheOrganization) {
  const Json found = Get("/v3/organizations:search");
  ASSERT_EQ(found["organizations"].size(), 1U);
  EXPECT_EQ(found["organizations"][0]["displayName"], "acme.example");
  EXPECT_EQ(Get("/v3/" + organization_)["state"], "ACTIVE");
  EXPECT_EQ(Send("GET", "/v3/organizations/1").status, 404);
}

TEST_F(ControlApi, CreatesAndPagesFoldersAndProjects) {
  const auto created =
      Send("POST", "/v3/folders", {{"parent", organization_}, {"displayName", "Teams"}});
  ASSERT_EQ(created.status, 200) << created.body;
  const std::string folder = ParseJson(created.body).value()["response"]["name"];
  EXPECT_EQ(Get("/v3/" + folder)["parent"], organization_);
  for (const char* id : {"project-a", "project-b", "project-c"}) {
    ASSERT_EQ(Send("POST", "/v3/projects", {{"projectId", id}, {"parent", folder}}).status, 200);
  }
  std::vector<std::string> ids;
  std::string token;
  do {
    const Json page = Get("/v3/projects?parent=" + net::PercentEncode(folder) +
                          "&pageSize=2&pageToken=" + net::PercentEncode(token));
    for (const Json& project : page["projects"]) ids.push_back(project["projectId"]);
    token = StringOr(page, "nextPageToken", "");
  } while (!token.empty());
  EXPECT_EQ(ids, (std::vector<std::string>{"project-a", "project-b", "project-c"}));
  EXPECT_EQ(Get("/v3/folders?parent=" + net::PercentEncode(organization_))["folders"].size(), 1U);
  for (const char* listing : {"/v3/projects", "/v3/folders"}) {
    const net::HttpResponse refused = Send("GET", listing);
    EXPECT_EQ(refused.status, 400);
    EXPECT_NE(refused.body.find("parameter parent is required"), std::string::npos);
  }
}

TEST_F(ControlApi, GivesAProjectByIdAndNumber) {
  ASSERT_TRUE(store_->CreateProject({.id = "project-a", .labels = {{"k", "v"}}}).ok());
  const Json project = Get("/v3/projects/project-a");
  EXPECT_EQ(project["state"], "ACTIVE");
  EXPECT_EQ(project["labels"]["k"], "v");
  EXPECT_EQ(Get("/v3/" + project["name"].get<std::string>())["projectId"], "project-a");
  EXPECT_EQ(Send("GET", "/v3/projects/absent").status, 404);
}

TEST_F(ControlApi, SearchesByQueryAndRefusesUnknownFields) {
  ASSERT_TRUE(store_->CreateProject({.id = "project-a", .labels = {{"tier", "one"}}}).ok());
  ASSERT_TRUE(store_->CreateProject({.id = "project-b"}).ok());
  const auto count = [&](const std::string& query) {
    return Get("/v3/projects:search?query=" + net::PercentEncode(query))["projects"].size();
  };
  EXPECT_EQ(Get("/v3/projects:search")["projects"].size(), 2U);
  EXPECT_EQ(count("labels.tier:one AND state:ACTIVE"), 1U);
  EXPECT_EQ(count("id=\"project-b\""), 1U);
  EXPECT_EQ(count("parent:" + organization_), 2U);
  EXPECT_EQ(Send("GET", "/v3/projects:search?query=colour:red").status, 400);
  EXPECT_EQ(Send("GET", "/v3/projects:search?pageToken=forged").status, 400);
}

TEST_F(ControlApi, DeletesUndeletesAndPatches) {
  ASSERT_TRUE(store_->CreateProject({.id = "project-a"}).ok());
  EXPECT_EQ(Send("PATCH", "/v3/projects/project-a", {{"displayName", "New"}}).status, 200);
  EXPECT_EQ(Get("/v3/projects/project-a")["displayName"], "New");
  EXPECT_EQ(Send("DELETE", "/v3/projects/project-a").status, 200);
  EXPECT_EQ(Get("/v3/projects/project-a")["state"], "DELETE_REQUESTED");
  EXPECT_EQ(Send("POST", "/v3/projects/project-a:undelete").status, 200);
  EXPECT_EQ(Get("/v3/projects/project-a")["state"], "ACTIVE");
}

}  // namespace
}  // namespace holdfast::control
