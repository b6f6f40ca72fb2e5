// Policy: which resources are backed up, by which method, to where, and how carefully.
//
// Plain values; JSON in and out. The scope is decided by globs over whole names. Source: DESIGN §2.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/method.h"
#include "model/resource_names.h"

namespace holdfast {

// Which objects. A pattern is "project", "project.dataset" or "project.dataset.table", each part a
// glob (MatchesGlob); one with fewer parts covers everything below. An object is covered when some
// include covers it (none given: everything) and no exclude does.
struct Scope {
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  // Of a table that is named here no other partitions than these are covered.
  std::set<TableRef> partitions = {};

  // Whether all of the table is covered, by its whole name; the partition does not count.
  bool CoversTable(const TableRef& table) const;
  // Whether it is, or some of its partitions are.
  bool MayCoverTable(const TableRef& table) const;
  // The partitions of the table that alone are covered; empty: the scope names none of it.
  std::set<std::string> PartitionsOf(const TableRef& table) const;
  // The pattern of `exclude` that leaves out all of a project, a dataset or a table that would be
  // covered otherwise; nullopt: none does. `name`: as far as its members are set.
  std::optional<std::string> ExcludedBy(const TableRef& name) const;
  // Whether anything in the project or dataset may be covered: false means that it need not be
  // listed.
  bool MayCoverDataset(const DatasetRef& dataset) const;
  bool MayCoverProject(std::string_view project) const;
  // Whether any routine of the dataset may be covered.
  bool MayCoverRoutines(const DatasetRef& dataset) const;

  static Result<Scope> FromJson(const Json& json);  // kInvalidName for a malformed pattern
  Json ToJson() const;
  bool operator==(const Scope&) const = default;
};

// A repository beside the first, in which what the first holds of exports and definitions is kept
// once more: in another project or location, so that the loss of one is not the loss of both.
struct FurtherRepository {
  std::string bucket_pattern;  // as BackupPolicy::bucket_pattern
  std::string prefix;
  std::string project;   // that owns the bucket; empty: the object's own
  std::string location;  // of the bucket; empty: the object's own

  bool operator==(const FurtherRepository&) const = default;
};

struct BackupPolicy {
  std::string name = "default";
  Method method = Method::kExport;
  std::vector<Method> further_methods;  // beside it; each makes backups of its own
  Scope scope;

  // Names with {project} and {location} filled in (location in lower case).
  std::string bucket_pattern = "{project}-holdfast-{location}";
  std::string bucket_project;  // that owns those buckets; empty: the objects' own
  std::string staging_bucket_pattern = "{project}-holdfast-staging-{location}";
  bool create_buckets = true;    // those that are not there; false: what is to go there fails
  std::string bucket_retention;  // of repositories' buckets that are created, as "30d": what is
                                 // younger cannot be deleted; empty: none. Never locked by us.
  std::string prefix;            // of the repository in its bucket; empty: the bucket's root
  std::vector<FurtherRepository> repositories;  // each backup's data and manifest go there as well
  bool direct_extract = false;  // into the repository; false: by way of the staging bucket, which
                                // a locked repository needs (google-semantics trap 11)
  std::string copy_project;     // method copy: where the copies are; empty: the table's own

  std::string codec = "SNAPPY";  // NONE, DEFLATE, SNAPPY
  // Before the manifest. An export is read whole at any level: its hashes cannot be had otherwise.
  VerifyLevel verify = VerifyLevel::kL2;  // of a copy: kL0 its numbers, kL2 every row
  // Fewer rows or bytes than this share of the last good backup's: suspect (trap 6).
  double shrink_threshold = 0.5;
  bool force = false;               // back up what did not change, too: of one run, on demand
  bool trust_equal_counts = false;  // take Change::kMetadataOnly without reading the data again
  // How far the service's view of writes may lag behind: Change::kMetadataOnly that is older is
  // taken without reading when nothing was written since the last backup.
  int64_t storage_view_delay_minutes = 60;
  bool require_access = false;   // a table whose access may not be looked at fails; false: the
                                 // outcome says that it was not saved
  int64_t forced_full_days = 7;  // an unchanged object is backed up anyway after this; 0: never
  // Only what was modified within so many hours before the run (seed 000: 24); 0: whatever the last
  // good backup does not hold.
  int64_t changed_within_hours = 0;
  int64_t time_travel_days = 0;  // take a table as it was so many days before the run; 0..7
  bool freeze = true;  // the partitions of a table as of one moment, read from a clone of it
  // Over which the jobs are spread, whose quotas they use; empty: a table's own project.
  std::vector<std::string> backup_operation_projects;

  // All methods, each once.
  std::vector<Method> Methods() const;
  // `bucket_retention` in seconds; nullopt: there is none.
  std::optional<int64_t> BucketRetentionSeconds() const;
  // The same policy where `one` of its methods is at work.
  BackupPolicy ForMethod(Method one) const;

  // Absent members keep their defaults; "method" is one or a list.
  static Result<BackupPolicy> FromJson(const Json& json);
  Json ToJson() const;
  bool operator==(const BackupPolicy&) const = default;
};

// A bucket's name from a pattern: lower case, each run of characters that no bucket may have
// becomes one '-', 63 bytes at most (a longer one ends in a hash of the whole).
std::string FillBucketPattern(std::string_view pattern, std::string_view project,
                              std::string_view location);

// The project in which the jobs of an object run: always the same one of several, so that a job
// that was started is found again.
std::string JobProjectOf(const BackupPolicy& policy, const TableRef& object);

// Days after which a staging bucket deletes what a process that was killed left in it.
inline constexpr int64_t kStagedDaysMax = 7;

// How large an object is, as the warehouse counts it.
struct ObjectSize {
  int64_t rows = 0;
  int64_t bytes = 0;  // logical; 0: not known
};

// Why a backup of this size is suspect after one of size `last`; empty: it is not. One without rows
// after one with rows is, whatever the threshold says (google-semantics trap 6).
std::string ShrinkReason(const BackupPolicy& policy, ObjectSize last, ObjectSize now);

// Whether such a reason is that bytes fell where rows did not.
bool IsFallOfBytes(std::string_view shrink_reason);

}  // namespace holdfast
