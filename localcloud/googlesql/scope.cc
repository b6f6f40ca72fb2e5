#include "localcloud/googlesql/scope.h"

#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {

const RangeVariable* Scope::FindVariable(std::string_view alias) const {
  for (const RangeVariable& variable : variables) {
    if (!variable.alias.empty() && SameWord(variable.alias, alias)) return &variable;
  }
  return nullptr;
}

ColumnMatch FindColumn(const std::vector<Column>& columns, std::string_view name) {
  ColumnMatch match;
  for (const Column& column : columns) {
    if (column.name.empty() || !SameWord(column.name, name)) continue;
    if (match.column != nullptr) match.ambiguous = true;
    match.column = &column;
  }
  return match;
}

ColumnMatch FindColumn(const Scope& scope, std::string_view name) {
  ColumnMatch match = FindColumn(scope.columns, name);
  if (match.column != nullptr) return match;
  for (const RangeVariable& variable : scope.variables) {
    const ColumnMatch pseudo = FindColumn(variable.pseudo_columns, name);
    if (pseudo.column == nullptr) continue;
    if (match.column != nullptr) match.ambiguous = true;
    match.column = pseudo.column;
  }
  return match;
}

}  // namespace holdfast::googlesql
