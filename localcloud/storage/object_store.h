// The embedded Cloud Storage without its HTTP: buckets, generations of objects, resumable uploads.
//
// The REST layer (storage_service.h) translates to these calls; the embedded BigQuery reads and
// writes objects through them in the same process. Bytes are immutable files under `directory`,
// named by random ids and never by object names; everything else is one SQLite database beside
// them.
//
// Promises: what a call has answered survives `kill -9` and a power cut (file, directory and
// database are synced, in that order, before it returns). A write becomes visible as a whole or not
// at all. Generations rise strictly, also when the clock is set back. A copy shares the file of its
// source. Files that no record names are removed when the store opens.
//
// Thread-safe. Bytes move outside the store's lock; only the change of records is serialized.
// Errors of all calls: kStorageNotFound (bucket, object, generation or upload; the message says
// which), kStorageInvalid (a name, an option), kDiskFull, kFileError, kLocalDatabaseFailed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/stream.h"
#include "localcloud/storage/blob_directory.h"
#include "localcloud/storage/object_record.h"

namespace holdfast::storage {

struct BucketQuery {
  std::string project;  // required
  std::string prefix;
  std::string after;  // the `next` of the page before; empty: from the beginning
  int limit = 1000;
};

struct BucketPage {
  std::vector<BucketRecord> buckets;  // by ascending name
  std::string next;                   // empty: the last page
};

struct ObjectQuery {
  std::string bucket;
  std::string prefix;
  std::string delimiter;     // names that have it after the prefix are folded into `prefixes`
  std::string start_offset;  // first name, inclusive
  std::string end_offset;    // first name no longer listed; empty: no end
  bool versions = false;     // also noncurrent generations
  bool include_trailing_delimiter = false;  // also objects whose name ends at the delimiter
  std::string after;  // the `next` of the page before; empty: from the beginning
  int limit = 1000;   // of objects and prefixes together; at most 1000 are given
};

struct ObjectPage {
  std::vector<ObjectRecord> objects;  // by ascending name (bytes), then generation
  std::vector<std::string> prefixes;
  std::string next;  // opaque; empty: the last page
};

// An object opened for reading: its record and the local path of its bytes, which neither change
// nor go away while this lives, whatever happens to the object. Must not outlive the store.
struct ObjectFile {
  ObjectRecord record;
  std::string path;
  BlobPin pin;
};

// Writes one object piece by piece: Append any number of times, then Finish. Without Finish (or
// when it fails) nothing is left behind. Used by one thread; must not outlive the store.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;

  // Takes the next bytes; blocks while they are written. Errors: kDiskFull, kFileError.
  virtual Status Append(std::string_view bytes) = 0;

  // Compares the expected checksums, checks the preconditions and publishes the object.
  // Errors: kStorageChecksumMismatch, kStoragePrecondition, kStorageRetained.
  virtual Result<ObjectRecord> Finish() = 0;
};

// One source of ComposeObject.
struct ComposeSource {
  std::string name;
  int64_t generation = 0;  // 0: the live one
  std::optional<int64_t> if_generation_match;
};

// A resumable upload: bytes arrive in ranges, over any number of requests and restarts.
struct UploadSession {
  std::string id;
  NewObject object;
  std::optional<int64_t> total_bytes;    // when announced
  int64_t received_bytes = 0;            // durable
  std::optional<ObjectRecord> finished;  // the object, once complete
};

// What a lifecycle pass did.
struct LifecycleReport {
  int64_t examined = 0;
  int64_t deleted = 0;
  int64_t made_noncurrent = 0;
  int64_t retained = 0;  // matched a rule, but retention or a hold forbids
};

class ObjectStore {
 public:
  // Opens or creates the store in `directory`, which one process may use at a time.
  static Result<std::unique_ptr<ObjectStore>> Open(const std::string& directory, Clock& clock,
                                                   Random& random);
  ~ObjectStore();
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;

  // --- Buckets.

  // Takes name, project, retention and settings of `bucket`. Errors: kStorageBucketExists (in
  // whichever project).
  Result<BucketRecord> CreateBucket(const BucketRecord& bucket);

  // Errors: kStoragePrecondition, kStorageNotModified (a not-match precondition).
  Result<BucketRecord> GetBucket(const std::string& name, const Preconditions& conditions = {});

  // Buckets of the project; one without any gives an empty page.
  Result<BucketPage> ListBuckets(const BucketQuery& query);

  // Replaces retention, settings and iam_policy by what `change` makes of them; the metageneration
  // rises. Errors: kStoragePrecondition, kStoragePolicyLocked (a locked policy would be shortened
  // or removed), or `change`'s own.
  Result<BucketRecord> ChangeBucket(const std::string& name, const Preconditions& conditions,
                                    const std::function<Status(BucketRecord&)>& change);

  // Locks the retention policy for good. Errors: kStoragePrecondition (`metageneration` is not the
  // bucket's), kStorageInvalid (no policy to lock).
  Result<BucketRecord> LockRetentionPolicy(const std::string& name, int64_t metageneration);

  // Errors: kStorageBucketNotEmpty (noncurrent generations count), kStoragePrecondition.
  Status DeleteBucket(const std::string& name, const Preconditions& conditions = {});

  // --- Reading.

  // Errors: kStoragePrecondition, kStorageNotModified (a not-match precondition).
  Result<ObjectRecord> GetObject(const ObjectSelector& object,
                                 const Preconditions& conditions = {});

  // As GetObject, with the bytes.
  Result<ObjectFile> OpenObject(const ObjectSelector& object, const Preconditions& conditions = {});

  // One page of objects and prefixes. Objects written meanwhile may be in a later page, but none is
  // given twice. Errors: kStorageInvalid for a token that no listing gave.
  Result<ObjectPage> ListObjects(const ObjectQuery& query);

  // Live objects that `pattern` names, by ascending name: an exact name, or a pattern in which each
  // '*' stands for any characters, '/' included (BigQuery's URI wildcard). None: an empty list.
  // Errors: kLimitExceeded over `limit` objects.
  Result<std::vector<ObjectRecord>> MatchObjects(const std::string& bucket,
                                                 const std::string& pattern, size_t limit);

  // --- Writing. A live object of the name is replaced: it becomes noncurrent in a versioned bucket
  // and is deleted in others. Errors: kStoragePrecondition, kStorageRetained (a retention policy or
  // a hold protects the object that would be replaced).

  // Checks bucket, name and preconditions at once, so that no byte is sent in vain; Finish checks
  // again.
  Result<std::unique_ptr<ObjectWriter>> StartObject(const NewObject& object);

  // Publishes a copy of the bytes of a local file, which stays the caller's.
  Result<ObjectRecord> CreateObjectFromFile(const NewObject& object, const std::string& path);

  // Copies without touching the bytes. `settings` absent: those of the source.
  Result<ObjectRecord> CopyObject(const ObjectSelector& source, const Preconditions& conditions,
                                  const NewObject& destination,
                                  const std::optional<Json>& settings);

  // Concatenates 1-32 objects of the destination's bucket, which stay.
  Result<ObjectRecord> ComposeObject(const std::vector<ComposeSource>& sources,
                                     const NewObject& destination);

  // Replaces the settings by what `change` makes of them; the metageneration rises.
  Result<ObjectRecord> ChangeObject(const ObjectSelector& object, const Preconditions& conditions,
                                    const std::function<Status(ObjectRecord&)>& change);

  // Without a generation: the live object, which a versioned bucket keeps as noncurrent. With one:
  // that generation, for good.
  Status DeleteObject(const ObjectSelector& object, const Preconditions& conditions = {});

  // --- Resumable uploads. A session ends seven days after it began.

  // Opens a session; `total_bytes` absent: announced later. Nothing is visible before it is
  // finished. Errors: as for writing; they are checked again at the end.
  Result<UploadSession> StartUpload(const NewObject& object, std::optional<int64_t> total_bytes);

  // What has arrived durably.
  Result<UploadSession> GetUpload(const std::string& id);

  // Appends bytes that begin at `offset` of the object; those already there are skipped.
  // `complete`: they are the last ones. Otherwise only whole multiples of 256 KiB are kept, as
  // Cloud Storage does; if `source` fails, what arrived before is kept likewise. A later call of
  // the same session takes over from one that still waits for bytes. Errors: kStorageUploadOffset
  // (a gap before `offset`), kCancelled (another call took over), or `source`'s own.
  Result<UploadSession> AppendUpload(const std::string& id, int64_t offset, bool complete,
                                     const ByteSource& source);

  // Publishes the object once `total_bytes` have arrived; `expected` adds to the checksums
  // announced at the start. Repeating it gives the same object. Errors: those of
  // ObjectWriter::Finish; kStorageUploadOffset (bytes are missing or too many).
  Result<UploadSession> FinishUpload(const std::string& id, int64_t total_bytes,
                                     const Checksums& expected = {});

  // Forgets the session and its bytes. Absent: kStorageNotFound.
  Status CancelUpload(const std::string& id);

  // --- Lifecycle. Applies every bucket's Delete rules (age, createdBefore, customTimeBefore,
  // daysSinceCustomTime, daysSinceNoncurrentTime, noncurrentTimeBefore, isLive, numNewerVersions,
  // matchesPrefix, matchesSuffix, matchesStorageClass) as of `now`. Rules with another action are
  // kept and not applied. Nothing runs it by itself.
  Result<LifecycleReport> ApplyLifecycle(Timestamp now);

 private:
  class Append;
  class Writer;
  struct State;
  explicit ObjectStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::storage
