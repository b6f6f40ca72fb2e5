#include "model/quote.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(QuotePath, NothingInANameEndsTheQuotes) {
  EXPECT_EQ(QuotePath({"p-1", "d", "t"}), "`p-1.d.t`");
  EXPECT_EQ(QuotePath({"p", "d`; DROP"}), "`p.d\\`; DROP`");
  EXPECT_EQ(QuotePath({"p\\", "d"}), "`p\\\\.d`");
}

}  // namespace
}  // namespace holdfast
