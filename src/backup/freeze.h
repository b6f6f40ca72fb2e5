// A copy of an object that is written without pause, which holds still while it is exported.
//
// The copy is made inside the warehouse, expires by itself after a day, and counts its rows
// exactly: what is read of it is held to that count. Source: google-semantics #24 ("freeze by
// clone"; a copy rather than a clone, since a clone is never of one partition).
#pragma once

#include "backup/unit.h"

namespace holdfast::backup {

// The object as it is now, as a table of its own. Makes it, or finds the one that this attempt has
// made. Errors: those of the copy job; kSourceChanged when an earlier worker of this attempt has
// dropped it already, so another attempt has to be made.
Result<TableInfo> Freeze(const TableBackup& common, const Unit& unit);

// Drops it. A copy that stays is logged, and expires.
void DropFrozen(const TableBackup& common, const TableRef& frozen);

}  // namespace holdfast::backup
