#include "avro/row_encoder.h"

#include <fmt/format.h>

#include "avro/civil_text.h"
#include "avro/decimal.h"
#include "avro/utf8.h"
#include "avro/varint.h"
#include "avro/writer.h"

namespace holdfast::avro {

namespace {

// More than any value of fixed size takes with its branch index: a decimal's 1 + 1 + 32.
constexpr uint32_t kStepRoom = 48;

template <typename T>
T Load(const void* data, size_t row) {
  T value;
  std::memcpy(&value, static_cast<const char*>(data) + row * sizeof(T), sizeof(T));
  return value;
}

bool IsValid(const uint64_t* validity, size_t row) {
  return validity == nullptr || ((validity[row / 64] >> (row % 64)) & 1U) != 0;
}

template <typename T>
char* Put(T value, char* out) {
  std::memcpy(out, &value, sizeof(value));
  return out + sizeof(value);
}

}  // namespace

RowEncoder::RowEncoder(const Schema& schema, DateTimeForm datetime_form) : schema_(schema) {
  for (const Field& field : schema_.fields) AddColumn(field, field.name, datetime_form);
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i].kind == Kind::kList) steps_[i].element_room = RoomOf(i + 1, steps_[i].next);
  }
  row_room_ = RoomOf(0, steps_.size());
}

void RowEncoder::AddColumn(const Field& field, const std::string& path,
                           DateTimeForm datetime_form) {
  if (field.mode != FieldMode::kRepeated) {
    AddValue(field, path, datetime_form);
    return;
  }
  const size_t list = steps_.size();
  steps_.push_back({.kind = Kind::kList});
  paths_.push_back(path);
  AddValue(field, path, datetime_form);
  steps_[list].next = static_cast<uint32_t>(steps_.size());
}

void RowEncoder::AddValue(const Field& field, const std::string& path, DateTimeForm datetime_form) {
  const size_t index = steps_.size();
  Step step{.nullable = field.mode == FieldMode::kNullable};
  switch (field.type) {
    case FieldType::kInt64:
      step.kind = Kind::kInt64;
      break;
    case FieldType::kFloat64:
      step.kind = Kind::kDouble;
      break;
    case FieldType::kBool:
      step.kind = Kind::kBool;
      break;
    case FieldType::kBytes:
      step.kind = Kind::kBytes;
      break;
    case FieldType::kTimestamp:
      step.kind = Kind::kInstant;
      break;
    case FieldType::kDate:
      step.kind = Kind::kDate;
      break;
    case FieldType::kTime:
      step.kind = Kind::kTime;
      break;
    case FieldType::kDateTime:
      step.kind = datetime_form == DateTimeForm::kText ? Kind::kDateTimeText : Kind::kInstant;
      break;
    case FieldType::kNumeric:
    case FieldType::kBigNumeric: {
      step.kind = field.type == FieldType::kNumeric ? Kind::kNumeric : Kind::kBigNumeric;
      const DecimalShape shape = ShapeOf(field);
      step.precision = static_cast<int8_t>(shape.precision);
      step.scale = static_cast<int8_t>(shape.scale);
      break;
    }
    case FieldType::kString:
    case FieldType::kGeography:
    case FieldType::kJson:
    case FieldType::kInterval:
      step.kind = Kind::kText;
      break;
    case FieldType::kRange:
    case FieldType::kRecord:
      step.kind = Kind::kRecord;
      break;
  }
  steps_.push_back(step);
  paths_.push_back(path);
  if (field.type == FieldType::kRange) {
    Field bound;
    bound.type = field.range_element_type;
    AddValue(bound, path + ".start", datetime_form);
    AddValue(bound, path + ".end", datetime_form);
  }
  for (const Field& child : field.fields) AddColumn(child, path + "." + child.name, datetime_form);
  steps_[index].next = static_cast<uint32_t>(steps_.size());
}

uint32_t RowEncoder::RoomOf(size_t begin, size_t end) const {
  uint32_t room = 0;
  for (size_t i = begin; i < end; i = steps_[i].kind == Kind::kList ? steps_[i].next : i + 1) {
    room += kStepRoom;
  }
  return room;
}

void RowEncoder::Bind(const BatchView& batch) {
  CHECK(batch.columns.size() == schema_.fields.size(), "a batch of another schema");
  size_t step = 0;
  for (size_t i = 0; i < batch.columns.size(); ++i) {
    BindColumn(schema_.fields[i], batch.columns[i], step);
  }
}

void RowEncoder::BindColumn(const Field& field, const ColumnView& column, size_t& step) {
  steps_[step].validity = column.validity;
  steps_[step].data = column.data;
  const ColumnView* value = &column;
  if (steps_[step++].kind == Kind::kList) {
    CHECK(column.children.size() == 1, "a list column without its elements");
    value = &column.children[0];
    steps_[step].validity = value->validity;
    steps_[step++].data = value->data;
  }
  if (field.type == FieldType::kRange) {
    CHECK(value->children.size() == 2, "a RANGE column without its bounds");
    for (const ColumnView& bound : value->children) {
      steps_[step].validity = bound.validity;
      steps_[step++].data = bound.data;
    }
  }
  CHECK(field.type != FieldType::kRecord || value->children.size() == field.fields.size(),
        "a RECORD column of another shape");
  for (size_t i = 0; i < field.fields.size(); ++i) {
    BindColumn(field.fields[i], value->children[i], step);
  }
}

Status RowEncoder::Encode(size_t& row, size_t end, size_t stop_bytes, ByteBuffer& out) {
  buffer_ = &out;
  const Step* const first = steps_.data();
  const Step* const stop = first + steps_.size();
  out.Reserve(out.size() + row_room_);
  char* at = out.data() + out.size();
  size_t written = out.size();
  for (; row < end && written < stop_bytes; ++row) {
    at = EnsureRoom(at, row_room_);
    at = Run(first, stop, row, row_room_, at);
    if (at == nullptr) {
      return MakeError(
          ErrorId::kAvroBadValue,
          fmt::format("column \"{}\", row {} of the batch: {}",
                      paths_[static_cast<size_t>(failure_.step - first)], row, failure_.why));
    }
    const auto size = static_cast<size_t>(at - out.data());
    if (size - written > kRowBytesMax) {
      return MakeError(
          ErrorId::kAvroBadValue,
          fmt::format("row {} of the batch takes {} bytes; BigQuery loads rows up to {}", row,
                      size - written, kRowBytesMax));
    }
    written = size;
  }
  out.Resize(written);
  return Ok();
}

char* RowEncoder::Run(const Step* step, const Step* stop, size_t row, size_t room, char* out) {
  while (step != stop) {
    const Step& now = *step;
    if (now.kind == Kind::kList) {
      out = WriteList(now, row, room, out);
      step = steps_.data() + now.next;
    } else if (!IsValid(now.validity, row)) {
      if (!now.nullable) return Fail(now, row, "null in a REQUIRED column or a list");
      *out++ = 0;
      step = steps_.data() + now.next;
    } else {
      *out = 2;  // the second branch of union{null, T}
      out += now.nullable ? 1 : 0;
      out = WriteValue(now, row, room, out);
      ++step;
    }
    if (out == nullptr) return nullptr;
  }
  return out;
}

[[gnu::always_inline]] inline char* RowEncoder::WriteValue(const Step& step, size_t row,
                                                           size_t room, char* out) {
  switch (step.kind) {
    case Kind::kInt64:
      return WriteVarint(Load<int64_t>(step.data, row), out);
    case Kind::kInstant: {
      const auto micros = Load<int64_t>(step.data, row);
      if (micros < kMicrosMin || micros > kMicrosMax) break;
      return WriteVarint(micros, out);
    }
    case Kind::kDate: {
      const auto days = Load<int32_t>(step.data, row);
      if (days < kDaysMin || days > kDaysMax) break;
      return WriteVarint(days, out);
    }
    case Kind::kTime: {
      const auto micros = Load<int64_t>(step.data, row);
      if (micros < 0 || micros >= kMicrosPerDay) break;
      return WriteVarint(micros, out);
    }
    case Kind::kDateTimeText: {
      const auto micros = Load<int64_t>(step.data, row);
      if (micros < kMicrosMin || micros > kMicrosMax) break;
      const size_t length = WriteDateTime(micros, out + 1);
      *out = static_cast<char>(2 * length);  // under 64, so one byte
      return out + 1 + length;
    }
    case Kind::kDouble:
      return Put(Load<uint64_t>(step.data, row), out);
    case Kind::kBool:
      return Put<uint8_t>(Load<uint8_t>(step.data, row) != 0 ? 1 : 0, out);
    case Kind::kText:
    case Kind::kBytes:
      return WriteText(step, row, room, out);
    case Kind::kNumeric:
    case Kind::kBigNumeric:
      return WriteDecimal(step, row, out);
    case Kind::kRecord:
    case Kind::kList:
      return out;
  }
  return Fail(step, row, "date or time out of the type's range");
}

[[gnu::always_inline]] inline char* RowEncoder::WriteText(const Step& step, size_t row, size_t room,
                                                          char* out) {
  const auto text = Load<std::string_view>(step.data, row);
  if (step.kind == Kind::kText && !IsValidUtf8(text)) return Fail(step, row, "invalid UTF-8");
  out = EnsureRoom(WriteVarint(static_cast<int64_t>(text.size()), out), text.size() + room);
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

[[gnu::noinline]] char* RowEncoder::WriteDecimal(const Step& step, size_t row, char* out) {
  // One byte of length in front: 32 bytes at most.
  const auto length =
      step.kind == Kind::kNumeric
          ? EncodeNumeric(Load<__int128>(step.data, row), step.precision, step.scale, out + 1)
          : EncodeBigNumeric(Load<std::string_view>(step.data, row), step.precision, step.scale,
                             out + 1);
  if (!length) return Fail(step, row, "number outside the column's precision and scale");
  *out = static_cast<char>(2 * *length);
  return out + 1 + *length;
}

[[gnu::noinline]] char* RowEncoder::WriteList(const Step& step, size_t row, size_t room,
                                              char* out) {
  const bool is_null = !IsValid(step.validity, row);  // BigQuery keeps no null lists: it is empty
  const auto entry = is_null ? ListEntry{} : Load<ListEntry>(step.data, row);
  if (entry.length > 0) {
    out = WriteVarint(static_cast<int64_t>(entry.length), out);
    for (uint64_t i = 0; i < entry.length; ++i) {
      out = EnsureRoom(out, step.element_room);
      out = Run(&step + 1, steps_.data() + step.next, entry.offset + i, step.element_room, out);
      if (out == nullptr) return nullptr;
    }
    out = EnsureRoom(out, room);
  }
  *out++ = 0;
  return out;
}

inline char* RowEncoder::EnsureRoom(char* out, size_t room) {
  const auto used = static_cast<size_t>(out - buffer_->data());
  if (used + room <= buffer_->capacity()) return out;
  buffer_->Resize(used);
  buffer_->Reserve(used + room);
  return buffer_->data() + used;
}

[[gnu::cold, gnu::noinline]] char* RowEncoder::Fail(const Step& step, size_t row, const char* why) {
  failure_ = {.step = &step, .row = row, .why = why};
  return nullptr;
}

}  // namespace holdfast::avro
