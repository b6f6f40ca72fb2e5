// The rows of the embedded Cloud Storage: buckets, object generations and upload sessions in
// SQLite.
//
// Each class is the SQL of one table and knows no rule of Cloud Storage. The caller holds the
// store's lock and, for changes, an open transaction. Finders give nullopt when there is no such
// row; an update or erasure of none does nothing; an insertion of a key that exists fails. Errors
// of all calls: kDiskFull, kLocalDatabaseFailed, kInvalidJson (a damaged row).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "localcloud/sqlite/database.h"
#include "localcloud/storage/object_record.h"

namespace holdfast::storage {

// Creates the tables in a new database.
Status CreateTables(sqlite::Database& database);

// The next generation: above all before it and, if the clock allows, `now` in microseconds.
Result<int64_t> NextGeneration(sqlite::Database& database, Timestamp now);

class BucketRecords {
 public:
  // `database` must outlive this, as below.
  explicit BucketRecords(sqlite::Database& database) : database_(database) {}

  Result<std::optional<BucketRecord>> Find(const std::string& name);
  // By ascending name, from the first after `after`; an empty project means all.
  Result<std::vector<BucketRecord>> List(const std::string& project, const std::string& after,
                                         int limit);

  // A bucket by its name; Update writes everything else of it. The objects of an erased bucket must
  // be gone.
  Status Insert(const BucketRecord& bucket);
  Status Update(const BucketRecord& bucket);
  Status Erase(const std::string& name);

 private:
  sqlite::Database& database_;
};

class ObjectRecords {
 public:
  explicit ObjectRecords(sqlite::Database& database) : database_(database) {}

  // The live generation of a name, or the given one, live or not.
  Result<std::optional<ObjectRecord>> FindLive(const std::string& bucket, const std::string& name);
  Result<std::optional<ObjectRecord>> Find(const std::string& bucket, const std::string& name,
                                           int64_t generation);

  // A cursor over all generations of a bucket by ascending name and generation, from `name` and
  // `generation` on, both inclusive; ReadRow gives the row that its last Step reached.
  Result<sqlite::Statement> Scan(const std::string& bucket, const std::string& name,
                                 int64_t generation);
  static Result<ObjectRecord> ReadRow(const sqlite::Statement& row);

  // The generations of one name, the newest first.
  Result<std::vector<ObjectRecord>> Versions(const std::string& bucket, const std::string& name,
                                             int limit);

  // Whether the bucket has any generation; whether one, of any bucket, has its bytes in `blob`.
  Result<bool> AnyIn(const std::string& bucket);
  Result<bool> NamesBlob(const std::string& blob);

  // One generation. There must be no other live one of its name if it is live.
  Status Insert(const ObjectRecord& object);
  // Everything that can change: metageneration, times, settings.
  Status Update(const ObjectRecord& object);

  // The bytes are the caller's to release.
  Status Erase(const ObjectRecord& object);

 private:
  sqlite::Database& database_;
};

// One resumable upload as it is kept.
struct UploadRow {
  std::string id;
  NewObject object;
  std::optional<int64_t> total_bytes;
  std::string blob;
  int64_t received_bytes = 0;  // synced to the blob's file
  Timestamp created;
  int64_t finished_generation = 0;  // 0: still under way
};

class UploadRecords {
 public:
  explicit UploadRecords(sqlite::Database& database) : database_(database) {}

  Result<std::optional<UploadRow>> Find(const std::string& id);

  // At most 1000, finished or not, in no order.
  Result<std::vector<UploadRow>> ListCreatedBefore(Timestamp time);
  Result<bool> NamesBlob(const std::string& blob);  // of an upload under way

  // One session by its id.
  Status Insert(const UploadRow& upload);

  // How much is synced to the blob's file; that the object is published as `generation`.
  Status SetReceived(const std::string& id, int64_t received_bytes);
  Status SetFinished(const std::string& id, int64_t generation);

  // Forgets the session; its bytes are the caller's to release.
  Status Erase(const std::string& id);

 private:
  sqlite::Database& database_;
};

}  // namespace holdfast::storage
