// Who may read a restored table: its row access policies, before it holds a row, and its IAM
// policy.
//
// A restored table must not be readable by anybody who could not read the source. Its row access
// policies are therefore set while it is empty, and it is not filled when they cannot be. An IAM
// policy only adds readers, those of the source: it comes last, and one that cannot be set is said.
// What a backup did not save is said too. Idempotent.
#pragma once

#include <string>
#include <vector>

#include "model/manifest.h"
#include "restore/services.h"

namespace holdfast::restore {

// Sets the saved row access policies on an empty table, or finds them there. Notes tell of those
// that the backup does not know. Errors: kTableExists when one of that name is another; those of
// the service.
Status RestoreRowPolicies(const Services& services, const Manifest& manifest,
                          const TableRef& target, std::vector<std::string>& notes);

// Sets the saved IAM policy, if it gives anybody anything. What cannot be set becomes a note.
void RestoreIamPolicy(const Services& services, const Manifest& manifest, const TableRef& target,
                      std::vector<std::string>& notes);

// In words, what is left out of a table that is restored without its access.
std::vector<std::string> AccessNotRestored(const Manifest& manifest);

}  // namespace holdfast::restore
