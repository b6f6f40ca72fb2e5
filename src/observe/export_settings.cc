#include "observe/export_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/policy_field.h"

namespace holdfast::observe {

namespace {

constexpr Duration kEveryMin = std::chrono::minutes{10};
constexpr std::array<std::string_view, 3> kExportMembers = {"to", "every", "location"};

Error InvalidExport(std::string_view member, std::string_view what) {
  return MakeError(ErrorId::kConfigInvalid, fmt::format("catalog.export.{} {}", member, what));
}

Result<std::string> ExportText(const Json& document, std::string_view member) {
  const Json* value = FindField(document, member);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return InvalidExport(member, "is not a text");
  return value->get<std::string>();
}

}  // namespace

Result<ExportSettings> ParseExportSettings(const Json& document) {
  ExportSettings settings;
  if (!document.is_object()) {
    return MakeError(ErrorId::kConfigInvalid, "catalog.export is not a map");
  }
  for (const auto& [key, value] : document.items()) {
    if (std::ranges::find(kExportMembers, key) == kExportMembers.end()) {
      return MakeError(ErrorId::kConfigInvalid,
                       fmt::format("catalog.export has no member \"{}\"", key));
    }
  }
  HF_ASSIGN_OR_RETURN(const std::string to, ExportText(document, "to"));
  HF_ASSIGN_OR_RETURN(const std::string every, ExportText(document, "every"));
  HF_ASSIGN_OR_RETURN(settings.location, ExportText(document, "location"));
  if (!to.empty()) {
    const auto dataset = ParseDatasetRef(to);
    if (!dataset.ok()) {
      return InvalidExport("to", fmt::format("is \"{}\": expected project.dataset", to));
    }
    settings.to = *dataset;
  }
  if (!every.empty()) {
    const auto span = ParsePolicyDuration(every);
    if (!span.ok() || *span < kEveryMin) {
      return InvalidExport(
          "every",
          fmt::format("is \"{}\": expected a duration such as 24h, 10 minutes at least", every));
    }
    if (!settings.to) return InvalidExport("every", "is given without `to`");
    settings.every = *span;
  }
  return settings;
}

}  // namespace holdfast::observe
