// Values of a batch as BigQuery writes them in CSV, JSON and REST answers.
//
//   DATE 2026-11-21 · TIME 10:18:44.5 · DATETIME 2026-11-21T10:18:44.5 · BYTES base64
//   TIMESTAMP 2026-11-21 10:18:44.5 UTC · NUMERIC without trailing zeros · FLOAT64 shortest that
//   reads back, NaN, Infinity, -Infinity · RANGE [start, end)
//
// Civil times and decimals are written by avro/civil_text.h and avro/decimal.h.
// Each function appends to `text`, so that a row needs one buffer. Pure. Source: google-semantics
// A4.
#pragma once

#include <cstdint>
#include <string>

#include "avro/batch.h"
#include "model/schema.h"

namespace holdfast::warehouse {

// Shortest text that reads back as the same value; "NaN", "Infinity", "-Infinity".
void AppendFloat(double value, std::string& text);

// A JSON string literal of `bytes` with the quotes. Invalid UTF-8 is replaced by U+FFFD.
void AppendJsonString(std::string_view bytes, std::string& text);

// The text of a scalar (or RANGE) at `row`, which is not NULL: unquoted, as in a CSV field or the
// "v" of a REST cell. TIMESTAMP is the text above; REST callers format it from the int64
// themselves.
void AppendScalar(const Field& field, const avro::ColumnView& column, size_t row,
                  std::string& text);

// The JSON value at `row`, NULL included, of any field, as in an NDJSON extract: INT64 and NUMERIC
// are strings, FLOAT64 a number unless not finite, JSON is embedded.
void AppendJsonValue(const Field& field, const avro::ColumnView& column, size_t row,
                     std::string& text);

}  // namespace holdfast::warehouse
