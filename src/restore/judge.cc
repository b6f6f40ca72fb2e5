#include "restore/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <set>

#include "base/hash.h"
#include "repository/layout.h"
#include "restore/definitions.h"
#include "restore/load.h"
#include "restore/wider_readers.h"

namespace holdfast::restore {

namespace {

constexpr double kMillisPerSecond = 1000;

std::string InLowerCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// Of the list's members, whatever their order; empty: there is no list.
std::string AccessHash(const Json& resource) {
  const Json* access = FindField(resource, "access");
  if (access == nullptr || !access->is_array()) return {};
  std::multiset<std::string> entries;
  for (const Json& entry : *access) entries.insert(DumpJson(entry));
  return Sha256Hex(fmt::format("{}", fmt::join(entries, "\n")));
}

SeenDataset SeenOf(const DatasetRef& dataset, const Surroundings& there) {
  const auto found = there.datasets.find(dataset);
  if (found == there.datasets.end()) return {.dataset = dataset};
  return {.dataset = dataset,
          .exists = true,
          .creation_ms = Int64Or(found->second.resource, "creationTime", 0),
          .location = found->second.location,
          .access_hash = AccessHash(found->second.resource)};
}

SeenTarget SeenOf(const TableRef& target, const Surroundings& there) {
  const auto found = there.targets.find(target);
  return found == there.targets.end() ? SeenTarget{} : found->second;
}

void JudgeLocations(RestorePlan& plan) {
  std::map<DatasetRef, std::string> locations;
  for (const SeenDataset& dataset : plan.datasets) locations[dataset.dataset] = dataset.location;
  for (const TableRestore& table : plan.tables) {
    const std::string& there = locations[table.target.dataset_ref()];
    const std::string& backup = table.backups.front().location;
    if (there.empty() || backup.empty() || InLowerCase(there) == InLowerCase(backup)) continue;
    plan.conflicts.push_back(
        {table.target,
         MakeError(ErrorId::kLocationMismatch,
                   fmt::format("{} is in {}, and the backup of {} in {}",
                               table.target.dataset_ref().ToString(), there,
                               table.source.ToString(), backup),
                   "Choose another dataset with --to-dataset: one that is not there yet is made "
                   "in the right location")});
  }
}

void JudgeAccess(const RestoreRequest& request, const Surroundings& there, RestorePlan& plan) {
  for (const SavedDataset& saved : there.saved) {
    const std::string source = saved.source.ToString();
    const auto target = there.datasets.find(saved.target);
    if (!saved.unknown.empty()) {
      plan.access_changes.push_back(
          {saved.target, fmt::format("not known who could read {}: {}", source, saved.unknown)});
      continue;
    }
    if (target == there.datasets.end()) {
      for (const std::string& entry :
           AccessLeftOut(saved.resource, saved.source.project, saved.target.project)) {
        plan.access_changes.push_back({saved.target, "is made without " + entry});
      }
      continue;
    }
    if (FindField(saved.resource, "access") == nullptr) {
      plan.access_changes.push_back(
          {saved.target, fmt::format("the backups do not tell who could read {}", source)});
      continue;
    }
    const std::vector<std::string> wider = WiderReaders(
        saved.resource, saved.source.project, target->second.resource, saved.target.project);
    if (wider.empty()) continue;
    for (const std::string& reader : wider) {
      plan.access_changes.push_back(
          {saved.target, fmt::format("lets in {}, whom {} did not", reader, source)});
    }
    plan.conflicts.push_back(
        {{saved.target.project, saved.target.dataset, "", ""},
         MakeError(ErrorId::kAccessWider,
                   fmt::format("{} lets in readers whom {} did not: {}", saved.target.ToString(),
                               source, fmt::join(wider, ", "))),
         !request.allow_wider_access});
  }
}

// What one object adds to the quotas of its target's project.
struct ProjectUse {
  JobCounts jobs;
  int64_t extracted_bytes = 0;
};

int64_t LimitOf(Quota quota) {
  const auto entry = std::ranges::find(AllQuotas(), quota, &QuotaEntry::quota);
  return entry == AllQuotas().end() ? 0 : entry->limit;
}

std::string NameOf(Quota quota) {
  const auto entry = std::ranges::find(AllQuotas(), quota, &QuotaEntry::quota);
  return entry == AllQuotas().end() ? "" : std::string(entry->name);
}

void JudgeQuotas(const RestoreRequest& request, const QuotaLimits& limits, RestorePlan& plan) {
  std::map<std::string, ProjectUse> projects;
  QuotaNeed of_table{.of = "",
                     .quota = NameOf(Quota::kTableModifications),
                     .needed = 0,
                     .limit = LimitOf(Quota::kTableModifications)};
  for (const TableRestore& table : plan.tables) {
    ProjectUse& use = projects[table.target.project];
    use.jobs.load += table.jobs.load;
    use.jobs.copy += table.jobs.copy;
    use.jobs.extract += table.jobs.extract;
    if (table.jobs.extract > 0) {
      for (const catalog::BackupRecord& backup : table.backups) {
        use.extracted_bytes += backup.source.bytes;
      }
    }
    if (table.jobs.load + table.jobs.copy > of_table.needed) {
      of_table.of = table.target.ToString();
      of_table.needed = table.jobs.load + table.jobs.copy;
    }
  }
  const auto need = [&](const std::string& of, std::string quota, int64_t needed, int64_t limit) {
    if (needed > 0) plan.quotas.push_back({of, std::move(quota), needed, limit});
  };
  const auto planned = [](const QuotaAmounts& amounts, Quota quota) {
    return amounts[static_cast<size_t>(quota)];
  };
  for (const auto& [project, use] : projects) {
    const QuotaAmounts& amounts = limits.Of(project);
    need(project, NameOf(Quota::kLoadJobs), use.jobs.load, LimitOf(Quota::kLoadJobs));
    need(project, NameOf(Quota::kCopyJobs), use.jobs.copy, planned(amounts, Quota::kCopyJobs));
    need(project, NameOf(Quota::kExtractJobs), use.jobs.extract,
         planned(amounts, Quota::kExtractJobs));
    need(project, NameOf(Quota::kExtractBytes), use.extracted_bytes,
         planned(amounts, Quota::kExtractBytes));
  }
  if (of_table.needed > 0) plan.quotas.push_back(of_table);
  for (const QuotaNeed& quota : plan.quotas) {
    if (quota.needed <= quota.limit) continue;
    plan.conflicts.push_back(
        {{quota.of, "", "", ""},
         MakeError(ErrorId::kRestoreQuota,
                   fmt::format("{}: the restore needs {} of {}, and there are "
                               "{} in a day",
                               quota.of, quota.needed, quota.quota, quota.limit)),
         !request.allow_over_quota});
  }
}

std::string ChangeOf(const SeenTarget& before, const SeenTarget& now) {
  if (!before.exists) return "is there now";
  if (!now.exists) return "is not there any more";
  if (before.creation_ms != now.creation_ms) return "was made anew";
  if (before.rows != now.rows) {
    return fmt::format("has {} rows now, and had {}", now.rows, before.rows);
  }
  return "was modified at " + FormatTimestamp(FromUnixMillis(now.last_modified_ms));
}

std::string ChangeOf(const SeenDataset& before, const SeenDataset& now) {
  if (!before.exists) return "is there now";
  if (!now.exists) return "is not there any more";
  if (before.location != now.location) {
    return fmt::format("is in {} now, and was in {}", now.location, before.location);
  }
  if (before.creation_ms != now.creation_ms) return "was made anew";
  return "has another access list";
}

void AddStaleBackups(const RestorePlan& approved,
                     const std::map<std::string, catalog::BackupRecord>& backups, bool begun,
                     std::vector<std::string>& reasons) {
  for (const TableRestore& table : approved.tables) {
    for (const catalog::BackupRecord& then : table.backups) {
      const std::string name = "backup " + then.backup + " of " + then.object.ToString();
      const auto now = backups.find(then.backup);
      if (now == backups.end()) {
        reasons.push_back(name + " is gone");
      } else if (now->second.damaged && !then.damaged) {
        reasons.push_back(name + " was found damaged");
      } else if (!begun &&  // it is the restore itself that falls back to a copy
                 (now->second.bucket != then.bucket || now->second.prefix != then.prefix)) {
        reasons.push_back(
            fmt::format("{} is in {} now", name,
                        repository::Location{now->second.bucket, now->second.prefix}.Uri()));
      }
    }
  }
}

}  // namespace

JobCounts JobsOf(const RestoreRequest& request, const TableRestore& restore) {
  const bool stays =
      restore.finished || (restore.before.exists && request.if_exists == IfExists::kSkip);
  JobCounts jobs;
  if (stays || IsDefinition(restore)) return jobs;
  const catalog::BackupRecord& newest =
      *std::ranges::max_element(restore.backups, {}, &catalog::BackupRecord::created_ms);
  const int64_t uris_max = kLoadUrisMax;
  struct Shared {
    int64_t uris = 0;
    int64_t backups = 0;
  };
  std::map<std::string, Shared> shared;  // by schema: what goes into jobs together
  for (const catalog::BackupRecord& backup : restore.backups) {
    if (backup.method != Method::kExport) {
      const bool widened = backup.method != Method::kSnapshot &&
                           backup.source.schema_hash != newest.source.schema_hash;
      jobs.copy += widened ? 2 : 1;
      jobs.extract += request.compare && backup.content_digest.empty() ? 1 : 0;
      continue;
    }
    if (IsByIngestionTime(newest.source.partitioning) &&
        IsPartitionOfItsOwn(backup.object.partition)) {
      jobs.load += std::max<int64_t>(1, (backup.objects + uris_max - 1) / uris_max);
      continue;
    }
    Shared& together = shared[backup.source.schema_hash];
    together.uris += backup.objects;
    ++together.backups;
  }
  const int64_t partitions_max = kLoadPartitionsMax;
  for (const auto& [schema, together] : shared) {
    jobs.load += std::max({int64_t{1}, (together.uris + uris_max - 1) / uris_max,
                           (together.backups + partitions_max - 1) / partitions_max});
  }
  jobs.extract += request.compare ? 1 : 0;
  return jobs;
}

void Judge(const RestoreRequest& request, const Surroundings& there, const QuotaLimits& limits,
           RestorePlan& plan, const RestoreRates& rates) {
  plan.datasets.clear();
  plan.conflicts.clear();
  plan.access_changes.clear();
  plan.quotas.clear();
  plan.jobs = {};
  std::set<DatasetRef> datasets;
  double seconds = 0;
  for (TableRestore& table : plan.tables) {
    table.before = SeenOf(table.target, there);
    table.jobs = JobsOf(request, table);
    plan.jobs.load += table.jobs.load;
    plan.jobs.copy += table.jobs.copy;
    plan.jobs.extract += table.jobs.extract;
    const bool reads = table.jobs.extract > 0;
    const bool loads = table.jobs.load > 0;
    seconds += static_cast<double>(table.bytes) * ((loads ? 1 : 0) + (reads ? 1 : 0)) /
               rates.bytes_per_second;
    if (!table.finished) seconds += rates.seconds_per_object;
    datasets.insert(table.target.dataset_ref());
  }
  plan.estimate_ms = static_cast<int64_t>(seconds * kMillisPerSecond);
  for (const DatasetRef& dataset : datasets) plan.datasets.push_back(SeenOf(dataset, there));
  JudgeLocations(plan);
  std::ranges::copy(there.conflicts, std::back_inserter(plan.conflicts));
  JudgeAccess(request, there, plan);
  JudgeQuotas(request, limits, plan);
}

Status RefuseConflicts(const RestorePlan& plan) {
  const auto first = std::ranges::find_if(plan.conflicts, &Conflict::is_fatal);
  if (first == plan.conflicts.end()) return Ok();
  const auto count = std::ranges::count_if(plan.conflicts, &Conflict::is_fatal);
  Error error = first->error;
  if (count > 1) {
    error.message +=
        fmt::format(" (and {} more in the way: `holdfast restore plan` shows all)", count - 1);
  }
  return error;
}

std::vector<std::string> WhyStale(const RestorePlan& approved, const Surroundings& there,
                                  const std::map<std::string, catalog::BackupRecord>& backups,
                                  Timestamp now, bool begun) {
  std::vector<std::string> reasons;
  if (!begun && ToUnixMillis(now) >= approved.held_until_ms) {
    reasons.push_back(fmt::format("it is of {}, and its backups were held until {} only",
                                  FormatTimestamp(FromUnixMillis(approved.created_ms)),
                                  FormatTimestamp(FromUnixMillis(approved.held_until_ms))));
  }
  for (const SeenDataset& before : approved.datasets) {
    const SeenDataset after = SeenOf(before.dataset, there);
    if (after == before || (begun && !before.exists)) continue;
    reasons.push_back("dataset " + before.dataset.ToString() + " " + ChangeOf(before, after));
  }
  for (const TableRestore& table : approved.tables) {
    const SeenTarget after = SeenOf(table.target, there);
    const bool is_ours = begun && (!table.before.exists || approved.resumes_ms);
    if (after == table.before || is_ours) continue;
    reasons.push_back(table.target.ToString() + " " + ChangeOf(table.before, after));
  }
  AddStaleBackups(approved, backups, begun, reasons);
  return reasons;
}

}  // namespace holdfast::restore
