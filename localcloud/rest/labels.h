// Google's rules for labels, which datasets, tables and buckets share.
//
// At most 64; a key has 1 to 63 characters and begins with a letter, a value has up to 63. Both are
// of small letters, digits, '_' and '-'; letters of other scripts than ours count as small ones.
// Pure. Source: BigQuery "Requirements for labels"; Cloud Storage "Bucket labels".
#pragma once

#include <optional>
#include <string>

#include "base/json.h"

namespace holdfast::rest {

// What is wrong with `labels`, {"key": "value", ...}; nullopt: nothing. A null value is a label
// that is taken away.
std::optional<std::string> LabelsComplaint(const Json& labels);

}  // namespace holdfast::rest
