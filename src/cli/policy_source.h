// Where the policy document comes from: the file that the setting `policy_file` names, or the
// member `policies` of the configuration file.
//
// Read by the commands that need it and by no other: a mistake in a policy must not keep anyone
// from restoring. Source: issue "Policy".
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "cli/config.h"
#include "model/policy_document.h"

namespace holdfast::cli {

struct PolicySource {
  std::string file;
  std::string member;  // of the file's map that is the document; empty: the file is
  std::string text;

  ParsedPolicy Parse() const { return ParsePolicyText(text, file, member); }
};

// nullopt: the configuration names no document. Errors: kConfigInvalid when a file cannot be read,
// or when both are given; kLimitExceeded.
Result<std::optional<PolicySource>> FindPolicySource(const LoadedConfig& loaded);

// The document itself. Errors: as above; kInvalidPolicy with every mistake.
Result<std::optional<PolicyDocument>> LoadPolicyDocument(const LoadedConfig& loaded);

}  // namespace holdfast::cli
