#include "cli/secret.h"

#include <fstream>
#include <string_view>

namespace holdfast::cli {

namespace {

constexpr std::string_view kVariableScheme = "env:";
constexpr std::string_view kFileScheme = "file:";
constexpr std::streamsize kSecretBytesMax = 64 << 10;

Result<std::string> ReadSecretFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<size_t>(kSecretBytesMax) + 1, '\0');
  file.read(text.data(), kSecretBytesMax + 1);
  if (file.gcount() == 0) {
    return MakeError(ErrorId::kConfigInvalid, path + " is empty or cannot be read",
                     "Check the file and its permissions");
  }
  if (file.gcount() > kSecretBytesMax) {
    return MakeError(ErrorId::kLimitExceeded, path + " is larger than 64 KiB: is it the secret?");
  }
  text.resize(static_cast<size_t>(file.gcount()));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

Status ValidateSecretReference(const std::string& reference) {
  for (const std::string_view scheme : {kVariableScheme, kFileScheme}) {
    if (reference.starts_with(scheme) && reference.size() > scheme.size()) return Ok();
  }
  return MakeError(ErrorId::kConfigInvalid, "does not say where the secret is",
                   "Write env:NAME, the name of a variable, or file:PATH; never the secret itself");
}

Result<std::string> ResolveSecret(const std::string& reference, const ReadVariable& variable) {
  HF_RETURN_IF_ERROR(ValidateSecretReference(reference));
  if (reference.starts_with(kFileScheme)) {
    return ReadSecretFile(reference.substr(kFileScheme.size()));
  }
  const std::string name = reference.substr(kVariableScheme.size());
  auto value = variable(name);
  if (value) return *std::move(value);
  return MakeError(ErrorId::kConfigInvalid, "the variable " + name + " is not set",
                   "Set it for this program to the secret");
}

}  // namespace holdfast::cli
