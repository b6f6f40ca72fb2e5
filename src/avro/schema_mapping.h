// BigQuery's schema as an Avro schema, and any Avro schema as BigQuery's.
//
// Writing follows BigQuery's own extract with logical types on (google-semantics A4): what a load
// job needs to give the same columns back. Each record has a namespace of its own, so that one name
// used twice in a table does not collide. A column whose name Avro does not allow is written as
// c0001, c0002, ... with its own name in the property "bigquery.name". Reading also takes what
// other writers make: enum, fixed, map (a repeated record of key and value), int, float,
// milliseconds, unions of null and one type in either order. Plain functions, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "avro/avro_type.h"
#include "base/json.h"
#include "base/result.h"
#include "model/schema.h"

namespace holdfast::avro {

// How a DATETIME is written. Both are read.
enum class DateTimeForm {
  kText,    // string, logicalType "datetime", "YYYY-MM-DDTHH:MM:SS[.ffffff]": as BigQuery's extract
  kMicros,  // long, logicalType "local-timestamp-micros": for readers other than BigQuery
};

// The field property that holds a column's own name when Avro's name differs.
inline constexpr std::string_view kNameProperty = "bigquery.name";

// The Avro schema of a table, a record named "Root". Errors: kAvroSchema for a schema without
// columns, kLimitExceeded for more than kSchemaDepthMax levels or kSchemaFieldsMax fields.
Result<Json> ToAvroSchema(const Schema& schema, DateTimeForm datetime_form = DateTimeForm::kText);

// The table that an Avro schema describes. Errors: kAvroSchema (malformed, or the top is not a
// record), kAvroUnsupported (recursive record, union of several types, array of arrays, a column
// that is only null, a decimal wider than BIGNUMERIC), each naming the column's path.
Result<Schema> FromAvroSchema(const Json& avro_schema);
Result<Schema> FromAvroType(const AvroType& root);

// Digits of a NUMERIC or BIGNUMERIC column: all of them, and those after the point.
struct DecimalShape {
  int precision = 0;
  int scale = 0;
};

// The field's own, or its type's where it has none: (38, 9), (76, 38).
DecimalShape ShapeOf(const Field& field);

// Whether every decimal(precision, scale) fits in NUMERIC.
bool FitsNumeric(int precision, int scale);

// A type with null set apart: T, union{T}, union{null, T} or union{T, null}.
struct NullableType {
  const AvroType* value = nullptr;  // nullptr: only null, or a union of several types
  bool has_null = false;
  bool is_union = false;  // a branch index is on the wire
  size_t null_index = 0;  // with has_null: the null branch
};

// Points into `type`, which must outlive what it gives.
NullableType SplitNullable(const AvroType& type);

// A column name for comparing: BigQuery takes ASCII letters as equal in either case.
std::string LowerName(std::string_view name);

// Whether `name` is one that Avro allows: [A-Za-z_][A-Za-z0-9_]*.
bool IsAvroName(std::string_view name);

}  // namespace holdfast::avro
