// Rows in columns as the REST API's JSON rows: {"f": [{"v": ...}, ...]}.
//
// Every scalar is a JSON string, NULL is JSON null, a REPEATED value an array of {"v": ...}, a
// RECORD an object with "f". Pure functions; a batch must have the shape of its schema
// (avro/batch.h). Source: BigQuery REST `tabledata.list`, `jobs.getQueryResults`.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "avro/batch.h"
#include "base/json.h"
#include "model/schema.h"

namespace holdfast::bigquery {

// How TIMESTAMP values are printed: `formatOptions` of a request.
enum class TimestampFormat {
  kFloatSeconds,  // "1.763720324E9", the default
  kInt64Micros,   // "1763720324000000": useInt64Timestamp
  kIso8601,       // "2026-11-21T10:18:44Z": timestampOutputFormat=ISO8601_STRING
};

// Reads the two members of formatOptions; "INT64" or `use_int64` wins, a name that is unknown means
// the default.
TimestampFormat TimestampFormatOf(bool use_int64, std::string_view output_format);

// "1.5", "1.0", "1.0E10", "NaN", "Infinity", "-Infinity": shortest digits that read back the same.
std::string FormatFloat64(double value);

// The value of `field` in `row` of `column`.
Json CellToJson(const Field& field, const avro::ColumnView& column, size_t row,
                TimestampFormat format);

// Row `row` of `batch`.
Json RowToJson(std::span<const Field> fields, const avro::BatchView& batch, size_t row,
               TimestampFormat format);

}  // namespace holdfast::bigquery
