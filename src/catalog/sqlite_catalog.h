// The catalog in one SQLite file, for one machine and as many processes as it runs.
//
// Write-ahead log and full sync: what a call recorded survives kill -9. Writers of other processes
// wait for one another up to the busy timeout. The file's schema has a version; an older one is
// brought up to date on opening, a newer one refused. One connection, used under a mutex:
// thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "catalog/catalog.h"

namespace holdfast::catalog {

struct SqliteCatalogOptions {
  int busy_timeout_ms = 30'000;
};

// Opens the file, making it when absent; ":memory:" is a catalog of this object alone. Errors:
// kCatalogUnavailable (cannot be opened, locked for too long, disk full), kCatalogVersion (written
// by a newer program), kCatalogDamaged (not a SQLite file of ours).
Result<std::unique_ptr<Catalog>> OpenSqliteCatalog(const std::string& path,
                                                   const SqliteCatalogOptions& options = {});

}  // namespace holdfast::catalog
