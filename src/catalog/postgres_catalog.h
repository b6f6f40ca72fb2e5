// The catalog in a PostgreSQL database (15 or newer), for as many machines and processes as there
// are.
//
// All of it is in the schema `holdfast` of that database, made when absent, with a version; a newer
// one is refused. What a call recorded is on the server's disk when it returns. A few connections
// are kept and shared by all threads; a lost one makes its call fail with kCatalogUnavailable, and
// the next call connects anew. Thread-safe. Source: DESIGN §1.4.
#pragma once

#include <memory>

#include "base/result.h"
#include "catalog/postgres_connection.h"
#include "catalog/sql_catalog.h"

namespace holdfast::catalog {

struct PostgresCatalogOptions {
  PostgresTarget target;
  int connections_max = 8;  // at once, by all threads of this object; the rest wait
};

class PostgresCatalog final : public SqlCatalog {
 public:
  // Connects and makes the tables when there are none. Errors: kConfigInvalid (the URL),
  // kCatalogUnavailable, kCatalogRefused (user, password, database or a privilege), kDiskFull,
  // kCatalogVersion (written by a newer program), kCatalogDamaged (the schema is not ours).
  static Result<std::unique_ptr<PostgresCatalog>> Open(const PostgresCatalogOptions& options);

 private:
  using SqlCatalog::SqlCatalog;
};

}  // namespace holdfast::catalog
