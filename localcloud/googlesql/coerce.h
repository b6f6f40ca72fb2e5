// Conversions between types: what GoogleSQL does by itself, and CAST.
//
// Values are DuckDB expressions; a conversion wraps them. Rules of BigQuery that DuckDB does not
// share are spelled out in the SQL: halves round away from zero, '1.5' is no INT64, struct fields
// match by position. Pure functions. Source: conversion_rules.md.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "localcloud/googlesql/type.h"

namespace holdfast::googlesql {

// No filter is satisfied (TypedSql::filter).
inline constexpr size_t kNoFilter = static_cast<size_t>(-1);

// A DuckDB expression with the type that GoogleSQL gives it.
struct TypedSql {
  std::string sql;
  Type type;
  bool literal = false;             // a literal or parameter: coerces more widely
  std::optional<std::string> text;  // of a string literal: its value
  std::string name;                 // the column's name it would get in a SELECT list, or empty
  size_t filter = kNoFilter;        // a partitioning column: the filter that it satisfies
};

// `sql` of a type without fields, neither literal nor named.
inline TypedSql Value(std::string sql, TypeKind kind) {
  return {std::move(sql), Type::Of(kind), false, {}, {}};
}

// `value` as `target` where GoogleSQL converts by itself; nullopt: it does not.
std::optional<std::string> Coerce(const TypedSql& value, const Type& target);

// The type that all the values coerce to; nullopt: there is none.
std::optional<Type> CommonType(std::span<const TypedSql> values);

// CAST(value AS target), or SAFE_CAST, whose failures are NULL; nullopt: there is no such cast.
std::optional<std::string> CastTo(const TypedSql& value, const Type& target, bool safe);

// An expression that fails when it is evaluated, with the message "BigQuery: ..." made of a DuckDB
// string expression. Its type is BIGINT.
std::string RaiseSql(std::string_view message_sql);

// The text of a value as BigQuery's CAST to STRING prints it; nullopt: it has none.
std::optional<std::string> TextOf(const TypedSql& value);

// Decimal text in the form that the warehouse holds BIGNUMERIC in: no exponent, no zeros behind;
// nullopt: not a decimal number of at most 76 digits, 38 of them behind the point.
std::optional<std::string> CanonicalDecimal(std::string_view text);

}  // namespace holdfast::googlesql
