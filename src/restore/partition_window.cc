#include "restore/partition_window.h"

#include <fmt/format.h>

#include <map>

#include "model/partition_id.h"

namespace holdfast::restore {

namespace {

constexpr int64_t kMicrosPerDay = 24LL * 60 * 60 * 1'000'000;

}  // namespace

bool IsWithinDays(const Partitioning& partitioning, const std::string& partition, int64_t days,
                  Timestamp now) {
  using Kind = Partitioning::Kind;
  if (partition.empty() || partitioning.kind == Kind::kNone ||
      partitioning.kind == Kind::kIntegerRange || partition == kNullPartition ||
      partition == kUnpartitionedPartition) {
    return true;
  }
  const auto span = SpanOfPartition(partitioning, partition);
  if (!span.ok()) return true;  // of a form that is not known: rather too much than too little
  const int64_t now_micros = ToUnixMillis(now) * 1000;
  const int64_t today = now_micros - now_micros % kMicrosPerDay;
  return span->end > today - (days - 1) * kMicrosPerDay;
}

void KeepLastDays(Selection& selection, int64_t days, Timestamp now) {
  std::map<TableRef, Partitioning> tables;
  for (const SelectedBackup& selected : selection.backups) {
    tables[selected.record.object.WholeTable()] = selected.record.source.partitioning;
  }
  const size_t removed = std::erase_if(selection.backups, [&](const SelectedBackup& selected) {
    const catalog::BackupRecord& record = selected.record;
    return !IsWithinDays(record.source.partitioning, record.object.partition, days, now);
  });
  const size_t missing = std::erase_if(selection.missing, [&](const MissingObject& object) {
    const auto partitioning = tables.find(object.object.WholeTable());
    return partitioning != tables.end() &&
           !IsWithinDays(partitioning->second, object.object.partition, days, now);
  });
  if (removed + missing == 0) return;
  selection.notes.push_back(fmt::format("{} partition{} left out: before the last {} day{}",
                                        removed + missing, removed + missing == 1 ? " is" : "s are",
                                        days, days == 1 ? "" : "s"));
}

}  // namespace holdfast::restore
