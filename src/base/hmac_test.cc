#include "base/hmac.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace holdfast {
namespace {

// The test cases 1, 2 and 6 of RFC 4231.
TEST(HmacSha256, GivesTheValuesOfTheStandard) {
  const struct {
    std::string key;
    std::string message;
    const char* expected;
  } kCases[] = {
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(HexEncode(HmacSha256(test.key, test.message)), test.expected);
  }
}

TEST(HmacSha256, TakesAnEmptyKey) {
  EXPECT_EQ(HexEncode(HmacSha256("", "")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

}  // namespace
}  // namespace holdfast
