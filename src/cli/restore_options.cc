#include "cli/restore_options.h"

#include <algorithm>

#include "base/clock.h"
#include "cli/command_tree.h"
#include "cli/selector.h"
#include "restore/mapping.h"

namespace holdfast::cli {

namespace {

bool IsPattern(const std::string& name) { return name.find_first_of("*?") != std::string::npos; }

void SortOnce(std::vector<std::string>& names) {
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
}

// The scope of the names, in an order of its own: the same names are the same restore. Of a table
// with some of its partitions beside it nobody knows what is meant.
Result<Scope> ScopeOf(const RestoreFlags& flags) {
  Scope scope;
  for (const std::string& name : flags.names) {
    if (name.find('$') == std::string::npos) {
      HF_ASSIGN_OR_RETURN(std::string pattern, ScopePattern(name));
      scope.include.push_back(std::move(pattern));
    } else {
      HF_ASSIGN_OR_RETURN(TableRef partition, ParseSelector(name));
      scope.partitions.insert(std::move(partition));
    }
  }
  const Scope whole{.include = scope.include, .exclude = {}};
  for (const TableRef& partition : scope.partitions) {
    if (!whole.include.empty() && whole.CoversTable(partition.WholeTable())) {
      return MakeError(ErrorId::kUsage,
                       partition.ToString() + " is named, and its table is by another name",
                       "Name the table or some of its partitions, not both");
    }
  }
  for (const TableRef& partition : scope.partitions) {
    scope.include.push_back(partition.WholeTable().ToString());
  }
  for (const std::string& name : flags.exclude) {
    HF_ASSIGN_OR_RETURN(std::string pattern, ScopePattern(name));
    scope.exclude.push_back(std::move(pattern));
  }
  SortOnce(scope.include);
  SortOnce(scope.exclude);
  return scope;
}

// What is named: one thing, or several.
Status SetSource(const RestoreFlags& flags, restore::RestoreRequest& request) {
  const bool nothing = flags.names.empty() && flags.exclude.empty();
  if (nothing && flags.backup.empty() && flags.run.empty()) {
    return MakeError(ErrorId::kUsage, "nothing to restore was named",
                     "Name a project, dataset, table or partition, '*' for all that has backups, a "
                     "backup with --backup or a run with --run");
  }
  if (nothing) {
    if (!flags.run.empty()) request.scope = Scope{};
    return Ok();
  }
  if (flags.names.size() == 1 && flags.exclude.empty() && !IsPattern(flags.names.front())) {
    HF_ASSIGN_OR_RETURN(request.source, ParseSelector(flags.names.front()));
    if (!request.source.dataset.empty()) return Ok();
    request.source = {};
  }
  HF_ASSIGN_OR_RETURN(request.scope, ScopeOf(flags));
  return Ok();
}

Status SetTime(const RestoreFlags& flags, restore::RestoreRequest& request) {
  if (flags.as_of.empty()) return Ok();
  const auto time = ParseTimestamp(flags.as_of);
  if (!time.ok()) {
    return MakeError(ErrorId::kUsage, "--as-of: " + time.error().message,
                     "Give a time in RFC 3339: --as-of 2026-11-21T10:00:00Z");
  }
  request.as_of_ms = ToUnixMillis(*time);
  return Ok();
}

Status AddRules(restore::MapRule::Level level, const std::vector<std::string>& texts,
                restore::RestoreRequest& request) {
  for (const std::string& text : texts) {
    HF_ASSIGN_OR_RETURN(restore::MapRule rule, restore::ParseMapRule(level, text));
    request.maps.push_back(std::move(rule));
  }
  return Ok();
}

Status SetTarget(const Config& config, const RestoreFlags& flags,
                 restore::RestoreRequest& request) {
  using Level = restore::MapRule::Level;
  HF_RETURN_IF_ERROR(AddRules(Level::kProject, flags.map_project, request));
  HF_RETURN_IF_ERROR(AddRules(Level::kDataset, flags.map_dataset, request));
  HF_RETURN_IF_ERROR(AddRules(Level::kTable, flags.map_table, request));
  const bool elsewhere = !flags.to_project.empty() || !flags.to_dataset.empty() ||
                         !flags.to_table.empty() || !request.maps.empty();
  if (flags.to_source && elsewhere) {
    return MakeError(ErrorId::kUsage, "--to-source is given together with another target",
                     "Leave out --to-source, or the others");
  }
  request.to_dataset = flags.to_dataset;
  request.to_table = flags.to_table;
  request.to_project = flags.to_project;
  if (request.to_project.empty() && !flags.to_source) request.to_project = config.restore_project;
  return Ok();
}

}  // namespace

void AddRestoreFlags(CLI::App& command, RestoreFlags& flags) {
  command.add_option("name", flags.names,
                     "project, project.dataset, project.dataset.table, table$partition or "
                     "routine:NAME; several, and with * and ?");
  const auto add = [&](const char* name, auto& value, const char* doc, const char* type) {
    return command.add_option(name, value, doc)->type_name(type);
  };
  add("--exclude", flags.exclude, "Leave this out; a name or a pattern", "PATTERN");
  add("--backup", flags.backup, "This backup, by its id or the beginning of it", "ID");
  add("--run", flags.run, "What this run found in place: a set of one time", "RUN");
  add("--as-of", flags.as_of, "As it was at this time: 2026-11-21T10:00:00Z", "TIME");
  command.add_flag("--include-deleted", flags.include_deleted,
                   "Also what was deleted at the source, as it last was");
  add("--max-partition-days", flags.max_partition_days,
      "Of the partitions of days, hours, months and years those of the last N days only", "N");
  add("--to-project", flags.to_project, "Target project", "PROJECT");
  add("--to-dataset", flags.to_dataset, "Target dataset; if not, the source's", "DATASET");
  add("--to-table", flags.to_table, "Target table; if not, the source's", "TABLE");
  command.add_flag("--to-source", flags.to_source,
                   "To where it came from, although restore_project is set");
  add("--map-project", flags.map_project, "What becomes of one project: acme-shop:acme-restore",
      "FROM:TO");
  add("--map-dataset", flags.map_dataset,
      "What becomes of one dataset: acme-shop.sales:sales_rescued", "FROM:TO");
  add("--map-table", flags.map_table,
      "What becomes of one table: acme-shop.sales.orders:orders_rescued", "FROM:TO");
  add("--if-exists", flags.if_exists, "What to do when the target exists", "ACTION")
      ->check(OneOf({"fail", "skip"}));
  command.add_flag("--no-compare", flags.no_compare,
                   "Do not read the restored data back to compare it");
  command.add_flag("--without-access", flags.without_access,
                   "Leave out row access policies and IAM policies, and say which");
  command.add_flag("--allow-wider-access", flags.allow_wider_access,
                   "Also into a dataset with readers whom the source's dataset had not");
  command.add_flag("--allow-over-quota", flags.allow_over_quota,
                   "Begin although a quota does not suffice for a day");
}

Result<restore::RestoreRequest> RequestOf(const Config& config, const RestoreFlags& flags) {
  restore::RestoreRequest request;
  HF_RETURN_IF_ERROR(SetSource(flags, request));
  HF_RETURN_IF_ERROR(SetTime(flags, request));
  HF_RETURN_IF_ERROR(SetTarget(config, flags, request));
  request.backup = flags.backup;
  request.run = flags.run;
  request.include_deleted = flags.include_deleted;
  request.partition_days_max = flags.max_partition_days;
  request.if_exists =
      flags.if_exists == "skip" ? restore::IfExists::kSkip : restore::IfExists::kFail;
  request.compare = !flags.no_compare;
  request.without_access = flags.without_access;
  request.allow_wider_access = flags.allow_wider_access;
  request.allow_over_quota = flags.allow_over_quota;
  HF_RETURN_IF_ERROR(restore::ValidateRequest(request));
  return request;
}

}  // namespace holdfast::cli
