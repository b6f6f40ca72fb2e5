// The machine's clock. Thread-safe.
#pragma once

#include "base/clock.h"

namespace holdfast {

class SystemClock final : public Clock {
 public:
  Timestamp Now() const override;
  void SleepFor(Duration duration) override;
};

}  // namespace holdfast
