// What names mean at one place of a query: the FROM items in sight, theirs and those around.
//
// Columns carry the DuckDB SQL that reads them. Lookups compare names without case, as BigQuery
// does. Scopes point to the scope around them, which outlives them. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "localcloud/googlesql/coerce.h"

namespace holdfast::googlesql {

// Not a pseudo column (Column::pseudo_of).
inline constexpr size_t kNoRelation = static_cast<size_t>(-1);

struct Column {
  std::string name;
  std::string sql;
  Type type;
  size_t pseudo_of = kNoRelation;  // a pseudo column: of which relation of the plan
  size_t filter = kNoFilter;       // as in TypedSql
  size_t relation = kNoRelation;   // a table's own column: of which relation of the plan
};

// One FROM item under its alias.
struct RangeVariable {
  std::string alias;  // empty: none
  std::vector<Column> columns;
  std::vector<Column> pseudo_columns;
  std::optional<TypedSql> value;  // UNNEST: the element itself
};

struct Scope {
  std::vector<RangeVariable> variables;
  std::vector<Column> columns;  // what `*` gives: columns joined by USING stand once
  const Scope* outer = nullptr;

  // The item of that alias in this scope alone; nullptr when there is none. Valid as long as the
  // scope is not changed.
  const RangeVariable* FindVariable(std::string_view alias) const;
};

// The outcome of a lookup by name.
struct ColumnMatch {
  const Column* column = nullptr;  // null: no such column
  bool ambiguous = false;
};

// Notes in the variable's columns of these names that they satisfy `filter`.
void MarkFilter(RangeVariable& variable, const std::vector<std::string>& names, size_t filter);

// The column of `columns` with that name.
ColumnMatch FindColumn(const std::vector<Column>& columns, std::string_view name);

// The column with that name in this scope alone: what `*` gives, then pseudo columns.
ColumnMatch FindColumn(const Scope& scope, std::string_view name);

}  // namespace holdfast::googlesql
