#include "cli/config_file.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "base/suggestion.h"
#include "cli/text_file.h"
#include "model/yaml_tree.h"

namespace holdfast::cli {

namespace {

constexpr size_t kConfigBytesMax = size_t{1} << 20U;
constexpr size_t kListItemsMax = 10'000;

Error Invalid(const YAML::Mark& mark, std::string_view what) {
  return MakeError(ErrorId::kConfigInvalid,
                   fmt::format("line {}, column {}: {}", mark.line + 1, mark.column + 1, what));
}

// The value of a setting that is a document of its own.
Result<Json> JsonOf(const YAML::Node& node) {
  HF_ASSIGN_OR_RETURN(const YamlNode tree, ParseYamlTree(YAML::Dump(node)));
  return tree.ToJson();
}

// Whether settings lie below the name: "policy", "policy.scope".
bool IsSection(std::string_view name) {
  return std::ranges::any_of(AllSettings(), [&](const Setting& setting) {
    return setting.name.size() > name.size() && setting.name.starts_with(name) &&
           setting.name[name.size()] == '.';
  });
}

// What may stand in a section: "policy" → "name", "method", "scope", ...
std::vector<std::string> MembersOf(const std::string& section) {
  const std::string prefix = section.empty() ? "" : section + ".";
  std::vector<std::string> members;
  for (const Setting& setting : AllSettings()) {
    if (!setting.name.starts_with(prefix)) continue;
    const std::string_view rest = setting.name.substr(prefix.size());
    std::string member(rest.substr(0, rest.find('.')));
    if (std::ranges::find(members, member) == members.end()) members.push_back(std::move(member));
  }
  return members;
}

class Reader {
 public:
  Status ReadSection(const YAML::Node& node, const std::string& section) {
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return Invalid(entry.first.Mark(), "a key is not a word");
      HF_RETURN_IF_ERROR(ReadMember(entry.first, entry.second, section));
    }
    return Ok();
  }

  std::vector<FileSetting> TakeSettings() { return std::move(settings_); }

 private:
  Status ReadMember(const YAML::Node& key, const YAML::Node& value, const std::string& section) {
    const std::string& member = key.Scalar();
    const std::string name = section.empty() ? member : section + "." + member;
    if (!seen_.insert(name).second) {
      return Invalid(key.Mark(), fmt::format("\"{}\" is set twice", name));
    }
    // A document of its own, which policy_source.h reads.
    if (name == kPoliciesMember) return Ok();
    if (const Setting* setting = FindSetting(name)) return ReadValue(*setting, key, value);
    if (!IsSection(name)) {
      const std::string nearest = DidYouMean(member, MembersOf(section));
      return Invalid(key.Mark(), fmt::format("unknown setting \"{}\"{}", name,
                                             nearest.empty() ? "" : "; " + nearest));
    }
    if (value.IsNull()) return Ok();
    if (!value.IsMap()) return Invalid(value.Mark(), fmt::format("\"{}\" is a section", name));
    return ReadSection(value, name);
  }

  Status ReadValue(const Setting& setting, const YAML::Node& key, const YAML::Node& value) {
    Result<Json> parsed = Json();
    if (setting.type == SettingType::kDocument) {
      if (!value.IsMap()) {
        return Invalid(key.Mark(), fmt::format("{} is not a map", setting.name));
      }
      parsed = JsonOf(value);
    } else if (value.IsSequence()) {
      HF_ASSIGN_OR_RETURN(const auto items, ReadItems(setting, value));
      parsed = ParseSettingItems(setting, items);
    } else if (value.IsScalar()) {
      parsed = setting.type == SettingType::kPatternList
                   ? ParseSettingItems(setting, {value.Scalar()})
                   : ParseSettingText(setting, value.Scalar());
    } else {
      // Where nothing stands, the parser's place is that of the next thing.
      return Invalid(key.Mark(), fmt::format("{} has no value", setting.name));
    }
    if (!parsed.ok()) {
      return Invalid(value.Mark(), fmt::format("{} {}", setting.name, parsed.error().message));
    }
    settings_.push_back(
        {.setting = &setting, .value = *std::move(parsed), .line = key.Mark().line + 1});
    return Ok();
  }

  static Result<std::vector<std::string>> ReadItems(const Setting& setting,
                                                    const YAML::Node& list) {
    if (list.size() > kListItemsMax) {
      return Invalid(list.Mark(),
                     fmt::format("{} has more than {} items", setting.name, kListItemsMax));
    }
    std::vector<std::string> items;
    for (const auto& item : list) {
      if (!item.IsScalar()) {
        return Invalid(item.Mark(), fmt::format("{}: an item is not a text", setting.name));
      }
      items.push_back(item.Scalar());
    }
    return items;
  }

  std::set<std::string> seen_;
  std::vector<FileSetting> settings_;
};

}  // namespace

Result<std::vector<FileSetting>> ParseConfigFile(const std::string& text) {
  if (text.size() > kConfigBytesMax) {
    return MakeError(ErrorId::kLimitExceeded, fmt::format("more than {} bytes", kConfigBytesMax));
  }
  // yaml-cpp throws; this is its edge.
  try {
    const YAML::Node root = YAML::Load(text);
    if (root.IsNull()) return std::vector<FileSetting>();
    if (!root.IsMap()) return Invalid(root.Mark(), "the file is not a map of settings");
    Reader reader;
    HF_RETURN_IF_ERROR(reader.ReadSection(root, ""));
    return reader.TakeSettings();
  } catch (const YAML::Exception& error) {
    return Invalid(error.mark, error.msg);
  }
}

Result<std::string> ReadConfigFile(const std::string& path) {
  auto text = ReadTextFile(path, kConfigBytesMax);
  if (!text.ok() && text.error().id == ErrorId::kUsage) {
    return MakeError(ErrorId::kConfigInvalid, text.error().message);
  }
  return text;
}

}  // namespace holdfast::cli
