// What the owner of a table says of its backups, judged by the bounds of the platform team.
//
// Field by field: one that is out of bounds is refused with a reason, the others hold. Pure.
// Source: issue "Policy": owners may attach their own, within bounds.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/effective_policy.h"

namespace holdfast {

struct OwnerWords {
  std::map<std::string, EffectiveValue, std::less<>> allowed;
  std::vector<PolicyRefusal> refusals;
};

// The owner's labels among those of a table. Labels that this program sets itself are none.
OwnerWords JudgeOwnerLabels(const PolicyDocument& document, const Labels& labels);

// The owner's file; each of its problems is a refusal.
OwnerWords JudgeOwnerFile(const PolicyDocument& document, const OwnerFile& file);

// Why the owner may not say so of the field; empty: it may.
std::string OutOfBounds(const PolicyDocument& document, const std::string& field,
                        const Json& value);

}  // namespace holdfast
