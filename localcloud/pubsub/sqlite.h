// SQLite as values: one connection, its prepared statements, errors as Status.
//
// Every value goes through a bound parameter; SQL is literals of this folder. A Database and its
// queries belong to one thread at a time. Source: sqlite.org/c3ref.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::pubsub {

// One run of a prepared statement, reset when it goes. Bind every parameter (1-based), then Step.
class Query {
 public:
  Query(sqlite3* database, sqlite3_stmt* statement);
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query();

  Query& Bind(int parameter, int64_t value);
  Query& BindText(int parameter, std::string_view value);
  Query& BindBlob(int parameter, std::string_view value);  // `value` must live until the last Step

  // True: there is a row to read. False: the end. Errors: kDiskFull, kPubsubStoreFailed.
  Result<bool> Step();
  Status Run();  // Steps to the end of a statement that gives no rows

  // A column (0-based) of the present row; views hold until the next Step.
  int64_t Int64(int column) const;
  std::string_view Bytes(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_;  // null: it could not be prepared, and Step says so
};

class Database {
 public:
  // Opens or makes the file, in WAL mode, where a COMMIT returns once the bytes are on the disk.
  static Result<std::unique_ptr<Database>> Open(const std::string& path);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // Runs statements that give no rows and need no values.
  Status Execute(const char* sql);

  // The statement `sql`, prepared once; a query of the same text must be gone before the next.
  Query Prepare(std::string_view sql);

  int64_t LastInsertId() const;

 private:
  explicit Database(sqlite3* database) : database_(database) {}
  sqlite3* database_;
  std::unordered_map<std::string_view, sqlite3_stmt*> statements_;  // keyed by the literals
};

}  // namespace holdfast::pubsub
