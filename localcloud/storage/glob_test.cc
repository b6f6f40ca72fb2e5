#include "localcloud/storage/glob.h"

#include <gtest/gtest.h>

namespace holdfast::storage {
namespace {

TEST(Glob, MatchesAsTheDocumentationSays) {
  const struct {
    const char* pattern;
    const char* name;
    bool matches;
  } kCases[] = {
      {"foo*bar", "foobar", true},
      {"foo*bar", "fooxbar", true},
      {"foo*bar", "foo/bar", false},
      {"foo**bar", "foo/x/bar", true},
      {"**/foobar", "a/b/foobar", true},
      {"**/foobar", "foobar", false},
      {"fooba?", "foobar", true},
      {"fooba?", "fooba", false},
      {"fooba?", "fooba/", false},
      {"[a-m]oo[!r]", "foob", true},
      {"[a-m]oo[^r]", "foor", false},
      {"[a-m]oo", "zoo", false},
      {"{foo,bar}baz", "barbaz", true},
      {"{foo,bar}baz", "quxbaz", false},
      {"a{b,c{d,e}}f", "acef", true},
      {"a{,b}c", "ac", true},
      {"a\\*", "a*", true},
      {"a\\*", "ab", false},
      {"*", "", true},
      {"", "", true},
      {"", "a", false},
      {"*.avro", "data.avro", true},
  };
  for (const auto& c : kCases) {
    const auto glob = Glob::Parse(c.pattern);
    ASSERT_TRUE(glob.ok()) << c.pattern;
    EXPECT_EQ(glob->Matches(c.name), c.matches) << c.pattern << " " << c.name;
  }
}

TEST(Glob, RefusesWhatIsNotClosedOrTooMuch) {
  std::string many;
  for (int i = 0; i < 8; ++i) many += "{a,b}";
  for (const std::string& pattern :
       {std::string("[abc"), std::string("{a,b"), std::string("["), many, std::string(2000, 'a')}) {
    EXPECT_FALSE(Glob::Parse(pattern).ok()) << pattern;
  }
}

TEST(Glob, ManyStarsTakeNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 300; ++i) pattern += "*a";
  EXPECT_FALSE(Glob::Parse(pattern)->Matches(std::string(1000, 'a') + "b"));
}

}  // namespace
}  // namespace holdfast::storage
