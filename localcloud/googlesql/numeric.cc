#include "localcloud/googlesql/numeric.h"

#include <fmt/format.h>

#include "localcloud/googlesql/coerce.h"

namespace holdfast::googlesql {

std::string DivideSql(std::string_view left, std::string_view right, TypeKind kind,
                      ZeroDivisor zero_divisor, Position position) {
  const std::string zero =
      zero_divisor == ZeroDivisor::kFails
          ? RaiseSql(fmt::format("'division by zero at [{}:{}]'", position.line, position.column))
          : std::string("NULL");
  if (kind != TypeKind::kNumeric) {
    return fmt::format("({0} / CASE WHEN {1} = 0 THEN {2} ELSE {1} END)", left, right, zero);
  }
  // DuckDB divides decimals as doubles. On the unscaled integers: (2|a|10^9 + |b|) // 2|b|.
  const auto unscaled = [](std::string_view sql) {
    return fmt::format("CAST({} * 1000000000 AS HUGEINT)", sql);
  };
  const std::string divisor =
      fmt::format("CASE WHEN {0} = 0 THEN {1} ELSE 2 * abs({2}) END", right, zero, unscaled(right));
  return fmt::format(
      "CAST(CAST(((2000000000 * abs({0}) + abs({1})) // {2}) * sign({3}) * sign({4}) AS "
      "DECIMAL(38,0)) "
      "* 0.000000001 AS DECIMAL(38,9))",
      unscaled(left), unscaled(right), divisor, left, right);
}

}  // namespace holdfast::googlesql
