// The pages of docs/reference that are written by the program: commands, and settings.
//
// Markdown, pure. A test compares them with the files, so neither can drift from what the program
// does; `holdfast help --markdown` writes them anew. Source: DESIGN §3 "Registries are data".
#pragma once

#include <string>

#include "cli/command_tree.h"

namespace holdfast::cli {

// docs/reference/cli.md
std::string CommandReference(const CommandDoc& program);

// docs/reference/configuration.md
std::string SettingReference();

// docs/reference/policy.md: the policy document, its levels and fields (policy_reference.cc).
std::string PolicyReference();

// docs/reference/quotas.md: Google's limits and how runs keep to them (quota_text.cc).
std::string QuotaReference();

}  // namespace holdfast::cli
