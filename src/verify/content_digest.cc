#include "verify/content_digest.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string>

#include "base/check.h"

namespace holdfast::verify {

namespace {

constexpr std::string_view kFormat = "hf1";

// The canonical bytes of rows, appended to one buffer that is used again for every row. A number
// has its own width; a text, list or choice is preceded by what tells its end: no two rows of one
// schema have the same bytes unless they are the same.
class RowBytes {
 public:
  void Clear() { size_ = 0; }
  std::string_view bytes() const { return {buffer_.data(), size_}; }

  template <typename T>
  void AppendFixed(const T& value) {
    char* to = Grow(sizeof(T));
    std::memcpy(to, &value, sizeof(T));
  }
  void AppendText(std::string_view text) {
    AppendFixed(static_cast<uint64_t>(text.size()));
    char* to = Grow(text.size());
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
  }

 private:
  char* Grow(size_t count) {
    if (size_ + count > buffer_.size()) buffer_.resize(2 * (size_ + count));
    char* at = buffer_.data() + size_;
    size_ += count;
    return at;
  }

  std::string buffer_ = std::string(256, '\0');
  size_t size_ = 0;
};

void AppendValue(const Field& field, const avro::ColumnView& column, size_t row, RowBytes& bytes);

// All NaNs are one value; -0.0 and 0.0 are two.
uint64_t CanonicalBits(double value) {
  constexpr uint64_t kNan = 0x7FF8'0000'0000'0000;
  return std::isnan(value) ? kNan : std::bit_cast<uint64_t>(value);
}

// A value that may be null, whatever the column's mode: 0, or 1 and the value.
void AppendNullable(const Field& field, const avro::ColumnView& column, size_t row,
                    RowBytes& bytes) {
  const bool valid = column.IsValid(row);
  bytes.AppendFixed(static_cast<uint8_t>(valid));
  if (valid) AppendValue(field, column, row, bytes);
}

void AppendRange(const Field& field, const avro::ColumnView& column, size_t row, RowBytes& bytes) {
  const Field bound{.name = {}, .type = field.range_element_type};
  AppendNullable(bound, column.children[0], row, bytes);
  AppendNullable(bound, column.children[1], row, bytes);
}

void AppendList(const Field& field, const avro::ColumnView& column, size_t row, RowBytes& bytes) {
  // A null list is an empty one.
  const avro::ListEntry entry =
      column.IsValid(row) ? column.As<avro::ListEntry>()[row] : avro::ListEntry{};
  bytes.AppendFixed(entry.length);
  for (uint64_t i = 0; i < entry.length; ++i) {
    AppendNullable(field, column.children[0], entry.offset + i, bytes);
  }
}

// A value that is there, not looking at the field's mode.
void AppendValue(const Field& field, const avro::ColumnView& column, size_t row, RowBytes& bytes) {
  switch (field.type) {
    case FieldType::kInt64:
    case FieldType::kTimestamp:
    case FieldType::kDateTime:
    case FieldType::kTime:
      return bytes.AppendFixed(column.As<int64_t>()[row]);
    case FieldType::kDate:
      return bytes.AppendFixed(column.As<int32_t>()[row]);
    case FieldType::kFloat64:
      return bytes.AppendFixed(CanonicalBits(column.As<double>()[row]));
    case FieldType::kBool:
      return bytes.AppendFixed(static_cast<uint8_t>(column.As<uint8_t>()[row] != 0));
    case FieldType::kNumeric:
      return bytes.AppendFixed(column.As<__int128>()[row]);
    case FieldType::kString:
    case FieldType::kBytes:
    case FieldType::kBigNumeric:
    case FieldType::kGeography:
    case FieldType::kJson:
    case FieldType::kInterval:
      return bytes.AppendText(column.As<std::string_view>()[row]);
    case FieldType::kRange:
      return AppendRange(field, column, row, bytes);
    case FieldType::kRecord:
      break;
  }
  for (size_t i = 0; i < field.fields.size(); ++i) {
    const Field& child = field.fields[i];
    if (child.mode == FieldMode::kRepeated) {
      AppendList(child, column.children[i], row, bytes);
    } else {
      AppendNullable(child, column.children[i], row, bytes);
    }
  }
}

}  // namespace

void ContentDigest::Add(const Schema& schema, const avro::BatchView& batch) {
  CHECK(schema.fields.size() == batch.columns.size(), "the batch is not of this schema");
  RowBytes bytes;
  for (size_t row = 0; row < batch.rows; ++row) {
    bytes.Clear();
    for (size_t i = 0; i < schema.fields.size(); ++i) {
      const Field& field = schema.fields[i];
      if (field.mode == FieldMode::kRepeated) {
        AppendList(field, batch.columns[i], row, bytes);
      } else {
        AppendNullable(field, batch.columns[i], row, bytes);
      }
    }
    const XXH128_hash_t hash = XXH3_128bits(bytes.bytes().data(), bytes.bytes().size());
    sum_ += (static_cast<unsigned __int128>(hash.high64) << 64U) | hash.low64;
  }
  rows_ += batch.rows;
}

void ContentDigest::Merge(const ContentDigest& other) {
  rows_ += other.rows_;
  sum_ += other.sum_;
}

std::string ContentDigest::ToString() const {
  return fmt::format("{}:{}:{:016x}{:016x}", kFormat, rows_, static_cast<uint64_t>(sum_ >> 64U),
                     static_cast<uint64_t>(sum_));
}

std::optional<ContentDigest> ContentDigest::Parse(std::string_view text) {
  const size_t first = text.find(':');
  const size_t second = text.find(':', first + 1);
  if (text.substr(0, first) != kFormat || second == text.npos) return std::nullopt;
  const std::string_view sum = text.substr(second + 1);
  if (sum.size() != 32) return std::nullopt;
  ContentDigest digest;
  uint64_t high = 0;
  uint64_t low = 0;
  std::from_chars(text.data() + first + 1, text.data() + second, digest.rows_);
  std::from_chars(sum.data(), sum.data() + 16, high, 16);
  std::from_chars(sum.data() + 16, sum.data() + 32, low, 16);
  digest.sum_ = (static_cast<unsigned __int128>(high) << 64U) | low;
  // What did not parse whole prints differently.
  if (digest.ToString() != text) return std::nullopt;
  return digest;
}

}  // namespace holdfast::verify
