// One PostgreSQL connection over libpq: statements, transactions, and what its errors mean.
//
// Values are bound, never part of a statement, and a message never holds one: it is the server's
// primary message alone. A connection that is lost makes the call fail with kCatalogUnavailable;
// the next one connects anew. One that waited unused may have been closed meanwhile, so its first
// statement is sent again over a new one: all of ours that come first are BEGIN, reads, or writes
// that may happen twice. Not thread-safe.
#pragma once

#include <libpq-fe.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/sql_store.h"

namespace holdfast::catalog {

// Where to connect to.
struct PostgresTarget {
  std::string url;       // as ValidatePostgresUrl takes it: without a password
  std::string password;  // empty: as libpq finds it (PGPASSWORD, a password file), or none
};

// Statements with `?` or `?1` where a value is bound, as PostgreSQL has it: with `$1`.
std::string WithNumberedParameters(std::string_view sql);

class PostgresConnection final : public SqlSession {
 public:
  // Connects. Errors: kConfigInvalid (the URL), kCatalogUnavailable (no server answers, or not
  // now), kCatalogRefused (it refuses user, password or database).
  static Result<std::unique_ptr<PostgresConnection>> Open(const PostgresTarget& target);

  // As SqlSession; kCatalogRefused too where the user lacks a privilege.
  Status Query(std::string_view sql, const std::vector<SqlValue>& values,
               const std::function<Status(const SqlRow& row)>& visit) override;
  Result<int64_t> Execute(std::string_view sql, const std::vector<SqlValue>& values = {}) override;

  // As SqlSession. A transaction that the server gave up for the sake of another is made again, a
  // bounded number of times.
  Status Transact(const std::function<Status()>& body) override;
  Status Serialize(std::string_view name) override;
  bool HasDistinctOn() const override { return true; }

  // Runs several statements without values.
  Status ExecuteScript(const char* sql);

  // Whether it can be used again; and that it now waits to be.
  bool IsUsable() const;
  void Rest() { rested_ = true; }

 private:
  struct ClearAnswer {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Answer = std::unique_ptr<PGresult, ClearAnswer>;
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };

  explicit PostgresConnection(PGconn* connection) : connection_(connection) {}
  Status SetUp();
  Status TransactOnce(const std::function<Status()>& body);
  Result<Answer> Send(const std::string& sql, const std::vector<SqlValue>& values);
  Result<Answer> Check(Answer answer) const;
  Error ErrorOf(const PGresult* result) const;

  std::unique_ptr<PGconn, Finish> connection_;
  bool rested_ = false;
};

}  // namespace holdfast::catalog
