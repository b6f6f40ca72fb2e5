// What a GoogleSQL statement asks for, as a value that the BigQuery service carries out.
//
// Queries are DuckDB SQL over relations that the caller binds by name ("t0", "t1", ...) before it
// runs them; no other table, file or setting is named in the SQL. The session's time zone must be
// UTC. Results name BigQuery's types, which DuckDB's do not tell apart. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "model/resource_names.h"
#include "model/schema.h"
#include "model/table.h"

namespace holdfast::googlesql {

// What kind of thing a name in FROM stands for.
enum class RelationKind {
  kTable,              // a table, or a wildcard of tables ("events_*")
  kInformationSchema,  // table.table is the view's name: "TABLES", "COLUMNS", "PARTITIONS", ...
  kTablesMetadata,     // dataset.__TABLES__
};

// What a FROM item names.
struct RelationRef {
  RelationKind kind = RelationKind::kTable;
  TableRef table;                   // metadata kinds: dataset empty when the scope is wider
  std::string region;               // "us" of `region-us`.INFORMATION_SCHEMA; empty: none
  std::optional<int64_t> as_of_ms;  // FOR SYSTEM_TIME AS OF, milliseconds since 1970

  bool operator==(const RelationRef&) const = default;
};

// Values from `low` to `high`, both included: microseconds since 1970 of a DATE, DATETIME (civil)
// or TIMESTAMP, an INT64 itself.
struct ValueRange {
  int64_t low = 0;
  int64_t high = 0;

  bool operator==(const ValueRange&) const = default;
};

// Values of a column without which the query does: rows with others need not be read.
struct ColumnBound {
  std::string column;              // lower case
  std::vector<ValueRange> ranges;  // in order, apart
  bool admits_null = false;        // rows of NULL are to be read, too

  bool operator==(const ColumnBound&) const = default;
};

// A relation to bind under `name` before the SQL runs.
struct Relation {
  std::string name;
  RelationRef ref;
  bool with_pseudo_columns =
      false;  // the SQL names one of them: _PARTITIONTIME, _TABLE_SUFFIX, ...
  // Metadata kinds: the SQL drops rows of other tables than the one of that name, or of the name in
  // that one of TranslateOptions::parameters.
  std::optional<std::string> only_table;
  std::optional<size_t> only_table_parameter;
  std::vector<ColumnBound> bounds = {};  // each a column; all hold for rows that are needed
};

// A value to bind to `$name` of the SQL, as text that the SQL casts: BYTES in base64, arrays and
// structs as JSON, NULL as NULL.
struct BoundParameter {
  std::string name;  // "p1"
  size_t index = 0;  // into TranslateOptions::parameters
};

// A query as DuckDB is to run it, with what it needs to be bound before.
struct QueryText {
  std::string duckdb_sql;
  std::vector<Relation> relations;
  std::vector<BoundParameter> parameters;
  Schema schema;  // of the result, by position
};

// A query alone: where its rows go is the caller's business.
struct SelectPlan {
  QueryText query;
};

// A constant of OPTIONS(...): strings, numbers, booleans, arrays; a pair ("k", "v") is an array of
// two; TIMESTAMPs are integers, milliseconds since 1970.
struct Option {
  std::string name;  // lower case
  Json value;
};

enum class IfExists { kFail, kReplace, kKeep };  // CREATE; CREATE OR REPLACE; IF NOT EXISTS

// CREATE TABLE, by columns, AS a query or LIKE a table.
struct CreateTablePlan {
  TableRef table;
  IfExists if_exists = IfExists::kFail;
  std::optional<Schema> schema;  // absent: the query's, or the source's
  Partitioning partitioning;
  std::vector<std::string> clustering;
  std::vector<Option> options;
  std::optional<QueryText> query;   // CREATE TABLE AS
  std::optional<RelationRef> like;  // CREATE TABLE LIKE: the source's schema, no rows
};

// CREATE VIEW. The query was translated only to find `schema`.
struct CreateViewPlan {
  TableRef table;
  IfExists if_exists = IfExists::kFail;
  std::string query_sql;  // GoogleSQL as written after AS
  Schema schema;
  std::vector<Option> options;
};

// CREATE SNAPSHOT TABLE CLONE, CREATE TABLE CLONE, CREATE TABLE COPY.
struct CopyTablePlan {
  enum class Kind { kSnapshot, kClone, kCopy };
  Kind kind = Kind::kSnapshot;
  TableRef table;
  RelationRef source;
  IfExists if_exists = IfExists::kFail;
  std::vector<Option> options;
};

// INSERT, of VALUES or of a query.
struct InsertPlan {
  TableRef table;
  std::vector<std::string> columns;  // by position of the query's; columns not listed are NULL
  QueryText query;                   // values are of the columns' types already
};

// The rows of the relation `target_name` for which `where_sql` holds get new values.
struct UpdatePlan {
  TableRef table;
  std::string target_name;
  std::vector<std::pair<std::string, std::string>> assignments;  // column, expression
  std::string from_sql;                                          // empty: none
  std::string where_sql;
  std::vector<Relation> relations;  // of FROM and of subqueries
  std::vector<BoundParameter> parameters;
};

// The same rows, deleted. WHERE is never absent: GoogleSQL asks for it.
struct DeletePlan {
  TableRef table;
  std::string target_name;
  std::string where_sql;
  std::vector<Relation> relations;
  std::vector<BoundParameter> parameters;
};

// Every row, at once.
struct TruncatePlan {
  TableRef table;
};

// DROP of what exists, or IF EXISTS.
struct DropPlan {
  enum class Kind { kTable, kView, kSnapshot, kSchema };
  Kind kind = Kind::kTable;
  TableRef table;  // kSchema: table.table is empty
  bool if_exists = false;
  bool cascade = false;  // kSchema: with its tables
};

struct CreateSchemaPlan {
  DatasetRef dataset;
  bool if_not_exists = false;
  std::vector<Option> options;  // "location" among them
};

// ALTER ... SET OPTIONS: the options that are named, no others.
struct SetOptionsPlan {
  enum class Kind { kTable, kView, kSchema };
  Kind kind = Kind::kTable;
  TableRef table;
  bool if_exists = false;
  std::vector<Option> options;
};

// ALTER TABLE ADD COLUMN, of all the columns at once.
struct AddColumnsPlan {
  TableRef table;
  bool if_exists = false;      // of the table
  std::vector<Field> columns;  // that the table does not have yet
};

// One statement, ready to be carried out.
using Plan = std::variant<SelectPlan, CreateTablePlan, CreateViewPlan, CopyTablePlan, InsertPlan,
                          UpdatePlan, DeletePlan, TruncatePlan, DropPlan, CreateSchemaPlan,
                          SetOptionsPlan, AddColumnsPlan>;

// BigQuery's statementType: "SELECT", "CREATE_TABLE_AS_SELECT", "INSERT", ...
std::string StatementType(const Plan& plan);

}  // namespace holdfast::googlesql
