// The tables of the SQLite catalog, and the making of them.
//
// Whole records are kept as JSON beside the columns that are searched by. A change of these tables
// is a new version with a step that brings the old one up to it.
#pragma once

#include "base/result.h"
#include "catalog/sqlite_database.h"

namespace holdfast::catalog {

// Makes the tables in a new file; checks that an old one is ours and of a version that is known.
// Errors: kCatalogDamaged, kCatalogVersion, kCatalogUnavailable.
Status PrepareSchema(SqliteDatabase& database);

}  // namespace holdfast::catalog
