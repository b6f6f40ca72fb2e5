#include "restore/rewrite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/catalog.h"
#include "repository/repository.h"
#include "tests/support/restore_fixture.h"

namespace holdfast::restore {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing_support::kOrders;
using testing_support::SimFixture;
using testing_support::To;
using testing_support::TwoColumns;

Field RangeOf(FieldType element) {
  return {.name = "during", .type = FieldType::kRange, .range_element_type = element};
}

TEST(NeedsRewrite, FindsADateTimeAtAnyDepthAndInTheBoundsOfARange) {
  const Field date_time{.name = "at", .type = FieldType::kDateTime};
  const Field date_times = RangeOf(FieldType::kDateTime);
  const auto repeated = [](const Field& field) {
    return Schema{{{.name = "r",
                    .type = FieldType::kRecord,
                    .mode = FieldMode::kRepeated,
                    .fields = {field}}}};
  };
  EXPECT_TRUE(NeedsRewrite({{date_time}}));
  EXPECT_TRUE(NeedsRewrite({{date_times}}));
  EXPECT_TRUE(NeedsRewrite(repeated(date_time)));
  EXPECT_TRUE(NeedsRewrite(repeated(date_times)));
  EXPECT_FALSE(NeedsRewrite(TwoColumns()));
  EXPECT_FALSE(NeedsRewrite({{RangeOf(FieldType::kDate)}}));
  EXPECT_FALSE(NeedsRewrite({{RangeOf(FieldType::kTimestamp)}}));
}

// One row with both ends and one without any.
void AddRanges(SimFixture& fixture) {
  const Json bounded = {{"start", "2026-01-01T00:00:00.000001"}, {"end", "2026-02-01T00:00:00"}};
  const Json unbounded = {{"start", nullptr}, {"end", nullptr}};
  fixture.cloud().AddTable(kOrders, {{RangeOf(FieldType::kDateTime)}},
                           {Json{{"during", bounded}}, Json{{"during", unbounded}}});
}

TEST(RewriteObject, WritesTheBoundsOfARangeAsALoadTakesThem) {
  SimFixture fixture;
  AddRanges(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto latest = catalog::LatestGood(fixture.catalog(), kOrders);
  ASSERT_TRUE(latest.ok() && latest->has_value());
  cloud::ObjectStore& store = fixture.cloud().objects();
  auto repository = repository::Repository::Open(store, {(*latest)->bucket, (*latest)->prefix});
  const auto manifest = repository->ReadManifest(kOrders, (*latest)->backup);
  ASSERT_TRUE(manifest.ok()) << manifest.error().message;
  const cloud::ObjectRef destination{manifest->bucket, "rewritten.avro", 0};
  ASSERT_TRUE(RewriteObject(store, *manifest, manifest->objects.at(0), destination).ok());
  const auto text = cloud::ReadObjectToString(store, destination, 1 << 20);
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_THAT(*text, HasSubstr("local-timestamp-micros"));
  EXPECT_THAT(*text, Not(HasSubstr("\"datetime\"")));
}

TEST(Restore, GivesRangesOfDateTimesBack) {
  SimFixture fixture;
  AddRanges(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto report = testing_support::Restore(fixture, To(kOrders, "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(report->Succeeded()) << report->tables[0].error->message;
  EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "back", "orders", ""}),
            fixture.cloud().ReadRows(kOrders));
}

}  // namespace
}  // namespace holdfast::restore
