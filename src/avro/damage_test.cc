// A whole small file, cut at every byte and with every bit flipped.

#include <gtest/gtest.h>

#include "avro/file_fixture.h"

namespace holdfast::avro {
namespace {

using Mode = FieldMode;
using Type = FieldType;

Schema SmallSchema() {
  return {{MakeField("i", Type::kInt64, Mode::kRequired), MakeField("t", Type::kTimestamp),
           MakeField("n", Type::kNumeric), MakeField("s", Type::kString),
           MakeField("d", Type::kDateTime), MakeField("b", Type::kBool),
           MakeField("l", Type::kRecord, Mode::kRepeated,
                     {MakeField("x", Type::kFloat64), MakeField("y", Type::kBigNumeric)})}};
}

std::vector<Json> SmallRows() {
  const Json row = Json::parse(
      R"({"i":-5,"t":"2001-02-03T04:05:06Z","n":"-12.25","s":"hold fast","d":"1999-12-31T23:59:59",)"
      R"("b":true,"l":[{"x":0.5,"y":"1e30"},{"x":null,"y":null}]})");
  std::vector<Json> rows(3, row);
  rows[1] = {{"i", 1}};
  return rows;
}

std::string SmallFile(Codec codec) {
  auto file = WriteRows(SmallSchema(), SmallRows(), {.codec = codec});
  EXPECT_TRUE(file.ok());
  return *std::move(file);
}

// Where the header ends: the whole of a file without rows, as Finish adds nothing to it.
size_t HeaderBytes(Codec codec) { return WriteRows(SmallSchema(), {}, {.codec = codec})->size(); }

TEST(Damage, AFileCutAnywhereIsAnError) {
  for (const Codec codec : kCodecs) {
    const std::string file = SmallFile(codec);
    ASSERT_TRUE(ReadRows(file).ok());
    for (size_t size = 0; size < file.size(); ++size) {
      const auto rows = ReadRows(file.substr(0, size));
      // Between two blocks a cut cannot be seen: only the manifest's row count tells.
      if (size == HeaderBytes(codec)) {
        EXPECT_TRUE(rows.ok() && rows->empty());
        continue;
      }
      ASSERT_FALSE(rows.ok()) << CodecName(codec) << " cut at " << size;
      EXPECT_TRUE(rows.error().id == ErrorId::kAvroTruncated || size < 4) << rows.error().message;
    }
  }
}

// Deflate and zstandard as Avro uses them carry no checksum, and have bits without meaning: there a
// flip may pass, and only the object's own hash tells. It must not crash, and no rows may come or
// go unseen.
TEST(Damage, AFlippedBitInABlockIsAnErrorOrChangesTheRows) {
  for (const Codec codec : kCodecs) {
    const std::string file = SmallFile(codec);
    const auto intact = ReadRows(file);
    for (size_t bit = HeaderBytes(codec) * 8; bit < file.size() * 8; ++bit) {
      // "T" and "t" both part date and time.
      if (codec == Codec::kNull && file[bit / 8] == 'T' && bit % 8 == 5) continue;
      std::string damaged = file;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      const auto rows = ReadRows(damaged);
      if (codec == Codec::kSnappy) {
        // A copy may point to another place that holds the same bytes; the checksum sees the rest.
        ASSERT_TRUE(!rows.ok() || *rows == *intact) << bit;
      } else if (codec == Codec::kNull && rows.ok()) {
        ASSERT_NE(*rows, *intact) << bit;
      } else if (rows.ok()) {
        ASSERT_EQ(rows->size(), intact->size()) << CodecName(codec) << bit;
      }
    }
  }
}

TEST(Damage, AFlippedBitInTheHeaderNeverCrashes) {
  const std::string file = SmallFile(Codec::kNull);
  size_t refused = 0;
  for (size_t bit = 0; bit < HeaderBytes(Codec::kNull) * 8; ++bit) {
    std::string damaged = file;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    if (!ReadRows(damaged).ok()) ++refused;
    if (!ReadRows(damaged, {.schema = SmallSchema()}).ok()) ++refused;
  }
  EXPECT_GT(refused, HeaderBytes(Codec::kNull) * 8 / 2);
}

}  // namespace
}  // namespace holdfast::avro
