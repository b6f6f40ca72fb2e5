#include "cli/policy_source.h"

#include <algorithm>
#include <filesystem>

#include "cli/config_file.h"
#include "model/yaml_tree.h"

namespace holdfast::cli {

namespace {

// A relative path that the file gives is meant from where the file is.
std::string ResolvePolicyPath(const EffectiveSetting& setting, const LoadedConfig& loaded) {
  const std::filesystem::path path(loaded.config.policy_file);
  const bool in_file = !loaded.file.empty() && setting.origin.starts_with(loaded.file + ":");
  if (path.empty() || path.is_absolute() || !in_file) return path.string();
  return (std::filesystem::path(loaded.file).parent_path() / path).string();
}

}  // namespace

Result<std::optional<PolicySource>> FindPolicySource(const LoadedConfig& loaded) {
  std::optional<PolicySource> source;
  if (!loaded.file.empty()) {
    HF_ASSIGN_OR_RETURN(std::string text, ReadConfigFile(loaded.file));
    const auto tree = ParseYamlTree(text);
    if (tree.ok() && tree->Find(kPoliciesMember) != nullptr) {
      source = {
          .file = loaded.file, .member = std::string(kPoliciesMember), .text = std::move(text)};
    }
  }
  const auto setting = std::ranges::find_if(loaded.settings, [](const EffectiveSetting& at) {
    return at.setting->name == "policy_file";
  });
  const std::string path =
      setting == loaded.settings.end() ? std::string() : ResolvePolicyPath(*setting, loaded);
  if (path.empty()) return source;
  if (source) {
    return MakeError(ErrorId::kConfigInvalid,
                     loaded.file + " has policies of its own, and policy_file is set too");
  }
  HF_ASSIGN_OR_RETURN(std::string text, ReadConfigFile(path));
  return std::optional(PolicySource{.file = path, .member = {}, .text = std::move(text)});
}

Result<std::optional<PolicyDocument>> LoadPolicyDocument(const LoadedConfig& loaded) {
  HF_ASSIGN_OR_RETURN(const auto source, FindPolicySource(loaded));
  if (!source) return std::optional<PolicyDocument>();
  HF_ASSIGN_OR_RETURN(PolicyDocument document,
                      ReadPolicyText(source->text, source->file, source->member));
  return std::optional(std::move(document));
}

}  // namespace holdfast::cli
