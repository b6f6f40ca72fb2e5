// Where copies of backups may be: the further repositories of the settings and the policy document.
#pragma once

#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/config.h"
#include "model/policy_document.h"
#include "verify/verify_recorded.h"

namespace holdfast::cli {

// "gs://bucket" or "gs://bucket/prefix". kUsage.
Result<repository::Location> ParseRepository(const std::string& text);

// What can be read of the policy document, with words on what cannot: a mistake in it must keep
// nobody from getting data back.
std::optional<PolicyDocument> ReadableDocument(const GlobalOptions& global,
                                               const LoadedConfig& loaded);

// The places of every further repository that the settings or any rule name.
verify::FurtherPlaces FurtherPlacesOf(const Config& config,
                                      const std::optional<PolicyDocument>& document);

}  // namespace holdfast::cli
