// The catalog in one SQLite file, for one machine and as many processes as it runs.
//
// What a call recorded survives kill -9 and a power cut: it is synced before the call returns,
// since a worker then acknowledges the message for good. Without that a cut would lose no data (a
// task that is pending again finds its manifest and adopts it), but a whole run could drop out of
// the index after its report was given, and stay out of restores until the index is rebuilt from
// the manifests. Writers of other processes wait for one another up to the busy timeout. The file's
// schema has a version; a newer one is refused. One connection, used under a mutex: thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "catalog/sql_catalog.h"
#include "catalog/sqlite_schema.h"

namespace holdfast::catalog {

struct SqliteCatalogOptions {
  int busy_timeout_ms = 30'000;
  SchemaProgress on_progress = {};  // of a file of an earlier version
};

class SqliteCatalog final : public SqlCatalog {
 public:
  // Opens the file, making it when absent; ":memory:" is a catalog of this object alone. Errors:
  // kCatalogUnavailable (cannot be opened, locked for too long), kDiskFull, kCatalogVersion
  // (written by a newer program), kCatalogDamaged (not a SQLite file of ours).
  static Result<std::unique_ptr<SqliteCatalog>> Open(const std::string& path,
                                                     const SqliteCatalogOptions& options = {});

 private:
  using SqlCatalog::SqlCatalog;
};

}  // namespace holdfast::catalog
