#include "localcloud/rest/page_token.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace holdfast::rest {
namespace {

RC_GTEST_PROP(PageToken, GivesThePositionBack,
              (const std::string& listing, const std::string& position)) {
  const std::string token = EncodePageToken(listing, position);
  RC_ASSERT(!token.empty());
  RC_ASSERT(net::PercentEncode(token) == token);  // URL-safe as it is
  RC_ASSERT(DecodePageToken(listing, token).value() == position);
}

TEST(PageToken, AnyAlterationIsRefused) {
  const std::string token = EncodePageToken("tables of p.d", std::string_view("table_17"));
  for (size_t i = 0; i < token.size(); ++i) {
    std::string altered = token;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(DecodePageToken("tables of p.d", altered).ok()) << i;
    EXPECT_FALSE(DecodePageToken("tables of p.d", token.substr(0, i)).ok() && i > 0) << i;
  }
  for (const std::string& made_up : {std::string("17"), token + "=", token + "A", "/" + token,
                                     std::string("%%%"), std::string("AAAAAAAA")}) {
    const auto position = DecodePageToken("tables of p.d", made_up);
    ASSERT_FALSE(position.ok()) << made_up;
    EXPECT_EQ(position.error().id, ErrorId::kRestPageToken);
    EXPECT_EQ(position.error().reason, "invalid");
  }
}

TEST(PageToken, IsRefusedByAnotherListing) {
  const std::string token = EncodePageToken("tables of p.d", std::string_view("t"));
  EXPECT_FALSE(DecodePageToken("tables of p.e", token).ok());
  // The boundary between listing and position counts, too.
  EXPECT_NE(EncodePageToken("ab", std::string_view("c")).substr(0, 8),
            EncodePageToken("a", std::string_view("bc")).substr(0, 8));
}

TEST(PageToken, AnEmptyTokenIsTheFirstPage) {
  EXPECT_EQ(DecodePageToken("l", "").value(), "");
  EXPECT_EQ(DecodePageOffset("l", "").value(), 0);
}

TEST(PageToken, CarriesOffsets) {
  EXPECT_EQ(DecodePageOffset("l", EncodePageToken("l", int64_t{12345})).value(), 12345);
  EXPECT_FALSE(DecodePageOffset("l", EncodePageToken("l", std::string_view("-1"))).ok());
  EXPECT_FALSE(DecodePageOffset("l", EncodePageToken("l", std::string_view("1x"))).ok());
  EXPECT_FALSE(DecodePageOffset("l", EncodePageToken("l", std::string_view(""))).ok());
}

TEST(PageSize, IsClampedAndNeverNegative) {
  const PageSizes sizes{.usual = 50, .maximum = 1000};
  const struct {
    std::string query;
    int64_t expected;  // -1: refused
  } cases[] = {
      {"", 50},
      {"maxResults=", 50},
      {"maxResults=0", 50},
      {"maxResults=1", 1},
      {"maxResults=1000", 1000},
      {"maxResults=1001", 1000},
      {"maxResults=-1", -1},
      {"maxResults=ten", -1},
      {"maxResults=1.5", -1},
      {"maxResults=99999999999999999999", -1},
      {"pageSize=7", 50},
  };
  for (const auto& expected : cases) {
    const auto size =
        ReadPageSize(net::QueryParameters::Parse(expected.query), "maxResults", sizes);
    EXPECT_EQ(size.value_or(-1), expected.expected) << expected.query;
    if (expected.expected < 0) {
      EXPECT_EQ(size.error().reason, "invalid");
    }
  }
}

}  // namespace
}  // namespace holdfast::rest
