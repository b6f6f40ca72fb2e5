#include "observe/service_levels.h"

#include <fmt/format.h>

#include <algorithm>

#include "cloud/page.h"
#include "model/staged_table.h"

namespace holdfast::observe {

namespace {

constexpr int64_t kDayMs = 24 * 60 * 60 * 1000LL;

struct Sums {
  int64_t rows = 0;
  int64_t bytes = 0;
  int64_t through_ms = 0;  // up to when the newest of them reaches

  void Add(const catalog::BackupRecord& record) {
    rows += record.source.rows;
    bytes += record.source.bytes;
    through_ms = std::max(through_ms, record.consistent_through_ms);
  }
};

class Measuring {
 public:
  Measuring(const ServiceLevelSources& sources, const Scope& scope, Timestamp now,
            const std::function<Status(const ServiceLevelMiss& miss)>& on_miss)
      : sources_(sources), scope_(scope), on_miss_(on_miss) {
    levels_.at_ms = ToUnixMillis(now);
  }

  Result<ServiceLevels> Run() {
    if (sources_.organization.empty()) {
      HF_RETURN_IF_ERROR(cloud::ForEachPage<cloud::ProjectInfo>(
          [&](const std::string& token) { return sources_.projects.SearchProjects(token); },
          [&](cloud::ProjectInfo&& project) { return LookIntoProject(project); }));
    } else {
      HF_RETURN_IF_ERROR(Descend(sources_.organization));
    }
    return levels_;
  }

 private:
  Status Descend(const std::string& parent) {
    HF_RETURN_IF_ERROR(cloud::ForEachPage<cloud::ProjectInfo>(
        [&](const std::string& token) { return sources_.projects.ListProjects(parent, token); },
        [&](cloud::ProjectInfo&& project) { return LookIntoProject(project); }));
    std::vector<std::string> folders;
    HF_RETURN_IF_ERROR(cloud::ForEachPage<cloud::FolderInfo>(
        [&](const std::string& token) { return sources_.projects.ListFolders(parent, token); },
        [&](cloud::FolderInfo&& folder) -> Status {
          folders.push_back(std::move(folder.name));
          return Ok();
        }));
    for (const std::string& folder : folders) HF_RETURN_IF_ERROR(Descend(folder));
    return Ok();
  }

  Status LookIntoProject(const cloud::ProjectInfo& project) {
    if (!project.active || !scope_.MayCoverProject(project.id)) return Ok();
    std::vector<DatasetRef> datasets;
    const Status listed = cloud::ForEachPage<DatasetInfo>(
        [&](const std::string& token) {
          return sources_.warehouse.ListDatasets(project.id, token);
        },
        [&](DatasetInfo&& dataset) -> Status {
          if (scope_.MayCoverDataset(dataset.ref) && sources_.is_backed_up(dataset)) {
            datasets.push_back(std::move(dataset.ref));
          }
          return Ok();
        });
    if (!listed.ok()) return NoteUnseen({.project = project.id}, listed.error());
    for (const DatasetRef& dataset : datasets) {
      const Status looked = cloud::ForEachPage<TableSummary>(
          [&](const std::string& token) { return sources_.warehouse.ListTables(dataset, token); },
          [&](TableSummary&& table) -> Status {
            Status measured = LookAtTable(table);
            if (!measured.ok()) failed_ = measured.error();
            return measured;
          });
      if (failed_) return *failed_;
      if (!looked.ok()) {
        HF_RETURN_IF_ERROR(
            NoteUnseen({.project = dataset.project, .dataset = dataset.dataset}, looked.error()));
      }
    }
    return Ok();
  }

  Status NoteUnseen(const TableRef& object, const Error& error) {
    ++levels_.unseen;
    return on_miss_(
        {.kind = ServiceLevelMiss::Kind::kUnseen, .object = object, .detail = error.message});
  }

  Status LookAtTable(const TableSummary& table) {
    if (!scope_.CoversTable(table.ref) || IsStagedTable(table.ref.table)) return Ok();
    SeenObject seen{.listed = &table, .partitions = {}};
    if (table.kind == TableKind::kTable) HF_RETURN_IF_ERROR(MeasureTable(table, seen));
    return sources_.on_seen ? sources_.on_seen(seen) : Ok();
  }

  Status MeasureTable(const TableSummary& table, SeenObject& seen) {
    ++levels_.tables;
    HF_ASSIGN_OR_RETURN(const auto records, catalog::LatestGoodOfTable(sources_.index, table.ref));
    Sums sums;
    for (const catalog::BackupRecord& record : records) sums.Add(record);
    ServiceLevelMiss miss{.object = table.ref,
                          .changed_ms = table.last_modified_ms,
                          .backed_up_ms = sums.through_ms,
                          .rows = table.rows,
                          .bytes = table.bytes,
                          .detail = {}};
    if (sums.through_ms < table.last_modified_ms) {
      const int64_t age_days = (levels_.at_ms - table.last_modified_ms) / kDayMs;
      for (size_t i = 0; i < kUnprotectedDays.size(); ++i) {
        if (age_days >= kUnprotectedDays[i]) ++levels_.unprotected[i];
      }
      return on_miss_(miss);
    }
    const bool is_old = levels_.at_ms - table.last_modified_ms >= kUnmodifiedDays * kDayMs;
    if (!is_old || (sums.rows == table.rows && sums.bytes == table.bytes)) return Ok();
    return LookCloser(records, table, miss, seen);
  }

  // The backups of partitions that are gone stay, and so does one of the whole table from before it
  // had partitions: only those of what is there count.
  Status LookCloser(const std::vector<catalog::BackupRecord>& records, const TableSummary& table,
                    ServiceLevelMiss& miss, SeenObject& seen) {
    std::set<std::string>& present = seen.partitions.emplace();
    HF_RETURN_IF_ERROR(cloud::ForEachPage<PartitionInfo>(
        [&](const std::string& token) {
          return sources_.warehouse.ListPartitions(table.ref, token);
        },
        [&](PartitionInfo&& partition) -> Status {
          present.insert(std::move(partition.ref.partition));
          return Ok();
        }));
    Sums sums;
    for (const catalog::BackupRecord& record : records) {
      const std::string& partition = record.object.partition;
      if (present.empty() ? partition.empty() : present.contains(partition)) sums.Add(record);
    }
    if (sums.rows == table.rows && sums.bytes == table.bytes) return Ok();
    ++levels_.different;
    miss.kind = ServiceLevelMiss::Kind::kDifferent;
    miss.backup_rows = sums.rows;
    miss.backup_bytes = sums.bytes;
    return on_miss_(miss);
  }

  const ServiceLevelSources& sources_;
  const Scope& scope_;
  const std::function<Status(const ServiceLevelMiss& miss)>& on_miss_;
  ServiceLevels levels_;
  std::optional<Error> failed_;  // of what is not the source's doing
};

}  // namespace

std::string_view ServiceLevelMissName(ServiceLevelMiss::Kind kind) {
  switch (kind) {
    case ServiceLevelMiss::Kind::kUnprotected:
      return "unprotected";
    case ServiceLevelMiss::Kind::kDifferent:
      return "different";
    case ServiceLevelMiss::Kind::kUnseen:
      break;
  }
  return "unseen";
}

Json ServiceLevelMiss::ToJson() const {
  const auto time = [](int64_t at_ms) {
    return at_ms == 0 ? Json() : Json(FormatTimestamp(FromUnixMillis(at_ms)));
  };
  const std::string name = object.dataset.empty() ? object.project
                           : object.table.empty() ? object.dataset_ref().ToString()
                                                  : object.ToString();
  return {{"kind", ServiceLevelMissName(kind)},
          {"object", name},
          {"changed", time(changed_ms)},
          {"backed_up", time(backed_up_ms)},
          {"rows", rows},
          {"bytes", bytes},
          {"backup_rows", backup_rows},
          {"backup_bytes", backup_bytes},
          {"detail", detail}};
}

Json ServiceLevels::ToJson() const {
  Json days = Json::array();
  for (size_t i = 0; i < kUnprotectedDays.size(); ++i) {
    days.push_back({{"days", kUnprotectedDays[i]}, {"tables", unprotected[i]}});
  }
  return {{"schema", "holdfast.service_levels.v1"},
          {"at", FormatTimestamp(FromUnixMillis(at_ms))},
          {"at_ms", at_ms},
          {"tables", tables},
          {"unprotected", std::move(days)},
          {"different", different},
          {"unseen", unseen}};
}

Result<ServiceLevels> ServiceLevels::FromJson(const Json& json) {
  ServiceLevels levels;
  HF_ASSIGN_OR_RETURN(levels.at_ms, RequiredInt64(json, "at_ms"));
  HF_ASSIGN_OR_RETURN(levels.tables, RequiredInt64(json, "tables"));
  HF_ASSIGN_OR_RETURN(levels.different, RequiredInt64(json, "different"));
  HF_ASSIGN_OR_RETURN(levels.unseen, RequiredInt64(json, "unseen"));
  const Json* days = FindField(json, "unprotected");
  if (days == nullptr || !days->is_array()) {
    return MakeError(ErrorId::kInvalidJson, "\"unprotected\" is not a list");
  }
  for (const Json& at : *days) {
    HF_ASSIGN_OR_RETURN(const int64_t day, RequiredInt64(at, "days"));
    HF_ASSIGN_OR_RETURN(const int64_t count, RequiredInt64(at, "tables"));
    const auto* found = std::ranges::find(kUnprotectedDays, day);
    if (found == kUnprotectedDays.end()) continue;
    levels.unprotected[static_cast<size_t>(found - kUnprotectedDays.begin())] = count;
  }
  return levels;
}

void ServiceLevels::AddTo(MetricSet& metrics) const {
  for (size_t i = 0; i < kUnprotectedDays.size(); ++i) {
    metrics.Set(Metric::kServiceLevelUnprotected, {std::to_string(kUnprotectedDays[i])},
                static_cast<double>(unprotected[i]));
  }
  metrics.Set(Metric::kServiceLevelDifferent, {}, static_cast<double>(different));
  metrics.Set(Metric::kServiceLevelTime, {}, static_cast<double>(at_ms) / 1000);
}

Result<ServiceLevels> MeasureServiceLevels(
    const ServiceLevelSources& sources, const Scope& scope, Timestamp now,
    const std::function<Status(const ServiceLevelMiss& miss)>& on_miss) {
  return Measuring(sources, scope, now, on_miss).Run();
}

}  // namespace holdfast::observe
