// The flags of `holdfast restore` that say what is restored and to where.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/config.h"
#include "restore/request.h"

namespace holdfast::cli {

struct RestoreFlags {
  std::vector<std::string> names;
  std::vector<std::string> exclude;
  std::string backup;
  std::string run;
  std::string as_of;
  bool include_deleted = false;
  std::optional<int64_t> max_partition_days;
  std::string to_project;
  std::string to_dataset;
  std::string to_table;
  bool to_source = false;
  std::vector<std::string> map_project;
  std::vector<std::string> map_dataset;
  std::vector<std::string> map_table;
  std::string if_exists = "fail";
  bool no_compare = false;
  bool without_access = false;
  bool allow_wider_access = false;
  bool allow_over_quota = false;
};

// Adds the names and flags to a command; `flags` is filled when it is parsed, and must outlive it.
void AddRestoreFlags(CLI::App& command, RestoreFlags& flags);

// The request that they mean. One name of a dataset, table or partition is a source; several names,
// a project, a pattern or an exclusion are a scope. Errors: kUsage and kInvalidName, with the form
// that was expected; those of ValidateRequest.
Result<restore::RestoreRequest> RequestOf(const Config& config, const RestoreFlags& flags);

}  // namespace holdfast::cli
