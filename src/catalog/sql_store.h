// What the catalog needs of a database that speaks SQL: SQLite's and PostgreSQL's one shape.
//
// Statements are constants in the SQL that both understand, with `?` or `?1` where a value is
// bound; a value never becomes part of a statement. What the two do not share (connections, locks,
// errors, the making of the tables) is each one's own. Errors of all methods: kCatalogUnavailable,
// kDiskFull, kCatalogDamaged.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace holdfast::catalog {

// A value to bind: text must outlive the call.
using SqlValue = std::variant<int64_t, std::string_view>;

// One row of an answer, valid during the visit. Columns count from 0; NULL is 0, or "".
class SqlRow {
 public:
  virtual ~SqlRow() = default;

  virtual int64_t Int(int column) const = 0;
  virtual std::string_view View(int column) const = 0;  // valid during the visit too

  std::string Text(int column) const { return std::string(View(column)); }
};

// One connection, used by one thread at a time.
class SqlSession {
 public:
  virtual ~SqlSession() = default;

  // Runs one statement and visits its rows; an error of `visit` ends it.
  virtual Status Query(std::string_view sql, const std::vector<SqlValue>& values,
                       const std::function<Status(const SqlRow& row)>& visit) = 0;

  // Runs one statement that answers nothing, and returns how many rows it changed.
  virtual Result<int64_t> Execute(std::string_view sql,
                                  const std::vector<SqlValue>& values = {}) = 0;

  // Runs `body` in one transaction; an error takes all back. Each statement sees what was committed
  // before it began; a row that was changed is this transaction's until its end. `body` may run
  // several times, each but the last taken back, so it begins anew whatever it fills.
  virtual Status Transact(const std::function<Status()>& body) = 0;

  // Whether it understands DISTINCT ON, the first row of each group: of rows that an index gives in
  // order it then takes one after another, without a look for each of them.
  virtual bool HasDistinctOn() const { return false; }

  // In a transaction: from here to its end no other one that asked for the same `name` runs, in any
  // process. What they committed is seen.
  virtual Status Serialize(std::string_view name) = 0;
};

// A session that goes back to where it came from.
using SqlLease = std::unique_ptr<SqlSession, std::function<void(SqlSession* session)>>;

class SqlStore {
 public:
  virtual ~SqlStore() = default;

  // A session for this thread alone, waiting for one if need be. A thread holds one at most.
  // Thread-safe.
  virtual Result<SqlLease> Take() = 0;
};

}  // namespace holdfast::catalog
