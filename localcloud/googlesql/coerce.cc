#include "localcloud/googlesql/coerce.h"

#include <fmt/format.h>

#include <algorithm>

#include "localcloud/googlesql/quote.h"

namespace holdfast::googlesql {
namespace {

using enum TypeKind;

std::string CastSql(std::string_view sql, const Type& type) {
  return fmt::format("CAST({} AS {})", sql, DuckTypeName(type));
}

bool IsTemporal(TypeKind kind) {
  return kind == kDate || kind == kDatetime || kind == kTimestamp || kind == kTime;
}

// Members are matched by position, and a NULL struct stays NULL.
std::optional<std::string> CoerceStruct(const TypedSql& value, const Type& target) {
  if (value.type.members.size() != target.members.size()) return std::nullopt;
  std::string packed;
  for (size_t i = 0; i < target.members.size(); ++i) {
    TypedSql member;
    member.type = value.type.members[i].type;
    member.literal = value.literal;
    member.sql = fmt::format("struct_extract({}, {})", value.sql,
                             QuoteText(MemberName(value.type.members[i], i)));
    const auto coerced = Coerce(member, target.members[i].type);
    if (!coerced) return std::nullopt;
    packed += fmt::format("{}{} := {}", i == 0 ? "" : ", ",
                          QuoteName(MemberName(target.members[i], i)), *coerced);
  }
  return fmt::format("CASE WHEN {} IS NOT NULL THEN struct_pack({}) END", value.sql, packed);
}

std::optional<std::string> CoerceArray(const TypedSql& value, const Type& target) {
  TypedSql element;
  element.sql = "element";
  element.type = value.type.element();
  element.literal = value.literal;
  const auto coerced = Coerce(element, target.element());
  if (!coerced) return std::nullopt;
  if (*coerced == element.sql) return value.sql;
  const bool is_plain = *coerced == CastSql(element.sql, target.element());
  if (is_plain) return CastSql(value.sql, target);
  return fmt::format("list_transform({}, lambda element: {})", value.sql, *coerced);
}

bool CoercesSimply(const TypedSql& value, TypeKind target) {
  const TypeKind from = value.type.kind;
  if (from == kInt64) return target == kNumeric || target == kFloat64;
  if (from == kNumeric) return target == kFloat64;
  if (from == kDate) return target == kDatetime;
  if (!value.literal) return false;
  return (from == kString && IsTemporal(target)) || (from == kFloat64 && target == kNumeric);
}

std::string FloatText(std::string_view sql) {
  // BigQuery prints whole numbers without ".0".
  return fmt::format("regexp_replace(CAST({} AS VARCHAR), '\\.0$', '')", sql);
}

std::string NumericText(std::string_view sql) {
  return fmt::format("regexp_replace(CAST({} AS VARCHAR), '\\.?0+$', '')", sql);
}

// BigQuery prints fractions of a second with three or six digits.
std::string PaddedFraction(std::string_view text_sql) {
  return fmt::format(
      "regexp_replace(regexp_replace({}, '(\\.\\d(\\d{{3}})?)$', '\\100'), "
      "'(\\.\\d\\d(\\d{{3}})?)$', '\\10')",
      text_sql);
}

std::string InstantText(std::string_view sql) {
  return fmt::format("({} || '+00')",
                     PaddedFraction(fmt::format("CAST(timezone('UTC', {}) AS VARCHAR)", sql)));
}

std::string BoolOfText(std::string_view sql) {
  return fmt::format(
      "CASE lower({0}) WHEN 'true' THEN true WHEN 'false' THEN false ELSE CAST({1} AS "
      "BOOLEAN) END",
      sql, RaiseSql(fmt::format("'Bad bool value: ' || {}", sql)));
}

std::string IntOfText(std::string_view sql) {
  return fmt::format(
      "CASE WHEN regexp_full_match({0}, '\\s*[+-]?([0-9]+|0[xX][0-9a-fA-F]+)\\s*') THEN CAST({0} "
      "AS "
      "BIGINT) ELSE {1} END",
      sql, RaiseSql(fmt::format("'Bad int64 value: ' || {}", sql)));
}

std::optional<std::string> CastFromText(const TypedSql& value, const Type& target) {
  switch (target.kind) {
    case kInt64:
      return IntOfText(value.sql);
    case kBool:
      return BoolOfText(value.sql);
    case kBytes:
      return fmt::format("encode({})", value.sql);
    case kBigNumeric: {
      const auto canonical = value.text ? CanonicalDecimal(*value.text) : std::nullopt;
      if (!canonical) return std::nullopt;
      return QuoteText(*canonical);
    }
    case kFloat64:
    case kNumeric:
    case kDate:
    case kDatetime:
    case kTime:
    case kTimestamp:
      return CastSql(value.sql, target);
    default:
      return std::nullopt;
  }
}

std::optional<std::string> CastFromTimes(const TypedSql& value, const Type& target) {
  const TypeKind from = value.type.kind;
  if (from == kTimestamp && target.kind != kTimestamp && IsTemporal(target.kind)) {
    const std::string civil = fmt::format("timezone('UTC', {})", value.sql);
    return target.kind == kDatetime ? civil : CastSql(civil, target);
  }
  if (target.kind == kTimestamp && from == kDatetime) {
    return fmt::format("timezone('UTC', {})", value.sql);
  }
  if (target.kind == kTimestamp && from == kDate) {
    return fmt::format("timezone('UTC', CAST({} AS TIMESTAMP))", value.sql);
  }
  if ((from == kDate && target.kind == kDatetime) ||
      (from == kDatetime && (target.kind == kDate || target.kind == kTime))) {
    return CastSql(value.sql, target);
  }
  return std::nullopt;
}

std::optional<std::string> CastFromNumber(const TypedSql& value, const Type& target) {
  const TypeKind from = value.type.kind;
  if (target.kind == kBigNumeric && (from == kInt64 || from == kNumeric)) {
    return NumericText(CastSql(value.sql, Type::Of(kNumeric)));
  }
  if (target.kind == kBool) {
    if (from != kInt64) return std::nullopt;
    return CastSql(value.sql, target);
  }
  if (!IsArithmetic(target.kind)) return std::nullopt;
  if (from == kFloat64 && target.kind == kInt64)
    return fmt::format("CAST(round({}) AS BIGINT)", value.sql);
  if (from == kBigNumeric && target.kind == kInt64) return std::nullopt;
  return CastSql(value.sql, target);
}

std::optional<std::string> CastUnsafe(const TypedSql& value, const Type& target) {
  if (auto coerced = Coerce(value, target)) return coerced;
  const TypeKind from = value.type.kind;
  if (target.kind == kString) return TextOf(value);
  if (from == kString) return CastFromText(value, target);
  if (IsTemporal(from)) return CastFromTimes(value, target);
  if (IsArithmetic(from) || from == kBigNumeric) return CastFromNumber(value, target);
  if (from == kBool && target.kind == kInt64) return CastSql(value.sql, target);
  return std::nullopt;
}

}  // namespace

std::string RaiseSql(std::string_view message_sql) {
  return fmt::format("CAST('BigQuery: ' || {} AS BIGINT)", message_sql);
}

std::optional<std::string> TextOf(const TypedSql& value) {
  switch (value.type.kind) {
    case kString:
    case kBigNumeric:
    case kInterval:
    case kNull:
      return value.sql;
    case kInt64:
    case kBool:
    case kDate:
      return fmt::format("CAST({} AS VARCHAR)", value.sql);
    case kFloat64:
      return FloatText(value.sql);
    case kNumeric:
      return NumericText(value.sql);
    case kDatetime:
    case kTime:
      return PaddedFraction(fmt::format("CAST({} AS VARCHAR)", value.sql));
    case kTimestamp:
      return InstantText(value.sql);
    case kBytes:
      return fmt::format("decode({})", value.sql);
    default:
      return std::nullopt;
  }
}

std::optional<std::string> Coerce(const TypedSql& value, const Type& target) {
  if (value.type == target) return value.sql;
  if (value.type.kind == kNull) return CastSql(value.sql, target);
  if (value.type.kind == kStruct && target.kind == kStruct) return CoerceStruct(value, target);
  if (value.type.kind == kArray && target.kind == kArray) return CoerceArray(value, target);
  if (!CoercesSimply(value, target.kind)) return std::nullopt;
  return CastSql(value.sql, target);
}

std::optional<Type> CommonType(std::span<const TypedSql> values) {
  // Types of values that are not literals are tried first: literals adapt to them.
  std::vector<const TypedSql*> candidates;
  for (const bool literal : {false, true}) {
    for (const TypedSql& value : values) {
      if (value.literal == literal && value.type.kind != kNull) candidates.push_back(&value);
    }
  }
  if (candidates.empty()) return values.empty() ? std::nullopt : std::optional(Type::Of(kNull));
  for (const TypedSql* candidate : candidates) {
    const bool fits = std::all_of(values.begin(), values.end(), [candidate](const TypedSql& value) {
      return Coerce(value, candidate->type).has_value();
    });
    if (fits) return candidate->type;
  }
  return std::nullopt;
}

std::optional<std::string> CastTo(const TypedSql& value, const Type& target, bool safe) {
  auto sql = CastUnsafe(value, target);
  if (!sql || !safe || *sql == value.sql) return sql;
  return fmt::format("TRY({})", *sql);
}

std::optional<std::string> CanonicalDecimal(std::string_view text) {
  std::string sign;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    if (text.front() == '-') sign = "-";
    text.remove_prefix(1);
  }
  const size_t point = text.find('.');
  std::string whole(text.substr(0, point));
  std::string fraction(point == std::string_view::npos ? "" : text.substr(point + 1));
  const auto is_digits = [](const std::string& digits) {
    return std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() && fraction.empty()) return std::nullopt;
  if (!is_digits(whole) || !is_digits(fraction)) return std::nullopt;
  whole.erase(0, whole.find_first_not_of('0'));
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  if (whole.size() > 38 || fraction.size() > 38) return std::nullopt;
  if (whole.empty()) whole = "0";
  if (whole == "0" && fraction.empty()) return "0";
  return sign + whole + (fraction.empty() ? "" : "." + fraction);
}

}  // namespace holdfast::googlesql
