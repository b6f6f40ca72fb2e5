// Fuzzes the reader: any bytes as a file, by its own schema and by a fixed table; then what was
// read is written and read again, which must give the same rows.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "avro/file_fixture.h"

namespace holdfast::avro {
namespace {

ReaderOptions FuzzOptions() {
  ReaderOptions options;
  options.limits = {.header_bytes = 1 << 20,
                    .block_bytes = 1 << 20,
                    .block_plain_bytes = 4 << 20,
                    .text_bytes = 1 << 20,
                    .batch_bytes = 1 << 20};
  return options;
}

Schema FixedTable() {
  return {{MakeField("i", FieldType::kInt64), MakeField("s", FieldType::kString),
           MakeField("n", FieldType::kBigNumeric), MakeField("t", FieldType::kDateTime),
           MakeField("r", FieldType::kRecord, FieldMode::kNullable,
                     {MakeField("x", FieldType::kFloat64),
                      MakeField("l", FieldType::kBytes, FieldMode::kRepeated)})}};
}

// Reads all batches and writes them again; a row that was read must be writable and the same.
void RoundTrip(std::string_view file) {
  auto reader = Reader::Open(SourceOf(file, 4096), FuzzOptions());
  if (!reader.ok()) return;
  for (int batches = 0; batches < 64; ++batches) {
    const auto batch = (*reader)->Next(100);
    if (!batch.ok() || !batch->has_value()) return;
    const BatchView& view = (*batch)->view;
    const auto again = WriteFile((*reader)->schema(), view, {.codec = Codec::kNull});
    if (!again.ok()) {
      // A decimal may hold more digits than its column declares, which only the writer refuses.
      CHECK(again.error().id == ErrorId::kAvroBadValue, again.error().message);
      continue;
    }
    const auto rows = ReadRows(*again, {.schema = (*reader)->schema()}, 1000, 4096);
    CHECK(rows.ok(), rows.error().message);
    CHECK(rows->size() == view.rows, "another number of rows");
    for (size_t row = 0; row < view.rows; ++row) {
      CHECK(DumpJson((*rows)[row]) == DumpJson(RowToJson((*reader)->schema(), view, row)),
            "another row");
    }
  }
}

void ReadAsTable(std::string_view file) {
  ReaderOptions options = FuzzOptions();
  options.schema = FixedTable();
  auto reader = Reader::Open(SourceOf(file, 4096), options);
  if (!reader.ok()) return;
  for (int batches = 0; batches < 64; ++batches) {
    const auto batch = (*reader)->Next(100);
    if (!batch.ok() || !batch->has_value()) return;
    for (size_t row = 0; row < (*batch)->view.rows; ++row) {
      (void)RowToJson(*options.schema, (*batch)->view, row);
    }
  }
}

}  // namespace
}  // namespace holdfast::avro

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  holdfast::avro::RoundTrip(file);
  holdfast::avro::ReadAsTable(file);
  return 0;
}
