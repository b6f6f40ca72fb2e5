// One scalar cell between its memory and its text or JSON, by BigQuery type.
//
// The forms are those of avro/cell_json.h. Also for CSV and JSON rows on their way into a batch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "avro/batch.h"
#include "base/json.h"
#include "model/schema.h"

namespace holdfast::avro {

// A scalar in its column's shape (avro/batch.h); text of every kind is a string.
using CellValue = std::variant<bool, int32_t, int64_t, double, __int128, std::string>;

// The cell that `text` stands for; nullopt when it is none of that type. BYTES are base64. Not for
// RECORD and RANGE.
std::optional<CellValue> ParseCellText(FieldType type, std::string_view text);

// The same from JSON: also numbers and booleans as such.
std::optional<CellValue> ParseCell(FieldType type, const Json& value);

// The text of row `row` of a scalar column, which is not null there.
std::string FormatCell(FieldType type, const ColumnView& column, size_t row);

}  // namespace holdfast::avro
