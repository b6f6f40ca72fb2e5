#include "localcloud/pubsub/filter.h"

#include <google/pubsub/v1/pubsub.pb.h>
#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace holdfast::pubsub {
namespace {

google::pubsub::v1::PubsubMessage MessageWith(
    const std::map<std::string, std::string>& attributes) {
  google::pubsub::v1::PubsubMessage message;
  for (const auto& [key, value] : attributes) (*message.mutable_attributes())[key] = value;
  return message;
}

TEST(Filter, SelectsByAttributes) {
  struct Case {
    std::string filter;
    std::map<std::string, std::string> attributes;
    bool matches;
  };
  const std::vector<Case> cases = {
      {"", {}, true},
      {"attributes:lang", {{"lang", ""}}, true},
      {"attributes:lang", {{"language", "en"}}, false},
      {"attributes.lang = \"en\"", {{"lang", "en"}}, true},
      {"attributes.lang=\"en\"", {{"lang", "EN"}}, false},
      {"attributes.lang = \"\"", {}, false},
      {"attributes.lang != \"en\"", {{"lang", "de"}}, true},
      {"attributes.lang != \"en\"", {}, true},
      {"attributes.lang != \"en\"", {{"lang", "en"}}, false},
      {"hasPrefix(attributes.lang, \"e\")", {{"lang", "en"}}, true},
      {"hasPrefix ( attributes.lang , \"e\" )", {{"lang", "de"}}, false},
      {"hasPrefix(attributes.lang, \"\")", {}, false},
      {"NOT attributes:lang", {}, true},
      {"-attributes:lang", {{"lang", ""}}, false},
      {"NOT NOT attributes:lang", {{"lang", ""}}, true},
      {"attributes:a AND attributes:b", {{"a", ""}}, false},
      {"attributes:a AND attributes:b AND attributes:c", {{"a", ""}, {"b", ""}, {"c", ""}}, true},
      {"attributes:a OR attributes:b", {{"b", ""}}, true},
      {"attributes:a OR attributes:b", {}, false},
      {"attributes:a AND NOT attributes:b", {{"a", ""}}, true},
      {"NOT attributes:a AND attributes:b", {{"b", ""}}, true},
      {"NOT (attributes:a OR attributes:b)", {{"b", ""}}, false},
      {"attributes:a AND (attributes:b OR attributes:c)", {{"a", ""}, {"c", ""}}, true},
      {"(attributes:a AND attributes:b) OR attributes:c", {{"c", ""}}, true},
      {"attributes:my-key_1", {{"my-key_1", ""}}, true},
      {"attributes:\"my key\"", {{"my key", ""}}, true},
      {"attributes.\"a.b\" = \"x\"", {{"a.b", "x"}}, true},
      {"attributes.k = \"a\\\"b\\\\c\\n\"", {{"k", "a\"b\\c\n"}}, true},
      {"attributes.k = \"\\x41\\102\\u00e9\\U0001F600\"", {{"k", "AB\u00e9\U0001F600"}}, true},
      {"attributes:ORDER", {{"ORDER", ""}}, true},
  };
  for (const Case& c : cases) {
    const auto filter = Filter::Parse(c.filter);
    ASSERT_TRUE(filter.ok()) << c.filter << ": " << filter.error().message;
    EXPECT_EQ(filter->Matches(MessageWith(c.attributes)), c.matches) << c.filter;
  }
}

TEST(Filter, RefusesWhatItDoesNotUnderstandAndSaysWhere) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"data = \"x\"", "byte 1"},
      {"attributes", "byte 11"},
      {"attributes.k", "byte 13"},
      {"attributes.k = v", "byte 16"},
      {"attributes.k = \"v", "closing"},
      {"attributes:", "key"},
      {"attributes:a attributes:b", "byte 14"},
      {"attributes:a AND attributes:b OR attributes:c", "parentheses"},
      {"attributes:a OR attributes:b AND attributes:c", "parentheses"},
      {"(attributes:a", "')'"},
      {"attributes:a)", "byte 13"},
      {"attributes:a AND", "byte 17"},
      {"NOT", "byte 4"},
      {"hasPrefix(attributes:a, \"x\")", "attributes."},
      {"hasPrefix(attributes.a \"x\")", "','"},
      {"hasSuffix(attributes.a, \"x\")", "byte 1"},
      {"attributes.k = \"\\q\"", "escape"},
      {"attributes.k = \"\\ud800\"", "character"},
      {"attributes.k = \"\\xZZ\"", "escape"},
      {std::string(257, ' '), "256 bytes"},
      {" ", "byte 2"},
  };
  for (const auto& [text, expected] : cases) {
    const auto filter = Filter::Parse(text);
    ASSERT_FALSE(filter.ok()) << text;
    EXPECT_EQ(filter.error().id, ErrorId::kPubsubInvalidRequest);
    EXPECT_NE(filter.error().message.find(expected), std::string::npos)
        << text << ": " << filter.error().message;
  }
}

}  // namespace
}  // namespace holdfast::pubsub
