#include "retain/tombstones.h"

#include <fmt/format.h>

#include "model/ids.h"

namespace holdfast::retain {

namespace {

constexpr int64_t kFormatVersion = 1;
constexpr int64_t kAttemptMax = 1'000'000;
constexpr size_t kTombstonesMax = 1'000'000;
constexpr std::string_view kEnding = ".json";
constexpr std::string_view kMarked = "marked";
constexpr std::string_view kDeleting = "deleting";

std::string FolderOf(const repository::Repository& repository, std::string_view folder) {
  const std::string& prefix = repository.location().prefix;
  if (folder == kDeleting) return repository::IntentsPrefix(prefix);
  return fmt::format("{}{}tombstones/{}/", prefix, prefix.empty() ? "" : "/", folder);
}

cloud::ObjectRef RefOf(const repository::Repository& repository, std::string_view folder,
                       std::string_view backup) {
  return {repository.location().bucket,
          fmt::format("{}{}{}", FolderOf(repository, folder), backup, kEnding), 0};
}

Json RefJson(const cloud::ObjectRef& ref) {
  return {{"bucket", ref.bucket}, {"name", ref.name}, {"generation", ref.generation}};
}

// A generation of 0 would name whatever is there, so it is refused.
Result<int64_t> RequiredGeneration(const Json& json, std::string_view name) {
  HF_ASSIGN_OR_RETURN(const int64_t generation, RequiredInt64(json, name));
  if (generation > 0) return generation;
  return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is not a generation", name));
}

Result<cloud::ObjectRef> ParseRef(const Json& json) {
  cloud::ObjectRef ref;
  HF_ASSIGN_OR_RETURN(ref.bucket, RequiredString(json, "bucket"));
  HF_ASSIGN_OR_RETURN(ref.name, RequiredString(json, "name"));
  HF_ASSIGN_OR_RETURN(ref.generation, RequiredGeneration(json, "generation"));
  return ref;
}

Result<const Json*> RequiredList(const Json& json, std::string_view name) {
  const Json* list = FindField(json, name);
  if (list != nullptr && list->is_array()) return list;
  return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is not a list", name));
}

// In parts: what is not a table has a name that a text would not give back.
Json TableJson(const TableRef& table) {
  return {{"project", table.project},
          {"dataset", table.dataset},
          {"table", table.table},
          {"partition", table.partition}};
}

Result<TableRef> RequiredTable(const Json& json, std::string_view name) {
  const Json* parts = FindField(json, name);
  if (parts == nullptr || !parts->is_object()) {
    return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is not an object", name));
  }
  TableRef table;
  HF_ASSIGN_OR_RETURN(table.project, RequiredString(*parts, "project"));
  HF_ASSIGN_OR_RETURN(table.dataset, RequiredString(*parts, "dataset"));
  HF_ASSIGN_OR_RETURN(table.table, RequiredString(*parts, "table"));
  HF_ASSIGN_OR_RETURN(table.partition, RequiredString(*parts, "partition"));
  return table;
}

Json RefsJson(const std::vector<cloud::ObjectRef>& refs) {
  Json list = Json::array();
  for (const cloud::ObjectRef& ref : refs) list.push_back(RefJson(ref));
  return list;
}

Result<std::vector<cloud::ObjectRef>> ParseData(const Json& json) {
  HF_ASSIGN_OR_RETURN(const Json* data, RequiredList(json, "data"));
  std::vector<cloud::ObjectRef> refs;
  for (const Json& item : *data) {
    HF_ASSIGN_OR_RETURN(cloud::ObjectRef ref, ParseRef(item));
    refs.push_back(std::move(ref));
  }
  return refs;
}

Json ReplicaJson(const Replica& replica) {
  return {{"bucket", replica.repository.bucket},
          {"prefix", replica.repository.prefix},
          {"manifest_generation", replica.manifest_generation},
          {"data", RefsJson(replica.data)}};
}

Result<Replica> ParseReplica(const Json& json) {
  Replica replica;
  HF_ASSIGN_OR_RETURN(replica.repository.bucket, RequiredString(json, "bucket"));
  HF_ASSIGN_OR_RETURN(replica.repository.prefix, RequiredString(json, "prefix"));
  HF_RETURN_IF_ERROR(repository::ValidateLocation(replica.repository));
  HF_ASSIGN_OR_RETURN(replica.manifest_generation, RequiredGeneration(json, "manifest_generation"));
  HF_ASSIGN_OR_RETURN(replica.data, ParseData(json));
  return replica;
}

Status ReadLists(const Json& json, Tombstone& tombstone) {
  HF_ASSIGN_OR_RETURN(tombstone.data, ParseData(json));
  if (FindField(json, "replicas") != nullptr) {
    HF_ASSIGN_OR_RETURN(const Json* replicas, RequiredList(json, "replicas"));
    for (const Json& item : *replicas) {
      HF_ASSIGN_OR_RETURN(Replica replica, ParseReplica(item));
      tombstone.replicas.push_back(std::move(replica));
    }
  }
  HF_ASSIGN_OR_RETURN(const Json* reasons, RequiredList(json, "reasons"));
  for (const Json& reason : *reasons) {
    if (!reason.is_string()) return MakeError(ErrorId::kInvalidJson, "a reason is not a text");
    tombstone.reasons.push_back(reason.get<std::string>());
  }
  return Ok();
}

}  // namespace

Json Tombstone::ToJson() const {
  Json json = {{"format_version", kFormatVersion},
               {"backup", backup},
               {"object", TableJson(object)},
               {"manifest_generation", manifest_generation},
               {"attempt", attempt},
               {"bytes", bytes},
               {"marked_ms", marked_ms},
               {"reasons", reasons}};
  json["data"] = RefsJson(data);
  for (const Replica& replica : replicas) json["replicas"].push_back(ReplicaJson(replica));
  if (copy) {
    json["copy"] = TableJson(*copy);
    json["copy_modified_ms"] = copy_modified_ms;
  }
  return json;
}

Result<Tombstone> Tombstone::FromJson(const Json& json) {
  HF_ASSIGN_OR_RETURN(const int64_t version, RequiredInt64(json, "format_version"));
  if (version != kFormatVersion) {
    return MakeError(ErrorId::kInvalidJson, fmt::format("its format version is {}", version));
  }
  Tombstone tombstone;
  HF_ASSIGN_OR_RETURN(tombstone.backup, RequiredString(json, "backup"));
  HF_ASSIGN_OR_RETURN(tombstone.object, RequiredTable(json, "object"));
  HF_ASSIGN_OR_RETURN(tombstone.manifest_generation,
                      RequiredGeneration(json, "manifest_generation"));
  HF_ASSIGN_OR_RETURN(const int64_t attempt, RequiredInt64(json, "attempt"));
  if (attempt < 1 || attempt > kAttemptMax) {
    return MakeError(ErrorId::kInvalidJson, "\"attempt\" is not one");
  }
  tombstone.attempt = static_cast<int>(attempt);
  HF_ASSIGN_OR_RETURN(tombstone.bytes, RequiredInt64(json, "bytes"));
  HF_ASSIGN_OR_RETURN(tombstone.marked_ms, RequiredInt64(json, "marked_ms"));
  HF_RETURN_IF_ERROR(ReadLists(json, tombstone));
  if (FindField(json, "copy") != nullptr) {
    HF_ASSIGN_OR_RETURN(tombstone.copy, RequiredTable(json, "copy"));
    HF_ASSIGN_OR_RETURN(tombstone.copy_modified_ms, RequiredInt64(json, "copy_modified_ms"));
  }
  return tombstone;
}

Tombstone MakeTombstone(const Manifest& manifest, int64_t manifest_generation, Timestamp now,
                        std::vector<std::string> reasons) {
  return {.backup = manifest.backup,
          .object = manifest.object,
          .manifest_generation = manifest_generation,
          .data = DataOf(manifest),
          .copy = manifest.copy,
          .copy_modified_ms = manifest.copy_modified_ms,
          .attempt = manifest.attempt,
          .bytes = manifest.stored_bytes,
          .marked_ms = ToUnixMillis(now),
          .reasons = std::move(reasons),
          .replicas = {}};
}

std::vector<cloud::ObjectRef> DataOf(const Manifest& manifest) {
  std::vector<cloud::ObjectRef> data;
  for (const DataObject& object : manifest.objects) {
    data.push_back({manifest.bucket, object.name, object.generation});
  }
  return data;
}

Status WriteTombstone(repository::Repository& repository, const Tombstone& tombstone) {
  const auto written =
      CreateObjectFromString(repository.store(), RefOf(repository, kMarked, tombstone.backup),
                             DumpPrettyJson(tombstone.ToJson()));
  if (!written.ok() && written.error().id != ErrorId::kObjectExists) return written.error();
  return Ok();
}

Result<std::map<std::string, TombstoneEntry>> ListTombstones(repository::Repository& repository) {
  const std::string prefix = FolderOf(repository, kMarked);
  std::map<std::string, TombstoneEntry> entries;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<cloud::ObjectInfo>(
      [&](const std::string& token) {
        return repository.store().ListObjects(repository.location().bucket, prefix, token);
      },
      [&](cloud::ObjectInfo&& info) -> Status {
        std::string backup = info.ref.name.substr(prefix.size());
        if (!backup.ends_with(kEnding)) return Ok();
        backup.resize(backup.size() - kEnding.size());
        if (!IsValidId(backup)) return Ok();
        if (entries.size() == kTombstonesMax) {
          return MakeError(ErrorId::kLimitExceeded,
                           fmt::format("gs://{}/{}: more than {} tombstones",
                                       repository.location().bucket, prefix, kTombstonesMax));
        }
        entries[backup] = {backup, info.ref, info.created_ms};
        return Ok();
      }));
  return entries;
}

Result<Tombstone> ReadTombstone(repository::Repository& repository, const TombstoneEntry& entry) {
  auto text =
      ReadObjectToString(repository.store(), entry.ref, static_cast<int64_t>(kManifestBytesMax));
  if (!text.ok() && text.error().id == ErrorId::kObjectNotFound) return std::move(text).error();
  const auto damaged = [&](const Error& error) {
    return MakeError(ErrorId::kTombstoneDamaged,
                     fmt::format("{}: {}", entry.ref.Uri(), error.message));
  };
  if (!text.ok()) {
    const ErrorId id = text.error().id;
    if (id == ErrorId::kObjectCorrupt || id == ErrorId::kLimitExceeded) {
      return damaged(text.error());
    }
    return std::move(text).error();
  }
  const auto json = ParseJson(*text);
  if (!json.ok()) return damaged(json.error());
  auto tombstone = Tombstone::FromJson(*json);
  if (!tombstone.ok()) return damaged(tombstone.error());
  if (tombstone->backup != entry.backup) {
    return damaged(
        MakeError(ErrorId::kTombstoneDamaged, "it tells of backup " + tombstone->backup));
  }
  return tombstone;
}

Status ClearTombstone(repository::Repository& repository, const TombstoneEntry& entry) {
  // The intent goes first: without a tombstone no prune would look at it, and nobody could pin.
  HF_RETURN_IF_ERROR(WithdrawIntent(repository, entry.backup));
  return repository.store().DeleteObject(entry.ref);
}

Status WriteIntent(repository::Repository& repository, const std::string& backup) {
  const Json json = {{"backup", backup}};
  HF_RETURN_IF_ERROR(CreateObjectFromString(
      repository.store(), RefOf(repository, kDeleting, backup), DumpPrettyJson(json)));
  return Ok();
}

Status LeaveWord(repository::Repository& repository, const Tombstone& tombstone) {
  return repository.WriteEvidence(repository::kPrunedEvidence, tombstone.backup,
                                  {{"backup", tombstone.backup},
                                   {"object", tombstone.object.ToString()},
                                   {"reasons", tombstone.reasons}});
}

Status WithdrawIntent(repository::Repository& repository, const std::string& backup) {
  HF_ASSIGN_OR_RETURN(const auto intent,
                      repository.store().StatObject(RefOf(repository, kDeleting, backup)));
  return intent ? repository.store().DeleteObject(intent->ref) : Ok();
}

Result<bool> HasIntent(repository::Repository& repository, const std::string& backup) {
  HF_ASSIGN_OR_RETURN(const auto info,
                      repository.store().StatObject(RefOf(repository, kDeleting, backup)));
  return info.has_value();
}

}  // namespace holdfast::retain
