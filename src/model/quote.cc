#include "model/quote.h"

namespace holdfast {

std::string QuotePath(std::initializer_list<std::string_view> parts) {
  std::string quoted = "`";
  for (const std::string_view part : parts) {
    if (quoted.size() > 1) quoted += '.';
    for (const char c : part) {
      if (c == '`' || c == '\\') quoted += '\\';
      quoted += c;
    }
  }
  return quoted + "`";
}

}  // namespace holdfast
