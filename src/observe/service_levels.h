// Two service levels, measured against the live sources and not against what runs say of
// themselves: an object that every run overlooks shows here.
//
//   unprotected  tables that have no backup although their last change was N days ago (0, 4, 5, 7)
//   different    tables unmodified for 3 days whose newest backup differs in rows or bytes
//
// Sources are listed in bulk; a table's partitions are listed only where its sums differ. Memory
// does not grow with the number of tables. Views and the like have no rows, and are not measured.
// Source: issue "Seeing it"; the two levels that BBQ measured.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "catalog/backup_index.h"
#include "cloud/projects.h"
#include "cloud/warehouse.h"
#include "model/policy.h"
#include "observe/metrics.h"

namespace holdfast::observe {

inline constexpr std::array<int, 4> kUnprotectedDays = {0, 4, 5, 7};
inline constexpr int kUnmodifiedDays = 3;

struct ServiceLevels {
  int64_t at_ms = 0;
  int64_t tables = 0;                                          // that were looked at
  std::array<int64_t, kUnprotectedDays.size()> unprotected{};  // by kUnprotectedDays
  int64_t different = 0;
  int64_t unseen = 0;  // projects and datasets that could not be listed

  // JSON and back. Errors: kInvalidJson naming the member.
  static Result<ServiceLevels> FromJson(const Json& json);
  Json ToJson() const;
  bool operator==(const ServiceLevels&) const = default;

  // As metrics.
  void AddTo(MetricSet& metrics) const;
};

// One table that misses a level, or a project or dataset that could not be listed.
struct ServiceLevelMiss {
  enum class Kind { kUnprotected, kDifferent, kUnseen };
  Kind kind = Kind::kUnprotected;
  TableRef object;
  int64_t changed_ms = 0;    // the source's last change
  int64_t backed_up_ms = 0;  // up to when its good backups reach; 0: it has none
  int64_t rows = 0;          // of the source
  int64_t bytes = 0;
  int64_t backup_rows = 0;  // kDifferent: of the source when it was backed up
  int64_t backup_bytes = 0;
  std::string detail;  // kUnseen: why

  Json ToJson() const;
};
std::string_view ServiceLevelMissName(ServiceLevelMiss::Kind kind);

// One object as its source listed it. Pointers are valid during the visit.
struct SeenObject {
  const TableSummary* listed = nullptr;  // never nullptr
  // The ids of its partitions now, when they were listed because its sums differ from its backups';
  // empty: it has none. nullopt: they were not listed.
  std::optional<std::set<std::string>> partitions;
};

struct ServiceLevelSources {
  cloud::Projects& projects;
  cloud::Warehouse& warehouse;
  catalog::BackupIndex& index;
  std::string organization;  // empty: every visible project
  // Whether a dataset is one that backups are taken of (backup/scan_plan.h), and not of results of
  // queries or of our own copies.
  std::function<bool(const DatasetInfo& dataset)> is_backed_up;
  // Is told of everything that the scope covers, views and the like included; may be empty.
  std::function<Status(const SeenObject& seen)> on_seen = {};
};

// Measures all tables that `scope` covers and calls `on_miss` for each that misses a level. Errors:
// of listing the organization, of the catalog, and of `on_miss` and `on_seen`.
Result<ServiceLevels> MeasureServiceLevels(
    const ServiceLevelSources& sources, const Scope& scope, Timestamp now,
    const std::function<Status(const ServiceLevelMiss& miss)>& on_miss);

}  // namespace holdfast::observe
