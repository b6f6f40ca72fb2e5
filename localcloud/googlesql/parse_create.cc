#include <fmt/format.h>

#include "localcloud/googlesql/parser_internal.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {

Status Parser::ParseIfNotExists(IfExists& if_exists) {
  const Position at = position();
  if (!AcceptWords({"IF", "NOT", "EXISTS"})) return {};
  if (if_exists == IfExists::kReplace) {
    return SyntaxError("CREATE OR REPLACE cannot have IF NOT EXISTS", at);
  }
  if_exists = IfExists::kKeep;
  return {};
}

Result<Statement> Parser::ParseCreate() {
  const Position at = position();
  Next();
  IfExists if_exists = IfExists::kFail;
  if (AcceptWords({"OR", "REPLACE"})) if_exists = IfExists::kReplace;
  if (AcceptWords({"SNAPSHOT", "TABLE"})) {
    HF_RETURN_IF_ERROR(ParseIfNotExists(if_exists));
    HF_ASSIGN_OR_RETURN(PathName table, ParseTargetPath());
    return ParseCopyTable(CopyTablePlan::Kind::kSnapshot, std::move(table), if_exists);
  }
  if (AcceptWord("TABLE")) return ParseCreateTable(if_exists);
  if (AcceptWord("VIEW")) return ParseCreateView(if_exists);
  if (IsWord("SCHEMA") && if_exists == IfExists::kFail) return ParseCreateSchema();
  return UnsupportedError(fmt::format("CREATE {}", UpperCase(Peek().text)), at);
}

Result<Statement> Parser::ParseCreateTable(IfExists if_exists) {
  HF_RETURN_IF_ERROR(ParseIfNotExists(if_exists));
  CreateTableStatement create;
  const Position at = position();
  create.if_exists = if_exists;
  HF_ASSIGN_OR_RETURN(create.table, ParseTargetPath());
  if (IsWord("CLONE") || IsWord("COPY")) {
    const auto kind = IsWord("CLONE") ? CopyTablePlan::Kind::kClone : CopyTablePlan::Kind::kCopy;
    return ParseCopyTable(kind, std::move(create.table), if_exists);
  }
  if (AcceptWord("LIKE")) {
    HF_ASSIGN_OR_RETURN(create.like, ParseTargetPath());
  } else if (IsSymbol("(")) {
    HF_ASSIGN_OR_RETURN(create.columns, ParseColumnDefinitions(true));
  }
  HF_RETURN_IF_ERROR(ParseCreateTableClauses(create));
  if (create.columns.empty() && create.query == nullptr && !create.like) {
    return SyntaxError("CREATE TABLE must have a list of columns, LIKE or AS", position());
  }
  return Statement{at, std::move(create)};
}

Status Parser::ParseCreateTableClauses(CreateTableStatement& create) {
  if (AcceptWords({"DEFAULT", "COLLATE"})) {
    return UnsupportedError("COLLATE", position());
  }
  if (AcceptWords({"PARTITION", "BY"})) {
    HF_ASSIGN_OR_RETURN(create.partition_by, ParseExpression());
  }
  if (AcceptWords({"CLUSTER", "BY"})) {
    do {
      HF_ASSIGN_OR_RETURN(Identifier column, ParseIdentifier());
      create.cluster_by.push_back(std::move(column));
    } while (AcceptSymbol(","));
  }
  if (AcceptWord("OPTIONS")) {
    HF_ASSIGN_OR_RETURN(create.options, ParseOptions());
  }
  if (AcceptWord("AS")) {
    if (!AtQuery()) return Unexpected();
    HF_ASSIGN_OR_RETURN(create.query, ParseQuery());
  }
  return {};
}

Result<Statement> Parser::ParseCopyTable(CopyTablePlan::Kind kind, PathName table,
                                         IfExists if_exists) {
  CopyTableStatement copy;
  const Position at = table.position;
  copy.kind = kind;
  copy.if_exists = if_exists;
  copy.table = std::move(table);
  HF_RETURN_IF_ERROR(ExpectWord(kind == CopyTablePlan::Kind::kCopy ? "COPY" : "CLONE"));
  HF_ASSIGN_OR_RETURN(copy.source, ParseTargetPath());
  HF_ASSIGN_OR_RETURN(copy.as_of, ParseSystemTime());
  if (AcceptWord("OPTIONS")) {
    HF_ASSIGN_OR_RETURN(copy.options, ParseOptions());
  }
  return Statement{at, std::move(copy)};
}

Result<Statement> Parser::ParseCreateView(IfExists if_exists) {
  HF_RETURN_IF_ERROR(ParseIfNotExists(if_exists));
  CreateViewStatement create;
  const Position at = position();
  create.if_exists = if_exists;
  HF_ASSIGN_OR_RETURN(create.table, ParseTargetPath());
  if (IsSymbol("(")) {
    HF_ASSIGN_OR_RETURN(create.columns, ParseColumnDefinitions(false));
  }
  if (AcceptWord("OPTIONS")) {
    HF_ASSIGN_OR_RETURN(create.options, ParseOptions());
  }
  HF_RETURN_IF_ERROR(ExpectWord("AS"));
  if (!AtQuery()) return Unexpected();
  const size_t start = position().offset;
  HF_ASSIGN_OR_RETURN(create.query, ParseQuery());
  const Token& last = tokens_[at_ - 1];
  create.query_sql = sql_.substr(start, last.position.offset + last.text.size() - start);
  return Statement{at, std::move(create)};
}

Result<Statement> Parser::ParseCreateSchema() {
  Next();
  CreateSchemaStatement create;
  create.if_not_exists = AcceptWords({"IF", "NOT", "EXISTS"});
  const Position at = position();
  HF_ASSIGN_OR_RETURN(create.schema, ParsePathName());
  if (AcceptWord("DEFAULT")) return UnsupportedError("COLLATE", position());
  if (AcceptWord("OPTIONS")) {
    HF_ASSIGN_OR_RETURN(create.options, ParseOptions());
  }
  return Statement{at, std::move(create)};
}

Result<std::vector<ColumnSyntax>> Parser::ParseColumnDefinitions(bool typed) {
  HF_RETURN_IF_ERROR(ExpectSymbol("("));
  std::vector<ColumnSyntax> columns;
  do {
    if (IsSymbol(")") && !columns.empty()) break;
    for (const std::string_view word : {"PRIMARY", "FOREIGN", "CONSTRAINT"}) {
      const bool is_constraint = IsWord(word) && (IsWord("KEY", 1) || word == "CONSTRAINT");
      if (is_constraint) return UnsupportedError(fmt::format("{} constraint", word), position());
    }
    HF_ASSIGN_OR_RETURN(ColumnSyntax column, ParseColumnDefinition(typed));
    columns.push_back(std::move(column));
  } while (AcceptSymbol(","));
  HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  return columns;
}

Result<ColumnSyntax> Parser::ParseColumnDefinition(bool typed) {
  ColumnSyntax column;
  HF_ASSIGN_OR_RETURN(column.name, ParseIdentifier());
  if (typed) {
    HF_ASSIGN_OR_RETURN(column.type, ParseType());
  }
  if (IsWord("COLLATE")) return UnsupportedError("COLLATE", position());
  if (AcceptWord("DEFAULT")) {
    const size_t start = position().offset;
    HF_ASSIGN_OR_RETURN(const ExpressionPtr value, ParseBinary(1));
    const Token& last = tokens_[at_ - 1];
    column.default_sql = sql_.substr(start, last.position.offset + last.text.size() - start);
  }
  column.not_null = AcceptWords({"NOT", "NULL"});
  if (AcceptWord("OPTIONS")) {
    HF_ASSIGN_OR_RETURN(column.options, ParseOptions());
  }
  return column;
}

Result<std::vector<OptionSyntax>> Parser::ParseOptions() {
  HF_RETURN_IF_ERROR(ExpectSymbol("("));
  std::vector<OptionSyntax> options;
  if (AcceptSymbol(")")) return options;
  do {
    OptionSyntax option;
    HF_ASSIGN_OR_RETURN(option.name, ParseIdentifier());
    HF_RETURN_IF_ERROR(ExpectSymbol("="));
    HF_ASSIGN_OR_RETURN(option.value, ParseExpression());
    options.push_back(std::move(option));
  } while (AcceptSymbol(","));
  HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  return options;
}

}  // namespace holdfast::googlesql
