// Which signature of a function a call means: the words of functions.h against types.
//
// Pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "localcloud/googlesql/coerce.h"
#include "localcloud/googlesql/functions.h"

namespace holdfast::googlesql {

// How a call fits a signature. The fewer coercions the better.
struct SignatureMatch {
  const FunctionSignature* signature = nullptr;
  std::vector<TypedSql> arguments;      // coerced to what the signature takes
  std::vector<std::string_view> words;  // of each argument
  Type result;
  int coercions = 0;
};

// The words of a signature's arguments.
std::vector<std::string_view> SignatureWords(std::string_view arguments);

// Whether argument `index` of a call of `signatures` is a date part, which is no expression.
bool TakesDatePart(std::span<const FunctionSignature> signatures, size_t index);

// The signature that fits with the fewest coercions, the first of equals; nullopt: none fits.
std::optional<SignatureMatch> MatchSignature(std::span<const FunctionSignature> signatures,
                                             std::span<const TypedSql> arguments, bool star);

}  // namespace holdfast::googlesql
