// Division as BigQuery does it: exact for NUMERIC, an error or NULL for a zero divisor.
//
// Pure function.
#pragma once

#include <string>
#include <string_view>

#include "localcloud/googlesql/error.h"
#include "localcloud/googlesql/type.h"

namespace holdfast::googlesql {

enum class ZeroDivisor { kFails, kGivesNull };

// left / right, both of `kind`: FLOAT64 or NUMERIC. A NUMERIC quotient is exact to nine places,
// halves away from zero, for dividends up to 10^20; beyond that DuckDB reports an overflow.
// `position`: of the operator, for the message.
std::string DivideSql(std::string_view left, std::string_view right, TypeKind kind,
                      ZeroDivisor zero_divisor, Position position);

}  // namespace holdfast::googlesql
