// BackupIndex: which backups there are, found fast.
//
// An index of what repositories hold: it can be lost and rebuilt from their manifests
// (rebuild_catalog.h), so nothing is recorded here before its manifest is written. Every write is
// idempotent: recording the same thing again changes nothing. Thread-safe; other processes may use
// the same catalog. Errors of all methods: kCatalogUnavailable, kDiskFull, kCatalogDamaged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/loss_ledger.h"
#include "cloud/page.h"
#include "model/fingerprint.h"
#include "model/manifest.h"
#include "model/method.h"
#include "model/resource_names.h"

namespace holdfast::catalog {

// What the index keeps of a manifest.
struct BackupRecord {
  std::string backup;
  TableRef object;
  ObjectKind kind = ObjectKind::kTable;
  std::string run;
  Method method = Method::kExport;
  int64_t created_ms = 0;
  int64_t consistent_through_ms = 0;
  Fingerprint source;
  std::string location;
  // Manifest::as_of_ms: the moment of time travel as of which it was read; nullopt: it was read as
  // it was then.
  std::optional<int64_t> as_of_ms;
  std::string bucket;  // the repository that holds the manifest
  std::string prefix;  // of that repository in its bucket
  int64_t rows = 0;
  int64_t stored_bytes = 0;
  int64_t objects = 0;                        // data objects
  std::string content_digest;                 // empty: not read
  std::string suspect;                        // empty: good
  VerifyLevel verified = VerifyLevel::kNone;  // the best level that passed, whenever
  int64_t verified_ms = 0;                    // when; 0 when kNone
  bool damaged = false;  // a verification failed, and none of that level passed since

  // Whether retention and restores may count on it.
  bool IsGood() const { return suspect.empty() && !damaged; }
  bool operator==(const BackupRecord&) const = default;
};

// The record of a manifest that lies in the repository at bucket/prefix.
BackupRecord RecordOf(const Manifest& manifest, const std::string& bucket,
                      const std::string& prefix);

// All members that are set must match.
struct BackupFilter {
  std::string id_prefix;  // of the backup's id
  std::string project;    // exact names
  std::string dataset;
  std::string table;
  std::string table_from;                // this name or one after it, by bytes
  std::string table_through;             // this name or one before it
  std::optional<std::string> partition;  // "" is the whole table
  std::string run;
  std::optional<Method> method;
  std::optional<int64_t> as_of_ms;  // consistent_through_ms at or before this
  bool good_only = false;           // neither suspect nor damaged
  bool intact_only = false;         // not damaged
  bool damaged_only = false;        // a verification failed, and none of that level passed since
  bool newest_only = false;         // of each object only the newest that matches the rest
};

// What one verification or drill found of one backup.
struct VerificationRecord {
  std::string backup;
  int64_t at_ms = 0;
  VerifyLevel level = VerifyLevel::kNone;  // asked for
  bool passed = false;
  std::string detail;  // what was wrong, or what was compared

  bool operator==(const VerificationRecord&) const = default;
};

class BackupIndex {
 public:
  virtual ~BackupIndex() = default;

  // Adds a backup. One of that id that is there already stays as it is, its verifications included.
  virtual Status RecordBackup(const BackupRecord& record) = 0;

  // Backups that match, ordered by object and, of one object, the newest first (by
  // consistent_through_ms, then id). At most 1,000 a page.
  virtual Result<cloud::Page<BackupRecord>> FindBackups(const BackupFilter& filter,
                                                        const std::string& page_token) = 0;

  // Says that the backup is that of the record now: its copy in another repository. What was found
  // of it where it lay before is forgotten, its acceptance is not. `left`: the place where it was,
  // and what is wrong there. Idempotent. kBackupNotFound.
  virtual Status MoveBackup(const BackupRecord& record, const CopyRecord& left) = 0;

  // Takes a backup out of the index, with its verifications and all that is known of its copies.
  // Absent: success.
  virtual Status RemoveBackup(const std::string& backup) = 0;

  // Adds a verification and updates the backup's verified/damaged members. They may be heard of in
  // any order: what counts is when they were. The same one twice is kept once; of two at the same
  // time the one that failed counts. Damage that is new is not accepted by what was said of it
  // before (LossLedger). kBackupNotFound when the backup is unknown.
  virtual Status RecordVerification(const VerificationRecord& record) = 0;

  // Says that a suspect backup is good after all. Idempotent. kBackupNotFound.
  virtual Status AcceptBackup(const std::string& backup) = 0;

  // Verifications of a backup, the newest first; at most 1,000.
  virtual Result<std::vector<VerificationRecord>> ListVerifications(const std::string& backup) = 0;
};

// The newest good backup of exactly this object (as of a time, if given); nullopt: none.
Result<std::optional<BackupRecord>> LatestGood(BackupIndex& index, const TableRef& object,
                                               std::optional<int64_t> as_of_ms = std::nullopt);

// The newest good backup of the table and of each of its partitions, in order of partition.
Result<std::vector<BackupRecord>> LatestGoodOfTable(BackupIndex& index, const TableRef& table);

// The same, with suspect ones counting: what the objects were when they were last looked at. With
// `method`, of that one only.
Result<std::vector<BackupRecord>> LatestIntactOfTable(BackupIndex& index, const TableRef& table,
                                                      std::optional<Method> method = std::nullopt);

// The backup of this id, or whose id begins so, with 8 characters at least. kBackupNotFound;
// kBackupAmbiguous names some.
Result<BackupRecord> GetBackup(BackupIndex& index, const std::string& id_prefix);

}  // namespace holdfast::catalog
