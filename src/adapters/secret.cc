#include "adapters/secret.h"

#include <fstream>
#include <iterator>

namespace holdfast {

namespace {

constexpr std::string_view kVariableScheme = "env:";
constexpr std::string_view kFileScheme = "file:";
constexpr size_t kSecretBytesMax = size_t{64} << 10U;

Result<std::string> ReadSecretFile(const std::string& reference) {
  std::ifstream file(reference.substr(kFileScheme.size()), std::ios::binary);
  std::string text(kSecretBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.gcount() == 0 && !file.eof()) {
    return MakeError(ErrorId::kSecretUnavailable, reference + ": the file cannot be read");
  }
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kSecretBytesMax) {
    return MakeError(ErrorId::kSecretUnavailable, reference + ": the file is too large");
  }
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

bool IsSecretReference(std::string_view text) {
  return (text.starts_with(kVariableScheme) && text.size() > kVariableScheme.size()) ||
         (text.starts_with(kFileScheme) && text.size() > kFileScheme.size());
}

Result<std::string> ReadSecret(
    const std::string& reference,
    const std::function<std::optional<std::string>(const std::string& name)>& variable) {
  if (!IsSecretReference(reference)) {
    // It may be the secret itself, typed where it must not be: it is not repeated.
    return MakeError(ErrorId::kSecretUnavailable, "a secret is given as env:NAME or file:PATH");
  }
  std::string secret;
  if (reference.starts_with(kVariableScheme)) {
    secret = variable(reference.substr(kVariableScheme.size())).value_or("");
  } else {
    HF_ASSIGN_OR_RETURN(secret, ReadSecretFile(reference));
  }
  if (secret.empty()) {
    return MakeError(ErrorId::kSecretUnavailable, reference + " is absent or empty");
  }
  return secret;
}

}  // namespace holdfast
