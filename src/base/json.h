// JSON documents (nlohmann) and strict, typed reads of their fields.
//
// For documents, not for rows: a hot path uses simdjson. Google writes int64 as strings, so the
// integer reads accept both forms and refuse anything else; an absent field is never a zero.
// Source: google-semantics.md A1 #5.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast {

using Json = nlohmann::json;

struct JsonLimits {
  size_t size_bytes_max = size_t{64} << 20U;
  int depth_max = 128;
};

// Parses one JSON text. Errors: kInvalidJson (with the byte position), kLimitExceeded.
Result<Json> ParseJson(std::string_view text, JsonLimits limits = {});

// Compact text. Invalid UTF-8 is replaced, never thrown on.
std::string DumpJson(const Json& json);

// Indented by two spaces, with keys in sorted order.
std::string DumpPrettyJson(const Json& json);

// The field `key` of object `json`, or nullptr when absent or JSON null.
const Json* FindField(const Json& json, std::string_view key);

// The value at a path of object keys ("statistics", "load", "outputRows"), or nullptr.
const Json* FindPath(const Json& json, std::initializer_list<std::string_view> path);

// Optional reads: nullopt when absent or null; kInvalidJson when of another type.
Result<std::optional<std::string>> OptionalString(const Json& json, std::string_view key);
Result<std::optional<int64_t>> OptionalInt64(const Json& json, std::string_view key);
Result<std::optional<bool>> OptionalBool(const Json& json, std::string_view key);

// Required reads: kInvalidJson when absent, null or of another type.
Result<std::string> RequiredString(const Json& json, std::string_view key);
Result<int64_t> RequiredInt64(const Json& json, std::string_view key);

// Lenient reads for documents of our own making or for display: the fallback on any mismatch.
std::string StringOr(const Json& json, std::string_view key, std::string_view fallback);
int64_t Int64Or(const Json& json, std::string_view key, int64_t fallback);
bool BoolOr(const Json& json, std::string_view key, bool fallback);

}  // namespace holdfast
