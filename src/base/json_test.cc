#include "base/json.h"

#include <gtest/gtest.h>

#include "base/json_elements.h"

namespace holdfast {
namespace {

TEST(ParseJson, RefusesWhatIsNotJson) {
  for (const char* text : {"", "{", "{\"a\":}", "[1,]", "nul", "{} {}", "\"\xff\"", "'a'"}) {
    const auto parsed = ParseJson(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_TRUE(parsed.error().message.starts_with("parse error")) << parsed.error().message;
    EXPECT_EQ(parsed.error().id, ErrorId::kInvalidJson) << text;
  }
}

TEST(ParseJson, RefusesWhatIsTooDeepOrTooLarge) {
  const std::string nested = std::string(129, '[') + std::string(129, ']');
  EXPECT_EQ(ParseJson(nested).error().id, ErrorId::kLimitExceeded);
  EXPECT_TRUE(ParseJson(nested.substr(1, 256)).ok());
  EXPECT_EQ(ParseJson(std::string(10'000'000, '[')).error().id, ErrorId::kLimitExceeded);
  EXPECT_EQ(ParseJson("[1, 2]", {.size_bytes_max = 5}).error().id, ErrorId::kLimitExceeded);
  EXPECT_TRUE(ParseJson(R"(["[[[[", "\"[[[["])", {.depth_max = 1}).ok()) << "brackets in strings";
}

TEST(DumpJson, ReplacesInvalidUtf8) {
  EXPECT_EQ(DumpJson(Json{{"a", "\xff"}}), "{\"a\":\"\xEF\xBF\xBD\"}");
  EXPECT_EQ(DumpPrettyJson(Json{{"b", 1}, {"a", 2}}), "{\n  \"a\": 2,\n  \"b\": 1\n}");
}

TEST(FindField, NullIsAbsent) {
  const Json json = Json::parse(R"({"a": null, "b": {"c": {"d": 1}}})");
  EXPECT_EQ(FindField(json, "a"), nullptr);
  EXPECT_EQ(FindField(json, "x"), nullptr);
  EXPECT_EQ(FindField(Json::array(), "a"), nullptr);
  ASSERT_NE(FindPath(json, {"b", "c", "d"}), nullptr);
  EXPECT_EQ(*FindPath(json, {"b", "c", "d"}), 1);
  EXPECT_EQ(FindPath(json, {"b", "x", "d"}), nullptr);
}

TEST(Int64Reads, AcceptNumbersAndGooglesStringsAndNothingElse) {
  const Json json = Json::parse(R"({
      "number": 5, "string": "-9223372036854775808", "null": null, "float": 5.5, "text": "5x",
      "empty": "", "spaced": " 5", "huge": 9223372036854775808, "huge_text": "9223372036854775808",
      "bool": true, "unsigned": 9223372036854775807})");
  EXPECT_EQ(RequiredInt64(json, "number").value(), 5);
  EXPECT_EQ(RequiredInt64(json, "string").value(), INT64_MIN);
  EXPECT_EQ(RequiredInt64(json, "unsigned").value(), INT64_MAX);
  EXPECT_EQ(OptionalInt64(json, "null").value(), std::nullopt);
  EXPECT_EQ(OptionalInt64(json, "absent").value(), std::nullopt);
  for (const char* key : {"float", "text", "empty", "spaced", "huge", "huge_text", "bool"}) {
    EXPECT_EQ(OptionalInt64(json, key).error().id, ErrorId::kInvalidJson) << key;
    EXPECT_EQ(Int64Or(json, key, -7), -7) << key;
  }
  EXPECT_FALSE(RequiredInt64(json, "null").ok()) << "an absent field is never a zero";
}

TEST(StringAndBoolReads, NameTheFieldThatIsWrong) {
  const Json json = Json::parse(R"({"s": "x", "n": 1, "t": true, "f": "false", "b": "yes"})");
  EXPECT_EQ(RequiredString(json, "s").value(), "x");
  EXPECT_NE(RequiredString(json, "n").error().message.find("\"n\" should be a string"),
            std::string::npos);
  EXPECT_NE(RequiredString(json, "absent").error().message.find("\"absent\" is missing"),
            std::string::npos);
  EXPECT_EQ(OptionalBool(json, "t").value(), true);
  EXPECT_EQ(OptionalBool(json, "f").value(), false);
  EXPECT_FALSE(OptionalBool(json, "b").ok());
  EXPECT_FALSE(OptionalBool(json, "n").ok());
  EXPECT_EQ(OptionalBool(json, "absent").value(), std::nullopt);
  EXPECT_EQ(StringOr(json, "n", "fallback"), "fallback");
  EXPECT_TRUE(BoolOr(json, "b", true));
}

TEST(ForEachElement, GivesEachWithItsNumberAndKeepsNone) {
  std::string seen;
  const auto note = [&](size_t number, Json&& element) {
    seen += std::to_string(number) + DumpJson(element) + " ";
  };
  ASSERT_TRUE(ForEachElement(R"([{"a": [1, {"b": null}]}, 2, [], "x", null, {}])", {}, note).ok());
  EXPECT_EQ(seen, R"(1{"a":[1,{"b":null}]} 22 3[] 4"x" 5null 6{} )");
  seen.clear();
  EXPECT_TRUE(ForEachElement("[]", {}, note).ok());
  EXPECT_EQ(seen, "");
  // They are given as they are read: what comes after them is not looked at before.
  const Status broken = ForEachElement("[1, {\"a\": 2},\n oops", {}, note);
  EXPECT_EQ(broken.error().id, ErrorId::kInvalidJson);
  EXPECT_NE(broken.error().message.find("line 2"), std::string::npos);
  EXPECT_EQ(seen, "11 2{\"a\":2} ");
}

TEST(ForEachElement, RefusesWhatIsNoArrayAndWhatIsOverTheLimits) {
  int visited = 0;
  const auto count = [&](size_t, Json&&) { ++visited; };
  for (const char* text : {R"({"a": [1], "b": {}})", "3", "null"}) {
    EXPECT_EQ(ForEachElement(text, {}, count).error().id, ErrorId::kInvalidJson) << text;
  }
  EXPECT_EQ(ForEachElement("[[[1]]]", {.depth_max = 2}, count).error().id, ErrorId::kLimitExceeded);
  EXPECT_EQ(ForEachElement("[1, 2]", {.size_bytes_max = 3}, count).error().id,
            ErrorId::kLimitExceeded);
  EXPECT_EQ(visited, 0);
}

}  // namespace
}  // namespace holdfast
