#include "catalog/record_json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "model/partition_id.h"

namespace holdfast::catalog {

namespace {

// Strict reads of one object's members, fastest in the order in which they are written. The first
// that is missing or of another type becomes the error in `status`, and is empty; so is everything
// of an object that is itself missing.
class Members {
 public:
  Members(const simdjson::simdjson_result<simdjson::dom::element>& found, std::string_view name,
          Status& status)
      : status_(status) {
    is_object_ = found.get(object_) == simdjson::SUCCESS;
    if (is_object_) {
      next_ = object_.begin();
    } else {
      Fail(name, "is not an object");
    }
  }

  std::string Text(std::string_view name) { return std::string(Get<std::string_view>(name)); }
  int64_t Number(std::string_view name) { return Get<int64_t>(name); }
  bool Flag(std::string_view name) { return Get<bool>(name); }
  Members Object(std::string_view name) { return {Find(name), name, status_}; }

  // Whether it is there, and not null.
  bool Has(std::string_view name) {
    simdjson::dom::element value;
    return Find(name).get(value) == simdjson::SUCCESS && !value.is_null();
  }

  // The member as the value that `find` knows by that name.
  template <typename T>
  void Name(std::string_view name, std::optional<T> (*find)(std::string_view), T& to) {
    const auto found = find(Get<std::string_view>(name));
    if (!found) return Fail(name, "has no value that is known");
    to = *found;
  }

 private:
  void Fail(std::string_view name, std::string_view what) {
    if (!status_.ok()) return;
    status_ = MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" {}", name, what));
  }

  simdjson::simdjson_result<simdjson::dom::element> Find(std::string_view name) {
    if (!is_object_) return simdjson::NO_SUCH_FIELD;
    for (auto member = next_; member != object_.end(); ++member) {
      if (!member.key_equals(name)) continue;
      next_ = member;
      return member.value();
    }
    return object_.at_key(name);
  }

  template <typename T>
  T Get(std::string_view name) {
    T value{};
    const auto error = Find(name).get(value);
    if (error != simdjson::SUCCESS) {
      value = T{};
      Fail(name, error == simdjson::NO_SUCH_FIELD ? "is missing" : "is of another type");
    }
    return value;
  }

  simdjson::dom::object object_;
  simdjson::dom::object::iterator next_;  // where the last one was found
  bool is_object_ = false;
  Status& status_;
};

Partitioning ReadPartitioning(Members members) {
  Partitioning partitioning;
  members.Name("kind", FindPartitioningKind, partitioning.kind);
  if (members.Has("field")) partitioning.field = members.Text("field");
  if (partitioning.kind != Partitioning::Kind::kIntegerRange) return partitioning;
  partitioning.range_start = members.Number("range_start");
  partitioning.range_end = members.Number("range_end");
  partitioning.range_interval = members.Number("range_interval");
  return partitioning;
}

Fingerprint ReadFingerprint(Members members) {
  return {.creation_ms = members.Number("creation_ms"),
          .last_modified_ms = members.Number("last_modified_ms"),
          .rows = members.Number("rows"),
          .bytes = members.Number("bytes"),
          .schema_hash = members.Text("schema_hash"),
          .metadata_hash = members.Text("metadata_hash"),
          .partitioning = ReadPartitioning(members.Object("partitioning")),
          .streaming = members.Has("streaming") && members.Flag("streaming")};
}

BackupRecord ReadRecord(Members members) {
  BackupRecord record;
  if (members.Has("as_of_ms")) record.as_of_ms = members.Number("as_of_ms");
  record.backup = members.Text("backup");
  record.bucket = members.Text("bucket");
  record.consistent_through_ms = members.Number("consistent_through_ms");
  record.content_digest = members.Text("content_digest");
  record.created_ms = members.Number("created_ms");
  record.object.dataset = members.Text("dataset");
  // Records from before there were other kinds than tables have none.
  if (members.Has("kind")) members.Name("kind", FindObjectKind, record.kind);
  record.location = members.Text("location");
  members.Name("method", FindMethod, record.method);
  record.objects = members.Number("objects");
  record.object.partition = members.Text("partition");
  record.prefix = members.Text("prefix");
  record.object.project = members.Text("project");
  record.rows = members.Number("rows");
  record.run = members.Text("run");
  record.source = ReadFingerprint(members.Object("source"));
  record.stored_bytes = members.Number("stored_bytes");
  record.suspect = members.Text("suspect");
  record.object.table = members.Text("table");
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

struct BackupRecordReader::Parser {
  simdjson::dom::parser parser;
  std::string padded;  // what is read, with the room after it that the parser asks for
};

BackupRecordReader::BackupRecordReader() : parser_(std::make_unique<Parser>()) {}
BackupRecordReader::~BackupRecordReader() = default;

Result<BackupRecord> BackupRecordReader::Read(std::string_view text) {
  Status status;
  std::string& padded = parser_->padded;
  padded.assign(text);
  padded.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  const auto document = parser_->parser.parse(padded.data(), padded.size(), false);
  if (document.error() != simdjson::SUCCESS) {
    return MakeError(
        ErrorId::kCatalogDamaged,
        fmt::format("catalog: a backup's record: {}", simdjson::error_message(document.error())));
  }
  BackupRecord record = ReadRecord({document, "record", status});
  if (!status.ok()) return AsDamaged(status.error());
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
