#include "localcloud/googlesql/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "localcloud/googlesql/literal.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

constexpr std::array<std::string_view, 97> kReservedWords = {"ALL",
                                                             "AND",
                                                             "ANY",
                                                             "ARRAY",
                                                             "AS",
                                                             "ASC",
                                                             "ASSERT_ROWS_MODIFIED",
                                                             "AT",
                                                             "BETWEEN",
                                                             "BY",
                                                             "CASE",
                                                             "CAST",
                                                             "COLLATE",
                                                             "CONTAINS",
                                                             "CREATE",
                                                             "CROSS",
                                                             "CUBE",
                                                             "CURRENT",
                                                             "DEFAULT",
                                                             "DEFINE",
                                                             "DESC",
                                                             "DISTINCT",
                                                             "ELSE",
                                                             "END",
                                                             "ENUM",
                                                             "ESCAPE",
                                                             "EXCEPT",
                                                             "EXCLUDE",
                                                             "EXISTS",
                                                             "EXTRACT",
                                                             "FALSE",
                                                             "FETCH",
                                                             "FOLLOWING",
                                                             "FOR",
                                                             "FROM",
                                                             "FULL",
                                                             "GROUP",
                                                             "GROUPING",
                                                             "GROUPS",
                                                             "HASH",
                                                             "HAVING",
                                                             "IF",
                                                             "IGNORE",
                                                             "IN",
                                                             "INNER",
                                                             "INTERSECT",
                                                             "INTERVAL",
                                                             "INTO",
                                                             "IS",
                                                             "JOIN",
                                                             "LATERAL",
                                                             "LEFT",
                                                             "LIKE",
                                                             "LIMIT",
                                                             "LOOKUP",
                                                             "MERGE",
                                                             "NATURAL",
                                                             "NEW",
                                                             "NO",
                                                             "NOT",
                                                             "NULL",
                                                             "NULLS",
                                                             "OF",
                                                             "ON",
                                                             "OR",
                                                             "ORDER",
                                                             "OUTER",
                                                             "OVER",
                                                             "PARTITION",
                                                             "PRECEDING",
                                                             "PROTO",
                                                             "QUALIFY",
                                                             "RANGE",
                                                             "RECURSIVE",
                                                             "RESPECT",
                                                             "RIGHT",
                                                             "ROLLUP",
                                                             "ROWS",
                                                             "SELECT",
                                                             "SET",
                                                             "SOME",
                                                             "STRUCT",
                                                             "TABLESAMPLE",
                                                             "THEN",
                                                             "TO",
                                                             "TREAT",
                                                             "TRUE",
                                                             "UNBOUNDED",
                                                             "UNION",
                                                             "UNNEST",
                                                             "USING",
                                                             "WHEN",
                                                             "WHERE",
                                                             "WINDOW",
                                                             "WITH",
                                                             "WITHIN",
                                                             "GRAPH_TABLE"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool IsWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsWord(char c) { return IsWordStart(c) || IsDigit(c); }
bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

class Lexer {
 public:
  explicit Lexer(std::string_view sql) : sql_(sql) {}

  Result<std::vector<Token>> Run() {
    while (at_ < sql_.size()) {
      start_ = at_;
      start_position_ = position_;
      HF_RETURN_IF_ERROR(LexOne());
    }
    tokens_.push_back({TokenKind::kEnd, position_, sql_.substr(sql_.size()), {}});
    return std::move(tokens_);
  }

 private:
  char Peek(size_t ahead = 0) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }

  bool StartsWith(std::string_view text) const { return sql_.substr(at_).starts_with(text); }

  Status LexOne() {
    const char c = Peek();
    if (IsSpace(c)) return LexWhile(TokenKind::kWhitespace, IsSpace);
    if (c == '#' || StartsWith("--")) return LexLineComment();
    if (StartsWith("/*")) return LexBlockComment();
    if (AfterNameDot() && IsWord(c)) return LexWord();
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)) && !AfterName())) return LexNumber();
    if (c == '`') return LexQuotedIdentifier();
    if (LiteralPrefixLength() >= 0) return LexLiteral(static_cast<size_t>(LiteralPrefixLength()));
    if (IsWordStart(c)) return LexWord();
    if (c == '@') return LexVariable();
    if (c == '?') return Finish(TokenKind::kPositionalParameter, at_ + 1, {});
    return LexSymbol();
  }

  // The last token, if it touches the next byte and is a name or a closing bracket.
  bool AfterName() const {
    if (tokens_.empty()) return false;
    const Token& last = tokens_.back();
    return last.kind == TokenKind::kIdentifier || last.kind == TokenKind::kQuotedIdentifier ||
           last.text == ")" || last.text == "]";
  }

  bool AfterNameDot() const {
    if (tokens_.size() < 2 || tokens_.back().text != ".") return false;
    const Token& name = tokens_[tokens_.size() - 2];
    if (name.kind == TokenKind::kIdentifier) return true;
    return name.kind == TokenKind::kQuotedIdentifier || name.text == ")" || name.text == "]";
  }

  // Ends the current token before byte `end` and moves the place there.
  Status Finish(TokenKind kind, size_t end, std::string value) {
    tokens_.push_back({kind, start_position_, sql_.substr(start_, end - start_), std::move(value)});
    at_ = start_;
    while (at_ < end) {
      const size_t length = Utf8Length(sql_.substr(at_));
      if (length == 0 || at_ + length > end) {
        return SyntaxError("Query text is not valid UTF-8", position_);
      }
      const bool new_line =
          sql_[at_] == '\n' ||
          (sql_[at_] == '\r' && (at_ + 1 >= sql_.size() || sql_[at_ + 1] != '\n'));
      position_.line += new_line ? 1 : 0;
      position_.column = new_line ? 1 : position_.column + 1;
      at_ += length;
      position_.offset = at_;
    }
    return {};
  }

  template <typename Predicate>
  Status LexWhile(TokenKind kind, Predicate predicate) {
    size_t end = at_;
    while (end < sql_.size() && predicate(sql_[end])) ++end;
    return Finish(kind, end, {});
  }

  Status LexLineComment() {
    const size_t end = sql_.find_first_of("\r\n", at_);
    return Finish(TokenKind::kComment, end == std::string_view::npos ? sql_.size() : end, {});
  }

  Status LexBlockComment() {
    const size_t end = sql_.find("*/", at_ + 2);
    if (end == std::string_view::npos) return SyntaxError("Unclosed comment", start_position_);
    return Finish(TokenKind::kComment, end + 2, {});
  }

  Status LexWord() {
    size_t end = at_;
    while (end < sql_.size() && IsWord(sql_[end])) ++end;
    return Finish(TokenKind::kIdentifier, end, std::string(sql_.substr(at_, end - at_)));
  }

  Status LexNumber() {
    size_t end = at_;
    if (Peek() == '0' && (Peek(1) == 'x' || Peek(1) == 'X') && IsHexDigit(Peek(2))) {
      end += 2;
      while (end < sql_.size() && IsHexDigit(sql_[end])) ++end;
      return Finish(TokenKind::kInteger, end, {});
    }
    const auto digits = [this, &end] {
      while (end < sql_.size() && IsDigit(sql_[end])) ++end;
    };
    digits();
    bool is_float = false;
    if (end < sql_.size() && sql_[end] == '.') {
      is_float = true;
      ++end;
      digits();
    }
    size_t exponent = end;
    if (exponent < sql_.size() && (sql_[exponent] == 'e' || sql_[exponent] == 'E')) {
      ++exponent;
      if (exponent < sql_.size() && (sql_[exponent] == '+' || sql_[exponent] == '-')) ++exponent;
      if (exponent < sql_.size() && IsDigit(sql_[exponent])) {
        is_float = true;
        end = exponent;
        digits();
      }
    }
    return Finish(is_float ? TokenKind::kFloat : TokenKind::kInteger, end, {});
  }

  Status LexQuotedIdentifier() {
    size_t end = at_ + 1;
    while (end < sql_.size() && sql_[end] != '`' && sql_[end] != '\n') {
      end += sql_[end] == '\\' && end + 1 < sql_.size() ? 2 : 1;
    }
    if (end >= sql_.size() || sql_[end] != '`') {
      return SyntaxError("Unclosed identifier literal", start_position_);
    }
    HF_ASSIGN_OR_RETURN(std::string value, DecodeEscapes(sql_.substr(at_ + 1, end - at_ - 1),
                                                         LiteralKind::kText, start_position_));
    if (value.empty()) return SyntaxError("Invalid empty identifier", start_position_);
    if (value.find('\0') != std::string::npos) {
      return SyntaxError("Invalid identifier: it holds a NUL character", start_position_);
    }
    return Finish(TokenKind::kQuotedIdentifier, end + 1, std::move(value));
  }

  // The number of letters (r, b, br, rb) before the quote of a literal that starts here, or -1.
  int LiteralPrefixLength() const {
    int length = 0;
    bool raw = false;
    bool bytes = false;
    for (; length < 2; ++length) {
      const char c = Peek(static_cast<size_t>(length));
      bool* const flag = (c == 'r' || c == 'R') ? &raw : (c == 'b' || c == 'B') ? &bytes : nullptr;
      if (flag == nullptr || *flag) break;
      *flag = true;
    }
    const char quote = Peek(static_cast<size_t>(length));
    return quote == '\'' || quote == '"' ? length : -1;
  }

  Status LexLiteral(size_t prefix_length) {
    const std::string_view prefix = sql_.substr(at_, prefix_length);
    const bool raw = prefix.find_first_of("rR") != std::string_view::npos;
    const bool bytes = prefix.find_first_of("bB") != std::string_view::npos;
    const size_t quote = at_ + prefix_length;
    const std::string triple(3, sql_[quote]);
    const bool is_triple = sql_.substr(quote).starts_with(triple);
    const std::string_view close = is_triple ? std::string_view(triple) : sql_.substr(quote, 1);
    const size_t body = quote + close.size();
    size_t end = body;
    while (end < sql_.size() && !sql_.substr(end).starts_with(close)) {
      if (!is_triple && (sql_[end] == '\n' || sql_[end] == '\r')) break;
      end += sql_[end] == '\\' && end + 1 < sql_.size() ? 2 : 1;
    }
    if (end >= sql_.size() || !sql_.substr(end).starts_with(close)) {
      return SyntaxError(fmt::format("Unclosed {}{} literal", is_triple ? "triple-quoted " : "",
                                     bytes ? "bytes" : "string"),
                         start_position_);
    }
    std::string value(sql_.substr(body, end - body));
    if (!raw) {
      HF_ASSIGN_OR_RETURN(
          value,
          DecodeEscapes(value, bytes ? LiteralKind::kBytes : LiteralKind::kText, start_position_));
    }
    return Finish(bytes ? TokenKind::kBytes : TokenKind::kString, end + close.size(),
                  std::move(value));
  }

  Status LexVariable() {
    const size_t name = StartsWith("@@") ? at_ + 2 : at_ + 1;
    size_t end = name;
    while (end < sql_.size() && IsWord(sql_[end])) ++end;
    if (end == name) return SyntaxError("Illegal input character \"@\"", start_position_);
    return Finish(name == at_ + 2 ? TokenKind::kSystemVariable : TokenKind::kNamedParameter, end,
                  std::string(sql_.substr(name, end - name)));
  }

  Status LexSymbol() {
    constexpr std::array<std::string_view, 9> kLong = {"<<", ">>", "<=", ">=", "<>",
                                                       "!=", "||", "=>", "|>"};
    for (const std::string_view symbol : kLong) {
      if (StartsWith(symbol)) return Finish(TokenKind::kSymbol, at_ + symbol.size(), {});
    }
    constexpr std::string_view kShort = "()[]{},.;:+-*/%=<>~^&|!$";
    if (kShort.find(Peek()) != std::string_view::npos) {
      return Finish(TokenKind::kSymbol, at_ + 1, {});
    }
    const size_t length = Utf8Length(sql_.substr(at_));
    if (length == 0) return SyntaxError("Query text is not valid UTF-8", start_position_);
    return SyntaxError(
        length == 1 && Peek() < ' '
            ? fmt::format("Illegal input character \"\\x{:02x}\"", static_cast<int>(Peek()))
            : fmt::format("Illegal input character \"{}\"", sql_.substr(at_, length)),
        start_position_);
  }

  std::string_view sql_;
  size_t at_ = 0;
  Position position_;
  size_t start_ = 0;
  Position start_position_;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> Tokenize(std::string_view sql) {
  if (sql.size() > kQuerySizeBytesMax) {
    return QueryLimitError(fmt::format("long: more than {} bytes", kQuerySizeBytesMax), {});
  }
  return Lexer(sql).Run();
}

bool IsReservedWord(std::string_view word) {
  return std::any_of(kReservedWords.begin(), kReservedWords.end(),
                     [word](std::string_view reserved) { return SameWord(reserved, word); });
}

}  // namespace holdfast::googlesql
