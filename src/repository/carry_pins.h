// What keeps a backup from being deleted, carried from one repository to another.
//
// Pins and holds are objects below PinsPrefix (layout.h), one for each. A backup that is known in
// another repository from now on, since it was lost in this one, is to be as safe there.
#pragma once

#include <string>

#include "base/result.h"
#include "cloud/object_store.h"
#include "repository/layout.h"

namespace holdfast::repository {

// Copies them; those that are there already stay. Success where `from` has no bucket any more.
// Idempotent. Errors: of the store.
Status CarryPins(cloud::ObjectStore& store, const Location& from, const Location& to,
                 const std::string& backup);

}  // namespace holdfast::repository
