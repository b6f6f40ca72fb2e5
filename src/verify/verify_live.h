// L4: a backup held against its source, as the source was at the moment that the backup holds.
//
// The source is read by an extract with time travel, so it may have changed since. That moment can
// be had for as long as the dataset's time travel reaches back, and only of the table that it was:
// one made anew has no past. Source: DESIGN §2 "verify level"; issue "Verification, always on".
#pragma once

#include "verify/verify_recorded.h"

namespace holdfast::verify {

// Whether the source as of the backup's moment can still be read: the table is the one that was
// backed up, and the moment no longer ago than the shortest time travel there is, two days, unless
// the dataset says that it reaches further. Errors: the warehouse's, but for absence.
Result<bool> CanReadLive(const Services& services, const Manifest& manifest);

// Adds to a report of kL2 that passed what the source says: kL4 is asked for and reached, or
// kDataMismatch found. Leaves it as it is when the moment cannot be had or is not known, since rows
// stream in or were written while the backup was made, or when the manifest has no digest. Errors:
// those of reading the source; they say nothing of the backup.
Status VerifyLive(const Services& services, const Manifest& manifest, VerifyReport& report);

}  // namespace holdfast::verify
