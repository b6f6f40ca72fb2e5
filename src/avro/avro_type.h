// An Avro schema, parsed: what the wire holds, in the order it holds it.
//
// Named types are resolved: a reference holds a copy of what it names, so the tree is finite and a
// recursive schema is refused. Depth and the number of nodes are limited, because a schema of a few
// hundred bytes can otherwise unfold to billions. Plain values. Source: Avro 1.11 specification,
// "Schema Declaration" and "Logical Types".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace holdfast::avro {

enum class AvroKind {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kFixed,
  kEnum,
  kRecord,
  kArray,
  kMap,
  kUnion,
};

// The logical types that Holdfast reads; another one is ignored, as the specification says.
enum class AvroLogical {
  kNone,
  kDecimal,          // bytes, fixed
  kDate,             // int
  kTimeMillis,       // int
  kTimeMicros,       // long
  kTimestampMillis,  // long
  kTimestampMicros,  // long
  kLocalMillis,      // long
  kLocalMicros,      // long
  kDateTimeText,     // string: BigQuery's own "datetime"
};

struct AvroField;

struct AvroType {
  AvroKind kind = AvroKind::kNull;
  AvroLogical logical = AvroLogical::kNone;
  std::string name;                  // full name of a record, enum or fixed
  std::string sql_type;              // BigQuery's "sqlType" property: "JSON", "GEOGRAPHY", ...
  int precision = 0;                 // decimal
  int scale = 0;                     // decimal
  size_t fixed_bytes = 0;            // fixed: at least 1
  std::vector<std::string> symbols;  // enum: at least one
  std::vector<AvroType> branches;    // union: the branches; array and map: one, the elements
  std::vector<AvroField> fields;     // record: at least one

  // Nodes of this tree, this one included.
  size_t NodeCount() const;
};

struct AvroField {
  std::string name;
  std::string bigquery_name;  // property "bigquery.name"; empty: `name`
  std::string doc;
  AvroType type;

  // What the column is called in BigQuery.
  const std::string& column_name() const { return bigquery_name.empty() ? name : bigquery_name; }
};

inline constexpr int kAvroDepthMax = 64;          // 15 record levels take at most 48
inline constexpr size_t kAvroNodesMax = 100'000;  // 10,000 columns take at most 60,000

// Parses an Avro schema. Errors: kAvroSchema (malformed: unknown type or name, duplicate
// definition, record without fields), kAvroUnsupported (recursive), kLimitExceeded.
Result<AvroType> ParseAvroType(const Json& json);

}  // namespace holdfast::avro
