// Quotas in words: what a dry run foretells, and what a run carried to a later day. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backup/admission.h"
#include "base/clock.h"

namespace holdfast::cli {

// The quota day that is so many days after that of `now`: "2026-11-22"; of -1 "never".
std::string DayText(Timestamp now, int days_later);

// What does not fit today and how long all of it takes, a sentence each: for each project what is
// asked of a quota that is too small. None when everything fits.
std::vector<std::string> ForecastText(const backup::QuotaForecast& forecast);

// Said at the end of a run that carried so many objects.
std::string CarriedText(int64_t objects);

}  // namespace holdfast::cli
