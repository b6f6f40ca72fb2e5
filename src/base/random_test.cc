#include "base/random.h"

#include <gtest/gtest.h>

#include <set>

namespace holdfast {
namespace {

TEST(SeededRandom, GivesTheSameSequenceForTheSameSeed) {
  const auto first = MakeSeededRandom(7);
  const auto second = MakeSeededRandom(7);
  const auto other = MakeSeededRandom(8);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const uint64_t bits = first->Next();
    EXPECT_EQ(bits, second->Next());
    differs = differs || bits != other->Next();
  }
  EXPECT_TRUE(differs);
}

TEST(RandomHex, HasTwoDigitsForEachByte) {
  const auto random = MakeSystemRandom();
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string text = RandomHex(*random, 16);
    EXPECT_EQ(text.size(), 32U);
    EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(seen.insert(text).second);
  }
}

}  // namespace
}  // namespace holdfast
