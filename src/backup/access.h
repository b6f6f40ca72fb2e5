// Who may read a table, saved with its backup; and whether this identity may read all of its rows.
//
// A table under row access policies gives each reader the rows of the policies that he is granted,
// without an error: an export by somebody who is granted a part is a part, and looks whole. So
// where there is any policy, one with the filter TRUE must be granted to us, or nothing is
// exported. What may not be looked at is said, or fails the backup if the policy wants it so.
// Source: google-semantics trap 1; DESIGN §4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "backup/services.h"
#include "model/object_kind.h"

namespace holdfast::backup {

struct AccessState {
  std::optional<Json> document;  // Manifest::access; nullopt: nothing could be looked at
  std::string note;              // what could not be; empty: all was
};

// Reads both the IAM policy and, of a table, the row access policies. Errors: kRowsHidden when rows
// are hidden from us or may be; kAccessDenied when the policy requires what may not be looked at;
// those of the service.
Result<AccessState> ReadAccess(const Services& services, const BackupPolicy& policy,
                               const TableRef& table, ObjectKind kind);

// Whether the table was seen to have row access policies.
bool HasRowPolicies(const AccessState& access);

// Whether a policy's filter lets every row through: TRUE, in whatever case, spaces and parentheses.
bool IsTrueFilter(std::string_view filter);

}  // namespace holdfast::backup
