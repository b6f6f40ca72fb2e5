// Rows in Avro's binary form into the columns of a batch, by a compiled plan.
//
// The bytes are hostile. A step may read a few bytes past the end (ByteBuffer's slack, which is
// zero), and the end is checked before the next one; counts of elements are checked against the
// bytes that are left, so memory stays in proportion to the block. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "avro/column_set.h"
#include "avro/decode_plan.h"
#include "avro/reader.h"
#include "base/result.h"

namespace holdfast::avro {

class RowDecoder {
 public:
  // Borrows the plan.
  RowDecoder(const DecodePlan& plan, const ReaderLimits& limits) : plan_(plan), limits_(limits) {}

  // Decodes up to `rows` rows of the block [in, end) into `columns`, fewer when they pass the limit
  // of a batch (but at least one); moves `in` and lowers `rows` by what was done. The block has
  // ByteBuffer's slack after `end`, and `rows` is
  // at most what its bytes can hold. Errors: kAvroCorrupt, kAvroLimit, kAvroBadValue, naming the
  // column and the byte of the block, without context of the file.
  Status Decode(const char* begin, const char*& in, const char* end, uint64_t& rows,
                ColumnSet& columns);

 private:
  struct Failure {
    ErrorId id = ErrorId::kAvroCorrupt;
    const DecodeStep* step = nullptr;
    const char* at = nullptr;
    const char* why = "";
  };

  const char* Run(const DecodeStep* step, const DecodeStep* stop, size_t row, const char* in);
  const char* ReadValue(const DecodeStep& step, size_t row, const char* in);
  const char* ReadText(const DecodeStep& step, size_t row, const char* in);
  const char* ReadInstant(const DecodeStep& step, size_t row, const char* in);
  const char* ReadTime(const DecodeStep& step, size_t row, const char* in);
  const char* ReadSmall(const DecodeStep& step, size_t row, const char* in);
  const char* ReadTimeText(const DecodeStep& step, size_t row, const char* in);
  const char* ReadEnum(const DecodeStep& step, size_t row, const char* in);
  const char* ReadDecimal(const DecodeStep& step, size_t row, const char* in);
  const char* ReadList(const DecodeStep& step, size_t row, const char* in);
  const char* ReadCount(const DecodeStep& step, const char* in, uint64_t& count);
  const char* ReadBytes(const DecodeStep& step, const char* in, std::string_view& bytes);
  const char* ReadNumber(const DecodeStep& step, const char* in, int64_t& value);
  const char* Skip(const DecodeStep& step, const AvroType& type, const char* in);
  const char* SkipBytes(const DecodeStep& step, int64_t length, const char* in);
  const char* SkipList(const DecodeStep& step, const AvroType& type, const char* in);
  const char* SkipUnion(const DecodeStep& step, const AvroType& type, const char* in);
  const char* ReadNumberSlow(const DecodeStep& step, const char* in, int64_t& value);
  void SetNull(const DecodeStep& step, size_t row);
  const char* Corrupt(const DecodeStep& step, const char* at, const char* why);
  const char* BadValue(const DecodeStep& step, const char* at, const char* why);

  template <typename T>
  void Store(const DecodeStep& step, size_t row, T value);

  const DecodePlan& plan_;
  const ReaderLimits limits_;
  ColumnSet* columns_ = nullptr;
  const char* end_ = nullptr;
  Failure failure_;
};

}  // namespace holdfast::avro
