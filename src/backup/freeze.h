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
