// The peer in C: Apache Avro's own library, through its generic value interface.

#include <avro.h>

#include <cstring>

#include "base/check.h"
#include "bench/avro/flights.h"

namespace holdfast::bench {

namespace {

constexpr const char* kSchema =
    R"({"type":"record","name":"Root","fields":[)"
    R"({"name":"date","type":["null",{"type":"long","logicalType":"timestamp-micros"}]},)"
    R"({"name":"delay","type":["null","long"]},{"name":"distance","type":["null","long"]},)"
    R"({"name":"origin","type":["null","string"]},{"name":"destination","type":["null","string"]}]})";

constexpr size_t kBlockBytes = size_t{128} << 10U;  // as our writer's

void CheckAvro(int result) { CHECK(result == 0, avro_strerror()); }

void SetLong(avro_value_t* record, size_t index, int64_t value) {
  avro_value_t field;
  avro_value_t branch;
  avro_value_get_by_index(record, index, &field, nullptr);
  avro_value_set_branch(&field, 1, &branch);
  avro_value_set_long(&branch, value);
}

void SetText(avro_value_t* record, size_t index, std::string_view text) {
  avro_value_t field;
  avro_value_t branch;
  avro_value_get_by_index(record, index, &field, nullptr);
  avro_value_set_branch(&field, 1, &branch);
  // The length includes the NUL that libavro expects to be there.
  char terminated[kAirportBytes + 1] = {};
  std::memcpy(terminated, text.data(), kAirportBytes);
  avro_value_set_string_len(&branch, terminated, text.size() + 1);
}

uint64_t Sum(const avro_value_t* record) {
  uint64_t sum = 0;
  avro_value_t field;
  avro_value_t branch;
  for (size_t i = 0; i < 5; ++i) {
    avro_value_get_by_index(record, i, &field, nullptr);
    avro_value_get_current_branch(&field, &branch);
    if (i < 3) {
      int64_t number = 0;
      avro_value_get_long(&branch, &number);
      sum += static_cast<uint64_t>(number);
    } else {
      const char* text = nullptr;
      size_t size = 0;
      avro_value_get_string(&branch, &text, &size);
      sum += size - 1 + static_cast<uint8_t>(text[0]);
    }
  }
  return sum;
}

}  // namespace

Outcome EncodeLibavro(const std::string& folder, const std::string& path, const std::string& codec,
                      Watch& watch) {
  FlightsDump dump(folder);
  FlightsChunk chunk;
  Outcome outcome;
  avro_schema_t schema = nullptr;
  CheckAvro(avro_schema_from_json_length(kSchema, std::strlen(kSchema), &schema));
  avro_value_iface_t* const type = avro_generic_class_from_schema(schema);
  avro_value_t record;
  CheckAvro(avro_generic_value_new(type, &record));
  avro_file_writer_t writer = nullptr;
  CheckAvro(avro_file_writer_create_with_codec(path.c_str(), schema, &writer, codec.c_str(),
                                               kBlockBytes));
  while (dump.Next(chunk)) {
    watch.Start();
    for (size_t row = 0; row < chunk.rows; ++row) {
      SetLong(&record, 0, chunk.date_micros[row]);
      SetLong(&record, 1, chunk.delay[row]);
      SetLong(&record, 2, chunk.distance[row]);
      SetText(&record, 3, chunk.origin[row]);
      SetText(&record, 4, chunk.destination[row]);
      CheckAvro(avro_file_writer_append_value(writer, &record));
    }
    watch.Stop();
    outcome.rows += chunk.rows;
  }
  watch.Start();
  CheckAvro(avro_file_writer_close(writer));
  watch.Stop();
  avro_value_decref(&record);
  avro_value_iface_decref(type);
  avro_schema_decref(schema);
  return outcome;
}

Outcome DecodeLibavro(const std::string& path, Watch& watch) {
  Outcome outcome;
  avro_file_reader_t reader = nullptr;
  watch.Start();
  CheckAvro(avro_file_reader(path.c_str(), &reader));
  avro_schema_t const schema = avro_file_reader_get_writer_schema(reader);
  avro_value_iface_t* const type = avro_generic_class_from_schema(schema);
  avro_value_t record;
  CheckAvro(avro_generic_value_new(type, &record));
  while (avro_file_reader_read_value(reader, &record) == 0) {
    outcome.checksum += Sum(&record);
    ++outcome.rows;
    avro_value_reset(&record);
  }
  watch.Stop();
  avro_value_decref(&record);
  avro_value_iface_decref(type);
  avro_schema_decref(schema);
  avro_file_reader_close(reader);
  return outcome;
}

}  // namespace holdfast::bench
