// TimeSpan: a length of time in calendar units, as restic writes it: "2y5m7d3h", and "w" for weeks.
//
// A year and a month have no length of their own; they get one when they are counted back from an
// instant in a time zone (Calendar::Before). Plain value. Source: restic's --keep-within.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast {

struct TimeSpan {
  int years = 0;
  int months = 0;
  int weeks = 0;
  int days = 0;
  int hours = 0;

  bool IsZero() const { return *this == TimeSpan{}; }

  // "2y5m1w7d3h", units of zero left out; "0h" when all are.
  std::string ToString() const;
  bool operator==(const TimeSpan&) const = default;
};

// Each unit at most once, in any order, with a whole number before it; a thousand years at most.
// Errors: kRetentionInvalid with what was expected.
Result<TimeSpan> ParseTimeSpan(std::string_view text);

}  // namespace holdfast
