// What people write in YAML is read as they wrote it, within limits.
#include "model/yaml_tree.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast {
namespace {

using testing::HasSubstr;

TEST(ParseYamlTree, ReadsScalarsAsTheyAreWritten) {
  const auto tree =
      ParseYamlTree("a: 7\nb: '7'\nc: true\nd: ~\ne: 1.5\nf: 7d\ng: [x, {y: z}]\nh: e\n");
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(DumpJson(tree->ToJson()),
            R"({"a":7,"b":"7","c":true,"d":null,"e":1.5,"f":"7d","g":["x",{"y":"z"}],"h":"e"})");
}

TEST(ParseYamlTree, RefusesKeysThatComeTwiceAndTreesWithoutMeasure) {
  EXPECT_THAT(ParseYamlTree("a: 1\na: 2\n").error().message, HasSubstr("line 2, column 1"));
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 30; ++i) bomb += fmt::format("a{0}: &a{0} [*a{1}, *a{1}]\n", i, i - 1);
  EXPECT_EQ(ParseYamlTree(bomb).error().id, ErrorId::kLimitExceeded);
  EXPECT_FALSE(ParseYamlTree(std::string(5000, '[')).ok());
}

}  // namespace
}  // namespace holdfast
