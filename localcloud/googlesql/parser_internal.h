// The parser's own class: a cursor over the tokens, and one method per rule of the grammar.
//
// Private to the parser's files: parser.cc (cursor, names, types), parse_expression.cc,
// parse_function.cc, parse_query.cc, parse_from.cc, parse_statement.cc and parse_create.cc.
// A method that starts with `Parse` stands at its rule's first token and ends behind its last.
// Not thread-safe; one parser per text.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "localcloud/googlesql/parser.h"
#include "localcloud/googlesql/tokenizer.h"

namespace holdfast::googlesql {

class Parser {
 public:
  // `tokens` without trivia, ended by kEnd.
  Parser(std::string_view sql, std::vector<Token> tokens);

  // The text as one statement (semicolons around it are fine), or as one expression. Call one of
  // them, once. Errors: as ParseStatement (parser.h).
  Result<ParsedStatement> ParseWhole();
  Result<ExpressionPtr> ParseWholeExpression();

 private:
  // Counts one level of recursion for as long as it lives.
  class Level {
   public:
    explicit Level(int& depth) : depth_(depth) { ++depth_; }
    ~Level() { --depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    bool too_deep() const { return depth_ > kSyntaxDepthMax; }

   private:
    int& depth_;
  };

  // What a FROM clause being read has named so far: a path that starts with such a name is an
  // array.
  struct NameScope {
    std::vector<std::string> common_tables;
    std::vector<std::string> aliases;
  };

  // The cursor.
  const Token& Peek(size_t ahead = 0) const;
  const Token& Next();
  Position position() const { return Peek().position; }
  bool IsWord(std::string_view word, size_t ahead = 0) const;
  bool IsSymbol(std::string_view symbol, size_t ahead = 0) const;
  bool AcceptWord(std::string_view word);
  bool AcceptSymbol(std::string_view symbol);
  // All of the words, or none.
  bool AcceptWords(std::initializer_list<std::string_view> words);
  Status ExpectWord(std::string_view word);
  Status ExpectSymbol(std::string_view symbol);
  // How many `?` stand before the next token.
  size_t CountParametersBefore() const;
  Error Unexpected() const;
  Error Expected(std::string_view what) const;
  Error TooDeep() const;

  // Names and types (parser.cc).
  bool IsName(size_t ahead = 0) const;
  Result<Identifier> ParseIdentifier();
  Result<std::optional<Identifier>> ParseOptionalAlias(bool as_required);
  Result<PathName> ParsePathName();
  Status ParsePathPart(PathName& path);
  Result<std::vector<Identifier>> ParseColumnList();
  Result<TypeSyntax> ParseType();
  Status ParseTypeMembers(TypeSyntax& type);
  Status ParseTypeParameters(TypeSyntax& type);
  Status ExpectTypeClose();

  // Expressions (parse_expression.cc, parse_primary.cc, parse_function.cc).
  // Wraps a node; fails if the tree below it is too deep.
  Result<ExpressionPtr> Make(Position at, ExpressionNode node);
  Result<ExpressionPtr> ParseExpression();
  Result<ExpressionPtr> ParseChain(std::string_view word);
  Result<ExpressionPtr> ParseNot();
  Result<ExpressionPtr> ParseComparison();
  Result<ExpressionPtr> ParseComparisonTail(ExpressionPtr left, Position at);
  Result<ExpressionPtr> ParseIs(ExpressionPtr value, Position at);
  Result<ExpressionPtr> ParseIn(ExpressionPtr value, bool negated, Position at);
  Result<ExpressionPtr> ParseBetween(ExpressionPtr value, bool negated, Position at);
  Result<ExpressionPtr> ParseBinary(int precedence_min);
  Result<ExpressionPtr> ParseConcatenation(ExpressionPtr first, Position at);
  Result<ExpressionPtr> ParseUnary();
  Result<ExpressionPtr> ParsePostfix();
  Result<ExpressionPtr> ParseSubscript(ExpressionPtr base);
  Result<ExpressionPtr> ParsePrimary();
  Result<ExpressionPtr> ParseLiteral();
  Result<ExpressionPtr> ParseWordPrimary();
  Result<ExpressionPtr> ParseParenthesized();
  Result<ExpressionPtr> ParseCase();
  Result<ExpressionPtr> ParseCast(bool safe);
  Result<ExpressionPtr> ParseExtract();
  Result<ExpressionPtr> ParseArray();
  Result<ExpressionPtr> ParseArrayElements(std::optional<TypeSyntax> element, Position at);
  Result<ExpressionPtr> ParseStruct();
  Result<ExpressionPtr> ParseInterval();
  Result<ExpressionPtr> ParseSubquery(SubqueryExpression::Kind kind);
  Result<ExpressionPtr> ParseNameOrCall();
  Result<ExpressionPtr> ParseFunctionCall(std::string name, bool safe, Position at);
  Status ParseArguments(FunctionCall& call);
  Status ParseAggregateClauses(FunctionCall& call);
  Result<Window> ParseWindow();
  Result<Window> ParseWindowSpecification();
  Result<WindowFrame> ParseFrame();
  Result<FrameBound> ParseFrameBound();
  Result<std::vector<ExpressionPtr>> ParseExpressionList();
  Result<std::vector<OrderItem>> ParseOrderItems();
  // The word of a date part: "DAY", "WEEK(MONDAY)"; upper case.
  Result<std::string> ParseDatePart();

  // Queries (parse_query.cc, parse_from.cc).
  bool AtQuery(size_t ahead = 0) const;
  Result<QueryPtr> ParseQuery();
  Status ParseWith(Query& query);
  Result<QueryPtr> ParseQueryBody();
  Result<QueryPtr> ParseQueryPrimary();
  Result<std::string> ParseSetOperator();
  Result<Select> ParseSelect();
  // The token of this SELECT's FROM, or 0 if it has none.
  size_t FindFrom() const;
  Status ParseSelectList(Select& select);
  Result<SelectItem> ParseSelectItem();
  Status ParseStarModifiers(SelectItem& item);
  Status ParseSelectClauses(Select& select);
  Result<GroupBy> ParseGroupBy();
  Status ParseOrderAndLimit(Query& query);
  Result<FromItemPtr> ParseFrom();
  Result<FromItemPtr> ParseJoined();
  bool AtSubquery() const;
  Result<FromItemPtr> ParseFromPrimary();
  Result<FromItemPtr> ParseTableItem();
  Result<FromItemPtr> ParseUnnest();
  Status ParseWithOffset(bool& with_offset, std::optional<Identifier>& alias);
  Result<std::optional<JoinItem::Kind>> ParseJoinKind();
  Result<FromItemPtr> MakeJoin(JoinItem join, Position at);
  Status RejectTableOperators() const;
  Result<ExpressionPtr> ParseSystemTime();
  void NameAlias(const std::optional<Identifier>& alias);
  bool IsCommonTable(std::string_view name) const;
  bool IsAlias(std::string_view name) const;

  // Statements (parse_statement.cc, parse_create.cc).
  Result<Statement> ParseStatementBody();
  Result<Statement> ParseCreate();
  Result<Statement> ParseCreateTable(IfExists if_exists);
  Status ParseCreateTableClauses(CreateTableStatement& create);
  Result<Statement> ParseCopyTable(CopyTablePlan::Kind kind, PathName table, IfExists if_exists);
  Result<Statement> ParseCreateView(IfExists if_exists);
  Result<Statement> ParseCreateSchema();
  Status ParseIfNotExists(IfExists& if_exists);
  Result<std::vector<ColumnSyntax>> ParseColumnDefinitions(bool typed);
  Result<ColumnSyntax> ParseColumnDefinition(bool typed);
  Result<std::vector<OptionSyntax>> ParseOptions();
  Result<Statement> ParseDrop();
  Result<Statement> ParseAlter();
  Result<Statement> ParseAddColumns(PathName table, bool if_exists);
  Result<Statement> ParseInsert();
  Status ParseValues(InsertStatement& insert);
  Result<ExpressionPtr> ParseValueOrDefault();
  Result<Statement> ParseUpdate();
  Result<Statement> ParseDelete();
  Result<Statement> ParseTruncate();
  Result<PathName> ParseTargetPath();

  std::string_view sql_;
  std::vector<Token> tokens_;
  std::vector<size_t> parameters_;  // which tokens are `?`
  size_t at_ = 0;
  int depth_ = 0;    // of the recursion
  int tallest_ = 0;  // the deepest expression of the query that is being read
  std::vector<NameScope> scopes_{1};
  std::vector<PathName> table_paths_;
  bool type_close_pending_ = false;  // one '>' of a '>>' was used: ARRAY<STRUCT<a INT64>>
};

}  // namespace holdfast::googlesql
