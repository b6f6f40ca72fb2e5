// A plan of a restore in a file: what a person looked at and approved, and nothing else.
//
// The text is canonical (sorted members, no spaces), holds a SHA-256 of itself, and holds the
// request and each backup with its place, so that it is applied as it is although newer backups
// exist. One that was cut or edited is refused. That guards against accidents and careless hands,
// not against someone who computes the sum anew: every member is checked all the same. Plain
// values.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "restore/plan.h"
#include "restore/request.h"

namespace holdfast::restore {

inline constexpr size_t kPlanFileBytesMax = size_t{256} << 20U;

// A plan with the request that it was made for.
struct ApprovedPlan {
  RestoreRequest request;
  RestorePlan plan;  // with an id (RestorePlan::id)
};

// The bytes of the file, the same for equal plans.
std::string SerializePlan(const ApprovedPlan& approved);

// The inverse. Errors: kPlanInvalid, which says why.
Result<ApprovedPlan> ParsePlan(std::string_view text);

}  // namespace holdfast::restore
