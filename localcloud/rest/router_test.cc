#include "localcloud/rest/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "localcloud/rest/api_error.h"
#include "net/request_target.h"

namespace holdfast::rest {
namespace {

// A handler that says its name and parameters: "name a=1 b=2".
Handler Named(std::string name) {
  return [name = std::move(name)](net::ServerRequest&, const PathParameters& path) {
    net::HttpResponse response;
    response.body = name;
    for (const auto& [key, value] : path.all()) response.body += " " + key + "=" + value;
    return response;
  };
}

net::HttpResponse Ask(const Router& router, std::string method, std::string_view target,
                      std::string_view method_override = {}) {
  const auto parsed = net::ParseRequestTarget(target);
  EXPECT_TRUE(parsed.ok()) << target;
  net::ServerRequest request;
  request.method = std::move(method);
  request.path = parsed->path;
  request.segments = parsed->segments;
  request.query = parsed->query;
  if (!method_override.empty()) request.headers.Set("X-HTTP-Method-Override", method_override);
  return router.Handle(request);
}

Router MakeRouter() {
  Router router;
  router.Add("GET", "/b/{bucket}/o/{object}", Named("object"));
  router.Add("DELETE", "/b/{bucket}/o/{object}", Named("delete"));
  router.Add("GET", "/b/{bucket}/o", Named("objects"));
  router.Add("PATCH", "/b/{bucket}", Named("patch"));
  router.Add("GET", "/media/{bucket}/{object...}", Named("media"));
  router.Add("GET", "/v1/{name...}", Named("any"));
  router.Add("POST", "/v1/{name...}:setPolicy", Named("policy"));
  router.Add("GET", "/v1/projects/{project}/topics/{topic}", Named("topic"));
  router.Add("POST", "/v1/projects/{project}/topics/{topic}:publish", Named("publish"));
  router.Add("GET", "/v3/projects/{project}", Named("project"));
  router.Add("GET", "/v3/projects:search", Named("search"));
  router.Add("GET", "/v3/projects/latest", Named("latest"));
  router.Add("GET", "/", Named("root"));
  return router;
}

TEST(Router, ChoosesTheMostParticularPattern) {
  const Router router = MakeRouter();
  const struct {
    std::string method;
    std::string target;
    std::string expected;
  } cases[] = {
      {"GET", "/", "root"},
      {"GET", "/b/x/o", "objects bucket=x"},
      {"GET", "/b/x/o/", "objects bucket=x"},
      {"GET", "/b/x/o/a%2Fb%20c", "object bucket=x object=a/b c"},
      {"DELETE", "/b/x/o/y?generation=1&$.xgafv=2&alt=json", "delete bucket=x object=y"},
      {"GET", "/media/x/a/b%2Fc/", "media bucket=x object=a/b/c/"},
      {"GET", "/media/x/a//b", "media bucket=x object=a//b"},
      {"GET", "/v1/projects/p/topics/t", "topic project=p topic=t"},
      {"GET", "/v1/projects/p/topics/t:publish", "topic project=p topic=t:publish"},
      {"POST", "/v1/projects/p/topics/t:publish", "publish project=p topic=t"},
      {"POST", "/v1/projects/d.com:p/topics/t%3Apublish", "publish project=d.com:p topic=t"},
      {"POST", "/v1/a/b/c:setPolicy", "policy name=a/b/c"},
      {"GET", "/v1/a", "any name=a"},
      {"GET", "/v3/projects:search", "search"},
      {"GET", "/v3/projects/latest", "latest"},
      {"GET", "/v3/projects/other", "project project=other"},
  };
  for (const auto& expected : cases) {
    EXPECT_EQ(Ask(router, expected.method, expected.target).body, expected.expected)
        << expected.method << " " << expected.target;
  }
}

TEST(Router, OrderOfRegistrationMakesNoDifference) {
  Router router;
  router.Add("GET", "/a/{x...}", Named("rest"));
  router.Add("GET", "/a/{x}", Named("one"));
  router.Add("GET", "/a/b", Named("word"));
  EXPECT_EQ(Ask(router, "GET", "/a/b").body, "word");
  EXPECT_EQ(Ask(router, "GET", "/a/c").body, "one x=c");
  EXPECT_EQ(Ask(router, "GET", "/a/c/d").body, "rest x=c/d");
}

TEST(Router, AnswersInGooglesFormWhenNothingFits) {
  const Router router = MakeRouter();
  for (const char* target :
       {"/nowhere", "/b", "/b/x/o/y/z", "/b//o/y", "/media/x", "/v1", "/v1/"}) {
    const auto response = Ask(router, "GET", target);
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_EQ(ParseJson(response.body)->at("error").at("errors")[0].at("reason"), "notFound");
  }
  const auto response = Ask(router, "PUT", "/b/x/o/y");
  EXPECT_EQ(response.status, 405);
  EXPECT_THAT(std::string(response.headers.Get("Allow")),
              testing::AllOf(testing::HasSubstr("GET"), testing::HasSubstr("DELETE")));
}

TEST(Router, AnOverrideReplacesThePost) {
  const Router router = MakeRouter();
  EXPECT_EQ(Ask(router, "POST", "/b/x", "PATCH").body, "patch bucket=x");
  EXPECT_EQ(Ask(router, "GET", "/b/x/o/y", "DELETE").body, "object bucket=x object=y")
      << "only a POST may be overridden";
}

TEST(Router, HeadFallsBackToGet) {
  const Router router = MakeRouter();
  EXPECT_EQ(Ask(router, "HEAD", "/b/x/o/y").body, "object bucket=x object=y");
  EXPECT_EQ(Ask(router, "HEAD", "/b/x").status, 405);
}

TEST(RouterDeathTest, ADefectOfTheTableAborts) {
  Router router;
  router.Add("GET", "/a/{x}", Named("x"));
  router.Add("PUT", "/a/{y}", Named("y"));
  EXPECT_DEATH(router.Add("GET", "/a/{y}", Named("y")), "added before");
  for (const char* pattern : {"a", "/{}", "/{a", "/a{b}", "/{a}b", "/{a}:", "/{a...}/b"}) {
    EXPECT_DEATH(router.Add("GET", pattern, Named("z")), "CHECK failed") << pattern;
  }
}

TEST(Router, DescribesItself) {
  Router router;
  router.Add("POST", "/b", Named("b"));
  router.Add("GET", "/a/{x}", Named("a"));
  EXPECT_EQ(router.Describe(), (std::vector<std::string>{"GET /a/{x}", "POST /b"}));
}

TEST(PathParameters, AbsentOnesAreEmpty) {
  PathParameters path;
  path.Set("a", "1");
  path.Set("a", "2");
  EXPECT_EQ(path.Get("a"), "2");
  EXPECT_EQ(path.Get("b"), "");
  EXPECT_EQ(path.all().size(), 1U);
}

}  // namespace
}  // namespace holdfast::rest
