#include "cli/asked_tables.h"

#include <gtest/gtest.h>

#include "cli/schema_diff.h"

namespace holdfast::cli {
namespace {

TEST(AskedName, IsATableAndAPointInTime) {
  const auto latest = ParseAskedName("acme-shop.sales.orders");
  ASSERT_TRUE(latest.ok()) << latest.error().ToString();
  EXPECT_EQ(latest->table.ToString(), "acme-shop.sales.orders");
  EXPECT_FALSE(latest->as_of_ms || !latest->backup.empty());

  const auto past = ParseAskedName("acme-shop:sales.orders$20260101@2026-01-02T03:04:05Z");
  ASSERT_TRUE(past.ok()) << past.error().ToString();
  EXPECT_EQ(past->table.partition, "20260101");
  EXPECT_EQ(past->as_of_ms, 1'767'323'045'000);
  EXPECT_EQ(past->ToString(), "acme-shop.sales.orders$20260101@2026-01-02T03:04:05Z");

  const auto backup = ParseAskedName("acme-shop.sales.orders@20260101T040000Z-6d2a");
  ASSERT_TRUE(backup.ok()) << backup.error().ToString();
  EXPECT_EQ(backup->backup, "20260101T040000Z-6d2a");
  EXPECT_EQ(backup->ToString(), "acme-shop.sales.orders@20260101T040000Z-6d2a");
}

TEST(AskedName, IsRefusedWithTheFormItMustHave) {
  const std::pair<const char*, const char*> cases[] = {
      {"acme-shop.sales", "names no table"},
      {"acme-shop.sales.orders@yesterday", "neither a time nor the id of a backup"},
      {"acme-shop.sales.orders@", "neither a time nor the id of a backup"},
      {"acme-shop.sales.orders@2026-01-02", "neither a time nor the id of a backup"}};
  for (const auto& [text, message] : cases) {
    const auto name = ParseAskedName(text);
    ASSERT_FALSE(name.ok()) << text;
    EXPECT_NE(name.error().message.find(message), std::string::npos) << name.error().ToString();
  }
}

TEST(SchemaDiff, TellsColumnsAtEveryDepth) {
  const auto schema = [](const char* fields) {
    return Schema::FromJson({{"fields", Json::parse(fields)}}).value();
  };
  const Schema before = schema(R"([
      {"name": "id", "type": "INT64", "mode": "REQUIRED"}, {"name": "gone", "type": "STRING"},
      {"name": "price", "type": "NUMERIC", "precision": "10", "scale": "2"},
      {"name": "items", "type": "RECORD", "mode": "REPEATED",
       "fields": [{"name": "sku", "type": "STRING"}]}])");
  const Schema after = schema(R"([
      {"name": "ID", "type": "INT64", "description": "now told"},
      {"name": "price", "type": "NUMERIC"},
      {"name": "items", "type": "RECORD", "mode": "REPEATED",
       "fields": [{"name": "sku", "type": "STRING"}, {"name": "n", "type": "INT64"}]}])");
  std::string text;
  for (const ColumnChange& change : CompareColumns(before, after)) text += change.ToText() + "\n";
  EXPECT_EQ(text,
            "column ID changed: INT64 REQUIRED -> INT64\n"
            "column price changed: NUMERIC(10, 2) -> NUMERIC\n"
            "column items.n added: INT64\n"
            "column gone removed: STRING\n");
  EXPECT_TRUE(CompareColumns(after, after).empty());
}

}  // namespace
}  // namespace holdfast::cli
