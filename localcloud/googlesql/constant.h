// Constants that a statement must know before anything runs: OPTIONS values, FOR SYSTEM_TIME AS OF.
//
// Pure functions over the syntax tree: literals, and the arithmetic of timestamps.
#pragma once

#include <cstdint>

#include "base/json.h"
#include "base/result.h"
#include "localcloud/googlesql/syntax.h"

namespace holdfast::googlesql {

// Microseconds since 1970 of TIMESTAMP '...', CURRENT_TIMESTAMP(), TIMESTAMP_ADD/SUB(t, INTERVAL n
// p), TIMESTAMP(text), TIMESTAMP_SECONDS/MILLIS/MICROS(n). Errors: kUnsupportedQuery for any other
// form.
Result<int64_t> ConstantTimestamp(const Expression& expression, int64_t now_us);

// An option's value (plan.h). Errors: kUnsupportedQuery for what is no constant.
Result<Json> ConstantOption(const Expression& expression, int64_t now_us);

// Microseconds since 1970 of "2024-01-31 12:00:00.5+02", "2024-01-31T12:00:00Z", "2024-01-31";
// without an offset: UTC. nullopt: not such a text.
std::optional<int64_t> ParseTimestampText(std::string_view text);

}  // namespace holdfast::googlesql
