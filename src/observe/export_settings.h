// What the configuration says of exporting the catalog by itself, under `holdfast up`.
//
//   catalog:
//     export: {to: acme-ops.holdfast, every: 24h, location: EU}
//
// Plain values; parsing is pure.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "model/resource_names.h"

namespace holdfast::observe {

struct ExportSettings {
  std::optional<DatasetRef> to;   // nullopt: nowhere, unless a command says so
  std::optional<Duration> every;  // nullopt: only when a command asks for it
  std::string location;           // as of ExportRequest

  bool operator==(const ExportSettings&) const = default;
};

// From the setting `catalog.export`; an empty map is no export. Errors: kConfigInvalid naming the
// member.
Result<ExportSettings> ParseExportSettings(const Json& document);

}  // namespace holdfast::observe
