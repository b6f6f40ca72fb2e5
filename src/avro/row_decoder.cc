#include "avro/row_decoder.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "avro/civil_text.h"
#include "avro/decimal.h"
#include "avro/utf8.h"
#include "avro/varint.h"

namespace holdfast::avro {

namespace {

// A row may need this many times the arrays of a whole batch before it is refused.
constexpr size_t kRowLimitFactor = 16;

}  // namespace

Status RowDecoder::Decode(const char* begin, const char*& in, const char* end, uint64_t& rows,
                          ColumnSet& columns) {
  columns_ = &columns;
  end_ = end;
  const DecodeStep* const first = plan_.steps.data();
  const DecodeStep* const stop = first + plan_.steps.size();
  columns.Grow(0, rows);
  ColumnSet::Level& level = columns.level(0);
  const char* at = in;
  for (; rows > 0; --rows) {
    at = Run(first, stop, level.size, at);
    if (at == nullptr) {
      return MakeError(failure_.id,
                       fmt::format("column \"{}\", byte {} of the block's data: {}",
                                   plan_.paths[static_cast<size_t>(failure_.step - first)],
                                   failure_.at - begin, failure_.why));
    }
    in = at;
    ++level.size;
    if (columns.bytes() > limits_.batch_bytes && rows > 1) {
      --rows;
      return Ok();
    }
  }
  return Ok();
}

const char* RowDecoder::Run(const DecodeStep* step, const DecodeStep* stop, size_t row,
                            const char* in) {
  const DecodeStep* last = step;
  while (step != stop) {
    if (in > end_) [[unlikely]]
      return Corrupt(*last, end_, "the data ends inside a row");
    last = step;
    if (step->has_branch) {
      const auto branch = static_cast<uint8_t>(*in);
      if (branch == step->null_branch && step->null_form != NullForm::kNever) {
        if (step->null_form == NullForm::kRefuse) {
          return BadValue(*step, in, "null in a REQUIRED column or a list");
        }
        SetNull(*step, row);
        ++in;
        step = plan_.steps.data() + step->next;
        continue;
      }
      if (branch != step->value_branch)
        return Corrupt(*step, in, "a union's index is out of range");
      ++in;
    }
    in = ReadValue(*step, row, in);
    if (in == nullptr) [[unlikely]]
      return nullptr;
    step = step->kind == DecodeKind::kList ? plan_.steps.data() + step->next : step + 1;
  }
  if (in > end_) [[unlikely]]
    return Corrupt(*last, end_, "the data ends inside a row");
  return in;
}

template <typename T>
inline void RowDecoder::Store(const DecodeStep& step, size_t row, T value) {
  std::memcpy(columns_->column(step.column).data.get() + row * sizeof(T), &value, sizeof(T));
}

[[gnu::always_inline]] inline const char* RowDecoder::ReadNumber(const DecodeStep& step,
                                                                 const char* in, int64_t& value) {
  const char* const after = ReadVarint(in, value);
  if (after == nullptr) [[unlikely]]
    return Corrupt(step, in, "an integer has more than 64 bits");
  return after;
}

[[gnu::always_inline]] inline const char* RowDecoder::ReadValue(const DecodeStep& step, size_t row,
                                                                const char* in) {
  switch (step.kind) {
    case DecodeKind::kInt64: {
      int64_t value = 0;
      in = ReadNumber(step, in, value);
      Store(step, row, value);
      return in;
    }
    case DecodeKind::kText:
    case DecodeKind::kBytes:
    case DecodeKind::kFixed:
      return ReadText(step, row, in);
    case DecodeKind::kInstant:
      return ReadInstant(step, row, in);
    case DecodeKind::kDouble: {
      uint64_t bits = 0;
      std::memcpy(&bits, in, sizeof(bits));
      Store(step, row, bits);
      return in + sizeof(bits);
    }
    case DecodeKind::kInt32:
    case DecodeKind::kDate:
    case DecodeKind::kFloat:
    case DecodeKind::kBool:
      return ReadSmall(step, row, in);
    case DecodeKind::kTime:
      return ReadTime(step, row, in);
    case DecodeKind::kDateTimeText:
    case DecodeKind::kDateText:
    case DecodeKind::kTimeText:
      return ReadTimeText(step, row, in);
    case DecodeKind::kEnum:
      return ReadEnum(step, row, in);
    case DecodeKind::kNumeric:
    case DecodeKind::kBigNumeric:
      return ReadDecimal(step, row, in);
    case DecodeKind::kRecord:
      return in;
    case DecodeKind::kList:
      return ReadList(step, row, in);
    case DecodeKind::kSkip:
      return Skip(step, *step.type, in);
  }
  return nullptr;
}

[[gnu::always_inline]] inline const char* RowDecoder::ReadBytes(const DecodeStep& step,
                                                                const char* in,
                                                                std::string_view& bytes) {
  uint64_t length = step.fixed_bytes;
  if (length == 0) {
    int64_t number = 0;
    const char* const after = ReadNumber(step, in, number);
    if (after == nullptr) [[unlikely]]
      return nullptr;
    if (number < 0) [[unlikely]]
      return Corrupt(step, in, "a length is negative");
    length = static_cast<uint64_t>(number);
    in = after;
  }
  // `in` may already be past the end by the length's own bytes.
  if (in > end_ || length > static_cast<uint64_t>(end_ - in)) [[unlikely]] {
    return Corrupt(step, in, "a length goes past the end of the data");
  }
  bytes = {in, length};
  return in + length;
}

[[gnu::always_inline]] inline const char* RowDecoder::ReadText(const DecodeStep& step, size_t row,
                                                               const char* in) {
  std::string_view text;
  const char* const after = ReadBytes(step, in, text);
  if (after == nullptr) [[unlikely]]
    return nullptr;
  if (step.kind == DecodeKind::kText && !IsValidUtf8(text)) [[unlikely]] {
    return BadValue(step, in, "invalid UTF-8");
  }
  if (text.size() > limits_.text_bytes) [[unlikely]] {
    failure_ = {ErrorId::kAvroLimit, &step, in, "a value is longer than the limit"};
    return nullptr;
  }
  Store(step, row, text);
  return after;
}

[[gnu::always_inline]] inline const char* RowDecoder::ReadInstant(const DecodeStep& step,
                                                                  size_t row, const char* in) {
  int64_t value = 0;
  const char* const after = ReadNumber(step, in, value);
  if (after == nullptr) [[unlikely]]
    return nullptr;
  const int64_t factor = step.micros_factor;
  if (value > kMicrosMax / factor || value < kMicrosMin / factor) [[unlikely]] {
    return BadValue(step, in, "a time outside the years 0001 to 9999");
  }
  Store(step, row, value * factor);
  return after;
}

[[gnu::noinline]] const char* RowDecoder::ReadTime(const DecodeStep& step, size_t row,
                                                   const char* in) {
  int64_t value = 0;
  const char* const after = ReadNumber(step, in, value);
  if (after == nullptr) return nullptr;
  const int64_t factor = step.micros_factor;
  if (value < 0 || value > (kMicrosPerDay - 1) / factor) {
    return BadValue(step, in, "a time of day outside 00:00 to 24:00");
  }
  Store(step, row, value * factor);
  return after;
}

// Values of at most four bytes in the file or in memory.
[[gnu::always_inline]] inline const char* RowDecoder::ReadSmall(const DecodeStep& step, size_t row,
                                                                const char* in) {
  if (step.kind == DecodeKind::kBool) {
    const auto value = static_cast<uint8_t>(*in);
    if (value > 1) return Corrupt(step, in, "a boolean is neither 0 nor 1");
    Store(step, row, value);
    return in + 1;
  }
  if (step.kind == DecodeKind::kFloat) {
    float value = 0;
    std::memcpy(&value, in, sizeof(value));
    Store(step, row, static_cast<double>(value));
    return in + sizeof(value);
  }
  int64_t value = 0;
  const char* const after = ReadNumber(step, in, value);
  if (after == nullptr) return nullptr;
  if (value < INT32_MIN || value > INT32_MAX) return Corrupt(step, in, "an int has over 32 bits");
  if (step.kind == DecodeKind::kInt32) {
    Store(step, row, value);
    return after;
  }
  if (value < kDaysMin || value > kDaysMax) {
    return BadValue(step, in, "a date outside the years 0001 to 9999");
  }
  Store(step, row, static_cast<int32_t>(value));
  return after;
}

[[gnu::noinline]] const char* RowDecoder::ReadTimeText(const DecodeStep& step, size_t row,
                                                       const char* in) {
  std::string_view text;
  const char* const after = ReadBytes(step, in, text);
  if (after == nullptr) return nullptr;
  if (step.kind == DecodeKind::kDateText) {
    const auto days = ParseDate(text);
    if (!days) return BadValue(step, in, "not a date of the form YYYY-MM-DD");
    Store(step, row, *days);
    return after;
  }
  const auto micros = step.kind == DecodeKind::kTimeText ? ParseTime(text) : ParseDateTime(text);
  if (!micros) return BadValue(step, in, "not a time of the form [YYYY-MM-DDT]HH:MM:SS[.ffffff]");
  Store(step, row, *micros);
  return after;
}

[[gnu::noinline]] const char* RowDecoder::ReadEnum(const DecodeStep& step, size_t row,
                                                   const char* in) {
  int64_t index = 0;
  const char* const after = ReadNumber(step, in, index);
  if (after == nullptr) return nullptr;
  const auto& symbols = step.type->symbols;
  if (index < 0 || static_cast<uint64_t>(index) >= symbols.size()) {
    return Corrupt(step, in, "an enum's index is out of range");
  }
  Store(step, row, std::string_view(symbols[static_cast<size_t>(index)]));
  return after;
}

[[gnu::noinline]] const char* RowDecoder::ReadDecimal(const DecodeStep& step, size_t row,
                                                      const char* in) {
  std::string_view bytes;
  const char* const after = ReadBytes(step, in, bytes);
  if (after == nullptr) return nullptr;
  if (step.kind == DecodeKind::kNumeric) {
    const auto value = DecodeNumeric(bytes, step.scale);
    if (!value) return BadValue(step, in, "a number that NUMERIC cannot hold exactly");
    Store(step, row, *value);
    return after;
  }
  std::array<char, kBigNumericTextBytesMax> text{};
  const auto length = DecodeBigNumeric(bytes, step.scale, text.data());
  if (!length) return BadValue(step, in, "a number that BIGNUMERIC cannot hold exactly");
  char* const copy = columns_->NewText(*length);
  std::memcpy(copy, text.data(), *length);
  Store(step, row, std::string_view(copy, *length));
  return after;
}

// The count in front of a run of elements; 0 ends the list. A negative count is followed by the
// run's size in bytes, which only a reader that skips would need.
[[gnu::noinline]] const char* RowDecoder::ReadCount(const DecodeStep& step, const char* in,
                                                    uint64_t& count) {
  int64_t number = 0;
  const char* after = ReadNumber(step, in, number);
  if (after == nullptr) return nullptr;
  if (number < 0) {
    if (number == INT64_MIN) return Corrupt(step, in, "a count is out of range");
    number = -number;
    int64_t size = 0;
    if (after > end_) return Corrupt(step, end_, "the data ends inside a list");
    after = ReadNumber(step, after, size);
    if (after == nullptr) return nullptr;
    if (size < 0) return Corrupt(step, in, "a size is negative");
  }
  if (after > end_) return Corrupt(step, end_, "the data ends inside a list");
  count = static_cast<uint64_t>(number);
  return after;
}

[[gnu::noinline]] const char* RowDecoder::ReadList(const DecodeStep& step, size_t row,
                                                   const char* in) {
  ColumnSet::Level& level = columns_->level(step.element_level);
  ListEntry entry{.offset = level.size};
  const DecodeStep* const first = &step + 1;
  const DecodeStep* const stop = plan_.steps.data() + step.next;
  while (true) {
    uint64_t count = 0;
    const char* const after = ReadCount(step, in, count);
    if (after == nullptr) return nullptr;
    if (count == 0) {
      Store(step, row, entry);
      return after;
    }
    if (count > static_cast<uint64_t>(end_ - after) / step.element_bytes_min) {
      return Corrupt(step, in, "a list claims more elements than its bytes can hold");
    }
    columns_->Grow(step.element_level, count);
    if (columns_->bytes() / kRowLimitFactor > limits_.batch_bytes) {
      failure_ = {ErrorId::kAvroLimit, &step, in, "a row's lists are longer than the limit"};
      return nullptr;
    }
    entry.length += count;
    in = after;
    for (; count > 0; --count) {
      in = Run(first, stop, level.size++, in);
      if (in == nullptr) return nullptr;
    }
  }
}

// A null's own column, and the columns of all fields of a null record.
[[gnu::noinline]] void RowDecoder::SetNull(const DecodeStep& step, size_t row) {
  const DecodeStep* at = &step;
  const DecodeStep* const stop = plan_.steps.data() + step.next;
  while (true) {
    if (at->kind != DecodeKind::kSkip) columns_->SetNull(at->column, row);
    at = at->kind == DecodeKind::kList ? plan_.steps.data() + at->next : at + 1;
    if (at >= stop) return;
  }
}

[[gnu::cold, gnu::noinline]] const char* RowDecoder::Corrupt(const DecodeStep& step, const char* at,
                                                             const char* why) {
  failure_ = {.id = ErrorId::kAvroCorrupt, .step = &step, .at = at, .why = why};
  return nullptr;
}

[[gnu::cold, gnu::noinline]] const char* RowDecoder::BadValue(const DecodeStep& step,
                                                              const char* at, const char* why) {
  failure_ = {.id = ErrorId::kAvroBadValue, .step = &step, .at = at, .why = why};
  return nullptr;
}

}  // namespace holdfast::avro
