#include "model/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/hash.h"

namespace holdfast {

namespace {

constexpr std::string_view kSumMember = "manifest_sha256";

Error Wrong(std::string_view member, std::string_view what) {
  return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" {}", member, what));
}

Result<int64_t> RequiredCount(const Json& json, std::string_view key) {
  HF_ASSIGN_OR_RETURN(const int64_t value, RequiredInt64(json, key));
  if (value < 0) return Wrong(key, "is negative");
  return value;
}

Result<const Json*> RequiredMember(const Json& json, std::string_view key) {
  const Json* value = FindField(json, key);
  if (value == nullptr) return Wrong(key, "is missing");
  return value;
}

Result<Json> RequiredDocument(const Json& json, std::string_view key) {
  HF_ASSIGN_OR_RETURN(const Json* value, RequiredMember(json, key));
  if (!value->is_object()) return Wrong(key, "is not an object");
  return *value;
}

Json ObjectToJson(const DataObject& object) {
  return {{"name", object.name},
          {"generation", object.generation},
          {"size_bytes", object.size_bytes},
          {"crc32c", object.crc32c},
          {"sha256", object.sha256},
          {"rows", object.rows}};
}

bool IsSafeObjectName(std::string_view name) {
  return !name.empty() && name.size() <= 1024 && name.front() != '/' &&
         name.find("//") == name.npos && name.find("../") == name.npos;
}

bool IsSha256(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<DataObject> ObjectFromJson(const Json& json) {
  DataObject object;
  HF_ASSIGN_OR_RETURN(object.name, RequiredString(json, "name"));
  if (!IsSafeObjectName(object.name)) return Wrong("name", "is not the name of an object of ours");
  HF_ASSIGN_OR_RETURN(object.generation, RequiredCount(json, "generation"));
  if (object.generation == 0) return Wrong("generation", "is zero");
  HF_ASSIGN_OR_RETURN(object.size_bytes, RequiredCount(json, "size_bytes"));
  HF_ASSIGN_OR_RETURN(const int64_t crc32c, RequiredCount(json, "crc32c"));
  if (crc32c > std::numeric_limits<uint32_t>::max()) return Wrong("crc32c", "is not 32 bits");
  object.crc32c = static_cast<uint32_t>(crc32c);
  HF_ASSIGN_OR_RETURN(object.sha256, RequiredString(json, "sha256"));
  if (!IsSha256(object.sha256)) return Wrong("sha256", "is not 64 hexadecimal digits");
  HF_ASSIGN_OR_RETURN(object.rows, RequiredCount(json, "rows"));
  return object;
}

Status ObjectsFromJson(const Json& json, Manifest& manifest) {
  HF_ASSIGN_OR_RETURN(const Json* list, RequiredMember(json, "objects"));
  if (!list->is_array()) return Wrong("objects", "is not a list");
  if (list->size() > kManifestObjectsMax) {
    return MakeError(ErrorId::kLimitExceeded,
                     fmt::format("more than {} data objects", kManifestObjectsMax));
  }
  for (const Json& item : *list) {
    HF_ASSIGN_OR_RETURN(DataObject object, ObjectFromJson(item).WithContext("objects"));
    if (!manifest.objects.empty() && manifest.objects.back().name >= object.name) {
      return Wrong("objects", "is not in order of name");
    }
    manifest.objects.push_back(std::move(object));
  }
  return Ok();
}

Result<std::optional<StreamingBuffer>> BufferFromJson(const Json& json) {
  const Json* member = FindField(json, "streaming_buffer");
  if (member == nullptr) return std::optional<StreamingBuffer>();
  StreamingBuffer buffer;
  HF_ASSIGN_OR_RETURN(const int64_t rows, RequiredCount(*member, "estimated_rows"));
  HF_ASSIGN_OR_RETURN(const int64_t bytes, RequiredCount(*member, "estimated_bytes"));
  HF_ASSIGN_OR_RETURN(buffer.oldest_entry_ms, RequiredCount(*member, "oldest_entry_ms"));
  buffer.estimated_rows = static_cast<uint64_t>(rows);
  buffer.estimated_bytes = static_cast<uint64_t>(bytes);
  return std::optional(buffer);
}

Json BufferToJson(const StreamingBuffer& buffer) {
  return {{"estimated_rows", buffer.estimated_rows},
          {"estimated_bytes", buffer.estimated_bytes},
          {"oldest_entry_ms", buffer.oldest_entry_ms}};
}

Status IdentityFromJson(const Json& json, Manifest& manifest) {
  HF_ASSIGN_OR_RETURN(manifest.backup, RequiredString(json, "backup"));
  HF_ASSIGN_OR_RETURN(const std::string object, RequiredString(json, "object"));
  HF_ASSIGN_OR_RETURN(manifest.object, ParseTableRef(object));
  HF_ASSIGN_OR_RETURN(const std::string method, RequiredString(json, "method"));
  const auto found = FindMethod(method);
  if (!found) return Wrong("method", "is not a method");
  manifest.method = *found;
  HF_ASSIGN_OR_RETURN(const auto kind_name, OptionalString(json, "kind"));
  const auto kind = FindObjectKind(kind_name.value_or(std::string(ObjectKindName(manifest.kind))));
  if (!kind) return Wrong("kind", "is not a kind of object");
  manifest.kind = *kind;
  HF_ASSIGN_OR_RETURN(manifest.run, RequiredString(json, "run"));
  HF_ASSIGN_OR_RETURN(const int64_t attempt, RequiredCount(json, "attempt"));
  if (attempt < 1 || attempt > std::numeric_limits<int>::max()) return Wrong("attempt", "is odd");
  manifest.attempt = static_cast<int>(attempt);
  HF_ASSIGN_OR_RETURN(manifest.created_ms, RequiredCount(json, "created_ms"));
  HF_ASSIGN_OR_RETURN(manifest.tool_version, RequiredString(json, "tool_version"));
  return Ok();
}

Status SourceFromJson(const Json& json, Manifest& manifest) {
  HF_ASSIGN_OR_RETURN(manifest.location, RequiredString(json, "location"));
  HF_ASSIGN_OR_RETURN(const Json* source, RequiredMember(json, "source"));
  HF_ASSIGN_OR_RETURN(manifest.source, Fingerprint::FromJson(*source).WithContext("source"));
  HF_ASSIGN_OR_RETURN(const Json schema, RequiredDocument(json, "schema"));
  HF_ASSIGN_OR_RETURN(manifest.schema, Schema::FromJson(schema));
  HF_ASSIGN_OR_RETURN(manifest.table_resource, RequiredDocument(json, "table_resource"));
  HF_ASSIGN_OR_RETURN(manifest.dataset_resource, RequiredDocument(json, "dataset_resource"));
  if (FindField(json, "access") != nullptr) {
    HF_ASSIGN_OR_RETURN(manifest.access, RequiredDocument(json, "access"));
  }
  return Ok();
}

Status DataFromJson(const Json& json, Manifest& manifest) {
  HF_ASSIGN_OR_RETURN(manifest.bucket, RequiredString(json, "bucket"));
  HF_ASSIGN_OR_RETURN(manifest.codec, RequiredString(json, "codec"));
  HF_RETURN_IF_ERROR(ObjectsFromJson(json, manifest));
  HF_ASSIGN_OR_RETURN(const auto copy, OptionalString(json, "copy"));
  if (copy) {
    HF_ASSIGN_OR_RETURN(manifest.copy, ParseTableRef(*copy));
    HF_ASSIGN_OR_RETURN(manifest.copy_modified_ms, RequiredCount(json, "copy_modified_ms"));
  }
  HF_ASSIGN_OR_RETURN(manifest.rows, RequiredCount(json, "rows"));
  HF_ASSIGN_OR_RETURN(manifest.stored_bytes, RequiredCount(json, "stored_bytes"));
  HF_ASSIGN_OR_RETURN(manifest.content_digest, RequiredString(json, "content_digest"));
  HF_ASSIGN_OR_RETURN(manifest.consistent_through_ms, RequiredCount(json, "consistent_through_ms"));
  HF_ASSIGN_OR_RETURN(manifest.as_of_ms, OptionalInt64(json, "as_of_ms"));
  HF_ASSIGN_OR_RETURN(manifest.streaming_buffer, BufferFromJson(json));
  HF_ASSIGN_OR_RETURN(const std::string level, RequiredString(json, "verified"));
  const auto verified = FindVerifyLevel(level);
  if (!verified) return Wrong("verified", "is not a verify level");
  manifest.verified = *verified;
  HF_ASSIGN_OR_RETURN(manifest.suspect, RequiredString(json, "suspect"));
  return Ok();
}

// What the name of an object says of its kind: a reserved one is never a table's.
bool IsNameOf(const TableRef& object, ObjectKind kind) {
  const auto reserved = ParseReservedName(object.table);
  if (kind == ObjectKind::kDataset) return reserved && reserved->routine.empty();
  if (kind == ObjectKind::kRoutine) return reserved && !reserved->routine.empty();
  return !reserved;
}

Status CheckDefinition(const Manifest& manifest) {
  if (manifest.method != Method::kDefinition) return Wrong("method", "is not that of a definition");
  if (!manifest.objects.empty() || manifest.copy || manifest.rows != 0 ||
      manifest.stored_bytes != 0) {
    return Wrong("kind", "has no data, but the backup has");
  }
  if (manifest.Definition().empty()) return Wrong("table_resource", "is empty");
  return Ok();
}

// What the members must be together.
Status CheckWhole(const Manifest& manifest) {
  if (!IsNameOf(manifest.object, manifest.kind)) return Wrong("kind", "is not that of the object");
  if (IsDefinitionOnly(manifest.kind)) return CheckDefinition(manifest);
  if (manifest.method == Method::kDefinition) return Wrong("method", "keeps no data of a table");
  if (manifest.method != Method::kExport) {
    if (manifest.copy || manifest.method == Method::kNative) return Ok();
    return Wrong("copy", "is missing");
  }
  if (manifest.objects.empty()) return Wrong("objects", "is empty");
  if (manifest.bucket.empty()) return Wrong("bucket", "is empty");
  __int128 rows = 0;
  __int128 bytes = 0;
  for (const DataObject& object : manifest.objects) {
    rows += object.rows;
    bytes += object.size_bytes;
  }
  if (rows != manifest.rows) return Wrong("rows", "is not the sum over the data objects");
  if (bytes != manifest.stored_bytes) {
    return Wrong("stored_bytes", "is not the sum over the data objects");
  }
  return Ok();
}

Error Damaged(std::string_view why) {
  return MakeError(ErrorId::kManifestDamaged, fmt::format("manifest: {}", why));
}

}  // namespace

Json Manifest::ToJson() const {
  Json list = Json::array();
  for (const DataObject& item : objects) list.push_back(ObjectToJson(item));
  Json json = {{"format_version", kManifestFormatVersion},
               {"backup", backup},
               {"object", object.ToString()},
               {"method", MethodName(method)},
               {"run", run},
               {"attempt", attempt},
               {"created_ms", created_ms},
               {"tool_version", tool_version},
               {"location", location},
               {"source", source.ToJson()},
               {"schema", schema.ToJson()},
               {"table_resource", table_resource},
               {"dataset_resource", dataset_resource},
               {"bucket", bucket},
               {"codec", codec},
               {"objects", std::move(list)},
               {"rows", rows},
               {"stored_bytes", stored_bytes},
               {"content_digest", content_digest},
               {"consistent_through_ms", consistent_through_ms},
               {"verified", VerifyLevelName(verified)},
               {"suspect", suspect}};
  if (copy) {
    json["copy"] = copy->ToString();
    json["copy_modified_ms"] = copy_modified_ms;
  }
  if (kind != ObjectKind::kTable) json["kind"] = ObjectKindName(kind);
  if (access) json["access"] = *access;
  if (as_of_ms) json["as_of_ms"] = *as_of_ms;
  if (streaming_buffer) json["streaming_buffer"] = BufferToJson(*streaming_buffer);
  return json;
}

Result<Manifest> Manifest::FromJson(const Json& json) {
  if (!json.is_object()) return MakeError(ErrorId::kInvalidJson, "a manifest is not an object");
  HF_ASSIGN_OR_RETURN(const int64_t version, RequiredInt64(json, "format_version"));
  if (version != kManifestFormatVersion) {
    return MakeError(ErrorId::kManifestVersion,
                     fmt::format("manifest of format version {}; this program reads version {}",
                                 version, kManifestFormatVersion));
  }
  Manifest manifest;
  HF_RETURN_IF_ERROR(IdentityFromJson(json, manifest));
  HF_RETURN_IF_ERROR(SourceFromJson(json, manifest));
  HF_RETURN_IF_ERROR(DataFromJson(json, manifest));
  HF_RETURN_IF_ERROR(CheckWhole(manifest));
  return manifest;
}

std::string SerializeManifest(const Manifest& manifest) {
  Json json = manifest.ToJson();
  json[kSumMember] = Sha256Hex(DumpJson(json));
  return DumpJson(json);
}

Result<Manifest> ParseManifest(std::string_view text) {
  auto parsed = ParseJson(text, {.size_bytes_max = kManifestBytesMax});
  if (!parsed.ok()) {
    if (parsed.error().id == ErrorId::kLimitExceeded) return std::move(parsed).error();
    return Damaged(parsed.error().message);
  }
  Json& json = *parsed;
  if (!json.is_object()) return Damaged("it is not a JSON object");
  const std::string sum = StringOr(json, kSumMember, "");
  json.erase(std::string(kSumMember));
  if (sum != Sha256Hex(DumpJson(json))) {
    return Damaged("its checksum does not match: it was edited or damaged");
  }
  auto manifest = Manifest::FromJson(json);
  if (!manifest.ok() && manifest.error().id == ErrorId::kInvalidJson) {
    return Damaged(manifest.error().message);
  }
  return manifest;
}

}  // namespace holdfast
