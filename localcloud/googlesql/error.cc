#include "localcloud/googlesql/error.h"

#include <fmt/format.h>

namespace holdfast::googlesql {
namespace {

Error Placed(ErrorId id, std::string_view prefix, std::string_view message, Position position) {
  return WithReason("invalidQuery", MakeError(id, fmt::format("{}{} at [{}:{}]", prefix, message,
                                                              position.line, position.column)));
}

}  // namespace

Error SyntaxError(std::string_view message, Position position) {
  return Placed(ErrorId::kInvalidQuery, "Syntax error: ", message, position);
}

Error QueryError(std::string_view message, Position position) {
  return Placed(ErrorId::kInvalidQuery, "", message, position);
}

Error UnsupportedError(std::string_view construct, Position position) {
  return Placed(ErrorId::kUnsupportedQuery, "Unsupported construct: ", construct, position);
}

Error QueryLimitError(std::string_view what, Position position) {
  return Placed(ErrorId::kUnsupportedQuery, "Query is too ", what, position);
}

}  // namespace holdfast::googlesql
