// Secrets by reference: `env:NAME` is a variable of the environment, `file:PATH` a file's content.
//
// The configuration, which is shown and kept in files that many read, holds the reference and never
// the secret. No error repeats what it refers to, nor a text that is no reference, since that may
// be the secret itself. Source: interfaces.md "Config".
#pragma once

#include <string>

#include "base/result.h"
#include "cli/config.h"

namespace holdfast::cli {

// Whether the text is such a reference. kConfigInvalid.
Status ValidateSecretReference(const std::string& reference);

// The secret; of a file without the line break at its end. Errors: kConfigInvalid when it is no
// reference, or there is no such variable or file, or it is empty; kLimitExceeded above 64 KiB.
Result<std::string> ResolveSecret(const std::string& reference, const ReadVariable& variable);

}  // namespace holdfast::cli
