// The tables of the PostgreSQL catalog, and the making of them.
//
// The same tables as sqlite_schema.h has, in the schema `holdfast` of the database. Texts compare
// by their bytes (COLLATE "C"), whatever the database's own order is, so that listings are in the
// same order everywhere. A change of these tables is a new version with a step that brings the old
// one up to it.
#pragma once

#include "base/result.h"
#include "catalog/postgres_connection.h"

namespace holdfast::catalog {

// Makes the tables where there are none; checks that those that are there are ours and of a version
// that is known. Errors: kCatalogDamaged, kCatalogVersion, kCatalogRefused, kCatalogUnavailable.
Status PreparePostgresSchema(PostgresConnection& connection);

}  // namespace holdfast::catalog
