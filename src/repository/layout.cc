#include "repository/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/hash.h"
#include "model/ids.h"

namespace holdfast::repository {

namespace {

constexpr std::string_view kWholeTable = "all";
constexpr std::string_view kManifestSuffix = ".json";
constexpr size_t kDigestDigits = 32;

bool IsPlain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '_' || c == '-';
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string UnderPrefix(std::string_view prefix, std::string_view path) {
  if (prefix.empty()) return std::string(path);
  return fmt::format("{}/{}", prefix, path);
}

std::string ObjectPath(const TableRef& object) {
  const std::string partition =
      object.partition.empty() ? std::string(kWholeTable) : EncodePart(object.partition);
  return fmt::format("{}/{}/{}/{}", EncodePart(object.project), EncodePart(object.dataset),
                     EncodePart(object.table), partition);
}

std::string ScopePrefix(std::string_view prefix, std::string_view folder, const TableRef& scope) {
  std::string path = UnderPrefix(prefix, folder) + "/";
  for (const std::string* part : {&scope.project, &scope.dataset, &scope.table, &scope.partition}) {
    if (part->empty()) return path;
    path += EncodePart(*part) + "/";
  }
  return path;
}

std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at <= path.size();) {
    const size_t slash = std::min(path.find('/', at), path.size());
    parts.push_back(path.substr(at, slash - at));
    at = slash + 1;
  }
  return parts;
}

// The parts of `name` behind prefix and folder; empty when it is not there.
std::vector<std::string_view> PartsBelow(std::string_view prefix, std::string_view folder,
                                         std::string_view name) {
  const std::string start = ScopePrefix(prefix, folder, {});
  if (!name.starts_with(start)) return {};
  return SplitPath(name.substr(start.size()));
}

std::string JoinObjectPath(const std::vector<std::string_view>& parts) {
  return fmt::format("{}/{}/{}/{}", parts[0], parts[1], parts[2], parts[3]);
}

std::optional<TableRef> DecodeObject(const std::vector<std::string_view>& parts) {
  const auto project = DecodePart(parts[0]);
  const auto dataset = DecodePart(parts[1]);
  const auto table = DecodePart(parts[2]);
  const auto partition =
      parts[3] == kWholeTable ? std::optional(std::string()) : DecodePart(parts[3]);
  if (!project || !dataset || !table || !partition) return std::nullopt;
  return TableRef{*project, *dataset, *table, *partition};
}

}  // namespace

Status ValidateLocation(const Location& location) {
  if (location.prefix.empty()) return Ok();
  for (const std::string_view part : SplitPath(location.prefix)) {
    const bool ok =
        !part.empty() && part != "." && part != ".." && std::ranges::all_of(part, IsPlain);
    if (!ok) {
      return MakeError(ErrorId::kInvalidName,
                       fmt::format("\"{}\" is not a prefix: expected letters, digits, '.', '_', "
                                   "'-', and '/' between parts",
                                   location.prefix));
    }
  }
  return Ok();
}

std::string EncodePart(std::string_view part) {
  const bool dots = part == "." || part == "..";
  std::string encoded;
  for (const char c : part) {
    if (IsPlain(c) && !dots) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  if (encoded.size() <= kPartBytesMax) return encoded;
  size_t keep = kPartBytesMax - kDigestDigits - 1;
  const size_t percent = encoded.rfind('%', keep - 1);
  if (percent != encoded.npos && percent + 3 > keep) keep = percent;
  return encoded.substr(0, keep) + "~" + Sha256Hex(part).substr(0, kDigestDigits);
}

std::optional<std::string> DecodePart(std::string_view encoded) {
  std::string part;
  for (size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] != '%') {
      if (!IsPlain(encoded[i])) return std::nullopt;
      part += encoded[i];
      continue;
    }
    if (i + 2 >= encoded.size()) return std::nullopt;
    const int high = HexValue(encoded[i + 1]);
    const int low = HexValue(encoded[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    part += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (part.empty() || EncodePart(part) != encoded) return std::nullopt;
  return part;
}

std::string RepositoryFileName(std::string_view prefix) {
  return UnderPrefix(prefix, "repository.json");
}

std::string ManifestName(std::string_view prefix, const TableRef& object, std::string_view backup) {
  return UnderPrefix(prefix,
                     fmt::format("manifests/{}/{}{}", ObjectPath(object), backup, kManifestSuffix));
}

std::string AttemptPrefix(std::string_view prefix, const TableRef& object, std::string_view backup,
                          int attempt) {
  return UnderPrefix(prefix, fmt::format("data/{}/{}/{}/", ObjectPath(object), backup, attempt));
}

std::string AttemptPattern(std::string_view prefix, const TableRef& object, std::string_view backup,
                           int attempt) {
  return AttemptPrefix(prefix, object, backup, attempt) + "*.avro";
}

std::string RunFileName(std::string_view prefix, std::string_view run) {
  return UnderPrefix(prefix, fmt::format("runs/{}.json", run));
}

std::string RunPartName(std::string_view prefix, std::string_view run, std::string_view sha256) {
  return UnderPrefix(prefix, fmt::format("run-items/{}/{}.ndjson", run, sha256));
}

std::string PinsPrefix(std::string_view prefix, std::string_view backup) {
  std::string name(prefix);
  name += prefix.empty() ? "pins/" : "/pins/";
  if (!backup.empty()) name += std::string(backup) + "/";
  return name;
}

std::string LeasesPrefix(std::string_view prefix) { return UnderPrefix(prefix, "leases/"); }

std::string IntentsPrefix(std::string_view prefix) {
  return UnderPrefix(prefix, "tombstones/deleting/");
}

std::string EvidenceName(std::string_view prefix, std::string_view kind, std::string_view id) {
  return UnderPrefix(prefix, fmt::format("evidence/{}/{}.json", kind, id));
}

std::string ManifestsPrefix(std::string_view prefix, const TableRef& scope) {
  return ScopePrefix(prefix, "manifests", scope);
}

std::string DataPrefix(std::string_view prefix, const TableRef& scope) {
  return ScopePrefix(prefix, "data", scope);
}

std::optional<ManifestPath> ParseManifestName(std::string_view prefix, std::string_view name) {
  const auto parts = PartsBelow(prefix, "manifests", name);
  if (parts.size() != 5 || !parts[4].ends_with(kManifestSuffix)) return std::nullopt;
  const std::string_view backup = parts[4].substr(0, parts[4].size() - kManifestSuffix.size());
  if (!IsValidId(backup)) return std::nullopt;
  return ManifestPath{JoinObjectPath(parts), DecodeObject(parts), std::string(backup)};
}

std::optional<DataPath> ParseDataName(std::string_view prefix, std::string_view name) {
  const auto parts = PartsBelow(prefix, "data", name);
  if (parts.size() != 7 || !IsValidId(parts[4]) || parts[6].empty()) return std::nullopt;
  DataPath path{JoinObjectPath(parts), std::string(parts[4]), 0, std::string(parts[6])};
  const char* end = parts[5].data() + parts[5].size();
  const auto [stop, code] = std::from_chars(parts[5].data(), end, path.attempt);
  if (code != std::errc() || stop != end || path.attempt < 1) return std::nullopt;
  return path;
}

std::string ManifestNameOf(std::string_view prefix, const DataPath& path) {
  return UnderPrefix(
      prefix, fmt::format("manifests/{}/{}{}", path.object_path, path.backup, kManifestSuffix));
}

}  // namespace holdfast::repository
