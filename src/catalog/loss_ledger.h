// LossLedger: what is known of backups in other places than the one that they are read from, and
// which losses people accepted.
//
// A place of a backup is a repository. The one that the index has it in is not told of here: its
// verifications are the index's (backup_index.h). Of a copy only what was found last is kept. What
// is told here ends with the backup (BackupIndex::RemoveBackup). Every write is idempotent.
// Thread-safe; other processes may use the same catalog. Errors of all methods:
// kCatalogUnavailable, kDiskFull, kCatalogDamaged.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cloud/page.h"
#include "model/manifest.h"
#include "model/resource_names.h"

namespace holdfast::catalog {

// In the order of the numbers that are kept of them.
enum class CopyState {
  kAbsent,   // no copy was ever made there, as far as is known
  kWhole,    // it passed at `level`
  kDamaged,  // the copy is damaged, or not there any more
  kLeft,     // the backup itself was there, was lost or damaged, and is read from a copy since
};

// What was found of a backup in one place.
struct CopyRecord {
  TableRef object;
  std::string backup;
  std::string bucket;  // the repository
  std::string prefix;
  CopyState state = CopyState::kAbsent;
  VerifyLevel level = VerifyLevel::kNone;  // of kWhole
  int64_t at_ms = 0;                       // when it was looked at; of a defect: when it was found
  std::string detail;                      // of a defect: what is wrong

  // Whether something is wrong there.
  bool IsDefect() const { return state >= CopyState::kDamaged; }
  bool operator==(const CopyRecord&) const = default;
};

// All members that are set must match.
struct LossFilter {
  std::string project;  // exact names
  std::string dataset;
  std::string table;
  std::string backup;
  bool defects_only = false;  // of copies: those with a defect
};

// That a person knows of a loss and wants to hear no more of it.
struct AcceptedLoss {
  TableRef object;
  std::string backup;  // the one that is lost, damaged or read from a copy; empty: the object is
                       // gone at its source
  int64_t at_ms = 0;
  std::string actor;
  std::string reason;
  bool withdrawn = false;  // it is taken back

  bool operator==(const AcceptedLoss&) const = default;
};

class LossLedger {
 public:
  virtual ~LossLedger() = default;

  // Says what was found of a copy. What is known of a later moment stays; a defect keeps the time
  // at which it was found first, and a place that was left stays so until a copy there is whole. Of
  // a backup that the index does not have nothing is kept.
  virtual Status RecordCopy(const CopyRecord& record) = 0;

  // What is known of copies, in order of object, backup and place. At most 1,000 a page.
  virtual Result<cloud::Page<CopyRecord>> FindCopies(const LossFilter& filter,
                                                     const std::string& page_token) = 0;

  // Accepts a loss, or takes that back: of several words on the same the latest counts.
  virtual Status RecordAcceptance(const AcceptedLoss& loss) = 0;

  // The losses that are accepted and not taken back, in order of object and backup. At most 1,000 a
  // page.
  virtual Result<cloud::Page<AcceptedLoss>> FindAccepted(const LossFilter& filter,
                                                         const std::string& page_token) = 0;
};

}  // namespace holdfast::catalog
