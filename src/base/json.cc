#include "base/json.h"

#include <fmt/format.h>

#include <charconv>

#include "base/json_elements.h"

namespace holdfast {

namespace {

// Refuses input that nests deeper than the limit before the recursive parser sees it.
bool DeeperThan(std::string_view text, int depth_max) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > depth_max) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

Error WrongType(std::string_view key, std::string_view wanted, const Json& found) {
  return MakeError(ErrorId::kInvalidJson, fmt::format("field \"{}\" should be {}, not {}", key,
                                                      wanted, found.type_name()));
}

Error Missing(std::string_view key) {
  return MakeError(ErrorId::kInvalidJson, fmt::format("field \"{}\" is missing", key));
}

std::optional<int64_t> AsInt64(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Status CheckLimits(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.size_bytes_max) {
    return MakeError(ErrorId::kLimitExceeded,
                     fmt::format("JSON text of {} bytes is over the limit of {}", text.size(),
                                 limits.size_bytes_max));
  }
  if (DeeperThan(text, limits.depth_max)) {
    return MakeError(ErrorId::kLimitExceeded,
                     fmt::format("JSON text nests deeper than {} levels", limits.depth_max));
  }
  return Ok();
}

// "[json.exception.parse_error.101] parse error at line 1, column 2: ...": the library's own number
// says nothing to a person.
Error ErrorOf(const Json::exception& error) {
  const std::string_view what = error.what();
  const size_t end = what.find("] ");
  return MakeError(ErrorId::kInvalidJson,
                   std::string(end == what.npos ? what : what.substr(end + 2)));
}

}  // namespace

Result<Json> ParseJson(std::string_view text, JsonLimits limits) {
  HF_RETURN_IF_ERROR(CheckLimits(text, limits));
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    return ErrorOf(error);
  }
}

Status ForEachElement(std::string_view text, JsonLimits limits, const VisitElement& visit) {
  HF_RETURN_IF_ERROR(CheckLimits(text, limits));
  using Event = Json::parse_event_t;
  bool is_array = false;
  size_t number = 0;
  // What it answers is whether the value is kept: an element is not, once it was visited.
  const auto take = [&](int depth, Event event, Json& value) {
    if (depth == 0) {
      is_array = is_array || event == Event::array_start;
      return true;
    }
    if (!is_array) return false;
    const bool is_whole =
        event == Event::object_end || event == Event::array_end || event == Event::value;
    if (depth > 1 || !is_whole) return true;
    visit(++number, std::move(value));
    return false;
  };
  try {
    if (Json::parse(text, take).is_array()) return Ok();
  } catch (const Json::exception& error) {
    return ErrorOf(error);
  }
  return MakeError(ErrorId::kInvalidJson, "the JSON text is not an array");
}

std::string DumpJson(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string DumpPrettyJson(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

const Json* FindField(const Json& json, std::string_view key) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(key);
  return found == json.end() || found->is_null() ? nullptr : &*found;
}

const Json* FindPath(const Json& json, std::initializer_list<std::string_view> path) {
  const Json* at = &json;
  for (const std::string_view key : path) {
    at = FindField(*at, key);
    if (at == nullptr) return nullptr;
  }
  return at;
}

Result<std::optional<std::string>> OptionalString(const Json& json, std::string_view key) {
  const Json* field = FindField(json, key);
  if (field == nullptr) return std::optional<std::string>();
  if (!field->is_string()) return WrongType(key, "a string", *field);
  return std::optional(field->get<std::string>());
}

Result<std::optional<int64_t>> OptionalInt64(const Json& json, std::string_view key) {
  const Json* field = FindField(json, key);
  if (field == nullptr) return std::optional<int64_t>();
  const auto number = AsInt64(*field);
  if (!number) return WrongType(key, "an integer", *field);
  return number;
}

Result<std::optional<bool>> OptionalBool(const Json& json, std::string_view key) {
  const Json* field = FindField(json, key);
  if (field == nullptr) return std::optional<bool>();
  if (field->is_boolean()) return std::optional(field->get<bool>());
  if (*field == "true") return std::optional(true);
  if (*field == "false") return std::optional(false);
  return WrongType(key, "a boolean", *field);
}

Result<std::string> RequiredString(const Json& json, std::string_view key) {
  HF_ASSIGN_OR_RETURN(auto value, OptionalString(json, key));
  if (!value) return Missing(key);
  return *std::move(value);
}

Result<int64_t> RequiredInt64(const Json& json, std::string_view key) {
  HF_ASSIGN_OR_RETURN(auto value, OptionalInt64(json, key));
  if (!value) return Missing(key);
  return *value;
}

std::string StringOr(const Json& json, std::string_view key, std::string_view fallback) {
  const Json* field = FindField(json, key);
  return field != nullptr && field->is_string() ? field->get<std::string>() : std::string(fallback);
}

int64_t Int64Or(const Json& json, std::string_view key, int64_t fallback) {
  const Json* field = FindField(json, key);
  return field != nullptr ? AsInt64(*field).value_or(fallback) : fallback;
}

bool BoolOr(const Json& json, std::string_view key, bool fallback) {
  const auto value = OptionalBool(json, key);
  return value.ok() ? value->value_or(fallback) : fallback;
}

}  // namespace holdfast
