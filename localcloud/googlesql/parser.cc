#include "localcloud/googlesql/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "localcloud/googlesql/parser_internal.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

// "keyword FROM", "identifier \"x\"", "integer literal \"1\"": how BigQuery names a token.
std::string Describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::kEnd:
      return "end of statement";
    case TokenKind::kIdentifier:
      if (IsReservedWord(token.text)) return "keyword " + UpperCase(token.text);
      return fmt::format("identifier \"{}\"", token.text);
    case TokenKind::kQuotedIdentifier:
      return fmt::format("identifier {}", token.text);
    case TokenKind::kString:
      return fmt::format("string literal {}", token.text);
    case TokenKind::kBytes:
      return fmt::format("bytes literal {}", token.text);
    case TokenKind::kInteger:
      return fmt::format("integer literal \"{}\"", token.text);
    case TokenKind::kFloat:
      return fmt::format("floating point literal \"{}\"", token.text);
    default:
      return fmt::format("\"{}\"", token.text);
  }
}

Result<Parser> MakeParser(std::string_view sql) {
  HF_ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(sql));
  std::erase_if(tokens, [](const Token& token) {
    return token.kind == TokenKind::kWhitespace || token.kind == TokenKind::kComment;
  });
  return Parser(sql, std::move(tokens));
}

void SplitAtDots(const Identifier& quoted, std::vector<Identifier>& parts) {
  size_t start = 0;
  while (true) {
    const size_t dot = quoted.text.find('.', start);
    parts.push_back({quoted.text.substr(start, dot - start), quoted.position});
    if (dot == std::string::npos) return;
    start = dot + 1;
  }
}

}  // namespace

std::string PathName::ToString() const {
  std::string text;
  for (const Identifier& part : parts) text += (text.empty() ? "" : ".") + part.text;
  return text;
}

Result<ParsedStatement> ParseStatement(std::string_view sql) {
  HF_ASSIGN_OR_RETURN(Parser parser, MakeParser(sql));
  return parser.ParseWhole();
}

Result<ExpressionPtr> ParseExpressionText(std::string_view sql) {
  HF_ASSIGN_OR_RETURN(Parser parser, MakeParser(sql));
  return parser.ParseWholeExpression();
}

Parser::Parser(std::string_view sql, std::vector<Token> tokens)
    : sql_(sql), tokens_(std::move(tokens)) {
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (tokens_[i].kind == TokenKind::kPositionalParameter) parameters_.push_back(i);
  }
}

Result<ParsedStatement> Parser::ParseWhole() {
  while (AcceptSymbol(";")) {
  }
  HF_ASSIGN_OR_RETURN(Statement statement, ParseStatementBody());
  if (!IsSymbol(";") && Peek().kind != TokenKind::kEnd) return Expected("end of input");
  while (AcceptSymbol(";")) {
  }
  if (Peek().kind != TokenKind::kEnd) {
    return UnsupportedError("script of more than one statement", position());
  }
  std::sort(table_paths_.begin(), table_paths_.end(), [](const PathName& a, const PathName& b) {
    return a.position.offset < b.position.offset;
  });
  return ParsedStatement{std::move(statement), std::move(table_paths_)};
}

Result<ExpressionPtr> Parser::ParseWholeExpression() {
  HF_ASSIGN_OR_RETURN(ExpressionPtr expression, ParseExpression());
  if (Peek().kind != TokenKind::kEnd) return Expected("end of input");
  return expression;
}

const Token& Parser::Peek(size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

const Token& Parser::Next() {
  const Token& token = Peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool Parser::IsWord(std::string_view word, size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kIdentifier && SameWord(token.text, word);
}

bool Parser::IsSymbol(std::string_view symbol, size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kSymbol && token.text == symbol;
}

bool Parser::AcceptWord(std::string_view word) {
  if (!IsWord(word)) return false;
  Next();
  return true;
}

bool Parser::AcceptSymbol(std::string_view symbol) {
  if (!IsSymbol(symbol)) return false;
  Next();
  return true;
}

bool Parser::AcceptWords(std::initializer_list<std::string_view> words) {
  size_t ahead = 0;
  for (const std::string_view word : words) {
    if (!IsWord(word, ahead++)) return false;
  }
  at_ += words.size();
  return true;
}

Status Parser::ExpectWord(std::string_view word) {
  if (AcceptWord(word)) return {};
  return Expected("keyword " + std::string(word));
}

Status Parser::ExpectSymbol(std::string_view symbol) {
  if (AcceptSymbol(symbol)) return {};
  return Expected(fmt::format("\"{}\"", symbol));
}

size_t Parser::CountParametersBefore() const {
  return static_cast<size_t>(std::lower_bound(parameters_.begin(), parameters_.end(), at_) -
                             parameters_.begin());
}

Error Parser::Unexpected() const {
  return SyntaxError("Unexpected " + Describe(Peek()), position());
}

Error Parser::Expected(std::string_view what) const {
  return SyntaxError(fmt::format("Expected {} but got {}", what, Describe(Peek())), position());
}

Error Parser::TooDeep() const {
  return QueryLimitError(fmt::format("deep: more than {} levels", kSyntaxDepthMax), position());
}

bool Parser::IsName(size_t ahead) const {
  const Token& token = Peek(ahead);
  if (token.kind == TokenKind::kQuotedIdentifier) return true;
  return token.kind == TokenKind::kIdentifier && !IsReservedWord(token.text);
}

Result<Identifier> Parser::ParseIdentifier() {
  if (!IsName()) return Unexpected();
  const Token& token = Next();
  return Identifier{token.value, token.position};
}

Result<std::optional<Identifier>> Parser::ParseOptionalAlias(bool as_required) {
  if (AcceptWord("AS")) {
    HF_ASSIGN_OR_RETURN(Identifier alias, ParseIdentifier());
    return std::optional(std::move(alias));
  }
  if (as_required || !IsName()) return std::optional<Identifier>();
  HF_ASSIGN_OR_RETURN(Identifier alias, ParseIdentifier());
  return std::optional(std::move(alias));
}

// One part of a table's name. A project's name may have dashes without being quoted: the tokens
// that touch one another up to the next dot are one part.
Status Parser::ParsePathPart(PathName& path) {
  const Token& first = Peek();
  const bool after_dot = !path.parts.empty();
  if (first.kind == TokenKind::kQuotedIdentifier) {
    SplitAtDots({first.value, first.position}, path.parts);
    Next();
    return {};
  }
  if (first.kind != TokenKind::kIdentifier || (!after_dot && !IsName())) return Unexpected();
  Identifier part{std::string(first.text), first.position};
  size_t end = first.position.offset + first.text.size();
  Next();
  while (!after_dot && Peek().position.offset == end) {
    const Token& token = Peek();
    const bool is_dash = token.text == "-";
    const bool is_word = token.kind == TokenKind::kIdentifier ||
                         token.kind == TokenKind::kInteger || token.kind == TokenKind::kFloat;
    if (!is_dash && !is_word) break;
    if (is_dash && Peek(1).position.offset != end + 1) break;
    part.text += token.text;
    end += token.text.size();
    Next();
    if (part.text.back() == '.') {  // "my-project-1." was read as a number
      part.text.pop_back();
      path.parts.push_back(std::move(part));
      return ParsePathPart(path);
    }
  }
  path.parts.push_back(std::move(part));
  return {};
}

Result<PathName> Parser::ParsePathName() {
  PathName path;
  path.position = position();
  HF_RETURN_IF_ERROR(ParsePathPart(path));
  while (AcceptSymbol(".")) {
    HF_RETURN_IF_ERROR(ParsePathPart(path));
  }
  if (IsSymbol("*") &&
      Peek().position.offset == tokens_[at_ - 1].position.offset + tokens_[at_ - 1].text.size()) {
    return SyntaxError("A table name with a wildcard must be quoted with backticks", position());
  }
  const Token& last = tokens_[at_ - 1];
  path.size_bytes = last.position.offset + last.text.size() - path.position.offset;
  return path;
}

Result<std::vector<Identifier>> Parser::ParseColumnList() {
  HF_RETURN_IF_ERROR(ExpectSymbol("("));
  std::vector<Identifier> columns;
  do {
    HF_ASSIGN_OR_RETURN(Identifier column, ParseIdentifier());
    columns.push_back(std::move(column));
  } while (AcceptSymbol(","));
  HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  return columns;
}

Result<TypeSyntax> Parser::ParseType() {
  const Level level(depth_);
  if (level.too_deep()) return TooDeep();
  if (Peek().kind != TokenKind::kIdentifier) return Unexpected();
  TypeSyntax type;
  type.position = position();
  type.name = UpperCase(Next().text);
  if (type.name == "ARRAY" || type.name == "STRUCT" || type.name == "RANGE") {
    HF_RETURN_IF_ERROR(ParseTypeMembers(type));
  } else if (IsSymbol("(")) {
    HF_RETURN_IF_ERROR(ParseTypeParameters(type));
  }
  return type;
}

Status Parser::ExpectTypeClose() {
  if (type_close_pending_) {
    type_close_pending_ = false;
    return {};
  }
  if (AcceptSymbol(">>")) {
    type_close_pending_ = true;
    return {};
  }
  return ExpectSymbol(">");
}

Status Parser::ParseTypeMembers(TypeSyntax& type) {
  HF_RETURN_IF_ERROR(ExpectSymbol("<"));
  do {
    std::string name;
    // A member of STRUCT is "name TYPE" or "TYPE": two words in a row tell them apart.
    if (type.name == "STRUCT" && Peek(1).kind == TokenKind::kIdentifier) {
      HF_ASSIGN_OR_RETURN(const Identifier identifier, ParseIdentifier());
      name = identifier.text;
    }
    HF_ASSIGN_OR_RETURN(TypeSyntax member, ParseType());
    type.members.push_back({std::move(name), std::move(member)});
  } while (type.name == "STRUCT" && !type_close_pending_ && AcceptSymbol(","));
  return ExpectTypeClose();
}

Status Parser::ParseTypeParameters(TypeSyntax& type) {
  HF_RETURN_IF_ERROR(ExpectSymbol("("));
  do {
    const Token& token = Next();
    int value = 0;
    const char* const end = token.text.data() + token.text.size();
    if (token.kind != TokenKind::kInteger ||
        std::from_chars(token.text.data(), end, value).ptr != end) {
      return SyntaxError("Expected an integer literal as type parameter", token.position);
    }
    type.parameters.push_back(value);
  } while (AcceptSymbol(","));
  return ExpectSymbol(")");
}

}  // namespace holdfast::googlesql
