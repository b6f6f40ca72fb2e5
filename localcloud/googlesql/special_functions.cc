#include "localcloud/googlesql/special_functions.h"

#include <fmt/format.h>

#include <array>

#include "base/check.h"
#include "localcloud/googlesql/date_parts.h"
#include "localcloud/googlesql/numeric.h"
#include "localcloud/googlesql/quote.h"

namespace holdfast::googlesql {
namespace {

using enum TypeKind;
using Arguments = std::span<const TypedSql>;

Error BadPart(const TypedSql& part, std::string_view type, Position position) {
  return QueryError(fmt::format("{} does not support the {} date part", type, *part.text),
                    position);
}

// NULL if one is NULL, as BigQuery; DuckDB skips NULLs.
std::string Extreme(std::string_view function, Arguments arguments) {
  std::string list;
  std::string nulls;
  for (const TypedSql& argument : arguments) {
    list += (list.empty() ? "" : ", ") + argument.sql;
    nulls += fmt::format("{}{} IS NULL", nulls.empty() ? "" : " OR ", argument.sql);
  }
  return fmt::format("CASE WHEN {} THEN NULL ELSE {}({}) END", nulls, function, list);
}

Result<std::string> TimestampTruncate(Arguments arguments, Position position) {
  const std::string zone = arguments.size() > 2 ? arguments[2].sql : "'UTC'";
  TypedSql civil;
  civil.sql = fmt::format("timezone({}, {})", zone, arguments[0].sql);
  civil.type = Type::Of(kDatetime);
  const auto cut = TruncateSql(civil, *arguments[1].text);
  if (!cut) return BadPart(arguments[1], "TIMESTAMP_TRUNC", position);
  return fmt::format("timezone({}, {})", zone, *cut);
}

// One `%...` of FORMAT with its argument, as a piece of a concatenation; empty: not translated.
std::string FormatPiece(std::string_view flags, char letter, const TypedSql& argument) {
  const TypeKind kind = argument.type.kind;
  const bool is_integer =
      letter == 'd' || letter == 'i' || letter == 'x' || letter == 'X' || letter == 'o';
  const bool is_float = letter == 'f' || letter == 'F' || letter == 'e' || letter == 'E' ||
                        letter == 'g' || letter == 'G';
  if (is_integer && kind == kInt64) {
    return fmt::format("printf('%{}{}', {})", flags, letter == 'i' ? 'd' : letter, argument.sql);
  }
  const auto number = is_float ? Coerce(argument, Type::Of(kFloat64)) : std::nullopt;
  if (number) return fmt::format("printf('%{}{}', {})", flags, letter, *number);
  if (letter == 's' && kind == kString) {
    return flags.empty() ? argument.sql : fmt::format("printf('%{}s', {})", flags, argument.sql);
  }
  if (letter != 't' || !flags.empty()) return {};
  if (kind == kFloat64) return fmt::format("CAST({} AS VARCHAR)", argument.sql);
  const auto text = TextOf(argument);
  return text ? fmt::format("coalesce({}, 'NULL')", *text) : std::string();
}

Result<std::string> Format(Arguments arguments, Position position) {
  if (!arguments[0].text) return UnsupportedError("FORMAT whose format is not a literal", position);
  const std::string_view format = *arguments[0].text;
  std::string pieces;
  std::string plain;
  size_t next = 1;
  const auto add = [&pieces](const std::string& piece) {
    pieces += (pieces.empty() ? "" : " || ") + piece;
  };
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || format.substr(i).starts_with("%%")) {
      plain += format[i];
      if (format[i] == '%') ++i;
      continue;
    }
    const size_t letter = format.find_first_not_of("-+ #0123456789.", i + 1);
    if (letter == std::string_view::npos || next >= arguments.size()) {
      return QueryError("Invalid FORMAT string, or too few arguments to FORMAT", position);
    }
    const std::string piece =
        FormatPiece(format.substr(i + 1, letter - i - 1), format[letter], arguments[next]);
    if (piece.empty()) {
      return UnsupportedError(
          fmt::format("FORMAT specifier {} for {}", format.substr(i, letter - i + 1),
                      TypeName(arguments[next].type)),
          position);
    }
    if (!plain.empty()) add(QuoteText(plain));
    plain.clear();
    add(piece);
    ++next;
    i = letter;
  }
  if (next != arguments.size()) return QueryError("Too many arguments to FORMAT", position);
  if (!plain.empty() || pieces.empty()) add(QuoteText(plain));
  return fmt::format("({})", pieces);
}

std::string JsonStringSql(std::string_view text_sql) {
  return fmt::format("CAST(to_json({}) AS VARCHAR)", text_sql);
}

// BigQuery's JSON has times in ISO form: 2024-01-01T00:00:00Z.
std::optional<std::string> JsonScalarSql(const TypedSql& value) {
  switch (value.type.kind) {
    case kInt64:  // larger numbers than a double holds exactly are strings
      return fmt::format(
          "CASE WHEN abs({0}) > 9007199254740992 THEN '\"' || {0} || '\"' ELSE "
          "CAST({0} AS VARCHAR) END",
          value.sql);
    case kBool:
    case kNumeric:
    case kJson:
      return value.type.kind == kJson ? fmt::format("CAST({} AS VARCHAR)", value.sql)
                                      : TextOf(value);
    case kFloat64:
      return fmt::format("CASE WHEN isfinite({0}) THEN {1} ELSE '\"' || {1} || '\"' END", value.sql,
                         *TextOf(value));
    case kString:
    case kGeography:
    case kDate:
    case kTime:
      return JsonStringSql(value.type.kind == kGeography ? value.sql : *TextOf(value));
    case kDatetime:
      return JsonStringSql(fmt::format("replace({}, ' ', 'T')", *TextOf(value)));
    case kTimestamp:
      return JsonStringSql(
          fmt::format("replace(replace({}, ' ', 'T'), '+00', 'Z')", *TextOf(value)));
    case kBytes:
      return JsonStringSql(fmt::format("to_base64({})", value.sql));
    case kNull:
      return "CAST(NULL AS VARCHAR)";
    default:
      return std::nullopt;
  }
}

std::optional<std::string> JsonStructSql(const TypedSql& value) {
  std::string pieces = "'{'";
  for (size_t i = 0; i < value.type.members.size(); ++i) {
    const std::string name = MemberName(value.type.members[i], i);
    TypedSql member;
    member.type = value.type.members[i].type;
    member.sql = fmt::format("struct_extract({}, {})", value.sql, QuoteText(name));
    const auto text = JsonTextSql(member);
    if (!text) return std::nullopt;
    pieces += fmt::format(" || {} || {} || {}", i == 0 ? "''" : "','",
                          JsonStringSql(QuoteText(name)) + " || ':'", *text);
  }
  return pieces + " || '}'";
}

}  // namespace

std::optional<std::string> JsonTextSql(const TypedSql& value) {
  if (value.type.kind == kArray) {
    TypedSql element;
    element.sql = "element";
    element.type = value.type.element();
    const auto text = JsonTextSql(element);
    if (!text) return std::nullopt;
    return fmt::format(
        "coalesce('[' || array_to_string(list_transform({}, lambda element: {}), ',') || "
        "']', 'null')",
        value.sql, *text);
  }
  if (value.type.kind == kStruct) {
    const auto text = JsonStructSql(value);
    if (!text) return std::nullopt;
    return fmt::format("CASE WHEN {} IS NULL THEN 'null' ELSE {} END", value.sql, *text);
  }
  const auto scalar = JsonScalarSql(value);
  if (!scalar) return std::nullopt;
  return fmt::format("coalesce({}, 'null')", *scalar);
}

Result<std::string> SpecialFunctionSql(std::string_view name, Arguments arguments,
                                       Position position) {
  if (name == "@greatest" || name == "@least") return Extreme(name.substr(1), arguments);
  if (name == "@format") return Format(arguments, position);
  if (name == "@timestamp_trunc") return TimestampTruncate(arguments, position);
  if (name == "@safe_divide") {
    return DivideSql(arguments[0].sql, arguments[1].sql, arguments[0].type.kind,
                     ZeroDivisor::kGivesNull, position);
  }
  if (name == "@date_trunc" || name == "@datetime_trunc") {
    const auto sql = TruncateSql(arguments[0], *arguments[1].text);
    if (!sql) return BadPart(arguments[1], TypeName(arguments[0].type), position);
    return *sql;
  }
  if (name == "@timestamp_diff") {
    const auto sql = TimestampDifferenceSql(arguments[0].sql, arguments[1].sql, *arguments[2].text);
    if (!sql) return BadPart(arguments[2], "TIMESTAMP_DIFF", position);
    return *sql;
  }
  if (name == "@date_diff" || name == "@datetime_diff" || name == "@time_diff") {
    const auto sql = DifferenceSql(arguments[0], arguments[1], *arguments[2].text);
    if (!sql) return BadPart(arguments[2], TypeName(arguments[0].type), position);
    return *sql;
  }
  CHECK(name == "@to_json_string", "an entry of functions.def without its function");
  const auto sql = JsonTextSql(arguments[0]);
  if (!sql) {
    return UnsupportedError(fmt::format("TO_JSON_STRING of {}", TypeName(arguments[0].type)),
                            position);
  }
  return *sql;
}

}  // namespace holdfast::googlesql
