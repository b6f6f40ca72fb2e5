#include "net/request_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::net {
namespace {

using Segments = std::vector<std::string>;

TEST(RequestTarget, SplitsThePathBeforeDecodingIt) {
  const struct {
    std::string_view target;
    std::string path;
    Segments segments;
  } cases[] = {
      {"/", "/", {}},
      {"/a", "/a", {"a"}},
      {"/a/", "/a/", {"a", ""}},
      {"//", "//", {"", ""}},
      {"/a//b", "/a//b", {"a", "", "b"}},
      {"/b/o/x%2Fy%20z", "/b/o/x%2Fy%20z", {"b", "o", "x/y z"}},
      {"/a+b?c", "/a+b", {"a+b"}},
      {"/..%2f../etc", "/..%2f../etc", {"../..", "etc"}},
      {"http://host:80/a/b?c=d", "/a/b", {"a", "b"}},
      {"https://host", "/", {}},
  };
  for (const auto& expected : cases) {
    const auto parsed = ParseRequestTarget(expected.target);
    ASSERT_TRUE(parsed.ok()) << expected.target;
    EXPECT_EQ(parsed->path, expected.path);
    EXPECT_EQ(parsed->segments, expected.segments) << expected.target;
  }
}

TEST(RequestTarget, TakesTheQueryApart) {
  const auto parsed = ParseRequestTarget("/a?b=1&c=x?y");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->query.Get("b"), "1");
  EXPECT_EQ(parsed->query.Get("c"), "x?y");
}

TEST(RequestTarget, RefusesWhatIsNoPath) {
  for (const char* target : {"", "*", "a/b", "host:443", "?a=b", "http://host?a", "ftp://host/a",
                             "/%", "/%2", "/a/%zz", "/a%00b"}) {
    const auto parsed = ParseRequestTarget(target);
    ASSERT_FALSE(parsed.ok()) << target;
    EXPECT_EQ(parsed.error().id, ErrorId::kHttpInvalidRequest);
  }
}

}  // namespace
}  // namespace holdfast::net
