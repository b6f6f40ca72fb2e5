// Verifying a backup against its manifest, and data against a backup.
//
// Damage is a finding in the report; an error means that it could not be checked (the store is
// down), which says nothing about the backup. A verification that looked at nothing is a failure.
// Levels are DESIGN §2's: each includes those before it and the report says how far the backup got.
// Memory is bounded as in inspect.h. Thread-safe as far as the store is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cloud/object_store.h"
#include "model/manifest.h"
#include "model/method.h"
#include "verify/inspect.h"
#include "verify/read_table.h"

namespace holdfast::verify {

inline constexpr size_t kFindingsMax = 100;  // kept in a report; all are counted

struct VerifyReport {
  std::string backup;
  TableRef object;
  VerifyLevel requested = VerifyLevel::kNone;
  VerifyLevel reached = VerifyLevel::kNone;  // the highest level that passed whole
  int64_t objects_checked = 0;
  int64_t bytes_read = 0;
  int64_t rows_read = 0;        // kL2
  std::string content_digest;   // kL2: of what was read
  int64_t problems = 0;         // all of them
  std::vector<Error> findings;  // the first kFindingsMax, each naming its object
  std::string note = {};        // what a person should know besides

  // Whether the level asked for was reached and something was looked at: an empty backup does not
  // pass by having no objects.
  bool Passed() const { return problems == 0 && objects_checked > 0 && reached >= requested; }
  Json ToJson() const;  // the evidence; stable
};

// Verifies a backup of method export, or of an object without data, at kL0, kL1 or kL2. Errors:
// kVerifyUnsupported (another level or method), the store's when it could not answer. Findings:
// kObjectMissing, kObjectChanged (generation, size or checksum), kObjectCorrupt, kDataMismatch
// (rows, schema, digest), kNothingToVerify, avro's.
Result<VerifyReport> VerifyBackup(cloud::ObjectStore& store, const Manifest& manifest,
                                  VerifyLevel level, const InspectOptions& options = {});

// Verifies a backup of method copy. kL0: the table is there, has the manifest's rows, and was not
// touched since the backup; one that was touched is read, and passes if its content is the same.
// kL2: its content is read in any case. A backup that was made without reading it has no digest to
// hold that against: it is verified at kL0, whatever is asked for. Errors:
// kVerifyUnsupported (kL1 or another method), the warehouse's when it could not answer. Findings:
// kObjectMissing, kObjectChanged, kDataMismatch.
Result<VerifyReport> VerifyCopy(const TableReader& reader, const Manifest& manifest,
                                VerifyLevel level);

// Whether two sets of rows are the same content.
struct ComparisonReport {
  std::string expected_digest;
  std::string actual_digest;
  int64_t expected_rows = 0;
  int64_t actual_rows = 0;
  bool schema_equal = false;
  std::vector<std::string> differences;  // for a person; empty: equal

  bool Equal() const { return differences.empty(); }
  Json ToJson() const;
};

// L3 and L4: compares what was extracted from a restored table (or from the live source) with the
// backup. `schema` is that table's. Errors: kNothingToVerify for an empty list or a manifest
// without a digest, those of InspectObjects.
Result<ComparisonReport> CompareWithBackup(cloud::ObjectStore& store,
                                           const std::vector<cloud::ObjectInfo>& extracted,
                                           const Schema& schema, const Manifest& manifest,
                                           const InspectOptions& options = {});

}  // namespace holdfast::verify
