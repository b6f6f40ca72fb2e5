// `matchGlob`: patterns over object names.
//
// '*' stands for any characters but '/', '**' for any at all, '?' for one that is no '/', [abc] and
// [a-z] for one of a set ([!...] or [^...] for one that is not), {a,b} for either pattern; '\'
// takes the next character as it is. Pure. Outside input: matching takes time in the product of the
// lengths. Source: "List objects and prefixes using glob" of the Cloud Storage documentation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::storage {

class Glob {
 public:
  // Errors: kStorageInvalid for an unclosed [ or {, and for braces that stand for too many
  // patterns.
  static Result<Glob> Parse(std::string_view pattern);

  // Whether the pattern covers the whole of `name`.
  bool Matches(std::string_view name) const;

 private:
  struct Token {
    enum class Kind { kCharacter, kOneOf, kSegment, kAnything } kind = Kind::kCharacter;
    std::string characters;  // the one, or the set written out
    bool negated = false;
  };
  using Alternative = std::vector<Token>;

  static Result<Alternative> ParseAlternative(std::string_view pattern);
  static bool Matches(const Alternative& tokens, std::string_view name);
  static bool Accepts(const Token& token, char c);

  std::vector<Alternative> alternatives_;
};

}  // namespace holdfast::storage
