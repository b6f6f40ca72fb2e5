// Random columns and cells for properties: every type, nested and repeated, edge values often.
//
// For use inside rc::check; what fails is made smaller by it. Cells have the forms of
// avro/cell_json.h.
#pragma once

#include <rapidcheck.h>

#include <cmath>
#include <string>
#include <vector>

#include "avro/civil_text.h"
#include "avro/decimal.h"
#include "avro/utf8.h"
#include "base/hash.h"
#include "base/json.h"
#include "model/schema.h"

namespace holdfast::testing_support {

inline const std::vector<FieldType> kTypes = {
    FieldType::kString, FieldType::kBytes,    FieldType::kInt64,      FieldType::kFloat64,
    FieldType::kBool,   FieldType::kNumeric,  FieldType::kBigNumeric, FieldType::kTimestamp,
    FieldType::kDate,   FieldType::kTime,     FieldType::kDateTime,   FieldType::kGeography,
    FieldType::kJson,   FieldType::kInterval, FieldType::kRange,      FieldType::kRecord};

template <typename T>
T Pick(const T& low, const T& high) {  // [low, high]
  return *rc::gen::weightedOneOf<T>(
      {{8, rc::gen::inRange<T>(low, high)}, {1, rc::gen::just(low)}, {1, rc::gen::just(high)}});
}

inline Field RandomField(int number, int depth) {
  Field field{.name = "f" + std::to_string(number),
              .type = *rc::gen::elementOf(kTypes),
              .mode = static_cast<FieldMode>(*rc::gen::inRange(0, 3))};
  if (depth >= 4 && field.type == FieldType::kRecord) field.type = FieldType::kInt64;
  if (field.type == FieldType::kRange) {
    field.range_element_type =
        *rc::gen::element(FieldType::kDate, FieldType::kDateTime, FieldType::kTimestamp);
  }
  if (field.type == FieldType::kRecord) {
    const int count = *rc::gen::inRange(1, 4);
    for (int i = 0; i < count; ++i) field.fields.push_back(RandomField(i, depth + 1));
  }
  return field;
}

inline std::string RandomDigits(size_t count_max) {
  const auto count = *rc::gen::inRange<size_t>(1, count_max + 1);
  return *rc::gen::container<std::string>(count, rc::gen::inRange('0', static_cast<char>('9' + 1)));
}

inline std::string RandomText() {
  return *rc::gen::weightedOneOf<std::string>(
      {{6, rc::gen::string<std::string>()},
       {1, rc::gen::just(std::string("\0\0", 2))},
       {1, rc::gen::just(std::string("\xF0\x9F\x94\x92 \xE2\x82\xAC"))},
       {1, rc::gen::just(std::string(3000, 'w'))}});
}

inline std::string RandomUtf8() {
  std::string text = RandomText();
  while (!avro::IsValidUtf8(text)) {
    for (char& c : text) c = static_cast<char>(c & 0x7F);
  }
  return text;
}

inline Json RandomScalar(FieldType type) {
  switch (type) {
    case FieldType::kBytes:
      return Base64Encode(RandomText());
    case FieldType::kInt64:
      return Pick<int64_t>(INT64_MIN, INT64_MAX);
    case FieldType::kFloat64: {
      const double value = *rc::gen::arbitrary<double>();
      return std::isfinite(value) ? Json(value) : Json("NaN");
    }
    case FieldType::kBool:
      return *rc::gen::arbitrary<bool>();
    case FieldType::kNumeric:
      return avro::FormatNumeric(*avro::ParseNumeric(RandomDigits(29) + "." + RandomDigits(9)) *
                                 Pick<int>(-1, 1));
    case FieldType::kBigNumeric:
      return *avro::ParseBigNumeric((*rc::gen::arbitrary<bool>() ? "-" : "") + RandomDigits(38) +
                                    "." + RandomDigits(38));
    case FieldType::kTimestamp:
      return avro::FormatInstant(Pick<int64_t>(avro::kMicrosMin, avro::kMicrosMax));
    case FieldType::kDateTime:
      return avro::FormatDateTime(Pick<int64_t>(avro::kMicrosMin, avro::kMicrosMax));
    case FieldType::kTime:
      return avro::FormatTime(Pick<int64_t>(0, avro::kMicrosPerDay - 1));
    case FieldType::kDate:
      return avro::FormatDate(Pick<int32_t>(avro::kDaysMin, avro::kDaysMax));
    default:
      return RandomUtf8();
  }
}

inline Json RandomCell(const Field& field, bool is_element = false) {
  if (field.mode == FieldMode::kRepeated && !is_element) {
    Json list = Json::array();
    for (int count = *rc::gen::inRange(0, 4); count > 0; --count) {
      list.push_back(RandomCell(field, true));
    }
    return list;
  }
  if (field.mode == FieldMode::kNullable && *rc::gen::inRange(0, 4) == 0) return nullptr;
  if (field.type == FieldType::kRange) {
    Json range;
    for (const char* bound : {"start", "end"}) {
      range[bound] = *rc::gen::arbitrary<bool>() ? RandomScalar(field.range_element_type) : Json();
    }
    return range;
  }
  if (field.type != FieldType::kRecord) return RandomScalar(field.type);
  Json record = Json::object();
  for (const Field& child : field.fields) record[child.name] = RandomCell(child);
  return record;
}

}  // namespace holdfast::testing_support
