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
  BucketRecord bucket{.name = row.Text(0),
                      .project = row.Text(1),
                      .metageneration = row.Int(2),
                      .created = row.Time(3),
                      .updated = row.Time(4)};
  if (const auto seconds = row.OptionalInt(5)) {
    bucket.retention =
        RetentionPolicy{.seconds = *seconds, .effective = row.Time(6), .locked = row.Int(7) != 0};
  }
  HF_ASSIGN_OR_RETURN(bucket.settings, ParseJson(row.Text(8)));
  HF_ASSIGN_OR_RETURN(bucket.iam_policy, ParseJson(row.Text(9)));
  return bucket;
}

// Runs `sql` with everything of a bucket in the order of the columns, its name last.
Status WriteBucket(sqlite::Database& database, std::string_view sql, const BucketRecord& bucket) {
  const auto& retention = bucket.retention;
  return database.Run(sql, bucket.project, bucket.metageneration, bucket.created, bucket.updated,
                      retention ? std::optional(retention->seconds) : std::nullopt,
                      retention ? std::optional(retention->effective) : std::nullopt,
                      retention && retention->locked, DumpJson(bucket.settings),
                      DumpJson(bucket.iam_policy), bucket.name);
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
  UploadRow upload{.id = row.Text(0),
                   .object = {.bucket = row.Text(1), .name = row.Text(2)},
                   .total_bytes = row.OptionalInt(4),
                   .blob = row.Text(5),
                   .received_bytes = row.Int(6),
                   .created = row.Time(7),
                   .finished_generation = row.Int(8)};
  HF_ASSIGN_OR_RETURN(const Json request, ParseJson(row.Text(3)));
  HF_RETURN_IF_ERROR(RequestFromJson(request, upload.object));
  return upload;
}

// The only row of `statement`, or nullopt.
template <typename T>
Result<std::optional<T>> ReadOne(Result<sqlite::Statement> prepared,
                                 Result<T> (*read)(const sqlite::Statement&)) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement, std::move(prepared));
  HF_ASSIGN_OR_RETURN(const bool found, statement.Step());
  if (!found) return std::optional<T>();
  HF_ASSIGN_OR_RETURN(T record, read(statement));
  return std::optional<T>(std::move(record));
}

template <typename T>
Result<std::vector<T>> ReadAll(Result<sqlite::Statement> prepared,
                               Result<T> (*read)(const sqlite::Statement&)) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement, std::move(prepared));
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
                                       "WHERE name = 'generation' RETURNING value",
                                       now));
  HF_ASSIGN_OR_RETURN(const bool row, statement.Step());
  CHECK(row, "the generation counter is created with the tables");
  const int64_t generation = statement.Int(0);
  HF_RETURN_IF_ERROR(statement.Run());
  return generation;
}

Result<std::optional<BucketRecord>> BucketRecords::Find(const std::string& name) {
  return ReadOne(database_.Prepare(Select(kBucketColumns, "FROM buckets WHERE name = ?"), name),
                 ReadBucket);
}

Result<std::vector<BucketRecord>> BucketRecords::List(const std::string& project,
                                                      const std::string& after, int limit) {
  return ReadAll(
      database_.Prepare(Select(kBucketColumns,
                               "FROM buckets WHERE (?1 = '' OR project = ?1) AND name > ?2 "
                               "ORDER BY name LIMIT ?3"),
                        project, after, limit),
      ReadBucket);
}

Status BucketRecords::Insert(const BucketRecord& bucket) {
  return WriteBucket(database_,
                     "INSERT INTO buckets (project, metageneration, created, updated, "
                     "retention_seconds, retention_effective, retention_locked, settings, "
                     "iam_policy, name) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     bucket);
}

Status BucketRecords::Update(const BucketRecord& bucket) {
  return WriteBucket(database_,
                     "UPDATE buckets SET project = ?, metageneration = ?, created = ?, "
                     "updated = ?, retention_seconds = ?, retention_effective = ?, "
                     "retention_locked = ?, settings = ?, iam_policy = ? WHERE name = ?",
                     bucket);
}

Status BucketRecords::Erase(const std::string& name) {
  return database_.Run("DELETE FROM buckets WHERE name = ?", name);
}

Result<ObjectRecord> ObjectRecords::ReadRow(const sqlite::Statement& row) {
  ObjectRecord object{.bucket = row.Text(0),
                      .name = row.Text(1),
                      .generation = row.Int(2),
                      .metageneration = row.Int(3),
                      .size_bytes = row.Int(4),
                      .crc32c = static_cast<uint32_t>(row.Int(5)),
                      .md5 = row.Text(6),
                      .component_count = static_cast<int>(row.Int(7)),
                      .created = row.Time(8),
                      .updated = row.Time(9),
                      .deleted = row.OptionalTime(10),
                      .retention_start = row.OptionalTime(11),
                      .blob = row.Text(13)};
  HF_ASSIGN_OR_RETURN(object.settings, ParseJson(row.Text(12)));
  return object;
}

Result<std::optional<ObjectRecord>> ObjectRecords::FindLive(const std::string& bucket,
                                                            const std::string& name) {
  return ReadOne(
      database_.Prepare(
          Select(kObjectColumns, "FROM objects WHERE bucket = ? AND name = ? AND deleted IS NULL"),
          bucket, name),
      ReadRow);
}

Result<std::optional<ObjectRecord>> ObjectRecords::Find(const std::string& bucket,
                                                        const std::string& name,
                                                        int64_t generation) {
  return ReadOne(
      database_.Prepare(
          Select(kObjectColumns, "FROM objects WHERE bucket = ? AND name = ? AND generation = ?"),
          bucket, name, generation),
      ReadRow);
}

Result<sqlite::Statement> ObjectRecords::Scan(const std::string& bucket, const std::string& name,
                                              int64_t generation) {
  return database_.Prepare(Select(kObjectColumns,
                                  "FROM objects WHERE bucket = ? AND (name, generation) >= (?, ?) "
                                  "ORDER BY name, generation"),
                           bucket, name, generation);
}

Result<std::vector<ObjectRecord>> ObjectRecords::Versions(const std::string& bucket,
                                                          const std::string& name, int limit) {
  return ReadAll(database_.Prepare(Select(kObjectColumns,
                                          "FROM objects WHERE bucket = ? AND name = ? "
                                          "ORDER BY generation DESC LIMIT ?"),
                                   bucket, name, limit),
                 ReadRow);
}

Result<bool> ObjectRecords::AnyIn(const std::string& bucket) {
  HF_ASSIGN_OR_RETURN(const auto found,
                      database_.ReadInt("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", bucket));
  return found.has_value();
}

Result<bool> ObjectRecords::NamesBlob(const std::string& blob) {
  HF_ASSIGN_OR_RETURN(const auto found,
                      database_.ReadInt("SELECT 1 FROM objects WHERE blob = ? LIMIT 1", blob));
  return found.has_value();
}

Status ObjectRecords::Insert(const ObjectRecord& object) {
  return database_.Run("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       object.bucket, object.name, object.generation, object.metageneration,
                       object.size_bytes, object.crc32c, sqlite::Blob{object.md5},
                       object.component_count, object.created, object.updated, object.deleted,
                       object.retention_start, DumpJson(object.settings), object.blob);
}

Status ObjectRecords::Update(const ObjectRecord& object) {
  return database_.Run(
      "UPDATE objects SET metageneration = ?, updated = ?, deleted = ?, retention_start = ?, "
      "settings = ? WHERE bucket = ? AND name = ? AND generation = ?",
      object.metageneration, object.updated, object.deleted, object.retention_start,
      DumpJson(object.settings), object.bucket, object.name, object.generation);
}

Status ObjectRecords::Erase(const ObjectRecord& object) {
  return database_.Run("DELETE FROM objects WHERE bucket = ? AND name = ? AND generation = ?",
                       object.bucket, object.name, object.generation);
}

Result<std::optional<UploadRow>> UploadRecords::Find(const std::string& id) {
  return ReadOne(database_.Prepare(Select(kUploadColumns, "FROM uploads WHERE id = ?"), id),
                 ReadUpload);
}

Result<std::vector<UploadRow>> UploadRecords::ListCreatedBefore(Timestamp time) {
  return ReadAll(
      database_.Prepare(Select(kUploadColumns, "FROM uploads WHERE created < ? LIMIT 1000"), time),
      ReadUpload);
}

Result<bool> UploadRecords::NamesBlob(const std::string& blob) {
  HF_ASSIGN_OR_RETURN(const auto found, database_.ReadInt("SELECT 1 FROM uploads WHERE blob = ? "
                                                          "AND finished_generation = 0 LIMIT 1",
                                                          blob));
  return found.has_value();
}

Status UploadRecords::Insert(const UploadRow& upload) {
  return database_.Run("INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", upload.id,
                       upload.object.bucket, upload.object.name,
                       DumpJson(RequestToJson(upload.object)), upload.total_bytes, upload.blob,
                       upload.received_bytes, upload.created, upload.finished_generation);
}

Status UploadRecords::SetReceived(const std::string& id, int64_t received_bytes) {
  return database_.Run("UPDATE uploads SET received_bytes = ? WHERE id = ?", received_bytes, id);
}

Status UploadRecords::SetFinished(const std::string& id, int64_t generation) {
  return database_.Run("UPDATE uploads SET finished_generation = ? WHERE id = ?", generation, id);
}

Status UploadRecords::Erase(const std::string& id) {
  return database_.Run("DELETE FROM uploads WHERE id = ?", id);
}

}  // namespace holdfast::storage
