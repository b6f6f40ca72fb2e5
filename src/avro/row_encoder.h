// Rows of a batch as Avro's binary form: a schema compiled into a flat program of small steps.
//
// A record is no step of its own but its children's, a list runs its part of the program for each
// element. Room in the buffer is made once a row for everything of fixed size, and once for each
// text, so steps write without asking. One thread at a time; borrows batch and buffer during a
// call.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "avro/batch.h"
#include "avro/byte_buffer.h"
#include "avro/schema_mapping.h"
#include "base/result.h"
#include "model/schema.h"

namespace holdfast::avro {

class RowEncoder {
 public:
  // `schema` is one that ToAvroSchema takes, with the same `datetime_form`.
  RowEncoder(const Schema& schema, DateTimeForm datetime_form);

  // Aims the program at a batch, whose memory must stay until the last Encode of its rows. Columns
  // of another shape than the schema's are a broken invariant.
  void Bind(const BatchView& batch);

  // Appends rows of the bound batch from `row` on to `out` until it holds `stop_bytes` or row `end`
  // is done; `row` becomes the first one not written. Errors: kAvroBadValue.
  Status Encode(size_t& row, size_t end, size_t stop_bytes, ByteBuffer& out);

 private:
  enum class Kind : uint8_t {
    kInt64,
    kInstant,  // TIMESTAMP, and DATETIME as micros: range-checked
    kDate,
    kTime,
    kDateTimeText,
    kDouble,
    kBool,
    kText,  // UTF-8
    kBytes,
    kNumeric,
    kBigNumeric,
    kRecord,  // the steps of its fields follow, at the same row
    kList,    // the steps of one element follow
  };
  struct Step {
    Kind kind = Kind::kInt64;
    bool nullable = false;
    int8_t precision = 0;
    int8_t scale = 0;
    uint32_t next = 0;          // the step after this one and all below it
    uint32_t element_room = 0;  // kList: bytes of fixed size in one element
    const uint64_t* validity = nullptr;
    const void* data = nullptr;
  };
  struct Failure {
    const Step* step = nullptr;
    size_t row = 0;
    const char* why = "";
  };

  void AddColumn(const Field& field, const std::string& path, DateTimeForm datetime_form);
  void AddValue(const Field& field, const std::string& path, DateTimeForm datetime_form);
  void BindColumn(const Field& field, const ColumnView& column, size_t& step);
  uint32_t RoomOf(size_t begin, size_t end) const;
  char* Run(const Step* step, const Step* stop, size_t row, size_t room, char* out);
  char* WriteValue(const Step& step, size_t row, size_t room, char* out);
  char* WriteText(const Step& step, size_t row, size_t room, char* out);
  char* WriteDecimal(const Step& step, size_t row, char* out);
  char* WriteList(const Step& step, size_t row, size_t room, char* out);
  char* EnsureRoom(char* out, size_t room);
  char* Fail(const Step& step, size_t row, const char* why);

  Schema schema_;
  std::vector<Step> steps_;
  std::vector<std::string> paths_;  // of each step, for messages
  uint32_t row_room_ = 0;
  ByteBuffer* buffer_ = nullptr;
  Failure failure_;
};

}  // namespace holdfast::avro
