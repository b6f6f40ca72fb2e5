// Copies that hold still while they are read: of an object that is written without pause, and of a
// table whose parts are to be of one moment.
//
// The copy is made inside the warehouse, expires by itself after a day, and counts its rows
// exactly: what is read of it is held to that count. Of a table it is a clone, which costs nothing
// to make; of one partition a copy, since a clone is never of one. Source: google-semantics #24
// ("freeze by clone").
#pragma once

#include <string>

#include "backup/unit.h"
#include "model/work_message.h"

namespace holdfast::backup {

// Whether the unit is read from a frozen table. A job takes a whole table as of a moment by itself;
// an export does not count what it should have found, and of a partition there is no such job.
bool ReadsFrozen(const RunBackup& message, const BackupUnit& unit);

// Whether one of the message's units is: then a clone is made in the project that the job of the
// message's first unit runs in.
bool ReadsFrozenTable(const RunBackup& message);

// The object as it is now, as a table of its own. Makes it, or finds the one that this attempt has
// made. Errors: those of the copy job; kSourceChanged when an earlier worker of this attempt has
// dropped it already, so another attempt has to be made.
Result<TableInfo> Freeze(const TableBackup& common, const Unit& unit);

// The whole table as of the moment that the message names. Every message and attempt of the table
// finds the one clone that the first has made. Errors: as above.
Result<FrozenTable> FreezeTable(const TableBackup& common, const RunBackup& message);

// Drops it. A copy that stays is logged, and expires.
void DropFrozen(const TableBackup& common, const TableRef& frozen);

}  // namespace holdfast::backup
