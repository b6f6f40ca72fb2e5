// Time as a port: the engine reads and spends time only through a Clock.
//
// `SystemClock` is in adapters/; tests and sim/ use `VirtualClock` (base/virtual_clock.h), so that
// a retry of ten minutes costs no time. Source: DESIGN §1.6.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast {

using Duration = std::chrono::microseconds;
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;  // UTC

class Clock {
 public:
  virtual ~Clock() = default;

  // The present time. Thread-safe.
  virtual Timestamp Now() const = 0;

  // Blocks the caller for `duration` (not at all when it is zero or negative). Thread-safe.
  virtual void SleepFor(Duration duration) = 0;
};

// RFC 3339 with microseconds only where they are not zero: "2026-11-21T10:18:44.5Z".
std::string FormatTimestamp(Timestamp time);

// The inverse; accepts an offset ("+02:00") and up to 9 fractional digits (cut to microseconds).
Result<Timestamp> ParseTimestamp(std::string_view text);

// "20261121T101844Z": sorts as text, fits in object names.
std::string FormatCompact(Timestamp time);

// Milliseconds since 1970, BigQuery's unit, and back.
int64_t ToUnixMillis(Timestamp time);
Timestamp FromUnixMillis(int64_t millis);

}  // namespace holdfast
