#include "base/suggestion.h"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast {
namespace {

const std::vector<std::string> kCommands = {"backup", "restore", "status", "up", "version"};

TEST(NearestWord, FindsWhatWasMistyped) {
  EXPECT_EQ(NearestWord("bakup", kCommands), "backup");
  EXPECT_EQ(NearestWord("bcakup", kCommands), "backup");
  EXPECT_EQ(NearestWord("restroe", kCommands), "restore");
  EXPECT_EQ(NearestWord("STATUS", kCommands), "status");
  EXPECT_EQ(NearestWord("pu", kCommands), "up");
}

TEST(NearestWord, OffersNothingForAWordFarFromAll) {
  EXPECT_EQ(NearestWord("snapshot", kCommands), "");
  EXPECT_EQ(NearestWord("", kCommands), "");
  EXPECT_EQ(NearestWord("xx", kCommands), "");
  EXPECT_EQ(NearestWord(std::string(5'000, 'b'), kCommands), "");
}

TEST(NearestWord, TakesTheFirstOfEquals) {
  const std::vector<std::string> words = {"cat", "car"};
  EXPECT_EQ(NearestWord("caz", words), "cat");
}

TEST(DidYouMean, IsAQuestionOrNothing) {
  EXPECT_EQ(DidYouMean("bakup", kCommands), "did you mean \"backup\"?");
  EXPECT_EQ(DidYouMean("snapshot", kCommands), "");
}

}  // namespace
}  // namespace holdfast
