// One JSON value as a value of a BigQuery type. Internal to json_rows.cc.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "model/schema.h"

namespace holdfast::warehouse {

// A scalar in the shape of avro/batch.h; int64 also for DATE.
using JsonScalar = std::variant<int64_t, double, bool, __int128, std::string>;

// nullopt when `value`, which is not null, cannot be of that type. Not for RECORD and RANGE.
std::optional<JsonScalar> ReadScalar(const Field& field, const simdjson::dom::element& value,
                                     bool json_is_text);

}  // namespace holdfast::warehouse
