// decode(encode(x)) == x over random schemas, values, codecs, block sizes and batch sizes.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "avro/file_fixture.h"
#include "tests/support/random_rows.h"

namespace holdfast::avro {
namespace {

using testing_support::RandomCell;
using testing_support::RandomField;

TEST(Property, DecodeOfEncodeIsTheSame) {
  const bool holds = rc::check([] {
    Schema schema;
    const int columns = *rc::gen::inRange(1, 6);
    for (int i = 0; i < columns; ++i) schema.fields.push_back(RandomField(i, 1));
    std::vector<Json> rows(*rc::gen::inRange<size_t>(0, 20));
    for (Json& row : rows) {
      for (const Field& field : schema.fields) row[field.name] = RandomCell(field);
    }
    const WriterOptions options{
        .codec = *rc::gen::element(Codec::kNull, Codec::kDeflate, Codec::kSnappy, Codec::kZstd),
        .block_bytes = *rc::gen::element<size_t>(1024, 128 << 10),
        .datetime_form = *rc::gen::element(DateTimeForm::kText, DateTimeForm::kMicros)};
    const auto file = WriteRows(schema, rows, options);
    RC_ASSERT(file.ok());
    ReaderOptions reading;
    if (*rc::gen::arbitrary<bool>()) reading.schema = schema;
    const auto rows_max = *rc::gen::inRange<size_t>(1, 30);
    const auto back = ReadRows(*file, reading, rows_max, *rc::gen::inRange<size_t>(1, 500));
    RC_ASSERT(back.ok());
    RC_ASSERT(*back == rows);
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace holdfast::avro
