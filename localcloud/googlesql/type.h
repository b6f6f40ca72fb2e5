// The type of an expression in a query, and its names in GoogleSQL and in DuckDB.
//
// How values are held is the warehouse's rule: NUMERIC is DECIMAL(38,9); BIGNUMERIC, GEOGRAPHY and
// INTERVAL are canonical text, which can be selected, tested for NULL and cast, but not compared or
// computed with; RANGE is STRUCT(start, end). Plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/schema.h"

namespace holdfast::googlesql {

enum class TypeKind {
  kNull,  // an untyped NULL or empty array element: coerces to anything
  kInt64,
  kFloat64,
  kNumeric,
  kBigNumeric,
  kBool,
  kString,
  kBytes,
  kTimestamp,
  kDatetime,
  kDate,
  kTime,
  kJson,
  kGeography,
  kInterval,  // a stored INTERVAL: text
  kDuration,  // INTERVAL n PART in an expression: only added to or taken from times
  kRange,
  kStruct,
  kArray,
};

struct StructMember;

struct Type {
  TypeKind kind = TypeKind::kNull;
  std::vector<StructMember> members;  // kStruct: its fields; kArray, kRange: one, the element

  // A type without members, and the three that have them.
  static Type Of(TypeKind kind);
  static Type Array(Type element);
  static Type Range(Type element);
  static Type Struct(std::vector<StructMember> members);

  const Type& element() const;  // of kArray and kRange
  bool operator==(const Type& other) const;
};

struct StructMember {
  std::string name;  // empty: anonymous
  Type type;

  bool operator==(const StructMember&) const = default;
};

// "ARRAY<STRUCT<a INT64, b STRING>>".
std::string TypeName(const Type& type);

// "STRUCT("a" BIGINT, "b" VARCHAR)[]". A NULL type is BIGINT, as BigQuery's untyped NULL.
std::string DuckTypeName(const Type& type);

// The name of the n-th (from 0) member in DuckDB: its own, or "_field_<n+1>".
std::string MemberName(const StructMember& member, size_t index);

// INT64, NUMERIC, FLOAT64.
bool IsArithmetic(TypeKind kind);

// Whether values have an order that DuckDB shares: not text-held types, JSON, arrays, structs.
bool IsOrderable(const Type& type);

// Whether values may be compared with `=`, grouped and counted distinct.
bool IsGroupable(const Type& type);

// INT64, BIGDECIMAL, ...: a simple type by its name or alias, any case; nullopt: not a type name.
std::optional<TypeKind> ParseSimpleType(std::string_view name);

// The type of a column, an ARRAY when REPEATED. Modes and precision do not count.
Type TypeOfField(const Field& field);

// Nullopt if a table cannot hold it: an array of arrays, a bare duration.
std::optional<Field> FieldOfType(std::string_view name, const Type& type);

}  // namespace holdfast::googlesql
