// Where things lie in a repository (DESIGN §5), as pure functions both ways.
//
// Every name is prefix + path; a path never begins with '/', holds no "//", and each part that
// comes from a resource's name is percent-encoded but for [A-Za-z0-9._-] (a part that is "." or
// ".." whole is encoded too). An encoded part over kPartBytesMax is cut and ends in '~' and 32
// digits of its SHA-256, so that a name stays under Cloud Storage's 1,024 bytes; such a part does
// not decode, and the manifest tells the name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/resource_names.h"

namespace holdfast::repository {

inline constexpr size_t kPartBytesMax = 180;

// A repository: a prefix of a bucket. `prefix` is "" or "some/path" without '/' at either end.
struct Location {
  std::string bucket;
  std::string prefix;

  std::string Uri() const { return "gs://" + bucket + (prefix.empty() ? "" : "/" + prefix); }
  auto operator<=>(const Location&) const = default;
};

// Checks `prefix`: parts of [A-Za-z0-9._-], none empty, "." or "..". kInvalidName.
Status ValidateLocation(const Location& location);

// One part of a path, and back; nullopt when it was cut or is not of this form.
std::string EncodePart(std::string_view part);
std::optional<std::string> DecodePart(std::string_view encoded);

// Object names. `prefix` is the location's.
std::string RepositoryFileName(std::string_view prefix);
// ".../<table>/<partition|all>/<backup>.json"
std::string ManifestName(std::string_view prefix, const TableRef& object, std::string_view backup);
// ".../<partition|all>/<backup>/<attempt>/": what an attempt's objects begin with.
std::string AttemptPrefix(std::string_view prefix, const TableRef& object, std::string_view backup,
                          int attempt);
// AttemptPrefix + "*.avro": for an extract job.
std::string AttemptPattern(std::string_view prefix, const TableRef& object, std::string_view backup,
                           int attempt);

// "runs/<run>.json"
std::string RunFileName(std::string_view prefix, std::string_view run);
// "run-items/<run>/<sha256>.ndjson": some of the run's outcomes (run_file.h).
std::string RunPartName(std::string_view prefix, std::string_view run, std::string_view sha256);
// "pins/<backup>/": what the pins and holds of a backup begin with; of all: without a backup.
std::string PinsPrefix(std::string_view prefix, std::string_view backup);
// "leases/": what the leases of restores begin with (leases.h).
std::string LeasesPrefix(std::string_view prefix);
// "tombstones/deleting/": what the intents of deletions begin with, each "<backup>.json".
std::string IntentsPrefix(std::string_view prefix);
// "evidence/<kind>/<id>.json"; kind and id are ids of ours.
std::string EvidenceName(std::string_view prefix, std::string_view kind, std::string_view id);

// What manifests (or data) begin with, of everything, or of a project, a dataset, or a table, as
// far as the members of `scope` are set.
std::string ManifestsPrefix(std::string_view prefix, const TableRef& scope = {});
std::string DataPrefix(std::string_view prefix, const TableRef& scope = {});

// A manifest's name taken apart.
struct ManifestPath {
  std::string object_path;         // "<project>/<dataset>/<table>/<partition|all>", encoded
  std::optional<TableRef> object;  // nullopt: a part was cut
  std::string backup;
};

// nullopt: not the name of a manifest of the repository at `prefix`.
std::optional<ManifestPath> ParseManifestName(std::string_view prefix, std::string_view name);

// A data object's name taken apart.
struct DataPath {
  std::string object_path;  // as in ManifestPath
  std::string backup;
  int attempt = 0;
  std::string file;
};

// nullopt: not the name of a data object of the repository at `prefix`.
std::optional<DataPath> ParseDataName(std::string_view prefix, std::string_view name);

// The name of the manifest that owns such a data object.
std::string ManifestNameOf(std::string_view prefix, const DataPath& path);

}  // namespace holdfast::repository
