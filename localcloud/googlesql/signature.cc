#include "localcloud/googlesql/signature.h"

#include <algorithm>

#include "localcloud/googlesql/date_parts.h"

namespace holdfast::googlesql {
namespace {

using enum TypeKind;

bool IsLetter(std::string_view word) {
  return word == "T" || word == "G" || word == "O" || word == "N";
}

// "ARRAY<T>" gives "T"; a word without a wrapper gives itself.
std::string_view Inner(std::string_view word) {
  const size_t open = word.find('<');
  if (open == std::string_view::npos) return word;
  return word.substr(open + 1, word.size() - open - 2);
}

std::optional<TypeKind> Wrapper(std::string_view word) {
  if (word.starts_with("ARRAY<")) return kArray;
  if (word.starts_with("RANGE<")) return kRange;
  return std::nullopt;
}

bool LetterAllows(std::string_view letter, const Type& type) {
  if (type.kind == kNull || letter == "T") return true;
  if (letter == "N") return IsArithmetic(type.kind);
  return letter == "G" ? IsGroupable(type) : IsOrderable(type);
}

// The type of a word, given what its letter stands for.
Type TypeOfWord(std::string_view word, const Type& letter) {
  const std::string_view inner = Inner(word);
  Type type = IsLetter(inner) ? letter : Type::Of(ParseSimpleType(inner).value_or(kNull));
  const auto wrapper = Wrapper(word);
  if (!wrapper) return type;
  return *wrapper == kArray ? Type::Array(std::move(type)) : Type::Range(std::move(type));
}

// What all arguments of a letter have in common; nullopt: nothing, or nothing that it allows.
std::optional<Type> BindLetter(const std::vector<std::string_view>& words,
                               std::span<const TypedSql> arguments) {
  std::vector<TypedSql> bound;
  std::string_view letter;
  for (size_t i = 0; i < words.size(); ++i) {
    if (!IsLetter(Inner(words[i]))) continue;
    letter = Inner(words[i]);
    TypedSql value = arguments[i];
    if (const auto wrapper = Wrapper(words[i]); wrapper && value.type.kind != kNull) {
      if (value.type.kind != *wrapper) return std::nullopt;
      value.type = Type(value.type.element());
    } else if (value.type.kind == kDuration) {
      return std::nullopt;
    }
    bound.push_back(std::move(value));
  }
  if (letter.empty()) return Type();
  std::optional<Type> common = CommonType(bound);
  if (!common || !LetterAllows(letter, *common)) return std::nullopt;
  return common;
}

// Whether an argument suits a word that is not a type; nullopt: the word is a type.
std::optional<bool> FitsSyntaxWord(std::string_view word, const TypedSql& argument) {
  if (word == "ANY") return argument.type.kind != kDuration;
  if (word == "KEY") return IsOrderable(argument.type);
  if (word == "PART") return argument.text.has_value();
  if (word == "REGEX" || word == "FORMAT" || word == "PATH") return argument.type.kind == kString;
  const bool is_duration = argument.type.kind == kDuration && argument.text.has_value();
  if (word == "INTERVAL") return is_duration;
  if (word == "DATE_INTERVAL") return is_duration && IsDatePart(*argument.text);
  if (word == "TIME_INTERVAL") return is_duration && IsTimePart(*argument.text);
  return std::nullopt;
}

std::optional<std::vector<std::string_view>> WordsForCall(const FunctionSignature& signature,
                                                          size_t count, bool star) {
  if (signature.arguments == "*" || star) {
    if (signature.arguments != "*" || !star) return std::nullopt;
    return std::vector<std::string_view>();
  }
  std::vector<std::string_view> words = SignatureWords(signature.arguments);
  if (!words.empty() && words.back().ends_with("...")) {
    words.back().remove_suffix(3);
    while (words.size() < count) words.push_back(words.back());
  }
  if (words.size() != count) return std::nullopt;
  return words;
}

std::optional<SignatureMatch> TryMatch(const FunctionSignature& signature,
                                       std::span<const TypedSql> arguments, bool star) {
  const auto words = WordsForCall(signature, arguments.size(), star);
  if (!words) return std::nullopt;
  const auto letter = BindLetter(*words, arguments);
  if (!letter) return std::nullopt;
  SignatureMatch match{&signature, {}, *words, TypeOfWord(signature.result, *letter), 0};
  for (size_t i = 0; i < words->size(); ++i) {
    TypedSql argument = arguments[i];
    const auto fits = FitsSyntaxWord((*words)[i], argument);
    if (fits) {
      if (!*fits) return std::nullopt;
      match.arguments.push_back(std::move(argument));
      continue;
    }
    const Type target = TypeOfWord((*words)[i], *letter);
    auto coerced = Coerce(argument, target);
    if (!coerced) return std::nullopt;
    if (!(argument.type == target)) ++match.coercions;
    argument.sql = std::move(*coerced);
    argument.type = target;
    match.arguments.push_back(std::move(argument));
  }
  return match;
}

}  // namespace

std::vector<std::string_view> SignatureWords(std::string_view arguments) {
  std::vector<std::string_view> words;
  while (!arguments.empty()) {
    const size_t comma = arguments.find(", ");
    words.push_back(arguments.substr(0, comma));
    if (comma == std::string_view::npos) break;
    arguments.remove_prefix(comma + 2);
  }
  return words;
}

bool TakesDatePart(std::span<const FunctionSignature> signatures, size_t index) {
  return std::any_of(signatures.begin(), signatures.end(), [index](const FunctionSignature& entry) {
    const auto words = SignatureWords(entry.arguments);
    return index < words.size() && words[index] == "PART";
  });
}

std::optional<SignatureMatch> MatchSignature(std::span<const FunctionSignature> signatures,
                                             std::span<const TypedSql> arguments, bool star) {
  std::optional<SignatureMatch> best;
  for (const FunctionSignature& signature : signatures) {
    auto match = TryMatch(signature, arguments, star);
    if (match && (!best || match->coercions < best->coercions)) best = std::move(match);
  }
  return best;
}

}  // namespace holdfast::googlesql
