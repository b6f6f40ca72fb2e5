#include "localcloud/googlesql/scope.h"

#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {

const RangeVariable* Scope::FindVariable(std::string_view alias) const {
  for (const RangeVariable& variable : variables) {
    if (!variable.alias.empty() && SameWord(variable.alias, alias)) return &variable;
  }
  return nullptr;
}

void MarkFilter(RangeVariable& variable, const std::vector<std::string>& names, size_t filter) {
  for (std::vector<Column>* columns : {&variable.columns, &variable.pseudo_columns}) {
    for (Column& column : *columns) {
      for (const std::string& name : names) {
        if (SameWord(column.name, name)) column.filter = filter;
      }
    }
  }
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
