// The registry of settings: every member of the configuration, as data.
//
// The file's parser, the environment variables, the global flags, `holdfast config show` and
// docs/reference/configuration.md all come from this one table, so none can know a setting that
// another does not. Invariant: names and variables are unique. Static data; thread-safe. Source:
// DESIGN §3 "Registries are data", interfaces.md "Config".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace holdfast::cli {

enum class SettingType {
  kText,
  kInteger,
  kNumber,
  kBoolean,      // true, false, yes, no, on, off, 1 or 0
  kChoice,       // one of `choices`
  kPatternList,  // scope patterns; in a variable parted by commas
  kDocument,     // a map of its own; in a variable as YAML or JSON
};

struct Setting {
  std::string_view name;  // with the sections that it is in: "policy.codec"
  SettingType type = SettingType::kText;
  std::string_view fallback;    // the default, as it would be typed
  std::string_view unset;       // what an empty default means, for the reference
  std::string_view doc;         // Markdown, one phrase
  std::string_view flag;        // the flag that sets it, "--workers"; empty: none
  std::string_view flag_alias;  // another name of the flag; empty: none
  std::string_view flag_value;  // what the flag takes, "N"
  std::string_view flag_doc;    // what that flag's help says
  std::string_view choices;     // kChoice: parted by spaces
  double minimum = 0;           // kInteger, kNumber
  double maximum = 0;
};

// All of them, in the order of the reference.
std::span<const Setting> AllSettings();

// The setting of that full name; nullptr: there is none.
const Setting* FindSetting(std::string_view name);

// The variable of the environment that sets it: "HOLDFAST_POLICY_CODEC".
std::string VariableOf(const Setting& setting);

// The words of `choices`.
std::vector<std::string> ChoicesOf(const Setting& setting);

// A text as the setting's value. kConfigInvalid: "is \"GZIP\": expected one of ...", which follows
// the name of the place that it came from.
Result<Json> ParseSettingText(const Setting& setting, std::string_view text);

// The value of a list's items. Errors as ParseSettingText, naming the item.
Result<Json> ParseSettingItems(const Setting& setting, const std::vector<std::string>& items);

// A value as it would be typed; a list parted by commas.
std::string SettingText(const Json& value);

}  // namespace holdfast::cli
