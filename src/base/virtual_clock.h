// A Clock that stands still until someone sleeps or advances it: for tests and sim/.
//
// A sleep moves the time on at once, so waits cost nothing and every run of a test is the same.
// Thread-safe.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace holdfast {

class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(Timestamp start) : micros_(start.time_since_epoch().count()) {}

  Timestamp Now() const override { return Timestamp{Duration{micros_.load()}}; }
  void SleepFor(Duration duration) override { Advance(duration); }

  // Moves the time by `duration`; a negative one is a clock that was set back.
  void Advance(Duration duration) { micros_ += duration.count(); }

 private:
  std::atomic<int64_t> micros_;
};

}  // namespace holdfast
