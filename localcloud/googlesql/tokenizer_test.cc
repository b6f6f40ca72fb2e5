#include "localcloud/googlesql/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "localcloud/googlesql/table_paths.h"

namespace holdfast::googlesql {
namespace {

std::string Joined(const std::vector<Token>& tokens) {
  std::string text;
  for (const Token& token : tokens) text += token.text;
  return text;
}

const Token& First(const std::vector<Token>& tokens) { return tokens.front(); }

struct LiteralCase {
  std::string_view sql;
  TokenKind kind;
  std::string value;
};

TEST(Tokenizer, DecodesEveryKindOfLiteral) {
  const std::vector<LiteralCase> cases = {
      {R"('a''')", TokenKind::kString, "a"},  // the second literal follows
      {R"("it's")", TokenKind::kString, "it's"},
      {R"('\n\t\\\x41\101\u00e9\U0001F600')", TokenKind::kString, "\n\t\\AA\u00e9\U0001F600"},
      {R"(r'\n')", TokenKind::kString, "\\n"},
      {"'''a\n'b'\"'''", TokenKind::kString, "a\n'b'\""},
      {R"("""x""")", TokenKind::kString, "x"},
      {R"(b'\xff\x00')", TokenKind::kBytes, std::string("\xff\0", 2)},
      {R"(rb'\x')", TokenKind::kBytes, "\\x"},
      {"`a\\`b`", TokenKind::kQuotedIdentifier, "a`b"},
      {"@name", TokenKind::kNamedParameter, "name"},
      {"@@time_zone", TokenKind::kSystemVariable, "time_zone"},
      {"?", TokenKind::kPositionalParameter, ""},
      {"0xFF", TokenKind::kInteger, ""},
      {"1.5e-3", TokenKind::kFloat, ""},
      {".5", TokenKind::kFloat, ""},
  };
  for (const LiteralCase& entry : cases) {
    const auto tokens = Tokenize(entry.sql);
    ASSERT_TRUE(tokens.ok()) << entry.sql << ": " << tokens.error().message;
    EXPECT_EQ(First(*tokens).kind, entry.kind) << entry.sql;
    EXPECT_EQ(First(*tokens).value, entry.value) << entry.sql;
  }
}

TEST(Tokenizer, PlacesTokensByLineAndCodePoint) {
  const auto tokens = Tokenize("SELECT '\u00e9\u00e9',\r\n  x");
  ASSERT_TRUE(tokens.ok());
  const Token& x = (*tokens)[tokens->size() - 2];
  EXPECT_EQ(x.text, "x");
  EXPECT_EQ(x.position.line, 2);
  EXPECT_EQ(x.position.column, 3);
  EXPECT_EQ((*tokens)[3].position.column, 12);  // the comma behind two letters of two bytes
}

TEST(Tokenizer, RefusesMalformedTextAtItsPlace) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"SELECT 'abc", "Syntax error: Unclosed string literal at [1:8]"},
      {"SELECT b'abc", "Syntax error: Unclosed bytes literal at [1:8]"},
      {"SELECT '''abc", "Syntax error: Unclosed triple-quoted string literal at [1:8]"},
      {"SELECT `abc", "Syntax error: Unclosed identifier literal at [1:8]"},
      {"SELECT ``", "Syntax error: Invalid empty identifier at [1:8]"},
      {"SELECT /* x", "Syntax error: Unclosed comment at [1:8]"},
      {"SELECT '\\q'", "Syntax error: Illegal escape sequence: \\q at [1:8]"},
      {"SELECT '\\uD800'", "Syntax error: Illegal escape sequence: \\u at [1:8]"},
      {"SELECT b'\\u0041'", "Syntax error: Illegal escape sequence: \\u at [1:8]"},
      {"SELECT \\", "Syntax error: Illegal input character \"\\\" at [1:8]"},
      {"SELECT \xff", "Syntax error: Query text is not valid UTF-8 at [1:8]"},
      {"SELECT '\xc0\x80'", "Syntax error: Query text is not valid UTF-8 at [1:9]"},
  };
  for (const auto& [sql, message] : cases) {
    const auto tokens = Tokenize(sql);
    ASSERT_FALSE(tokens.ok()) << sql;
    EXPECT_EQ(tokens.error().message, message);
    EXPECT_EQ(tokens.error().reason, "invalidQuery");
  }
}

TEST(Tokenizer, RefusesTextOverItsLimit) {
  const auto tokens = Tokenize(std::string(kQuerySizeBytesMax + 1, ' '));
  ASSERT_FALSE(tokens.ok());
  EXPECT_EQ(tokens.error().id, ErrorId::kUnsupportedQuery);
}

RC_GTEST_PROP(Tokenizer, GivesTheTextBackWhole, ()) {
  const auto words = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
      "SELECT", " ", "\n", "`a b`", "'x\\n'", "r\"y\"", "--c\n", "/* c */", "#z\n", "1.5", ".", "a",
      "2020_t", "-", "@p", "?", "<=", "b'\\x00'", "\u00e9 "));
  std::string sql;
  for (const std::string& word : words) sql += word;
  const auto tokens = Tokenize(sql);
  if (tokens.ok()) RC_ASSERT(Joined(*tokens) == sql);
}

TEST(TablePaths, ListsTablesButNotWithNamesArraysCommentsOrStrings) {
  const std::string sql =
      "WITH w AS (SELECT * FROM `my-p.d.a`) -- FROM d.no\n"
      "SELECT 'FROM d.no', (SELECT COUNT(*) FROM o.items) FROM my-proj-1.d.orders AS o, o.tags, w "
      "JOIN `p`.d.`b`";
  const auto paths = ListTablePaths(sql + " USING (id)");
  ASSERT_TRUE(paths.ok()) << paths.error().message;
  ASSERT_EQ(paths->size(), 3U);
  const auto written = [&sql](const TablePath& path) {
    return sql.substr(path.position.offset, path.size_bytes);
  };
  EXPECT_EQ(written((*paths)[0]), "`my-p.d.a`");
  EXPECT_THAT((*paths)[0].parts, testing::ElementsAre("my-p", "d", "a"));
  EXPECT_EQ(written((*paths)[1]), "my-proj-1.d.orders");
  EXPECT_THAT((*paths)[1].parts, testing::ElementsAre("my-proj-1", "d", "orders"));
  EXPECT_EQ(written((*paths)[2]), "`p`.d.`b`");
}

}  // namespace
}  // namespace holdfast::googlesql
