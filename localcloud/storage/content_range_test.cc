#include "localcloud/storage/content_range.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::storage {
namespace {

TEST(ContentRange, ReadsAllFourForms) {
  const ContentRange last = ParseContentRange("bytes 100-199/200").value();
  EXPECT_EQ(last.span->first, 100);
  EXPECT_EQ(last.span->last, 199);
  EXPECT_EQ(last.total, 200);
  EXPECT_TRUE(last.complete());
  EXPECT_FALSE(ParseContentRange("bytes 0-99/200")->complete());
  EXPECT_FALSE(ParseContentRange("bytes 0-99/*")->complete());
  const ContentRange question = ParseContentRange("bytes */*").value();
  EXPECT_FALSE(question.span || question.total);
  EXPECT_EQ(ParseContentRange("bytes */200")->total, 200);
}

TEST(ContentRange, RefusesEverythingElse) {
  const std::vector<std::string> texts = {"",
                                          "bytes",
                                          "bytes ",
                                          "bytes 0-99",
                                          "0-99/100",
                                          "bytes 0-99/50",
                                          "bytes 9-5/10",
                                          "bytes -5/10",
                                          "bytes 1-/10",
                                          "bytes a-b/c",
                                          "bytes 0-99/",
                                          "bytes +1-2/3",
                                          "bytes 0-99/100x",
                                          "bytes 0--1/5",
                                          "bytes=0-99/100",
                                          "bytes 0-9223372036854775807/*",
                                          "bytes 0-99999999999999999999/*"};
  for (const std::string& text : texts) EXPECT_FALSE(ParseContentRange(text).ok()) << text;
}

struct RangeCase {
  const char* header;
  int64_t size;
  RangeOutcome outcome;
  int64_t offset;
  int64_t length;
};

TEST(Range, IsReadAsRfc9110Says) {
  constexpr auto kWhole = RangeOutcome::kWhole;
  constexpr auto kPart = RangeOutcome::kPart;
  constexpr auto kUnsatisfiable = RangeOutcome::kUnsatisfiable;
  const std::vector<RangeCase> cases = {
      {"", 10, kWhole, 0, 10},
      {"bytes=0-", 10, kPart, 0, 10},
      {"bytes=5-", 10, kPart, 5, 5},
      {"bytes=5-7", 10, kPart, 5, 3},
      {"bytes=5-99", 10, kPart, 5, 5},
      {"bytes=-3", 10, kPart, 7, 3},
      {"bytes=-30", 10, kPart, 0, 10},
      {"bytes=-0", 10, kUnsatisfiable, 0, 0},
      {"bytes=10-", 10, kUnsatisfiable, 0, 0},
      {"bytes=0-", 0, kUnsatisfiable, 0, 0},
      {"bytes=-1", 0, kUnsatisfiable, 0, 0},
      {"bytes=7-5", 10, kWhole, 0, 10},
      {"bytes=0-1,3-4", 10, kWhole, 0, 10},
      {"bytes=a-b", 10, kWhole, 0, 10},
      {"lines=0-1", 10, kWhole, 0, 10},
      {"bytes=", 10, kWhole, 0, 10},
  };
  for (const RangeCase& test : cases) {
    const RequestedRange range = ParseRange(test.header, test.size);
    EXPECT_EQ(range.outcome, test.outcome) << test.header;
    EXPECT_EQ(range.bytes.offset, test.offset) << test.header;
    EXPECT_EQ(range.bytes.length, test.length) << test.header;
  }
}

}  // namespace
}  // namespace holdfast::storage
