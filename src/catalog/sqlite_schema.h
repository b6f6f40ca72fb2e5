// The tables of the SQLite catalog, and the making of them.
//
// Whole records are kept as JSON beside the columns that are searched by. A change of these tables
// is a new version with a step that brings the old one up to it.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "catalog/sqlite_database.h"

namespace holdfast::catalog {

// Told of how many backups so many are moved to the new version's tables. A million take most of a
// minute, once, in which no other process can use the file.
using SchemaProgress = std::function<void(int64_t moved, int64_t backups)>;

// Makes the tables in a new file; checks that an old one is ours and of a version that is known,
// and brings it up to date, telling `on_progress` if there is one. Errors: kCatalogDamaged,
// kCatalogVersion, kCatalogUnavailable.
Status PrepareSchema(SqliteDatabase& database, const SchemaProgress& on_progress = {});

}  // namespace holdfast::catalog
