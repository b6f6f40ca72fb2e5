#include "catalog/record_json.h"

#include <fmt/format.h>

namespace holdfast::catalog {

namespace {

Result<BackupRecord> ParseRecord(const std::string& text) {
  HF_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  BackupRecord record;
  HF_ASSIGN_OR_RETURN(record.backup, RequiredString(json, "backup"));
  HF_ASSIGN_OR_RETURN(record.object.project, RequiredString(json, "project"));
  HF_ASSIGN_OR_RETURN(record.object.dataset, RequiredString(json, "dataset"));
  HF_ASSIGN_OR_RETURN(record.object.table, RequiredString(json, "table"));
  HF_ASSIGN_OR_RETURN(record.object.partition, RequiredString(json, "partition"));
  HF_ASSIGN_OR_RETURN(record.run, RequiredString(json, "run"));
  HF_ASSIGN_OR_RETURN(const std::string method, RequiredString(json, "method"));
  const auto found = FindMethod(method);
  if (!found) return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is no method", method));
  record.method = *found;
  HF_ASSIGN_OR_RETURN(record.created_ms, RequiredInt64(json, "created_ms"));
  HF_ASSIGN_OR_RETURN(record.consistent_through_ms, RequiredInt64(json, "consistent_through_ms"));
  const Json* source = FindField(json, "source");
  if (source == nullptr) return MakeError(ErrorId::kInvalidJson, "\"source\" is missing");
  HF_ASSIGN_OR_RETURN(record.source, Fingerprint::FromJson(*source));
  HF_ASSIGN_OR_RETURN(record.location, RequiredString(json, "location"));
  HF_ASSIGN_OR_RETURN(record.bucket, RequiredString(json, "bucket"));
  HF_ASSIGN_OR_RETURN(record.prefix, RequiredString(json, "prefix"));
  HF_ASSIGN_OR_RETURN(record.rows, RequiredInt64(json, "rows"));
  HF_ASSIGN_OR_RETURN(record.stored_bytes, RequiredInt64(json, "stored_bytes"));
  HF_ASSIGN_OR_RETURN(record.objects, RequiredInt64(json, "objects"));
  HF_ASSIGN_OR_RETURN(record.content_digest, RequiredString(json, "content_digest"));
  HF_ASSIGN_OR_RETURN(record.suspect, RequiredString(json, "suspect"));
  // Records from before there were other kinds than tables have none.
  HF_ASSIGN_OR_RETURN(const auto kind_name, OptionalString(json, "kind"));
  const auto kind = FindObjectKind(kind_name.value_or(std::string(ObjectKindName(record.kind))));
  if (!kind) return MakeError(ErrorId::kInvalidJson, "\"kind\" is not a kind of object");
  record.kind = *kind;
  HF_ASSIGN_OR_RETURN(record.as_of_ms, OptionalInt64(json, "as_of_ms"));
  return record;
}

}  // namespace

std::string BackupRecordToText(const BackupRecord& record) {
  Json json = {{"backup", record.backup},
               {"project", record.object.project},
               {"dataset", record.object.dataset},
               {"table", record.object.table},
               {"partition", record.object.partition},
               {"kind", ObjectKindName(record.kind)},
               {"run", record.run},
               {"method", MethodName(record.method)},
               {"created_ms", record.created_ms},
               {"consistent_through_ms", record.consistent_through_ms},
               {"source", record.source.ToJson()},
               {"location", record.location},
               {"bucket", record.bucket},
               {"prefix", record.prefix},
               {"rows", record.rows},
               {"stored_bytes", record.stored_bytes},
               {"objects", record.objects},
               {"content_digest", record.content_digest},
               {"suspect", record.suspect}};
  if (record.as_of_ms) json["as_of_ms"] = *record.as_of_ms;
  return DumpJson(json);
}

Result<BackupRecord> BackupRecordFromText(const std::string& text) {
  auto record = ParseRecord(text);
  if (!record.ok()) return AsDamaged(record.error());
  return record;
}

Error AsDamaged(const Error& error) {
  return MakeError(ErrorId::kCatalogDamaged, "catalog: " + error.message);
}

std::string TokenOf(const Json& key) { return DumpJson(key); }

Result<Json> KeyOf(const std::string& token, size_t size) {
  HF_ASSIGN_OR_RETURN(Json key, ParseJson(token, {.size_bytes_max = 1 << 16, .depth_max = 4}));
  bool ok = key.is_array() && key.size() == size;
  for (size_t i = 0; ok && i < size; ++i) ok = key[i].is_string() || key[i].is_number_integer();
  if (ok) return key;
  return MakeError(ErrorId::kInvalidJson, "a page token is not one of this listing");
}

}  // namespace holdfast::catalog
