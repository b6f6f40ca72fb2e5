#include "model/verification_policy.h"

#include <string>
#include <string_view>

#include "model/policy_field.h"

namespace holdfast {

namespace {

Status SetDuration(const Json& json, std::string_view member, Duration& to) {
  const Json* value = FindField(json, member);
  if (value == nullptr) return Ok();
  if (!value->is_string()) {
    return MakeError(ErrorId::kInvalidPolicy,
                     std::string(member) + " is no duration such as 12h, 30d");
  }
  HF_ASSIGN_OR_RETURN(
      to,
      ParsePolicyDuration(value->get_ref<const std::string&>()).WithContext(std::string(member)));
  return Ok();
}

}  // namespace

Result<VerificationPolicy> VerificationPolicy::FromJson(const Json& json) {
  if (!json.is_object()) return MakeError(ErrorId::kInvalidPolicy, "verification is not a map");
  VerificationPolicy policy;
  for (const auto& [name, value] : json.items()) {
    if (name == "read_within" || name == "restore_within" || name == "live") continue;
    return MakeError(ErrorId::kInvalidPolicy,
                     "verification has no member \"" + name +
                         "\": expected read_within, restore_within or live");
  }
  HF_RETURN_IF_ERROR(SetDuration(json, "read_within", policy.read_within));
  HF_RETURN_IF_ERROR(SetDuration(json, "restore_within", policy.restore_within));
  if (const Json* live = FindField(json, "live")) {
    if (!live->is_boolean()) {
      return MakeError(ErrorId::kInvalidPolicy, "live is neither true nor false");
    }
    policy.live = live->get<bool>();
  }
  return policy;
}

}  // namespace holdfast
