#include <fmt/format.h>

#include "localcloud/googlesql/quote.h"
#include "localcloud/googlesql/translator.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

using enum TypeKind;

// A JSONPath step to a member, as DuckDB writes it.
std::string JsonMemberPath(std::string_view name) {
  std::string path = "$.\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') path += '\\';
    path += c;
  }
  return path + '"';
}

bool IsTimeFunction(std::string_view name) {
  return SameWord(name, "CURRENT_DATE") || SameWord(name, "CURRENT_DATETIME") ||
         SameWord(name, "CURRENT_TIME") || SameWord(name, "CURRENT_TIMESTAMP");
}

}  // namespace

Result<TypedSql> Translator::ReadColumn(const ColumnMatch& match, const Scope* scope,
                                        std::string_view name, Position position,
                                        const ExpressionContext& context) {
  if (match.ambiguous) {
    return QueryError(fmt::format("Column name {} is ambiguous", name), position);
  }
  const Column& column = *match.column;
  if (column.pseudo_of != kNoRelation) relations_[column.pseudo_of].with_pseudo_columns = true;
  TypedSql value;
  value.sql = column.sql;
  value.type = column.type;
  value.name = column.name;
  value.filter = column.filter;
  if (context.groups != nullptr && context.groups->scope == scope) {
    context.groups->ungrouped.emplace_back(column.name, position);
  }
  return value;
}

Result<TypedSql> Translator::WholeRow(const RangeVariable& variable) {
  if (variable.value) return *variable.value;
  TypedSql value;
  value.type.kind = kStruct;
  value.name = variable.alias;
  std::string packed;
  for (size_t i = 0; i < variable.columns.size(); ++i) {
    const Column& column = variable.columns[i];
    value.type.members.push_back({column.name, column.type});
    packed += fmt::format("{}{} := {}", i == 0 ? "" : ", ",
                          QuoteName(MemberName(value.type.members.back(), i)), column.sql);
  }
  value.sql = fmt::format("struct_pack({})", packed);
  return value;
}

Result<TypedSql> Translator::TranslateNode(const Name& node, Position position,
                                           const ExpressionContext& context) {
  if (context.aliases != nullptr) {
    for (const auto& [name, aliased] : *context.aliases) {
      if (SameWord(name, node.text)) return aliased;
    }
  }
  for (const Scope* scope = context.scope; scope != nullptr; scope = scope->outer) {
    if (const RangeVariable* variable = scope->FindVariable(node.text)) return WholeRow(*variable);
    const ColumnMatch match = FindColumn(*scope, node.text);
    if (match.column != nullptr) {
      return ReadColumn(match, scope, node.text, position, context);
    }
  }
  if (!node.quoted && IsTimeFunction(node.text)) {
    FunctionCall call;
    call.name = UpperCase(node.text);
    return TranslateNode(call, position, context);
  }
  return QueryError(fmt::format("Unrecognized name: {}", node.text), position);
}

Result<TypedSql> Translator::MemberOf(const TypedSql& base, const Identifier& field) {
  TypedSql value;
  value.name = field.text;
  if (base.type.kind == kJson) {
    value.sql =
        fmt::format("json_extract({}, {})", base.sql, QuoteText(JsonMemberPath(field.text)));
    value.type = base.type;
    return value;
  }
  if (base.type.kind != kStruct) {
    return QueryError(fmt::format("Cannot access field {} on a value with type {}", field.text,
                                  TypeName(base.type)),
                      field.position);
  }
  for (size_t i = 0; i < base.type.members.size(); ++i) {
    const StructMember& member = base.type.members[i];
    if (!SameWord(member.name, field.text)) continue;
    value.sql = fmt::format("struct_extract({}, {})", base.sql, QuoteText(MemberName(member, i)));
    value.type = member.type;
    value.name = member.name;
    return value;
  }
  return QueryError(
      fmt::format("Field name {} does not exist in {}", field.text, TypeName(base.type)),
      field.position);
}

Result<TypedSql> Translator::TranslateNode(const FieldAccess& node, Position,
                                           const ExpressionContext& context) {
  // `item.column`: the name before the dot may be a FROM item's.
  if (const auto* const name = std::get_if<Name>(&node.base->node)) {
    for (const Scope* scope = context.scope; scope != nullptr; scope = scope->outer) {
      const RangeVariable* const variable = scope->FindVariable(name->text);
      if (variable == nullptr) {
        if (FindColumn(*scope, name->text).column != nullptr) break;
        continue;
      }
      if (variable->value) return MemberOf(*variable->value, node.field);
      ColumnMatch match = FindColumn(variable->columns, node.field.text);
      if (match.column == nullptr) match = FindColumn(variable->pseudo_columns, node.field.text);
      if (match.column != nullptr) {
        return ReadColumn(match, scope, node.field.text, node.field.position, context);
      }
      return QueryError(
          fmt::format("Name {} not found inside {}", node.field.text, variable->alias),
          node.field.position);
    }
  }
  HF_ASSIGN_OR_RETURN(const TypedSql base, TranslateExpression(*node.base, context));
  return MemberOf(base, node.field);
}

Result<TypedSql> Translator::TranslateNode(const Subscript& node, Position position,
                                           const ExpressionContext& context) {
  HF_ASSIGN_OR_RETURN(const TypedSql base, TranslateExpression(*node.base, context));
  HF_ASSIGN_OR_RETURN(const TypedSql index, TranslateExpression(*node.index, context));
  TypedSql value;
  if (base.type.kind == kJson) {
    value.type = base.type;
    if (index.text && node.mode.empty()) {
      value.sql =
          fmt::format("json_extract({}, {})", base.sql, QuoteText(JsonMemberPath(*index.text)));
      return value;
    }
    if (index.type.kind != kInt64 || !node.mode.empty()) {
      return QueryError("A JSON subscript must be an INT64 or a STRING literal", position);
    }
    value.sql = fmt::format("json_extract({}, CASE WHEN {} >= 0 THEN {} END)", base.sql, index.sql,
                            index.sql);
    return value;
  }
  if (base.type.kind != kArray || index.type.kind != kInt64) {
    return QueryError(
        fmt::format("Subscript access using [INT64] is not supported on values of type {}",
                    TypeName(base.type)),
        position);
  }
  value.type = base.type.element();
  const bool safe = node.mode.starts_with("SAFE");
  const int first = node.mode.ends_with("ORDINAL") ? 1 : 0;
  const std::string otherwise =
      safe ? std::string("NULL")
           : RaiseSql(fmt::format("'Array index ' || {} || ' is out of bounds'", index.sql));
  value.sql =
      fmt::format("{0}[CASE WHEN {1} BETWEEN {2} AND len({0}) - {3} THEN {1} + {3} ELSE {4} END]",
                  base.sql, index.sql, first, 1 - first, otherwise);
  return value;
}

}  // namespace holdfast::googlesql
