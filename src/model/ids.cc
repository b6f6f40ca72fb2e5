#include "model/ids.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"

namespace holdfast {

namespace {

// Hash of the parts, each preceded by its length: no two lists of parts run together to one text.
std::string HashOf(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += fmt::format("{}:{};", part.size(), part);
  return Sha256Hex(text);
}

}  // namespace

std::string NewRunId(Timestamp started, Random& random) {
  return FormatCompact(started) + "-" + RandomHex(random, 4);
}

std::string BackupId(std::string_view run, const TableRef& object, Method method) {
  const std::string_view time = run.substr(0, run.find('-'));
  return fmt::format("{}-{}", time,
                     HashOf({run, object.ToString(), MethodName(method)}).substr(0, 20));
}

std::string JobId(std::string_view operation, std::string_view run, const TableRef& object,
                  int attempt) {
  const std::string hash = HashOf({operation, run, object.ToString(), std::to_string(attempt)});
  return fmt::format("holdfast-{}-{}", operation, hash.substr(0, 32));
}

bool IsValidId(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
  });
}

}  // namespace holdfast
