#include "cli/selector.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

TEST(ParseSelector, TakesThreeSpellingsAndPrintsTheDotForm) {
  for (const char* text : {"acme-shop.sales.orders", "acme-shop:sales.orders"}) {
    const auto table = ParseSelector(text);
    ASSERT_TRUE(table.ok()) << text;
    EXPECT_EQ(table->ToString(), "acme-shop.sales.orders");
  }
  const auto partition = ParseSelector("acme-shop:sales.orders$20260101");
  ASSERT_TRUE(partition.ok());
  EXPECT_EQ(partition->ToString(), "acme-shop.sales.orders$20260101");
}

TEST(ParseSelector, TakesProjectsAndDatasets) {
  EXPECT_EQ(*ParseSelector("acme-shop"), (TableRef{.project = "acme-shop"}));
  for (const char* text : {"acme-shop.sales", "acme-shop:sales"}) {
    const auto dataset = ParseSelector(text);
    ASSERT_TRUE(dataset.ok()) << text;
    EXPECT_EQ(*dataset, (TableRef{.project = "acme-shop", .dataset = "sales"}));
  }
}

TEST(ParseSelector, RefusesWhatIsNoName) {
  for (const char* text : {"", "UPPER", "a..b", "acme-shop.sales.orders.more", "acme-shop.sa les.x",
                           "acme-shop.sales.\x1b[31m", "../../etc", "acme-shop.sales.orders$"}) {
    const auto parsed = ParseSelector(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().id, ErrorId::kInvalidName) << text;
  }
}

TEST(ScopePattern, TakesTheColonOfAName) {
  const struct {
    const char* text;
    const char* pattern;
  } kCases[] = {
      {"acme-*", "acme-*"},
      {"acme-shop.sales", "acme-shop.sales"},
      {"acme-shop:sales", "acme-shop.sales"},
      {"acme-shop:sales.orders_*", "acme-shop.sales.orders_*"},
      {"example.com:shop", "example.com:shop"},
      {"example.com:shop.sales", "example.com:shop.sales"},
      {"example.com:shop:sales.orders", "example.com:shop.sales.orders"},
  };
  for (const auto& test : kCases) {
    const auto pattern = ScopePattern(test.text);
    ASSERT_TRUE(pattern.ok()) << test.text;
    EXPECT_EQ(*pattern, test.pattern);
  }
}

TEST(ScopePattern, RefusesWhatWouldMatchNothing) {
  for (const char* text : {"", "a..b", "a.b.c.d", "acme-shop.sales.orders$20260101"}) {
    EXPECT_FALSE(ScopePattern(text).ok()) << text;
  }
}

TEST(FilterOf, LeavesOpenWhatIsNotNamed) {
  const auto dataset = FilterOf({.project = "acme-shop", .dataset = "sales"});
  EXPECT_EQ(dataset.project, "acme-shop");
  EXPECT_EQ(dataset.dataset, "sales");
  EXPECT_EQ(dataset.table, "");
  EXPECT_FALSE(dataset.partition.has_value());
  const auto partition = FilterOf(*ParseSelector("acme-shop.sales.orders$20260101"));
  EXPECT_EQ(partition.partition, "20260101");
}

TEST(BackupJson, SaysWhetherTheBackupIsGood) {
  catalog::BackupRecord record{.backup = "b1", .object = *ParseSelector("acme-shop.sales.orders")};
  record.rows = int64_t{1} << 60U;
  EXPECT_EQ(BackupJson(record)["state"], "good");
  EXPECT_EQ(BackupJson(record)["rows"], int64_t{1} << 60U);
  EXPECT_TRUE(BackupJson(record)["verified_at"].is_null());
  record.suspect = "it shrank";
  EXPECT_EQ(BackupJson(record)["state"], "suspect");
  record.damaged = true;
  EXPECT_EQ(BackupJson(record)["state"], "damaged");
}

}  // namespace
}  // namespace holdfast::cli
