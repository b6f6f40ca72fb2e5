#include "observe/export_views.h"

#include <fmt/format.h>

#include "model/quote.h"
#include "observe/service_levels.h"

namespace holdfast::observe {

namespace {

constexpr int64_t kMillisOfDay = 24 * 60 * 60 * 1000LL;

constexpr std::string_view kLatestSql = R"(SELECT *
FROM {backups}
WHERE state = 'good'
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY project_id, dataset_id, table_id, partition_id
  ORDER BY consistent_through DESC, backup_id DESC) = 1)";

// A table without any backup reaches up to 1970.
constexpr std::string_view kUnprotectedSql = R"(WITH reached AS (
  SELECT project_id, dataset_id, table_id, MAX(consistent_through) AS backed_up_through
  FROM {latest}
  GROUP BY project_id, dataset_id, table_id
)
SELECT
  project_id, dataset_id, table_id, modified_at, backed_up_through, row_count, byte_count,
  DIV(TIMESTAMP_DIFF(seen_at, modified_at, MILLISECOND), {day}) AS days_since_change,
  seen_at
FROM {objects}
LEFT JOIN reached USING (project_id, dataset_id, table_id)
WHERE kind = 'table'
  AND IFNULL(UNIX_MILLIS(backed_up_through), 0) < IFNULL(UNIX_MILLIS(modified_at), 0))";

// Backups of partitions that are gone stay, and so does one of the whole table from before it had
// partitions: only those of what is there count, where the sums of all do not fit anyway.
constexpr std::string_view kDifferingSql = R"(WITH sums AS (
  SELECT
    o.project_id, o.dataset_id, o.table_id,
    ANY_VALUE(o.modified_at) AS modified_at,
    ANY_VALUE(o.seen_at) AS seen_at,
    ANY_VALUE(o.row_count) AS row_count,
    ANY_VALUE(o.byte_count) AS byte_count,
    LOGICAL_OR(o.partitions_listed) AS partitions_listed,
    IFNULL(MAX(UNIX_MILLIS(b.consistent_through)), 0) AS through_ms,
    IFNULL(SUM(b.source_rows), 0) AS all_rows,
    IFNULL(SUM(b.source_bytes), 0) AS all_bytes,
    IFNULL(SUM(IF({present}, b.source_rows, 0)), 0) AS backup_rows,
    IFNULL(SUM(IF({present}, b.source_bytes, 0)), 0) AS backup_bytes
  FROM {objects} AS o
  LEFT JOIN {latest} AS b
    ON o.project_id = b.project_id AND o.dataset_id = b.dataset_id AND o.table_id = b.table_id
  WHERE o.kind = 'table'
  GROUP BY o.project_id, o.dataset_id, o.table_id
)
SELECT
  project_id, dataset_id, table_id, modified_at, row_count, byte_count, backup_rows, backup_bytes,
  seen_at
FROM sums
WHERE through_ms >= IFNULL(UNIX_MILLIS(modified_at), 0)
  AND UNIX_MILLIS(seen_at) - IFNULL(UNIX_MILLIS(modified_at), 0) >= {unmodified}
  AND partitions_listed
  AND (all_rows != row_count OR all_bytes != byte_count)
  AND (backup_rows != row_count OR backup_bytes != byte_count))";

constexpr std::string_view kPresentSql =
    "IF(ARRAY_LENGTH(o.partitions) = 0, b.partition_id = '', b.partition_id IN "
    "UNNEST(o.partitions))";

}  // namespace

std::vector<ExportView> ExportViews(const DatasetRef& dataset) {
  const auto path = [&](std::string_view table) {
    return QuotePath({dataset.project, dataset.dataset, table});
  };
  return {
      {.name = "latest_backups",
       .description = "Of each object the newest good backup",
       .sql = fmt::format(kLatestSql, fmt::arg("backups", path("backups")))},
      {.name = "unprotected_objects",
       .description = "Tables without a backup since their last change; days_since_change says "
                      "for how many days",
       .sql = fmt::format(kUnprotectedSql, fmt::arg("latest", path("latest_backups")),
                          fmt::arg("objects", path("objects")), fmt::arg("day", kMillisOfDay))},
      {.name = "differing_objects",
       .description = fmt::format(
           "Tables unmodified for {} days whose backups differ from them in rows or bytes",
           kUnmodifiedDays),
       .sql = fmt::format(kDifferingSql, fmt::arg("latest", path("latest_backups")),
                          fmt::arg("objects", path("objects")), fmt::arg("present", kPresentSql),
                          fmt::arg("unmodified", kUnmodifiedDays * kMillisOfDay))}};
}

}  // namespace holdfast::observe
