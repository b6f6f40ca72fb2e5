#include "localcloud/storage/records.h"

#include <utility>

#include "base/hash.h"

namespace holdfast::storage {
namespace {

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS buckets (
  name TEXT PRIMARY KEY,
  project TEXT NOT NULL,
  metageneration INTEGER NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  retention_seconds INTEGER,
  retention_effective INTEGER,
  retention_locked INTEGER NOT NULL,
  settings TEXT NOT NULL,
  iam_policy TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
  bucket TEXT NOT NULL REFERENCES buckets (name),
  name TEXT NOT NULL,
  generation INTEGER NOT NULL,
  metageneration INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  crc32c INTEGER NOT NULL,
  md5 BLOB NOT NULL,
  component_count INTEGER NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  deleted INTEGER,
  retention_start INTEGER,
  settings TEXT NOT NULL,
  blob TEXT NOT NULL,
  PRIMARY KEY (bucket, name, generation)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS live_objects ON objects (bucket, name) WHERE deleted IS NULL;
CREATE INDEX IF NOT EXISTS objects_by_blob ON objects (blob);
CREATE TABLE IF NOT EXISTS uploads (
  id TEXT PRIMARY KEY,
  bucket TEXT NOT NULL,
  name TEXT NOT NULL,
  request TEXT NOT NULL,
  total_bytes INTEGER,
  blob TEXT NOT NULL,
  received_bytes INTEGER NOT NULL,
  created INTEGER NOT NULL,
  finished_generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uploads_by_blob ON uploads (blob);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO counters VALUES ('generation', 0);
)";

constexpr std::string_view kBucketColumns =
    "name, project, metageneration, created, updated, retention_seconds, retention_effective, "
    "retention_locked, settings, iam_policy";

constexpr std::string_view kObjectColumns =
    "bucket, name, generation, metageneration, size_bytes, crc32c, md5, component_count, created, "
    "updated, deleted, retention_start, settings, blob";

constexpr std::string_view kUploadColumns =
    "id, bucket, name, request, total_bytes, blob, received_bytes, created, finished_generation";

std::string Select(std::string_view columns, std::string_view rest) {
  return "SELECT " + std::string(columns) + " " + std::string(rest);
}

Result<BucketRecord> ReadBucket(const sqlite::Statement& row) {
  BucketRecord bucket{.name = row.ColumnText(0),
                      .project = row.ColumnText(1),
                      .metageneration = row.ColumnInt(2),
                      .created = row.ColumnTime(3),
                      .updated = row.ColumnTime(4)};
  if (const auto seconds = row.ColumnOptionalInt(5)) {
    bucket.retention = RetentionPolicy{
        .seconds = *seconds, .effective = row.ColumnTime(6), .locked = row.ColumnInt(7) != 0};
  }
  HF_ASSIGN_OR_RETURN(bucket.settings, ParseJson(row.ColumnText(8)));
  HF_ASSIGN_OR_RETURN(bucket.iam_policy, ParseJson(row.ColumnText(9)));
  return bucket;
}

// Binds everything of a bucket but its name, in the order of the columns.
void BindBucket(sqlite::Statement& statement, const BucketRecord& bucket) {
  statement.Text(bucket.project).Int(bucket.metageneration).Time(bucket.created);
  statement.Time(bucket.updated);
  const auto& retention = bucket.retention;
  statement.OptionalInt(retention ? std::optional(retention->seconds) : std::nullopt)
      .OptionalTime(retention ? std::optional(retention->effective) : std::nullopt)
      .Int(retention && retention->locked ? 1 : 0)
      .Text(DumpJson(bucket.settings))
      .Text(DumpJson(bucket.iam_policy));
}

// What an upload was asked to write, apart from bucket and name.
Json RequestToJson(const NewObject& object) {
  Json json = {{"settings", object.settings}};
  const auto put = [&](const char* key, const std::optional<int64_t>& value) {
    if (value) json[key] = *value;
  };
  put("generationMatch", object.preconditions.generation_match);
  put("generationNotMatch", object.preconditions.generation_not_match);
  put("metagenerationMatch", object.preconditions.metageneration_match);
  put("metagenerationNotMatch", object.preconditions.metageneration_not_match);
  put("crc32c", object.expected.crc32c);
  if (!object.expected.md5.empty()) json["md5"] = Base64Encode(object.expected.md5);
  return json;
}

Status RequestFromJson(const Json& json, NewObject& object) {
  if (const Json* settings = FindField(json, "settings")) object.settings = *settings;
  HF_ASSIGN_OR_RETURN(object.preconditions.generation_match,
                      OptionalInt64(json, "generationMatch"));
  HF_ASSIGN_OR_RETURN(object.preconditions.generation_not_match,
                      OptionalInt64(json, "generationNotMatch"));
  HF_ASSIGN_OR_RETURN(object.preconditions.metageneration_match,
                      OptionalInt64(json, "metagenerationMatch"));
  HF_ASSIGN_OR_RETURN(object.preconditions.metageneration_not_match,
                      OptionalInt64(json, "metagenerationNotMatch"));
  HF_ASSIGN_OR_RETURN(const auto crc32c, OptionalInt64(json, "crc32c"));
  if (crc32c) object.expected.crc32c = static_cast<uint32_t>(*crc32c);
  HF_ASSIGN_OR_RETURN(object.expected.md5, Base64Decode(StringOr(json, "md5", "")));
  return Ok();
}

Result<UploadRow> ReadUpload(const sqlite::Statement& row) {
  UploadRow upload{.id = row.ColumnText(0),
                   .object = {.bucket = row.ColumnText(1), .name = row.ColumnText(2)},
                   .total_bytes = row.ColumnOptionalInt(4),
                   .blob = row.ColumnText(5),
                   .received_bytes = row.ColumnInt(6),
                   .created = row.ColumnTime(7),
                   .finished_generation = row.ColumnInt(8)};
  HF_ASSIGN_OR_RETURN(const Json request, ParseJson(row.ColumnText(3)));
  HF_RETURN_IF_ERROR(RequestFromJson(request, upload.object));
  return upload;
}

// The only row of `statement`, or nullopt.
template <typename T>
Result<std::optional<T>> ReadOne(sqlite::Statement& statement,
                                 Result<T> (*read)(const sqlite::Statement&)) {
  HF_ASSIGN_OR_RETURN(const bool found, statement.Step());
  if (!found) return std::optional<T>();
  HF_ASSIGN_OR_RETURN(T record, read(statement));
  return std::optional<T>(std::move(record));
}

template <typename T>
Result<std::vector<T>> ReadAll(sqlite::Statement& statement,
                               Result<T> (*read)(const sqlite::Statement&)) {
  std::vector<T> records;
  for (;;) {
    HF_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return records;
    HF_ASSIGN_OR_RETURN(T record, read(statement));
    records.push_back(std::move(record));
  }
}

}  // namespace

Status CreateTables(sqlite::Database& database) { return database.Execute(kSchema); }

Result<int64_t> NextGeneration(sqlite::Database& database, Timestamp now) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement,
                      database.Prepare("UPDATE counters SET value = max(value + 1, ?) "
                                       "WHERE name = 'generation' RETURNING value"));
  HF_ASSIGN_OR_RETURN(const bool row, statement.Time(now).Step());
  CHECK(row, "the generation counter is created with the tables");
  const int64_t generation = statement.ColumnInt(0);
  HF_RETURN_IF_ERROR(statement.Run());
  return generation;
}

Result<std::optional<BucketRecord>> BucketRecords::Find(const std::string& name) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement,
                      database_.Prepare(Select(kBucketColumns, "FROM buckets WHERE name = ?")));
  statement.Text(name);
  return ReadOne(statement, ReadBucket);
}

Result<std::vector<BucketRecord>> BucketRecords::List(const std::string& project,
                                                      const std::string& after, int limit) {
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement statement,
      database_.Prepare(Select(kBucketColumns,
                               "FROM buckets WHERE (?1 = '' OR project = ?1) AND name > ?2 "
                               "ORDER BY name LIMIT ?3")));
  statement.Text(project).Text(after).Int(limit);
  return ReadAll(statement, ReadBucket);
}

Status BucketRecords::Insert(const BucketRecord& bucket) {
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement statement,
      database_.Prepare("INSERT INTO buckets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  statement.Text(bucket.name);
  BindBucket(statement, bucket);
  return statement.Run();
}

Status BucketRecords::Update(const BucketRecord& bucket) {
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement statement,
      database_.Prepare("UPDATE buckets SET project = ?, metageneration = ?, created = ?, "
                        "updated = ?, retention_seconds = ?, retention_effective = ?, "
                        "retention_locked = ?, settings = ?, iam_policy = ? WHERE name = ?"));
  BindBucket(statement, bucket);
  return statement.Text(bucket.name).Run();
}

Status BucketRecords::Erase(const std::string& name) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement,
                      database_.Prepare("DELETE FROM buckets WHERE name = ?"));
  return statement.Text(name).Run();
}

Result<ObjectRecord> ObjectRecords::ReadRow(const sqlite::Statement& row) {
  ObjectRecord object{.bucket = row.ColumnText(0),
                      .name = row.ColumnText(1),
                      .generation = row.ColumnInt(2),
                      .metageneration = row.ColumnInt(3),
                      .size_bytes = row.ColumnInt(4),
                      .crc32c = static_cast<uint32_t>(row.ColumnInt(5)),
                      .md5 = row.ColumnText(6),
                      .component_count = static_cast<int>(row.ColumnInt(7)),
                      .created = row.ColumnTime(8),
                      .updated = row.ColumnTime(9),
                      .deleted = row.ColumnOptionalTime(10),
                      .retention_start = row.ColumnOptionalTime(11),
                      .blob = row.ColumnText(13)};
  HF_ASSIGN_OR_RETURN(object.settings, ParseJson(row.ColumnText(12)));
  return object;
}

Result<std::optional<ObjectRecord>> ObjectRecords::FindLive(const std::string& bucket,
                                                            const std::string& name) {
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement statement,
      database_.Prepare(Select(kObjectColumns,
                               "FROM objects WHERE bucket = ? AND name = ? AND deleted IS NULL")));
  statement.Text(bucket).Text(name);
  return ReadOne(statement, ReadRow);
}

Result<std::optional<ObjectRecord>> ObjectRecords::Find(const std::string& bucket,
                                                        const std::string& name,
                                                        int64_t generation) {
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement statement,
      database_.Prepare(
          Select(kObjectColumns, "FROM objects WHERE bucket = ? AND name = ? AND generation = ?")));
  statement.Text(bucket).Text(name).Int(generation);
  return ReadOne(statement, ReadRow);
}

Result<sqlite::Statement> ObjectRecords::Scan(const std::string& bucket, const std::string& name,
                                              int64_t generation) {
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement statement,
      database_.Prepare(Select(kObjectColumns,
                               "FROM objects WHERE bucket = ? AND (name, generation) >= (?, ?) "
                               "ORDER BY name, generation")));
  statement.Text(bucket).Text(name).Int(generation);
  return statement;
}

Result<std::vector<ObjectRecord>> ObjectRecords::Versions(const std::string& bucket,
                                                          const std::string& name, int limit) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement,
                      database_.Prepare(Select(kObjectColumns,
                                               "FROM objects WHERE bucket = ? AND name = ? "
                                               "ORDER BY generation DESC LIMIT ?")));
  statement.Text(bucket).Text(name).Int(limit);
  return ReadAll(statement, ReadRow);
}

Result<bool> ObjectRecords::AnyIn(const std::string& bucket) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement,
                      database_.Prepare("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1"));
  return statement.Text(bucket).Step();
}

Result<bool> ObjectRecords::NamesBlob(const std::string& blob) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement,
                      database_.Prepare("SELECT 1 FROM objects WHERE blob = ? LIMIT 1"));
  return statement.Text(blob).Step();
}

Status ObjectRecords::Insert(const ObjectRecord& object) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement,
                      database_.Prepare("INSERT INTO objects VALUES "
                                        "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  statement.Text(object.bucket).Text(object.name).Int(object.generation);
  statement.Int(object.metageneration).Int(object.size_bytes).Int(object.crc32c);
  statement.Blob(object.md5).Int(object.component_count).Time(object.created);
  statement.Time(object.updated).OptionalTime(object.deleted);
  statement.OptionalTime(object.retention_start).Text(DumpJson(object.settings));
  return statement.Text(object.blob).Run();
}

Status ObjectRecords::Update(const ObjectRecord& object) {
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement statement,
      database_.Prepare("UPDATE objects SET metageneration = ?, updated = ?, deleted = ?, "
                        "retention_start = ?, settings = ? "
                        "WHERE bucket = ? AND name = ? AND generation = ?"));
  statement.Int(object.metageneration).Time(object.updated).OptionalTime(object.deleted);
  statement.OptionalTime(object.retention_start).Text(DumpJson(object.settings));
  return statement.Text(object.bucket).Text(object.name).Int(object.generation).Run();
}

Status ObjectRecords::Erase(const ObjectRecord& object) {
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement statement,
      database_.Prepare("DELETE FROM objects WHERE bucket = ? AND name = ? AND generation = ?"));
  return statement.Text(object.bucket).Text(object.name).Int(object.generation).Run();
}

Result<std::optional<UploadRow>> UploadRecords::Find(const std::string& id) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement,
                      database_.Prepare(Select(kUploadColumns, "FROM uploads WHERE id = ?")));
  statement.Text(id);
  return ReadOne(statement, ReadUpload);
}

Result<std::vector<UploadRow>> UploadRecords::ListCreatedBefore(Timestamp time) {
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement statement,
      database_.Prepare(Select(kUploadColumns, "FROM uploads WHERE created < ? LIMIT 1000")));
  statement.Time(time);
  return ReadAll(statement, ReadUpload);
}

Result<bool> UploadRecords::NamesBlob(const std::string& blob) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement,
                      database_.Prepare("SELECT 1 FROM uploads WHERE blob = ? "
                                        "AND finished_generation = 0 LIMIT 1"));
  return statement.Text(blob).Step();
}

Status UploadRecords::Insert(const UploadRow& upload) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement,
                      database_.Prepare("INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  statement.Text(upload.id).Text(upload.object.bucket).Text(upload.object.name);
  statement.Text(DumpJson(RequestToJson(upload.object))).OptionalInt(upload.total_bytes);
  statement.Text(upload.blob).Int(upload.received_bytes).Time(upload.created);
  return statement.Int(upload.finished_generation).Run();
}

Status UploadRecords::SetReceived(const std::string& id, int64_t received_bytes) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement,
                      database_.Prepare("UPDATE uploads SET received_bytes = ? WHERE id = ?"));
  return statement.Int(received_bytes).Text(id).Run();
}

Status UploadRecords::SetFinished(const std::string& id, int64_t generation) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement,
                      database_.Prepare("UPDATE uploads SET finished_generation = ? WHERE id = ?"));
  return statement.Int(generation).Text(id).Run();
}

Status UploadRecords::Erase(const std::string& id) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement,
                      database_.Prepare("DELETE FROM uploads WHERE id = ?"));
  return statement.Text(id).Run();
}

}  // namespace holdfast::storage
