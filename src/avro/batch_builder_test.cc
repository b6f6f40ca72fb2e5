#include "avro/batch_builder.h"

#include <gtest/gtest.h>

#include "avro/file_fixture.h"

namespace holdfast::avro {
namespace {

using Mode = FieldMode;
using Type = FieldType;

TEST(BatchBuilder, BuildsTheSameFromTypedAppendsAsFromJson) {
  const Schema schema{
      {MakeField("i", Type::kInt64), MakeField("d", Type::kDate), MakeField("n", Type::kNumeric),
       MakeField("l", Type::kRecord, Mode::kRepeated, {MakeField("s", Type::kString)})}};
  BatchBuilder typed(schema);
  typed.column(0).AppendInt64(7);
  typed.column(1).AppendDate(-1);
  typed.column(2).AppendNumeric(1'500'000'000);
  typed.column(3).element().child(0).AppendText("x");
  typed.column(3).element().FinishRecord();
  typed.column(3).element().AppendNull();
  typed.column(3).FinishList();
  const Batch batch = typed.Build();
  EXPECT_EQ(RowToJson(schema, batch.view, 0),
            Json::parse(R"({"i":7,"d":"1969-12-31","n":"1.5","l":[{"s":"x"},null]})"));
}

TEST(BatchBuilder, TakesRowsAsObjectsOrArraysAndMissingCellsAsNull) {
  const Schema schema{{MakeField("a", Type::kInt64), MakeField("b", Type::kBool, Mode::kRepeated)}};
  BatchBuilder builder(schema);
  ASSERT_TRUE(builder.AppendRow({{"a", "12"}}).ok());
  ASSERT_TRUE(builder.AppendRow(Json::parse("[null,[true,false]]")).ok());
  const Batch batch = builder.Build();
  EXPECT_EQ(RowToJson(schema, batch.view, 0), Json::parse(R"({"a":12,"b":[]})"));
  EXPECT_EQ(RowToJson(schema, batch.view, 1), Json::parse(R"({"a":null,"b":[true,false]})"));
  EXPECT_EQ(builder.rows(), 0U);
}

TEST(BatchBuilder, RefusesCellsOfAnotherType) {
  const auto refused = [](const Field& field, const Json& cell) {
    BatchBuilder builder(Schema{{field}});
    const Status status = builder.AppendRow(Json::array({cell}));
    return !status.ok() && status.error().id == ErrorId::kAvroBadValue;
  };
  EXPECT_TRUE(refused(MakeField("x", Type::kInt64), 1.5));
  EXPECT_TRUE(refused(MakeField("x", Type::kInt64), "9223372036854775808"));
  EXPECT_TRUE(refused(MakeField("x", Type::kDate), "2023-02-29"));
  EXPECT_TRUE(refused(MakeField("x", Type::kString), 5));
  EXPECT_TRUE(refused(MakeField("x", Type::kBool), "yes"));
  EXPECT_TRUE(refused(MakeField("x", Type::kBytes), "not base64!"));
  EXPECT_TRUE(refused(MakeField("x", Type::kInt64, Mode::kRequired), nullptr));
  EXPECT_TRUE(refused(MakeField("x", Type::kInt64, Mode::kRepeated), 1));
  EXPECT_TRUE(refused(MakeField("x", Type::kInt64, Mode::kRepeated), Json::array({nullptr})));
  EXPECT_TRUE(
      refused(MakeField("x", Type::kRecord, Mode::kNullable, {MakeField("y", Type::kInt64)}),
              Json::array()));
}

TEST(BatchBuilder, ABatchOwnsItsRows) {
  const Schema schema{{MakeField("s", Type::kString)}};
  Batch kept;
  {
    BatchBuilder builder(schema);
    builder.column(0).AppendText("first");
    kept = builder.Build();
    builder.column(0).AppendText("second");
  }
  EXPECT_EQ(RowToJson(schema, kept.view, 0), (Json{{"s", "first"}}));
}

}  // namespace
}  // namespace holdfast::avro
