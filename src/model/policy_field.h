// The fields of a policy: every value that a policy document may give, as data.
//
// The document's parser, owners' labels and files, `holdfast policy show` and the reference all
// come from this one table. A value is kept as JSON in one spelling, so that it can be compared,
// carried with a run and printed. Static data; pure; thread-safe. Source: issue "Policy"; DESIGN §3
// "Registries are data".
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace holdfast {

enum class PolicyFieldType {
  kText,
  kInteger,
  kNumber,
  kBoolean,
  kChoice,        // one of `choices`
  kDuration,      // "15m", "4h", "7d", "2w"
  kMethods,       // one method or a list; kept as a list
  kSchedules,     // a cron expression, {cron, time_zone}, or a list of them; kept as a list of maps
  kProjects,      // one project or a list; kept as a list
  kRetention,     // a map (ValidateRetention)
  kRepositories,  // a list of {bucket_pattern, prefix, project, location}
  kVerification,  // a map {read_within, restore_within, live}
};

struct PolicyField {
  std::string_view name;
  PolicyFieldType type = PolicyFieldType::kText;
  std::string_view doc;      // one phrase
  std::string_view choices;  // kChoice: parted by spaces
  double minimum = 0;        // kInteger, kNumber
  double maximum = 0;
  bool in_backup_policy = false;  // BackupPolicy has it, by this name; but `methods`
  bool is_kept_only = false;      // carried and shown; no stage acts on it yet
};

// All of them, in the order in which they are shown.
std::span<const PolicyField> AllPolicyFields();

// The field of that name; nullptr: there is none.
const PolicyField* FindPolicyField(std::string_view name);

// The value in its one spelling. Errors: kInvalidPolicy with words that follow the field's name
// ("is 7: expected ..."); `path` then holds the members and indices from the value down to the
// mistake.
Result<Json> NormalPolicyValue(const PolicyField& field, const Json& value,
                               std::vector<std::string>& path);

// A value as a label gives it, which has only lower case letters, digits, '-' and '_'. Errors:
// kInvalidPolicy, also for a field whose values cannot be written so.
Result<Json> PolicyValueFromLabel(const PolicyField& field, std::string_view text);

// "15m" as seconds; units s, m, h, d, w; at most 100 years. kInvalidPolicy.
Result<std::chrono::seconds> ParsePolicyDuration(std::string_view text);

// What a policy says of keeping: what is checked of it before a run begins. kInvalidPolicy.
Status ValidateRetention(const Json& retention);

// Where an owner's value is compared with bounds: a number as it is, a duration in seconds.
// kInvalidPolicy when the value is neither.
Result<double> PolicyValueAsNumber(const Json& value);

}  // namespace holdfast
