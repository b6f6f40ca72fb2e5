// VerificationPolicy: how often backups are read, restored and held against their source, after
// they were made.
//
// Plain value. Source: issue "Verification, always on"; policy_field.h `verification`.
#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace holdfast {

struct VerificationPolicy {
  Duration read_within = std::chrono::hours{30 * 24};  // every backup is read whole (L2)
  // The newest good backup of each object is restored into a scratch place and compared (L3); 0:
  // never.
  Duration restore_within{0};
  bool live = false;  // a read is held against the source as of the same moment (L4), where it can

  // {"read_within": "30d", "restore_within": "90d", "live": true}; absent members keep their
  // defaults. Errors: kInvalidPolicy naming the member.
  static Result<VerificationPolicy> FromJson(const Json& json);

  bool operator==(const VerificationPolicy&) const = default;
};

}  // namespace holdfast
