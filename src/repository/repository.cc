#include "repository/repository.h"

#include <fmt/format.h>

#include "model/ids.h"

namespace holdfast::repository {

namespace {

constexpr int64_t kSmallFileBytesMax = 1 << 20;
constexpr int64_t kEvidenceBytesMax = int64_t{16} << 20;
constexpr std::string_view kFormatName = "holdfast-repository";

// The id in a repository.json. `text` is outside input: someone else may own the bucket.
Result<std::string> ParseRepositoryFile(const std::string& uri, const std::string& text) {
  const auto damaged = [&](std::string_view why) {
    return MakeError(ErrorId::kRepositoryDamaged, fmt::format("{}: {}", uri, why));
  };
  const auto json = ParseJson(text);
  if (!json.ok()) return damaged(json.error().message);
  if (StringOr(*json, "format", "") != kFormatName) return damaged("it is not one of ours");
  const auto version = RequiredInt64(*json, "format_version");
  if (!version.ok()) return damaged(version.error().message);
  if (*version > kRepositoryFormatVersion) {
    return MakeError(ErrorId::kRepositoryVersion,
                     fmt::format("{} has format version {}; this program knows version {}", uri,
                                 *version, kRepositoryFormatVersion));
  }
  const std::string id = StringOr(*json, "id", "");
  if (*version < 1 || !IsValidId(id)) return damaged("version or id is not as it must be");
  return id;
}

Result<Manifest> ReadManifestObject(cloud::ObjectStore& store, const cloud::ObjectRef& object) {
  auto text = ReadObjectToString(store, object, static_cast<int64_t>(kManifestBytesMax));
  if (!text.ok()) {
    Error error = std::move(text).error();
    if (error.id == ErrorId::kObjectNotFound) {
      return MakeError(ErrorId::kManifestNotFound, fmt::format("{} is not there", object.Uri()));
    }
    if (error.id == ErrorId::kObjectCorrupt || error.id == ErrorId::kLimitExceeded) {
      return MakeError(ErrorId::kManifestDamaged, error.message);
    }
    return error;
  }
  auto manifest = ParseManifest(*text).WithContext(object.Uri());
  // Deeper or longer than any that is written: damage as well.
  if (!manifest.ok() && manifest.error().id == ErrorId::kLimitExceeded) {
    return MakeError(ErrorId::kManifestDamaged, manifest.error().message);
  }
  return manifest;
}

// A manifest that lies under another name than its own was moved there by someone.
Status CheckPlace(const Manifest& manifest, const std::string& name, const Location& location) {
  if (ManifestName(location.prefix, manifest.object, manifest.backup) == name) return Ok();
  return MakeError(ErrorId::kManifestDamaged,
                   fmt::format("gs://{}/{}: it tells of {} of {}", location.bucket, name,
                               manifest.backup, manifest.object.ToString()));
}

// Files that are named <id>.json beside `any`, the name of the one with an empty id.
Result<cloud::Page<EvidenceEntry>> ListFiles(cloud::ObjectStore& store, const Location& location,
                                             std::string any, const std::string& page_token) {
  constexpr std::string_view kEnding = ".json";
  any.resize(any.size() - kEnding.size());
  HF_ASSIGN_OR_RETURN(auto listed, store.ListObjects(location.bucket, any, page_token));
  cloud::Page<EvidenceEntry> page;
  page.next_page_token = std::move(listed.next_page_token);
  for (const cloud::ObjectInfo& info : listed.items) {
    std::string id = info.ref.name.substr(any.size());
    if (!id.ends_with(kEnding)) continue;
    id.resize(id.size() - kEnding.size());
    if (IsValidId(id)) page.items.push_back({std::move(id), info.created_ms});
  }
  return page;
}

Status CheckIds(std::string_view first, std::string_view second) {
  for (const std::string_view id : {first, second}) {
    if (!IsValidId(id)) {
      return MakeError(ErrorId::kInvalidName, fmt::format("\"{}\" is not an id", id));
    }
  }
  return Ok();
}

}  // namespace

Result<Repository> Repository::Open(cloud::ObjectStore& store, const Location& location) {
  HF_RETURN_IF_ERROR(ValidateLocation(location));
  const cloud::ObjectRef file{location.bucket, RepositoryFileName(location.prefix), 0};
  const auto text = ReadObjectToString(store, file, kSmallFileBytesMax);
  if (!text.ok() && text.error().id == ErrorId::kObjectNotFound) {
    return MakeError(ErrorId::kRepositoryNotFound, fmt::format("{} is not there", file.Uri()));
  }
  if (!text.ok() && text.error().id == ErrorId::kObjectCorrupt) {
    return MakeError(ErrorId::kRepositoryDamaged, text.error().message);
  }
  HF_RETURN_IF_ERROR(text);
  HF_ASSIGN_OR_RETURN(std::string id, ParseRepositoryFile(file.Uri(), *text));
  return Repository(store, location, std::move(id));
}

Result<Repository> Repository::OpenOrCreate(cloud::ObjectStore& store, const Location& location,
                                            const Clock& clock, Random& random) {
  auto opened = Open(store, location);
  if (opened.ok() || opened.error().id != ErrorId::kRepositoryNotFound) return opened;
  const Json json = {{"format", kFormatName},
                     {"format_version", kRepositoryFormatVersion},
                     {"id", RandomHex(random, 16)},
                     {"created", FormatTimestamp(clock.Now())}};
  const cloud::ObjectRef file{location.bucket, RepositoryFileName(location.prefix), 0};
  const auto written = CreateObjectFromString(store, file, DumpPrettyJson(json));
  if (!written.ok() && written.error().id != ErrorId::kObjectExists) return written.error();
  return Open(store, location);  // whoever won
}

Result<cloud::ObjectInfo> Repository::WriteManifest(const Manifest& manifest) {
  HF_RETURN_IF_ERROR(CheckIds(manifest.backup, manifest.run));
  const std::string text = SerializeManifest(manifest);
  // What would not be read back must not become the commit of a backup.
  HF_RETURN_IF_ERROR(ParseManifest(text));
  const cloud::ObjectRef name =
      RefOf(ManifestName(location_.prefix, manifest.object, manifest.backup));
  auto written = CreateObjectFromString(*store_, name, text);
  if (!written.ok() && written.error().id == ErrorId::kObjectExists) {
    return MakeError(ErrorId::kManifestExists,
                     fmt::format("backup {} of {} was committed by another attempt",
                                 manifest.backup, manifest.object.ToString()));
  }
  return written;
}

Result<bool> Repository::HasManifest(const TableRef& object, const std::string& backup) {
  HF_ASSIGN_OR_RETURN(const auto info,
                      store_->StatObject(RefOf(ManifestName(location_.prefix, object, backup))));
  return info.has_value();
}

Result<Manifest> Repository::ReadManifest(const TableRef& object, const std::string& backup) {
  const cloud::ObjectRef name = RefOf(ManifestName(location_.prefix, object, backup));
  HF_ASSIGN_OR_RETURN(Manifest manifest, ReadManifestObject(*store_, name));
  HF_RETURN_IF_ERROR(CheckPlace(manifest, name.name, location_));
  return manifest;
}

Result<Manifest> Repository::ReadManifest(const ManifestEntry& entry) {
  HF_ASSIGN_OR_RETURN(Manifest manifest, ReadManifestObject(*store_, entry.info.ref));
  HF_RETURN_IF_ERROR(CheckPlace(manifest, entry.info.ref.name, location_));
  return manifest;
}

Result<cloud::Page<ManifestEntry>> Repository::ListManifests(const TableRef& scope,
                                                             const std::string& page_token) {
  return ListManifestsFrom(scope, "", page_token);
}

Result<cloud::Page<ManifestEntry>> Repository::ListManifestsFrom(const TableRef& scope,
                                                                 const std::string& start,
                                                                 const std::string& page_token) {
  const std::string prefix = ManifestsPrefix(location_.prefix, scope);
  HF_ASSIGN_OR_RETURN(auto listed,
                      start.empty()
                          ? store_->ListObjects(location_.bucket, prefix, page_token)
                          : store_->ListObjectsFrom(location_.bucket, prefix, start, page_token));
  cloud::Page<ManifestEntry> page;
  page.next_page_token = std::move(listed.next_page_token);
  for (cloud::ObjectInfo& info : listed.items) {
    auto path = ParseManifestName(location_.prefix, info.ref.name);
    if (path) page.items.push_back({std::move(*path), std::move(info)});
  }
  return page;
}

Result<cloud::Page<std::string>> Repository::ListRuns(const std::string& page_token) {
  HF_ASSIGN_OR_RETURN(auto listed,
                      ListFiles(*store_, location_, RunFileName(location_.prefix, ""), page_token));
  cloud::Page<std::string> page;
  page.next_page_token = std::move(listed.next_page_token);
  for (EvidenceEntry& file : listed.items) page.items.push_back(std::move(file.id));
  return page;
}

Result<cloud::Page<EvidenceEntry>> Repository::ListEvidence(const std::string& kind,
                                                            const std::string& page_token) {
  HF_RETURN_IF_ERROR(CheckIds(kind, kind));
  return ListFiles(*store_, location_, EvidenceName(location_.prefix, kind, ""), page_token);
}

Result<Json> Repository::ReadEvidence(const std::string& kind, const std::string& id) {
  HF_RETURN_IF_ERROR(CheckIds(kind, id));
  const cloud::ObjectRef name = RefOf(EvidenceName(location_.prefix, kind, id));
  HF_ASSIGN_OR_RETURN(const std::string text, ReadObjectToString(*store_, name, kEvidenceBytesMax));
  return ParseJson(text, {.size_bytes_max = static_cast<size_t>(kEvidenceBytesMax)})
      .WithContext(name.Uri());
}

Result<bool> Repository::HasEvidence(const std::string& kind, const std::string& id) {
  HF_RETURN_IF_ERROR(CheckIds(kind, id));
  HF_ASSIGN_OR_RETURN(const auto info,
                      store_->StatObject(RefOf(EvidenceName(location_.prefix, kind, id))));
  return info.has_value();
}

Status Repository::WriteEvidence(const std::string& kind, const std::string& id,
                                 const Json& evidence) {
  HF_RETURN_IF_ERROR(CheckIds(kind, id));
  const cloud::ObjectRef name = RefOf(EvidenceName(location_.prefix, kind, id));
  HF_RETURN_IF_ERROR(CreateObjectFromString(*store_, name, DumpPrettyJson(evidence)));
  return Ok();
}

Status ForEachManifest(Repository& repository, const TableRef& scope,
                       const std::function<Status(Result<Manifest> manifest)>& visit,
                       const WantManifest& want) {
  return cloud::ForEachPage<ManifestEntry>(
      [&](const std::string& token) { return repository.ListManifests(scope, token); },
      [&](ManifestEntry&& entry) -> Status {
        HF_ASSIGN_OR_RETURN(const bool wanted, want(entry));
        if (!wanted) return Ok();
        auto manifest = repository.ReadManifest(entry);
        const bool damaged = !manifest.ok() && (manifest.error().id == ErrorId::kManifestDamaged ||
                                                manifest.error().id == ErrorId::kManifestVersion);
        // Deleted since it was listed: it is no backup any more.
        if (!manifest.ok() && manifest.error().id == ErrorId::kManifestNotFound) return Ok();
        if (!manifest.ok() && !damaged) return std::move(manifest).error();
        return visit(std::move(manifest));
      });
}

}  // namespace holdfast::repository
