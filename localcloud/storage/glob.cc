#include "localcloud/storage/glob.h"

#include <algorithm>
#include <utility>

#include "localcloud/storage/storage_error.h"

namespace holdfast::storage {

namespace {

constexpr size_t kPatternBytesMax = 1024;  // a name's own limit
constexpr size_t kAlternativesMax = 100;

Error BadGlob(std::string message) { return StorageInvalid("matchGlob: " + std::move(message)); }

// The end of a character or of what is escaped or bracketed: where the next one begins.
size_t SkipOne(std::string_view pattern, size_t at) {
  if (pattern[at] == '\\') return std::min(at + 2, pattern.size());
  if (pattern[at] != '[') return at + 1;
  const size_t close = pattern.find(']', at + 2);
  return close == pattern.npos ? pattern.size() : close + 1;
}

struct Braces {
  size_t open = 0;
  size_t close = 0;
  std::vector<std::string_view> choices;
};

// The first braces of the pattern; `choices` is empty when there are none.
Result<Braces> FindBraces(std::string_view pattern) {
  Braces braces;
  int depth = 0;
  size_t begin = 0;
  for (size_t at = 0; at < pattern.size(); at = SkipOne(pattern, at)) {
    const char c = pattern[at];
    if (c == '{' && depth++ == 0) {
      braces.open = at;
      begin = at + 1;
    }
    const bool ends = c == '}' && depth > 0 && --depth == 0;
    if (ends || (c == ',' && depth == 1)) {
      braces.choices.push_back(pattern.substr(begin, at - begin));
      begin = at + 1;
    }
    if (!ends) continue;
    braces.close = at;
    return braces;
  }
  if (depth > 0) return BadGlob("a { is not closed");
  return Braces{};
}

}  // namespace

Result<Glob> Glob::Parse(std::string_view pattern) {
  if (pattern.size() > kPatternBytesMax) return BadGlob("the pattern is too long");
  Glob glob;
  std::vector<std::string> open = {std::string(pattern)};
  while (!open.empty()) {
    const std::string next = std::move(open.back());
    open.pop_back();
    HF_ASSIGN_OR_RETURN(const Braces braces, FindBraces(next));
    if (braces.choices.empty()) {
      HF_ASSIGN_OR_RETURN(Alternative alternative, ParseAlternative(next));
      glob.alternatives_.push_back(std::move(alternative));
    }
    for (const std::string_view choice : braces.choices) {
      open.push_back(next.substr(0, braces.open) + std::string(choice) +
                     next.substr(braces.close + 1));
    }
    if (open.size() + glob.alternatives_.size() > kAlternativesMax) {
      return BadGlob("the braces stand for too many patterns");
    }
  }
  return glob;
}

Result<Glob::Alternative> Glob::ParseAlternative(std::string_view pattern) {
  using Kind = Token::Kind;
  Alternative tokens;
  for (size_t at = 0; at < pattern.size();) {
    const size_t end = SkipOne(pattern, at);
    Token token{.kind = Kind::kCharacter, .characters = {}, .negated = false};
    if (pattern[at] == '*') {
      const bool anything =
          !tokens.empty() && tokens.back().kind == Kind::kSegment && pattern[at - 1] == '*';
      if (anything) tokens.pop_back();
      token.kind = anything ? Kind::kAnything : Kind::kSegment;
    } else if (pattern[at] == '?') {
      token = {.kind = Kind::kOneOf, .characters = "/", .negated = true};
    } else if (pattern[at] == '[') {
      if (pattern[end - 1] != ']' || end - at < 3) return BadGlob("a [ is not closed");
      std::string_view set = pattern.substr(at + 1, end - at - 2);
      token.kind = Kind::kOneOf;
      token.negated = set.starts_with('!') || set.starts_with('^');
      if (token.negated) set.remove_prefix(1);
      for (size_t i = 0; i < set.size(); ++i) {
        const bool range = i + 2 < set.size() && set[i + 1] == '-';
        const auto last = static_cast<unsigned char>(range ? set[i + 2] : set[i]);
        for (int c = static_cast<unsigned char>(set[i]); c <= last; ++c) {
          token.characters += static_cast<char>(c);
        }
        if (range) i += 2;
      }
    } else {
      token.characters = pattern[end - 1];
    }
    tokens.push_back(std::move(token));
    at = end;
  }
  return tokens;
}

bool Glob::Accepts(const Token& token, char c) {
  const bool listed = token.characters.find(c) != token.characters.npos;
  return token.kind == Token::Kind::kOneOf ? listed != token.negated : listed;
}

bool Glob::Matches(std::string_view name) const {
  return std::ranges::any_of(alternatives_,
                             [&](const Alternative& tokens) { return Matches(tokens, name); });
}

// reached[i]: the tokens so far match the name's first i characters.
bool Glob::Matches(const Alternative& tokens, std::string_view name) {
  std::vector<bool> reached(name.size() + 1);
  reached[0] = true;
  for (const Token& token : tokens) {
    std::vector<bool> next(name.size() + 1);
    const bool repeats =
        token.kind == Token::Kind::kSegment || token.kind == Token::Kind::kAnything;
    for (size_t i = 0; i <= name.size(); ++i) {
      if (repeats) {
        const bool extends =
            i > 0 && next[i - 1] && (token.kind == Token::Kind::kAnything || name[i - 1] != '/');
        next[i] = reached[i] || extends;
      } else {
        next[i] = i > 0 && reached[i - 1] && Accepts(token, name[i - 1]);
      }
    }
    reached = std::move(next);
  }
  return reached[name.size()];
}

}  // namespace holdfast::storage
