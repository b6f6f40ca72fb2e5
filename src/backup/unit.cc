#include "backup/unit.h"

#include <fmt/format.h>

#include <algorithm>

#include "backup/replicate.h"
#include "base/retry.h"
#include "model/ids.h"

namespace holdfast::backup {

Manifest StartManifest(const TableBackup& common, const Unit& unit) {
  Manifest manifest;
  manifest.backup = unit.backup;
  manifest.object = unit.object;
  manifest.method = common.context.run.policy.method;
  manifest.run = common.context.run.id;
  manifest.attempt = common.context.attempt;
  manifest.created_ms = ToUnixMillis(common.services.clock.Now());
  manifest.tool_version = common.services.tool_version;
  manifest.location = common.table.location;
  manifest.source = unit.scanned.fingerprint;
  manifest.schema = common.table.schema;
  manifest.table_resource = common.table.resource;
  manifest.dataset_resource = common.dataset.resource;
  manifest.access = common.access.document;
  manifest.streaming_buffer = common.table.streaming_buffer;
  // What streams in is in none of the copies: the backup holds what came before the oldest such row
  // (google-semantics trap 4).
  manifest.consistent_through_ms = ToUnixMillis(unit.started);
  if (manifest.streaming_buffer) {
    manifest.consistent_through_ms =
        std::min(manifest.consistent_through_ms, manifest.streaming_buffer->oldest_entry_ms);
  }
  if (common.as_of_ms) {
    manifest.as_of_ms = common.as_of_ms;
    manifest.consistent_through_ms = std::min(manifest.consistent_through_ms, *common.as_of_ms);
  }
  // The clock stood wrong when the last backup was made, or does now: the newer one must sort after
  // it all the same.
  if (unit.last && manifest.created_ms <= unit.last->created_ms) {
    manifest.created_ms = unit.last->created_ms + 1;
    manifest.consistent_through_ms =
        std::max(manifest.consistent_through_ms, unit.last->consistent_through_ms + 1);
  }
  return manifest;
}

cloud::JobRef JobOf(const TableBackup& common, const Unit& unit, std::string_view operation) {
  return {.project = JobProjectOf(common.context.run.policy, unit.object),
          .location = common.table.location,
          .id = JobId(operation, common.context.run.id, unit.object, common.context.attempt)};
}

Result<Fingerprint> CurrentFingerprint(const TableBackup& common, const Unit& unit) {
  cloud::Warehouse& warehouse = common.services.warehouse;
  HF_ASSIGN_OR_RETURN(const TableInfo table, warehouse.GetTable(unit.object));
  if (unit.object.partition.empty()) return FingerprintOf(table);
  std::optional<Fingerprint> found;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<PartitionInfo>(
      [&](const std::string& token) { return warehouse.ListPartitions(unit.object, token); },
      [&](PartitionInfo&& partition) -> Status {
        if (partition.ref.partition == unit.object.partition) {
          found = FingerprintOf(table, partition);
        }
        return Ok();
      }));
  if (!found) {
    return MakeError(ErrorId::kTableNotFound,
                     fmt::format("partition {} is gone", unit.object.ToString()));
  }
  return *std::move(found);
}

ItemOutcome NotYetOutcome(const TableRef& object, int64_t as_of_ms) {
  return {.object = object,
          .outcome = Outcome::kNotDue,
          .reason = fmt::format("it was not there yet at {}, as of which its table is taken",
                                FormatTimestamp(FromUnixMillis(as_of_ms)))};
}

TableRef SourceOf(const TableBackup& common, const Unit& unit) {
  if (!common.frozen) return unit.object;
  return common.frozen->table.ref.WithPartition(unit.object.partition);
}

Status CheckRows(const TableBackup& common, const Unit& unit, int64_t rows_captured) {
  const int64_t rows_scanned = unit.scanned.fingerprint.rows;
  if (rows_captured == rows_scanned) return Ok();
  if (common.as_of_ms && unit.scanned.fingerprint.last_modified_ms >= *common.as_of_ms) return Ok();
  HF_ASSIGN_OR_RETURN(const Fingerprint now, CurrentFingerprint(common, unit));
  // Written between the scan and the export: the copy is whole, and the next run, which compares
  // with the scan's fingerprint, takes the object again.
  if (rows_captured == now.rows) return Ok();
  // Rows that are only in the streaming buffer are in no export. A table does not count them, but
  // the partition that they are in until they are flushed may (google-semantics trap 4).
  if (unit.object.partition == kUnpartitionedPartition && common.table.streaming_buffer &&
      rows_captured < rows_scanned &&
      rows_captured + static_cast<int64_t>(common.table.streaming_buffer->estimated_rows) >=
          rows_scanned) {
    return Ok();
  }
  const std::string text =
      fmt::format("{}: the export holds {} rows, the table counted {} before it and {} after it",
                  unit.object.ToString(), rows_captured, rows_scanned, now.rows);
  const bool written =
      now.rows != rows_scanned || now.last_modified_ms != unit.scanned.fingerprint.last_modified_ms;
  return MakeError(written ? ErrorId::kSourceChanged : ErrorId::kRowsMissing, text);
}

Status CheckFrozenRows(const TableBackup& common, const Unit& unit, int64_t rows_captured) {
  const FrozenTable& frozen = *common.frozen;
  int64_t rows = frozen.table.rows;
  if (!unit.object.partition.empty()) {
    const auto found = frozen.partition_rows.find(unit.object.partition);
    rows = found == frozen.partition_rows.end() ? 0 : found->second;
  }
  if (rows_captured == rows) return Ok();
  return MakeError(
      ErrorId::kRowsMissing,
      fmt::format("{}: the backup holds {} rows, its frozen copy {} counts {}",
                  unit.object.ToString(), rows_captured, SourceOf(common, unit).ToString(), rows));
}

void SetSchemaOf(const TableInfo& read, Manifest& manifest) {
  if (SchemaHash(read.schema) == SchemaHash(manifest.schema)) return;
  manifest.schema = read.schema;
  if (const Json* schema = FindField(read.resource, "schema")) {
    manifest.table_resource["schema"] = *schema;
  }
}

namespace {

// What became of the object, given the content of its last backup.
Outcome Judge(const Unit& unit, const Manifest& manifest) {
  if (unit.scanned.change != Change::kMetadataOnly || !unit.last) return Outcome::kBackedUp;
  return SettleMetadataOnly(unit.last->content_digest, manifest.content_digest) ==
                 Change::kMetadataOnly
             ? Outcome::kMetadataOnly
             : Outcome::kBackedUp;
}

// Whether the catalog knows of a backup of the object, intact or not, beside this one.
Result<bool> HadBackups(const TableBackup& common, const Unit& unit) {
  HF_ASSIGN_OR_RETURN(const auto known, common.services.catalog.FindBackups(
                                            {.project = unit.object.project,
                                             .dataset = unit.object.dataset,
                                             .table = unit.object.table,
                                             .partition = unit.object.partition,
                                             .method = MethodSought(common.context.run.policy)},
                                            ""));
  return std::ranges::any_of(known.items,
                             [&](const auto& record) { return record.backup != unit.backup; });
}

std::string WhyBackedUp(const repository::Location& location, const Unit& unit,
                        const Manifest& manifest, Outcome outcome) {
  const catalog::BackupRecord& last = *unit.last;
  if (outcome == Outcome::kMetadataOnly) return "its description changed, its rows did not";
  if (manifest.kind != last.kind) {
    return fmt::format("it is a {} now, and was a {}", ObjectKindWords(manifest.kind),
                       ObjectKindWords(last.kind));
  }
  if (last.bucket != location.bucket || last.prefix != location.prefix) {
    return "its backups are kept in another place from now on";
  }
  if (IsDefinitionOnly(manifest.kind)) return "its definition changed";
  const Fingerprint& before = last.source;
  if (before.creation_ms != manifest.source.creation_ms) return "dropped and created anew";
  if (before.schema_hash != manifest.source.schema_hash) return "its schema changed";
  if (last.rows != manifest.rows) {
    return fmt::format("rows went from {} to {}", last.rows, manifest.rows);
  }
  if (last.method != manifest.method) return "its backups are made by another method from now on";
  if (CompareFingerprints(before, manifest.source) == Change::kUnchanged) {
    return "due again, although nothing seems to have changed";
  }
  return "it was modified";
}

Result<std::string> ReasonOf(const TableBackup& common, const Unit& unit, const Manifest& manifest,
                             Outcome outcome) {
  std::string reason;
  if (unit.last) {
    reason = WhyBackedUp(common.repository.location(), unit, manifest, outcome);
  } else {
    HF_ASSIGN_OR_RETURN(const bool had_backups, HadBackups(common, unit));
    reason = had_backups ? "no earlier backup of it is whole" : "first backup";
  }
  if (manifest.IsSuspect()) reason = "suspect: " + manifest.suspect + "; " + reason;
  // Zero is a lower bound as well (google-semantics trap 4).
  if (manifest.streaming_buffer) {
    reason += fmt::format(
        "; at least {} streamed in and are in no backup until BigQuery has written them",
        manifest.streaming_buffer->estimated_rows == 1
            ? std::string("1 row")
            : fmt::format("{} rows", manifest.streaming_buffer->estimated_rows));
  }
  return reason;
}

}  // namespace

Result<ItemOutcome> Adopt(const TableBackup& common, const Unit& unit, const Manifest& manifest) {
  const repository::Location& location = common.repository.location();
  const Status recorded = common.services.catalog.RecordBackup(
      catalog::RecordOf(manifest, location.bucket, location.prefix));
  // The object has not failed: its backup is there, and whoever comes next records it.
  if (!recorded.ok()) return WithReason(std::string(kUnrecorded), recorded.error());
  const Outcome outcome = Judge(unit, manifest);
  HF_ASSIGN_OR_RETURN(std::string reason, ReasonOf(common, unit, manifest, outcome));
  if (!common.access.note.empty()) reason += "; " + common.access.note;
  const auto elapsed = common.services.clock.Now() - unit.started;
  ItemOutcome item{
      .object = unit.object,
      .kind = manifest.kind,
      .outcome = outcome,
      .reason = std::move(reason),
      .backup = manifest.backup,
      .rows = manifest.rows,
      .bytes = manifest.stored_bytes,
      .duration_ms = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count(),
      .error_id = {},
      .suspect = manifest.IsSuspect()};
  if (const Status copied = Replicate(common, manifest); !copied.ok()) {
    const Error& error = copied.error();
    const bool may_pass = IsRetryable(error) && !common.context.is_last_attempt;
    if (may_pass || error.id == ErrorId::kCancelled) return error;
    item.outcome = Outcome::kFailed;
    item.reason = error.message + "; its backup is in the first repository (" + item.reason + ")";
    item.error_id = FindError(error.id).id;
  }
  return item;
}

namespace {

// Why a table that is divided otherwise than before - into partitions now, or no more, or has none
// left of them - is suspect; empty: it is not, or it is divided as before. An object has no earlier
// backup then that its rows could be held against, so the table's are.
Result<std::string> ReshapedReason(const TableBackup& common, const Unit& unit, int64_t rows) {
  HF_ASSIGN_OR_RETURN(const auto good, catalog::LatestGoodOfTable(common.services.catalog,
                                                                  unit.object.WholeTable()));
  int64_t whole_rows = 0;
  int64_t whole_ms = 0;
  int64_t partitions_rows = 0;
  int64_t partitions_ms = 0;
  // A snapshot is of the whole table however that is divided, and says nothing of it.
  const auto is_aside = [&](const catalog::BackupRecord& record) {
    return record.run == common.context.run.id || record.method == Method::kSnapshot;
  };
  if (common.context.run.policy.method == Method::kSnapshot) return std::string();
  for (const catalog::BackupRecord& record : good) {
    if (is_aside(record)) continue;
    if (record.object.partition.empty()) {
      whole_rows = record.rows;
      whole_ms = record.created_ms;
    } else {
      partitions_ms = std::max(partitions_ms, record.created_ms);
    }
  }
  for (const catalog::BackupRecord& record : good) {
    const bool counts = !record.object.partition.empty() && record.created_ms > whole_ms;
    if (counts && !is_aside(record)) partitions_rows += record.rows;
  }
  const bool is_whole = unit.object.partition.empty();
  const bool was_whole = whole_ms > partitions_ms;
  if (is_whole == was_whole || (whole_ms == 0 && partitions_ms == 0)) return std::string();
  const bool has_lost_partitions =
      is_whole && rows == 0 &&
      unit.scanned.fingerprint.partitioning.kind != Partitioning::Kind::kNone;
  if (has_lost_partitions && partitions_rows > 0) {
    return fmt::format("no partition is left, where the last good backups hold {} rows in them",
                       partitions_rows);
  }
  const std::string reason =
      ShrinkReason(common.context.run.policy, {is_whole ? partitions_rows : whole_rows},
                   {is_whole ? rows : common.table.rows});
  if (reason.empty()) return reason;
  return fmt::format("the table {} partitions now, and its {}",
                     is_whole ? "has no" : "is divided into", reason);
}

}  // namespace

Result<ItemOutcome> Commit(const TableBackup& common, const Unit& unit, Manifest manifest) {
  std::optional<catalog::BackupRecord> good = unit.last;
  if (good && !good->IsGood()) {
    HF_ASSIGN_OR_RETURN(good, catalog::LatestGood(common.services.catalog, unit.object));
  }
  HF_ASSIGN_OR_RETURN(manifest.suspect, ReshapedReason(common, unit, manifest.rows));
  if (good && manifest.suspect.empty()) {
    manifest.suspect = ShrinkReason(common.context.run.policy, {good->rows, good->source.bytes},
                                    {manifest.rows, manifest.source.bytes});
  }
  // As of its moment it may have had other rows than were seen since: what lands out of a streaming
  // buffer carries the time at which it came. The next run is to see that there is more by now.
  if (manifest.as_of_ms && !IsDefinitionOnly(manifest.kind)) manifest.source.rows = manifest.rows;
  repository::Repository repository = common.repository;
  const auto written = repository.WriteManifest(manifest);
  if (!written.ok()) {
    if (written.error().id != ErrorId::kManifestExists) return written.error();
    HF_ASSIGN_OR_RETURN(manifest, repository.ReadManifest(unit.object, unit.backup));
  }
  return Adopt(common, unit, manifest);
}

}  // namespace holdfast::backup
