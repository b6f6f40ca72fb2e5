// The configuration file: YAML text as values of the registry's settings, each with its line.
//
// Sections are maps, and every key must be a setting, so that a typing mistake does not become a
// silent default. The text is outside input: its size is limited, and what is neither map, list of
// values nor value is refused. Pure but for ReadConfigFile. Source: interfaces.md "Config".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/settings.h"

namespace holdfast::cli {

// The member of the file that holds a policy document, and no settings.
inline constexpr std::string_view kPoliciesMember = "policies";

struct FileSetting {
  const Setting* setting = nullptr;  // never nullptr
  Json value;
  int line = 0;  // from 1
};

// The settings that the text gives, in its order. kConfigInvalid with line and column, and the
// nearest name for an unknown one.
Result<std::vector<FileSetting>> ParseConfigFile(const std::string& text);

// The text of a file. Errors: kConfigInvalid (it cannot be read), kLimitExceeded.
Result<std::string> ReadConfigFile(const std::string& path);

}  // namespace holdfast::cli
