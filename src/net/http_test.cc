#include "net/http.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace holdfast::net {
namespace {

TEST(Headers, NamesCompareWithoutCase) {
  Headers headers;
  headers.Add("Content-Type", "text/plain");
  EXPECT_EQ(headers.Get("content-TYPE"), "text/plain");
  EXPECT_FALSE(headers.Find("Content-Typ").has_value());
  EXPECT_EQ(headers.Get("absent"), "");
}

TEST(Headers, AddKeepsOthersAndSetReplacesThemAll) {
  Headers headers;
  headers.Add("a", "1");
  headers.Add("B", "2");
  headers.Add("A", "3");
  EXPECT_EQ(headers.Get("a"), "1");
  EXPECT_EQ(headers.all().size(), 3U);
  headers.Set("A", "4");
  ASSERT_EQ(headers.all().size(), 2U);
  EXPECT_EQ(headers.Get("a"), "4");
  EXPECT_EQ(headers.all()[1].second, "2");
}

TEST(QueryParameters, ParseDecodesAndKeepsRepeatedNames) {
  const auto query = QueryParameters::Parse("a=1&b=x%20y+z&a=2&flag&=v&&c=%zz%4&d=1=2");
  EXPECT_EQ(query.Get("a"), "1");
  EXPECT_EQ(query.GetAll("a"), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(query.Get("b"), "x y z");
  EXPECT_EQ(query.Find("flag"), "");
  EXPECT_EQ(query.Find(""), "v");
  EXPECT_EQ(query.Get("c"), "%zz%4") << "undecodable escapes stay as they are";
  EXPECT_EQ(query.Get("d"), "1=2");
  EXPECT_FALSE(query.Find("e").has_value());
}

TEST(QueryParameters, OfNothingAreNone) {
  EXPECT_EQ(QueryParameters::Parse("").ToString(), "");
  EXPECT_EQ(QueryParameters::Parse("&&").ToString(), "");
}

RC_GTEST_PROP(QueryParameters, WhatIsPrintedParsesBack,
              (const std::vector<std::pair<std::string, std::string>>& fields)) {
  QueryParameters query;
  for (const auto& [name, value] : fields) query.Add(name, value);
  const auto parsed = QueryParameters::Parse(query.ToString());
  RC_ASSERT(parsed.ToString() == query.ToString());
  for (const auto& [name, value] : fields) RC_ASSERT(parsed.GetAll(name) == query.GetAll(name));
}

TEST(PercentEncode, LeavesOnlyUnreservedCharacters) {
  EXPECT_EQ(PercentEncode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(PercentEncode("a b/c+d%"), "a%20b%2Fc%2Bd%25");
  EXPECT_EQ(PercentEncode(std::string_view("\0\xff", 2)), "%00%FF");
}

TEST(PercentDecode, RefusesMalformedEscapes) {
  EXPECT_EQ(PercentDecode("a%2fb%2F+"), "a/b/+");
  for (const char* text : {"%", "%2", "a%", "%g0", "%0g", "%%20"}) {
    EXPECT_FALSE(PercentDecode(text).has_value()) << text;
  }
}

RC_GTEST_PROP(PercentDecode, IsTheInverseOfEncode, (const std::string& text)) {
  RC_ASSERT(PercentDecode(PercentEncode(text)) == text);
}

}  // namespace
}  // namespace holdfast::net
