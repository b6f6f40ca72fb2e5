// CHECK: an invariant that only a bug of ours can break. It prints where and why, and aborts.
//
// Never for outside input, which is answered with an Error (base/result.h). Source: DESIGN §3.
#pragma once

#include <string_view>

namespace holdfast {

// Prints "file:line: CHECK failed: condition: message" on stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              std::string_view message);

}  // namespace holdfast

#define CHECK(condition, message)                                         \
  do {                                                                    \
    if (!(condition)) [[unlikely]]                                        \
      ::holdfast::CheckFailed(__FILE__, __LINE__, #condition, (message)); \
  } while (false)
