// Secrets by reference: the configuration says where one is, never what it is.
//
// "env:NAME" is a variable of the environment, "file:PATH" a file's text without the line break at
// its end. Read when it is used, so that a new one needs no restart.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast {

// Whether the text is such a reference.
bool IsSecretReference(std::string_view text);

// The secret; `variable` reads the environment. Errors: kSecretUnavailable naming the reference
// when it is malformed, or what it names is absent, empty, or a file over 64 KiB.
Result<std::string> ReadSecret(
    const std::string& reference,
    const std::function<std::optional<std::string>(const std::string& name)>& variable);

}  // namespace holdfast
