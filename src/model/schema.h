// A table's schema: BigQuery's `TableSchema` as a value, with every type of google-semantics A4.
//
// `FromJson` accepts the legacy names (INTEGER, FLOAT, BOOLEAN, STRUCT) and `ToJson` prints the
// ones that the REST API returns (INTEGER, FLOAT, BOOLEAN, RECORD). What Holdfast does not
// interpret (policy tags, default expressions, ...) is kept verbatim in `extras`, so that a schema
// survives a round trip whole. At most 15 RECORDs lie in one another, as
// BigQuery's. Plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace holdfast {

enum class FieldType {
  kString,
  kBytes,
  kInt64,
  kFloat64,
  kBool,
  kNumeric,     // up to 38 digits, 9 after the point, unless precision/scale say less
  kBigNumeric,  // up to 76.76 digits, 38 after the point
  kTimestamp,   // an instant, microseconds
  kDate,
  kTime,       // microseconds of a day
  kDateTime,   // a civil time without zone, microseconds
  kGeography,  // WKT text
  kJson,       // JSON text
  kInterval,   // text: "Y-M D H:M:S.F"
  kRange,      // record {start, end} of range_element_type
  kRecord,
};

enum class FieldMode { kNullable, kRequired, kRepeated };

struct Field {
  std::string name;
  FieldType type = FieldType::kString;
  FieldMode mode = FieldMode::kNullable;
  int precision = 0;  // NUMERIC and BIGNUMERIC; 0: the type's own
  int scale = 0;
  FieldType range_element_type = FieldType::kDate;  // kRange only: kDate, kDateTime, kTimestamp
  std::string description;
  std::vector<Field> fields;     // kRecord only
  Json extras = Json::object();  // other JSON members, verbatim

  bool operator==(const Field&) const = default;
};

struct Schema {
  std::vector<Field> fields;

  // {"fields": [...]} as in tables.get; unknown members of the schema itself are dropped.
  static Result<Schema> FromJson(const Json& json);
  Json ToJson() const;

  // The field of that name, letters compared without case as BigQuery does, or nullptr.
  const Field* Find(std::string_view name) const;

  bool operator==(const Schema&) const = default;
};

inline constexpr int kSchemaDepthMax = 15;  // RECORDs in one another; google-semantics A4
inline constexpr int kFieldDepthMax = kSchemaDepthMax + 1;  // the innermost one has columns too
inline constexpr int kSchemaFieldsMax = 10000;              // BigQuery: columns per table

// Standard-SQL name of a type: "INT64", "STRUCT", ...
std::string_view SqlTypeName(FieldType type);
// REST API name of a type: "INTEGER", "RECORD", ...
std::string_view ApiTypeName(FieldType type);
// Either kind of name, any case.
Result<FieldType> ParseFieldType(std::string_view name);

// "NULLABLE", "REQUIRED", "REPEATED".
std::string_view ModeName(FieldMode mode);

// Lower-case hex SHA-256 over names, types, modes, precision and scale in order: two schemas with
// the same hash hold the same data. Descriptions and extras do not count.
std::string SchemaHash(const Schema& schema);

}  // namespace holdfast
