// The part of RowDecoder that passes over fields which the table lacks.

#include "avro/row_decoder.h"
#include "avro/varint.h"

namespace holdfast::avro {

const char* RowDecoder::Skip(const DecodeStep& step, const AvroType& type, const char* in) {
  if (in > end_) return Corrupt(step, end_, "the data ends inside a row");
  int64_t number = 0;
  switch (type.kind) {
    case AvroKind::kNull:
      return in;
    case AvroKind::kBoolean:
      return in + 1;
    case AvroKind::kInt:
    case AvroKind::kLong:
    case AvroKind::kEnum:
      return ReadNumberSlow(step, in, number);
    case AvroKind::kFloat:
      return in + sizeof(float);
    case AvroKind::kDouble:
      return in + sizeof(double);
    case AvroKind::kBytes:
    case AvroKind::kString:
      in = ReadNumberSlow(step, in, number);
      return in == nullptr ? nullptr : SkipBytes(step, number, in);
    case AvroKind::kFixed:
      return SkipBytes(step, static_cast<int64_t>(type.fixed_bytes), in);
    case AvroKind::kRecord:
      for (const AvroField& field : type.fields) {
        in = Skip(step, field.type, in);
        if (in == nullptr) return nullptr;
      }
      return in;
    case AvroKind::kArray:
    case AvroKind::kMap:
      return SkipList(step, type, in);
    case AvroKind::kUnion:
      return SkipUnion(step, type, in);
  }
  return nullptr;
}

const char* RowDecoder::SkipBytes(const DecodeStep& step, int64_t length, const char* in) {
  if (length < 0) return Corrupt(step, in, "a length is negative");
  if (in > end_ || length > end_ - in) {
    return Corrupt(step, in, "a length goes past the end of the data");
  }
  return in + length;
}

const char* RowDecoder::SkipList(const DecodeStep& step, const AvroType& type, const char* in) {
  const AvroType& element = type.branches[0];
  // Elements that take no bytes need no loop, however many a file claims.
  const bool has_bytes = type.kind == AvroKind::kMap || BytesMin(element) > 0;
  while (true) {
    uint64_t count = 0;
    in = ReadCount(step, in, count);
    if (in == nullptr || count == 0) return in;
    for (uint64_t i = 0; has_bytes && i < count; ++i) {
      if (type.kind == AvroKind::kMap) {
        int64_t length = 0;
        in = ReadNumberSlow(step, in, length);
        if (in != nullptr) in = SkipBytes(step, length, in);
        if (in == nullptr) return nullptr;
      }
      in = Skip(step, element, in);
      if (in == nullptr) return nullptr;
    }
    if (in > end_) return Corrupt(step, end_, "the data ends inside a list");
  }
}

const char* RowDecoder::SkipUnion(const DecodeStep& step, const AvroType& type, const char* in) {
  int64_t index = 0;
  const char* const after = ReadNumberSlow(step, in, index);
  if (after == nullptr) return nullptr;
  if (index < 0 || static_cast<uint64_t>(index) >= type.branches.size()) {
    return Corrupt(step, in, "a union's index is out of range");
  }
  return Skip(step, type.branches[static_cast<size_t>(index)], after);
}

const char* RowDecoder::ReadNumberSlow(const DecodeStep& step, const char* in, int64_t& value) {
  if (in > end_) return Corrupt(step, end_, "the data ends inside a row");
  const char* const after = ReadVarint(in, value);
  return after == nullptr ? Corrupt(step, in, "an integer has more than 64 bits") : after;
}

}  // namespace holdfast::avro
