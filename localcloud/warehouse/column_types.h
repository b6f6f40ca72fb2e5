// How each BigQuery type is stored in DuckDB and Parquet, and what a DuckDB result is in BigQuery.
//
//   INT64 BIGINT · FLOAT64 DOUBLE · BOOL BOOLEAN · STRING VARCHAR · BYTES BLOB · DATE DATE
//   NUMERIC DECIMAL(38,9) · BIGNUMERIC VARCHAR (canonical decimal text) · JSON JSON
//   TIMESTAMP TIMESTAMPTZ · DATETIME TIMESTAMP · TIME TIME · GEOGRAPHY, INTERVAL VARCHAR
//   RANGE STRUCT("start", "end") · RECORD STRUCT · REPEATED a LIST, never NULL but empty
//
// Pure functions. Source: DESIGN §6; src/avro/batch.h for the shapes in memory.
#pragma once

#include <string>
#include <string_view>

#include "model/schema.h"

namespace holdfast::warehouse {

// The DuckDB type of a whole field: `DECIMAL(38,9)`, `STRUCT("a" BIGINT, "b" VARCHAR[])[]`.
std::string DuckType(const Field& field);

// The same without the field's mode: of one element of a REPEATED field.
std::string DuckElementType(const Field& field);

// SQL that turns `expression`, a value stored as `from`, into one of `to`: members of records are
// matched by name, one that `from` lacks is NULL (or empty if repeated). For reading a file that
// was written before fields were added. The types of members that both have must be the same.
std::string AdaptExpression(const std::string& expression, const Field& from, const Field& to);

// SQL of the value of a field that the file does not have: a typed NULL, or an empty list.
std::string AbsentExpression(const Field& field);

// Whether data of `from` can be read as `to`: every field of `from` is in `to` with the same type,
// modes at most relaxed from REQUIRED to NULLABLE, and what is new is not REQUIRED. On failure the
// error says which field and why: kWarehouseInvalidSchema.
Status CheckSchemaExtends(const Schema& from, const Schema& to);

// Whether a table may have fields of these names: no two alike but for case, none that begins as
// BigQuery's own columns do. Errors: kWarehouseInvalidSchema. Source: BigQuery "Column names".
Status CheckFieldNames(const Schema& schema);

// Whether `to` adds fields to `from`, at any depth, or relaxes some: what schemaUpdateOptions must
// allow. `to` extends `from` (CheckSchemaExtends).
struct SchemaChange {
  bool adds_fields = false;
  bool relaxes_fields = false;
};
SchemaChange CompareSchemas(const Schema& from, const Schema& to);

}  // namespace holdfast::warehouse
