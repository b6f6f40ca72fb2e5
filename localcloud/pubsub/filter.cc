#include "localcloud/pubsub/filter.h"

#include <google/pubsub/v1/pubsub.pb.h>

#include <algorithm>
#include <cctype>
#include <vector>

namespace holdfast::pubsub {

struct Filter::Node {
  enum class Kind { kEverything, kHasKey, kEquals, kHasPrefix, kNot, kAnd, kOr };
  Kind kind = Kind::kEverything;
  std::string key;
  std::string value;
  std::vector<Node> children;  // one of kNot; two or more of kAnd and kOr

  bool Matches(const google::pubsub::v1::PubsubMessage& message) const {
    const auto found = message.attributes().find(key);
    const bool present = found != message.attributes().end();
    const auto child_matches = [&](const Node& child) { return child.Matches(message); };
    switch (kind) {
      case Kind::kEverything:
        return true;
      case Kind::kHasKey:
        return present;
      case Kind::kEquals:
        return present && found->second == value;
      case Kind::kHasPrefix:
        return present && found->second.starts_with(value);
      case Kind::kNot:
        return !children.front().Matches(message);
      case Kind::kAnd:
        return std::ranges::all_of(children, child_matches);
      case Kind::kOr:
        return std::ranges::any_of(children, child_matches);
    }
    return false;
  }
};

namespace {

using Node = Filter::Node;

bool IsKeyCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

void AppendUtf8(uint32_t code_point, std::string& out) {
  if (code_point < 0x80) {
    out.push_back(static_cast<char>(code_point));
    return;
  }
  const int continuation_bytes = code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
  constexpr uint8_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
  out.push_back(
      static_cast<char>(kLead[continuation_bytes] | (code_point >> (6 * continuation_bytes))));
  for (int i = continuation_bytes - 1; i >= 0; --i) {
    out.push_back(static_cast<char>(0x80U | ((code_point >> (6 * i)) & 0x3FU)));
  }
}

// A recursive-descent parser; its depth is bounded by the length of the text.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Node> ParseAll() {
    HF_ASSIGN_OR_RETURN(Node node, ParseExpression());
    SkipSpaces();
    if (position_ != text_.size()) return Unexpected("the end, AND or OR");
    return node;
  }

 private:
  Error Unexpected(std::string_view expected) const {
    std::string message = "filter: expected ";
    message.append(expected).append(" at byte ").append(std::to_string(position_ + 1));
    return MakeError(ErrorId::kPubsubInvalidRequest, std::move(message));
  }

  void SkipSpaces() {
    while (position_ < text_.size() &&
           std::isspace(static_cast<unsigned char>(text_[position_])) != 0) {
      ++position_;
    }
  }

  bool Accept(std::string_view token) {
    SkipSpaces();
    if (!text_.substr(position_).starts_with(token)) return false;
    position_ += token.size();
    return true;
  }

  // As Accept, but not when the word goes on: "ORDER" is not "OR".
  bool AcceptWord(std::string_view word) {
    SkipSpaces();
    const std::string_view rest = text_.substr(position_);
    if (!rest.starts_with(word)) return false;
    if (rest.size() > word.size() && IsKeyCharacter(rest[word.size()])) return false;
    position_ += word.size();
    return true;
  }

  Result<Node> ParseExpression() {
    HF_ASSIGN_OR_RETURN(Node first, ParseTerm());
    for (const auto& [word, other, kind] :
         {std::tuple{"AND", "OR", Node::Kind::kAnd}, std::tuple{"OR", "AND", Node::Kind::kOr}}) {
      if (!AcceptWord(word)) continue;
      Node node{.kind = kind, .key = {}, .value = {}, .children = {}};
      node.children.push_back(std::move(first));
      do {
        HF_ASSIGN_OR_RETURN(Node next, ParseTerm());
        node.children.push_back(std::move(next));
      } while (AcceptWord(word));
      if (AcceptWord(other))
        return Unexpected("parentheses where AND and OR mix, before this word");
      return node;
    }
    return first;
  }

  Result<Node> ParseTerm() {
    if (AcceptWord("NOT") || Accept("-")) {
      HF_ASSIGN_OR_RETURN(Node negated, ParseTerm());
      return Not(std::move(negated));
    }
    if (Accept("(")) {
      HF_ASSIGN_OR_RETURN(Node inner, ParseExpression());
      if (!Accept(")")) return Unexpected("')'");
      return inner;
    }
    if (AcceptWord("hasPrefix")) return ParseHasPrefix();
    return ParseComparison();
  }

  Result<Node> ParseHasPrefix() {
    if (!Accept("(")) return Unexpected("'('");
    if (!AcceptWord("attributes") || !Accept(".")) return Unexpected("'attributes.'");
    HF_ASSIGN_OR_RETURN(std::string key, ParseKey());
    if (!Accept(",")) return Unexpected("','");
    HF_ASSIGN_OR_RETURN(std::string value, ParseString());
    if (!Accept(")")) return Unexpected("')'");
    return Node{.kind = Node::Kind::kHasPrefix,
                .key = std::move(key),
                .value = std::move(value),
                .children = {}};
  }

  Result<Node> ParseComparison() {
    if (!AcceptWord("attributes")) return Unexpected("'attributes', 'hasPrefix', NOT or '('");
    if (Accept(":")) {
      HF_ASSIGN_OR_RETURN(std::string key, ParseKey());
      return Node{.kind = Node::Kind::kHasKey, .key = std::move(key), .value = {}, .children = {}};
    }
    if (!Accept(".")) return Unexpected("':' or '.'");
    HF_ASSIGN_OR_RETURN(std::string key, ParseKey());
    const bool differs = Accept("!=");
    if (!differs && !Accept("=")) return Unexpected("'=' or '!='");
    HF_ASSIGN_OR_RETURN(std::string value, ParseString());
    Node equals{.kind = Node::Kind::kEquals,
                .key = std::move(key),
                .value = std::move(value),
                .children = {}};
    return differs ? Not(std::move(equals)) : std::move(equals);
  }

  static Node Not(Node negated) {
    Node node{.kind = Node::Kind::kNot, .key = {}, .value = {}, .children = {}};
    node.children.push_back(std::move(negated));
    return node;
  }

  Result<std::string> ParseKey() {
    SkipSpaces();
    if (position_ < text_.size() && text_[position_] == '"') return ParseString();
    const size_t start = position_;
    while (position_ < text_.size() && IsKeyCharacter(text_[position_])) ++position_;
    if (position_ == start) return Unexpected("an attribute's key");
    return std::string(text_.substr(start, position_ - start));
  }

  Result<std::string> ParseString() {
    if (!Accept("\"")) return Unexpected("a string in double quotes");
    std::string value;
    while (position_ < text_.size() && text_[position_] != '"') {
      const char c = text_[position_++];
      if (c == '\\') {
        HF_RETURN_IF_ERROR(ParseEscape(value));
      } else {
        value.push_back(c);
      }
    }
    if (position_ == text_.size()) return Unexpected("a closing '\"'");
    ++position_;
    return value;
  }

  Status ParseEscape(std::string& value) {
    if (position_ == text_.size()) return Unexpected("an escape");
    const char c = text_[position_++];
    constexpr std::string_view kNames = "abfnrtv\\\"'";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"'";
    if (const size_t at = kNames.find(c); at != std::string_view::npos) {
      value.push_back(kMeanings[at]);
      return Ok();
    }
    if (c == 'x') return ParseCodePoint(2, 16, value);
    if (c == 'u') return ParseCodePoint(4, 16, value);
    if (c == 'U') return ParseCodePoint(8, 16, value);
    --position_;
    return ParseCodePoint(3, 8, value);
  }

  // `digits` digits of `base`, as the UTF-8 of the character they number.
  Status ParseCodePoint(int digits, uint32_t base, std::string& value) {
    uint64_t code_point = 0;
    for (int i = 0; i < digits; ++i, ++position_) {
      const char c = position_ < text_.size() ? text_[position_] : '\0';
      const bool letter = std::isxdigit(static_cast<unsigned char>(c)) != 0 && c > '9';
      const uint32_t digit =
          letter ? static_cast<uint32_t>(std::tolower(static_cast<unsigned char>(c)) - 'a' + 10)
                 : static_cast<uint32_t>(static_cast<unsigned char>(c)) - '0';
      if (digit >= base) return Unexpected("a digit of an escape");
      code_point = code_point * base + digit;
    }
    if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000)) {
      return Unexpected("an escape that is a character, before this");
    }
    AppendUtf8(static_cast<uint32_t>(code_point), value);
    return Ok();
  }

  std::string_view text_;
  size_t position_ = 0;
};

}  // namespace

Result<Filter> Filter::Parse(std::string_view text) {
  if (text.size() > kFilterBytesMax) {
    return MakeError(ErrorId::kPubsubInvalidRequest,
                     "filter: longer than " + std::to_string(kFilterBytesMax) + " bytes");
  }
  if (text.empty()) return Filter(std::make_shared<const Node>());
  HF_ASSIGN_OR_RETURN(Node root, Parser(text).ParseAll());
  return Filter(std::make_shared<const Node>(std::move(root)));
}

bool Filter::Matches(const google::pubsub::v1::PubsubMessage& message) const {
  return root_->Matches(message);
}

}  // namespace holdfast::pubsub
