#include <cstring>

#include "avro/reader.h"
#include "avro/writer.h"
#include "base/random.h"
#include "bench/avro/flights.h"

namespace holdfast::bench {

namespace {

Schema FlightsSchema() {
  const auto column = [](const char* name, FieldType type) {
    Field field;
    field.name = name;
    field.type = type;
    return field;
  };
  return {{column("date", FieldType::kTimestamp), column("delay", FieldType::kInt64),
           column("distance", FieldType::kInt64), column("origin", FieldType::kString),
           column("destination", FieldType::kString)}};
}

avro::BatchView ViewOf(const FlightsChunk& chunk) {
  const void* const columns[] = {chunk.date_micros.data(), chunk.delay.data(),
                                 chunk.distance.data(), chunk.origin.data(),
                                 chunk.destination.data()};
  avro::BatchView view;
  view.rows = chunk.rows;
  for (const void* data : columns) {
    view.columns.push_back({.data = data, .children = {}, .rows = chunk.rows});
  }
  return view;
}

uint64_t Sum(const avro::BatchView& batch) {
  uint64_t sum = 0;
  for (size_t column = 0; column < 3; ++column) {
    const auto* numbers = batch.columns[column].As<int64_t>();
    for (size_t row = 0; row < batch.rows; ++row) sum += static_cast<uint64_t>(numbers[row]);
  }
  for (size_t column = 3; column < 5; ++column) {
    const auto* texts = batch.columns[column].As<std::string_view>();
    for (size_t row = 0; row < batch.rows; ++row) {
      sum += texts[row].size() + static_cast<uint8_t>(texts[row][0]);
    }
  }
  return sum;
}

}  // namespace

Outcome EncodeOurs(const std::string& folder, const std::string& path, const std::string& codec,
                   Watch& watch) {
  FlightsDump dump(folder);
  FlightsChunk chunk;
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  CHECK(file != nullptr, path);
  const auto found = avro::FindCodec(codec);
  CHECK(found.has_value(), "no such codec");
  const auto random = MakeSeededRandom(1);
  watch.Start();
  auto writer = avro::Writer::Create(
      FlightsSchema(), {.codec = *found},
      [file](std::string_view bytes) {
        CHECK(std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size(), "disk full");
        return Ok();
      },
      *random);
  watch.Stop();
  while (dump.Next(chunk)) {
    const avro::BatchView view = ViewOf(chunk);
    watch.Start();
    (*writer)->Write(view).value();
    watch.Stop();
  }
  watch.Start();
  (*writer)->Finish().value();
  std::fclose(file);
  watch.Stop();
  return {.rows = (*writer)->rows_written()};
}

Outcome DecodeOurs(const std::string& path, Watch& watch) {
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  CHECK(file != nullptr, path);
  Outcome outcome;
  watch.Start();
  auto reader = avro::Reader::Open([file](std::span<char> buffer) -> Result<size_t> {
    return std::fread(buffer.data(), 1, buffer.size(), file);
  });
  CHECK(reader.ok(), reader.error().message);
  while (true) {
    const auto batch = (*reader)->Next(2048);
    CHECK(batch.ok(), batch.error().message);
    if (!batch->has_value()) break;
    outcome.rows += (*batch)->view.rows;
    outcome.checksum += Sum((*batch)->view);
  }
  watch.Stop();
  std::fclose(file);
  return outcome;
}

}  // namespace holdfast::bench
