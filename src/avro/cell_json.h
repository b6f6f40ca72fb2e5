// One cell or row of a batch as JSON: for comparing, printing and tests.
//
// The forms, by type: INT64 number; FLOAT64 number, or "NaN", "Infinity", "-Infinity"; BOOL;
// STRING, GEOGRAPHY, JSON, INTERVAL text; BYTES base64; NUMERIC and BIGNUMERIC canonical decimal
// text; TIMESTAMP "2026-01-02T03:04:05.678Z"; DATE "2026-01-02"; TIME "03:04:05.678"; DATETIME
// "2026-01-02T03:04:05.678"; RANGE {"start", "end"}; RECORD an object; REPEATED an array; null.
// Two cells have the same JSON exactly when they hold the same value, but for -0.0 and NaN
// payloads.
#pragma once

#include "avro/batch.h"
#include "base/json.h"
#include "model/schema.h"

namespace holdfast::avro {

// The cell of `field` in `row` of its column; null where it is NULL.
Json CellToJson(const Field& field, const ColumnView& column, size_t row);

// An object with one member per column.
Json RowToJson(const Schema& schema, const BatchView& batch, size_t row);

}  // namespace holdfast::avro
