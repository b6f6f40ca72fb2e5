// What a person asks of a restore: which objects, as of when, and to where.
//
// Plain values. The key of a request names it: the same request again, at any time and on any
// machine, has the same key, so an unfinished restore is found and gone on with (unfinished.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/policy.h"
#include "model/resource_names.h"

namespace holdfast::restore {

// What to do about a table of the target's name.
enum class IfExists {
  kFail,  // a table that is there is a conflict: nothing of the plan is begun
  kSkip,  // it is left as it is, and reported
};

// What becomes what (mapping.h): members of `from` below the level are empty, members of `to` that
// are empty stay the source's.
struct MapRule {
  enum class Level { kProject, kDataset, kTable };
  Level level = Level::kProject;
  TableRef from;
  TableRef to;

  bool operator==(const MapRule&) const = default;
};

// What a person asked for.
struct RestoreRequest {
  // One thing by its name: a dataset (table empty), a table, or a partition of one. Empty with
  // `backup`: what that is a backup of; and with `scope`.
  TableRef source;
  // Several things, or patterns of them: projects, datasets, tables, partitions, less exclusions.
  std::optional<Scope> scope;
  std::string backup;               // a backup's id or the beginning of one; empty: the latest
  std::string run;                  // a run's id: the set that it found in place; empty: the latest
  std::optional<int64_t> as_of_ms;  // the latest at or before this time; unset: now
  bool include_deleted = false;     // also what was deleted at the source by then, as it last was
  // Partitions of these last days only (partition_window.h); unset: all.
  std::optional<int64_t> partition_days_max;

  // The target: members left empty are the source's.
  std::string to_project;
  std::string to_dataset;
  std::string to_table;  // only for a table or partition
  std::vector<MapRule> maps;

  IfExists if_exists = IfExists::kFail;
  bool without_access = false;  // leave out row access policies and IAM policies
  bool compare = true;          // read what was restored and compare it with the backup (L3)
  // What a plan is not refused for (judge.h).
  bool allow_wider_access = false;  // a target dataset with readers whom the source's had not
  bool allow_over_quota = false;    // more than there is in a day of a quota
};

// Errors: kInvalidName for a target's name that is malformed, with the form it must have; kUsage
// for members that exclude one another. Pure.
Status ValidateRequest(const RestoreRequest& request);

// "acme-shop.sales", "acme-shop.sales.orders" or with "$partition".
std::string SourceText(const TableRef& source);

// What is asked for, by its names: of several the patterns; of all of it "everything".
std::string SourceText(const RestoreRequest& request);

// 16 hexadecimal digits over what is asked for and where it goes.
std::string RequestKey(const RestoreRequest& request);

// What is asked for and where it goes; and back. Errors: kInvalidJson.
Json RequestToJson(const RestoreRequest& request);
Result<RestoreRequest> RequestFromJson(const Json& json);

// The command that asks for it.
std::string CommandOf(const RestoreRequest& request);

}  // namespace holdfast::restore
