#include <fmt/format.h>

#include <array>

#include "localcloud/googlesql/parser_internal.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

// Statements of GoogleSQL that localcloud does not carry out.
constexpr std::array<std::string_view, 24> kUnsupportedStatements = {
    "MERGE",  "DECLARE", "BEGIN", "EXECUTE", "CALL",   "LOAD",   "EXPORT",   "GRANT",
    "REVOKE", "ASSERT",  "IF",    "LOOP",    "WHILE",  "FOR",    "REPEAT",   "SET",
    "COMMIT", "RETURN",  "RAISE", "EXPLAIN", "RENAME", "UNDROP", "ROLLBACK", "FROM"};

}  // namespace

Result<Statement> Parser::ParseStatementBody() {
  const Position at = position();
  if (AtQuery()) {
    HF_ASSIGN_OR_RETURN(QueryPtr query, ParseQuery());
    return Statement{at, QueryStatement{std::move(query)}};
  }
  if (IsWord("CREATE")) return ParseCreate();
  if (IsWord("DROP")) return ParseDrop();
  if (IsWord("ALTER")) return ParseAlter();
  if (IsWord("INSERT")) return ParseInsert();
  if (IsWord("UPDATE")) return ParseUpdate();
  if (IsWord("DELETE")) return ParseDelete();
  if (IsWord("TRUNCATE")) return ParseTruncate();
  for (const std::string_view word : kUnsupportedStatements) {
    if (IsWord(word)) return UnsupportedError(fmt::format("statement {}", word), at);
  }
  return Unexpected();
}

Result<PathName> Parser::ParseTargetPath() {
  HF_ASSIGN_OR_RETURN(PathName path, ParsePathName());
  table_paths_.push_back(path);
  return path;
}

Result<ExpressionPtr> Parser::ParseValueOrDefault() {
  if (AcceptWord("DEFAULT")) return ExpressionPtr();
  return ParseExpression();
}

Status Parser::ParseValues(InsertStatement& insert) {
  do {
    HF_RETURN_IF_ERROR(ExpectSymbol("("));
    std::vector<ExpressionPtr> row;
    do {
      HF_ASSIGN_OR_RETURN(ExpressionPtr value, ParseValueOrDefault());
      row.push_back(std::move(value));
    } while (AcceptSymbol(","));
    HF_RETURN_IF_ERROR(ExpectSymbol(")"));
    insert.rows.push_back(std::move(row));
  } while (AcceptSymbol(","));
  return {};
}

Result<Statement> Parser::ParseInsert() {
  const Position at = position();
  Next();
  AcceptWord("INTO");
  InsertStatement insert;
  HF_ASSIGN_OR_RETURN(insert.table, ParseTargetPath());
  if (IsSymbol("(") && !AtQuery()) {
    HF_ASSIGN_OR_RETURN(insert.columns, ParseColumnList());
  }
  if (AcceptWord("VALUES")) {
    HF_RETURN_IF_ERROR(ParseValues(insert));
  } else if (AtQuery()) {
    HF_ASSIGN_OR_RETURN(insert.query, ParseQuery());
  } else {
    return Expected("keyword VALUES or SELECT");
  }
  return Statement{at, std::move(insert)};
}

Result<Statement> Parser::ParseUpdate() {
  const Position at = position();
  Next();
  UpdateStatement update;
  HF_ASSIGN_OR_RETURN(update.table, ParseTargetPath());
  HF_ASSIGN_OR_RETURN(update.alias, ParseOptionalAlias(false));
  NameAlias(update.alias ? update.alias : std::optional(update.table.parts.back()));
  HF_RETURN_IF_ERROR(ExpectWord("SET"));
  do {
    std::vector<Identifier> column;
    do {
      HF_ASSIGN_OR_RETURN(Identifier part, ParseIdentifier());
      column.push_back(std::move(part));
    } while (AcceptSymbol("."));
    HF_RETURN_IF_ERROR(ExpectSymbol("="));
    HF_ASSIGN_OR_RETURN(ExpressionPtr value, ParseValueOrDefault());
    update.assignments.emplace_back(std::move(column), std::move(value));
  } while (AcceptSymbol(","));
  if (AcceptWord("FROM")) {
    HF_ASSIGN_OR_RETURN(update.from, ParseFrom());
  }
  if (!AcceptWord("WHERE")) {
    return SyntaxError("UPDATE must have a WHERE clause", position());
  }
  HF_ASSIGN_OR_RETURN(update.where, ParseExpression());
  return Statement{at, std::move(update)};
}

Result<Statement> Parser::ParseDelete() {
  const Position at = position();
  Next();
  AcceptWord("FROM");
  DeleteStatement statement;
  HF_ASSIGN_OR_RETURN(statement.table, ParseTargetPath());
  HF_ASSIGN_OR_RETURN(statement.alias, ParseOptionalAlias(false));
  NameAlias(statement.alias ? statement.alias : std::optional(statement.table.parts.back()));
  if (!AcceptWord("WHERE")) {
    return SyntaxError("DELETE must have a WHERE clause", position());
  }
  HF_ASSIGN_OR_RETURN(statement.where, ParseExpression());
  return Statement{at, std::move(statement)};
}

Result<Statement> Parser::ParseTruncate() {
  const Position at = position();
  Next();
  HF_RETURN_IF_ERROR(ExpectWord("TABLE"));
  TruncateStatement truncate;
  HF_ASSIGN_OR_RETURN(truncate.table, ParseTargetPath());
  return Statement{at, std::move(truncate)};
}

Result<Statement> Parser::ParseDrop() {
  const Position at = position();
  Next();
  DropStatement drop;
  const Position object = position();
  if (AcceptWords({"SNAPSHOT", "TABLE"})) {
    drop.kind = DropPlan::Kind::kSnapshot;
  } else if (AcceptWord("TABLE")) {
    drop.kind = DropPlan::Kind::kTable;
  } else if (AcceptWord("VIEW")) {
    drop.kind = DropPlan::Kind::kView;
  } else if (AcceptWord("SCHEMA")) {
    drop.kind = DropPlan::Kind::kSchema;
  } else {
    return UnsupportedError(fmt::format("DROP {}", UpperCase(Peek().text)), object);
  }
  drop.if_exists = AcceptWords({"IF", "EXISTS"});
  if (drop.kind == DropPlan::Kind::kSchema) {
    HF_ASSIGN_OR_RETURN(drop.name, ParsePathName());
    drop.cascade = AcceptWord("CASCADE");
    if (!drop.cascade) AcceptWord("RESTRICT");
  } else {
    HF_ASSIGN_OR_RETURN(drop.name, ParseTargetPath());
  }
  return Statement{at, std::move(drop)};
}

Result<Statement> Parser::ParseAlter() {
  const Position at = position();
  Next();
  const Position object = position();
  SetOptionsStatement alter;
  if (AcceptWord("TABLE")) {
    alter.kind = SetOptionsPlan::Kind::kTable;
  } else if (AcceptWord("VIEW")) {
    alter.kind = SetOptionsPlan::Kind::kView;
  } else if (AcceptWord("SCHEMA")) {
    alter.kind = SetOptionsPlan::Kind::kSchema;
  } else {
    return UnsupportedError(fmt::format("ALTER {}", UpperCase(Peek().text)), object);
  }
  alter.if_exists = AcceptWords({"IF", "EXISTS"});
  HF_ASSIGN_OR_RETURN(alter.name, alter.kind == SetOptionsPlan::Kind::kSchema ? ParsePathName()
                                                                              : ParseTargetPath());
  if (alter.kind == SetOptionsPlan::Kind::kTable && IsWord("ADD") && IsWord("COLUMN", 1)) {
    return ParseAddColumns(std::move(alter.name), alter.if_exists);
  }
  const Position action = position();
  if (!AcceptWords({"SET", "OPTIONS"})) {
    return UnsupportedError(
        fmt::format("ALTER {} {}", UpperCase(Peek().text), UpperCase(Peek(1).text)), action);
  }
  HF_ASSIGN_OR_RETURN(alter.options, ParseOptions());
  return Statement{at, std::move(alter)};
}

Result<Statement> Parser::ParseAddColumns(PathName table, bool if_exists) {
  AddColumnsStatement add;
  const Position at = table.position;
  add.table = std::move(table);
  add.if_exists = if_exists;
  do {
    if (!AcceptWords({"ADD", "COLUMN"})) return Expected("keyword ADD COLUMN");
    AddColumnsStatement::Item item;
    item.if_not_exists = AcceptWords({"IF", "NOT", "EXISTS"});
    HF_ASSIGN_OR_RETURN(item.column, ParseColumnDefinition(true));
    add.items.push_back(std::move(item));
  } while (AcceptSymbol(","));
  return Statement{at, std::move(add)};
}

}  // namespace holdfast::googlesql
