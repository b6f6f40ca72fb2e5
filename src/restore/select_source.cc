#include "restore/select_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/clock.h"
#include "restore/census.h"
#include "restore/method_choice.h"

namespace holdfast::restore {

namespace {

constexpr size_t kNamesShown = 5;

using NewestByObject = std::map<TableRef, catalog::BackupRecord>;

std::string Counted(int64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string TimeText(int64_t ms) { return FormatTimestamp(FromUnixMillis(ms)); }

// The newest backup of each object that is named, and of each method: whatever it is worth, or
// the newest good one.
Result<std::vector<catalog::BackupRecord>> NewestOfEach(catalog::Catalog& catalog,
                                                        const SourceQuestion& question,
                                                        bool good_only) {
  catalog::BackupFilter filter{.project = question.source.project,
                               .dataset = question.source.dataset,
                               .table = question.source.table,
                               .as_of_ms = question.as_of_ms,
                               .good_only = good_only,
                               .newest_only = true};
  std::vector<catalog::BackupRecord> newest;
  for (const Method method :
       {Method::kExport, Method::kCopy, Method::kSnapshot, Method::kNative, Method::kDefinition}) {
    filter.method = method;
    HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::BackupRecord>(
        [&](const std::string& token) { return catalog.FindBackups(filter, token); },
        [&](catalog::BackupRecord&& record) -> Status {
          newest.push_back(std::move(record));
          return Ok();
        }));
  }
  return newest;
}

// Whether anything of the source was there: of a dataset, more than the dataset itself, which
// outlives what is in it.
bool HasContent(const Census& census, const TableRef& source) {
  return std::ranges::any_of(census.Objects(), [&](const ObjectState& state) {
    return state.object.table != MakeReservedName({}) || state.object.table == source.table;
  });
}

class Selector {
 public:
  Selector(catalog::Catalog& catalog, RunHistory& history, const SourceQuestion& question)
      : catalog_(catalog), history_(history), question_(question), source_(question.source) {}

  Result<Selection> Run() {
    HF_ASSIGN_OR_RETURN(auto records, NewestOfEach(catalog_, question_, false));
    std::vector<catalog::BackupRecord> newest_good;
    if (MethodChoice::NeedsNewestGood(records)) {
      HF_ASSIGN_OR_RETURN(newest_good, NewestOfEach(catalog_, question_, true));
    }
    choice_ = MethodChoice(records, newest_good, source_.partition);
    for (catalog::BackupRecord& record : records) {
      const bool is_named =
          source_.partition.empty() || record.object.partition == source_.partition;
      if (!is_named || !Wants(record.object) || !choice_.Takes(record)) continue;
      TableRef object = record.object;
      newest_.emplace(std::move(object), std::move(record));
    }
    HF_ASSIGN_OR_RETURN(const Census census, TakeCensus());
    for (const ObjectState& state : census.Objects()) HF_RETURN_IF_ERROR(Settle(census, state));
    HF_RETURN_IF_ERROR(SettleNewer(census));
    HF_RETURN_IF_ERROR(SettleUnknownTables(census));
    if (question_.include_deleted) {
      HF_RETURN_IF_ERROR(SettleDeleted(census));
    } else {
      NoteDeletedPartitions();
      NoteDeletedTables();
    }
    HF_RETURN_IF_ERROR(SettleNotYetBackedUp());
    std::ranges::sort(selection_.missing, {}, &MissingObject::object);
    return std::move(selection_);
  }

 private:
  Census NewCensus() const {
    std::set<TableRef> tables;
    for (const auto& [object, record] : newest_) tables.insert(object.WholeTable());
    return Census(source_, std::move(tables));
  }

  // Whether the object is of what was asked for, within the source.
  bool Wants(const TableRef& object) const {
    return question_.within == nullptr || question_.within->MayCoverTable(object.WholeTable());
  }

  // What a run tells of the source.
  Result<std::vector<ItemOutcome>> OutcomesOf(const holdfast::Run& run) {
    HF_ASSIGN_OR_RETURN(auto all, history_.OutcomesOf(run, source_));
    std::vector<ItemOutcome> items;
    for (ItemOutcome& item : all) {
      if (!Census::Concerns(source_, item)) continue;
      if (!item.object.table.empty() && !Wants(item.object)) continue;
      if (auto part = choice_.PartOf(std::move(item))) items.push_back(*std::move(part));
    }
    return items;
  }

  // Reads runs from the newest to the oldest until they tell nothing more.
  Result<Census> TakeCensus() {
    Census census = NewCensus();
    for (size_t place = 0;; ++place) {
      HF_ASSIGN_OR_RETURN(const holdfast::Run* run, history_.At(place));
      if (run == nullptr) return census;
      if (run->state != RunState::kFinished || !Census::Concerns(source_, *run)) continue;
      if (question_.as_of_ms && run->started_ms > *question_.as_of_ms) continue;
      HF_ASSIGN_OR_RETURN(const auto items, OutcomesOf(*run));
      census.Add(*run, items);
      if (!census.IsComplete()) continue;
      if (HasContent(census, source_) || !question_.also_if_gone) return census;
      // All that is named is gone, and named it was: it is taken as it last was.
      gone_ms_ = run->started_ms;
      census = NewCensus();
    }
  }

  Status Settle(const Census& census, const ObjectState& state) {
    switch (state.presence) {
      case Presence::kUnsupported:
        selection_.missing.push_back({.object = state.object,
                                      .reason = state.reason + EarlierText(state.object),
                                      .unsupported = true});
        return Ok();
      case Presence::kBackedUp:
        return SettleBackedUp(census, state);
      case Presence::kFailed:
        break;
    }
    const std::string why = fmt::format("the run of {} could not back it up: {}",
                                        TimeText(state.seen_ms), state.reason);
    if (!state.object.partition.empty()) return FallBack(state.object, why);
    // Of a table that failed as a whole, and of which no older run tells: all that has backups.
    const auto objects = BackedUpObjects(census, state.object);
    const TableRef named = state.object.WithPartition(source_.partition);
    if (objects.empty() && !census.KnowsObject(named)) return FallBack(named, why);
    for (const TableRef& object : objects) HF_RETURN_IF_ERROR(FallBack(object, why));
    return Ok();
  }

  Status SettleBackedUp(const Census& census, const ObjectState& state) {
    HF_ASSIGN_OR_RETURN(auto newer,
                        GoodSince(state.object, census.ToldUntil(state.object).value_or(0)));
    if (newer && newer->backup != state.backup) {
      Take(*std::move(newer), "newer than the run of " + TimeText(state.seen_ms));
      return Ok();
    }
    HF_ASSIGN_OR_RETURN(const auto record, FindRecord(state));
    if (!record) {
      return FallBack(state.object, "the backup " + state.backup + " of it is not known any more");
    }
    if (question_.as_of_ms && record->consistent_through_ms > *question_.as_of_ms) {
      return FallBack(state.object,
                      "it was read after that time, at " + TimeText(record->consistent_through_ms));
    }
    if (!record->IsGood()) return FallBack(state.object, WhyNewestIsNotUsed(*record));
    std::string note;
    if (!state.later_failure.empty()) {
      note = fmt::format("a later run could not read the table: {}; using what the run of {} found",
                         state.later_failure, TimeText(state.seen_ms));
    }
    selection_.backups.push_back({.record = *record, .note = std::move(note)});
    return Ok();
  }

  // Objects that no finished run lists, and whose backups are newer than the run that would have:
  // of a run that was killed after it committed them, or is under way.
  Status SettleNewer(const Census& census) {
    const std::set<TableRef> settled = SettledObjects();
    std::set<TableRef> divided_otherwise;
    for (const auto& [object, record] : newest_) {
      const auto told_ms = census.ToldUntil(object);
      if (settled.contains(object) || !told_ms || record.created_ms <= *told_ms) continue;
      if (!census.IsDividedAs(object)) {
        divided_otherwise.insert(object.WholeTable());
        continue;
      }
      HF_ASSIGN_OR_RETURN(auto newer, GoodSince(object, *told_ms));
      if (newer) {
        Take(*std::move(newer), "newer than the run that ended at " + TimeText(*told_ms));
      } else {
        selection_.missing.push_back({.object = object, .reason = WhyNewestIsNotUsed(record)});
      }
    }
    for (const TableRef& table : divided_otherwise) {
      selection_.notes.push_back(fmt::format(
          "newer backups of {}, of a run that had not finished, are not used: the table "
          "is divided into partitions otherwise in them",
          table.ToString()));
    }
    return Ok();
  }

  // The newest good backup that was made after that time; nullopt: none was.
  Result<std::optional<catalog::BackupRecord>> GoodSince(const TableRef& object, int64_t since_ms) {
    const auto found = newest_.find(object);
    std::optional<catalog::BackupRecord> newest;
    if (found == newest_.end() || found->second.created_ms <= since_ms) return newest;
    if (found->second.IsGood()) return std::optional(found->second);
    HF_ASSIGN_OR_RETURN(newest, catalog::LatestGood(catalog_, object, question_.as_of_ms));
    if (newest && newest->created_ms <= since_ms) newest.reset();
    return newest;
  }

  // Takes a backup that the run which decides does not know of.
  void Take(catalog::BackupRecord record, const std::string& why) {
    std::string note =
        fmt::format("using {} of {}, {}: the run that made it had not finished by then",
                    record.backup, TimeText(record.consistent_through_ms), why);
    selection_.backups.push_back({.record = std::move(record), .note = std::move(note)});
  }

  // Tables of which no run tells, as when the catalog was rebuilt from manifests, or when their
  // backups are newer than the last run that looked.
  Status SettleUnknownTables(const Census& census) {
    std::map<TableRef, int64_t> tables;
    for (const auto& [object, record] : newest_) {
      int64_t& created_ms = tables[object.WholeTable()];
      created_ms = std::max(created_ms, record.created_ms);
    }
    bool any = false;
    for (const auto& [table, created_ms] : tables) {
      if (census.Knows(table, created_ms)) continue;
      any = true;
      for (const TableRef& object : BackedUpObjects(census, table)) {
        const catalog::BackupRecord& record = newest_.at(object);
        if (record.IsGood()) {
          selection_.backups.push_back({.record = record, .note = {}});
        } else {
          HF_RETURN_IF_ERROR(FallBack(object, WhyNewestIsNotUsed(record)));
        }
      }
    }
    if (gone_ms_ != 0 && !selection_.backups.empty()) {
      selection_.notes.push_back(
          fmt::format("{} was gone when the run of {} looked: it is restored as it last was",
                      SourceText(source_), TimeText(gone_ms_)));
    } else if (any) {
      selection_.notes.emplace_back(
          "of some tables no finished run is known: the newest good backup of each of their "
          "partitions is used, deleted ones included");
    }
    return Ok();
  }

  // What was deleted at the source, as it last was. Of a table that was divided otherwise at some
  // time, both together would hold rows twice: what its newest backup has counts.
  Status SettleDeleted(const Census& census) {
    const std::set<TableRef> settled = SettledObjects();
    std::map<TableRef, bool> is_partitioned;  // as it is restored
    for (const TableRef& object : settled) {
      is_partitioned[object.WholeTable()] = !object.partition.empty();
    }
    std::set<TableRef> tables;
    for (const auto& [object, record] : newest_) tables.insert(object.WholeTable());
    for (const TableRef& table : tables) {
      for (const TableRef& object : ObjectsAsLastDivided(table)) {
        const auto other = is_partitioned.find(table);
        const bool fits = census.IsDividedAs(object) && (other == is_partitioned.end() ||
                                                         other->second != object.partition.empty());
        if (settled.contains(object) || !fits) continue;
        HF_RETURN_IF_ERROR(FallBack(object, "it was deleted at the source"));
      }
    }
    return Ok();
  }

  // What was there at the time asked for, by when it was made, and had no backup yet.
  Status SettleNotYetBackedUp() {
    if (!question_.as_of_ms) return Ok();
    std::set<TableRef> tables;
    for (const auto& [object, record] : newest_) tables.insert(object.WholeTable());
    for (const MissingObject& missing : selection_.missing) {
      tables.insert(missing.object.WholeTable());
    }
    SourceQuestion later = question_;
    later.as_of_ms.reset();
    HF_ASSIGN_OR_RETURN(const auto newest, NewestOfEach(catalog_, later, false));
    for (const catalog::BackupRecord& record : newest) {
      const TableRef table = record.object.WholeTable();
      const bool was_there = record.source.creation_ms <= *question_.as_of_ms;
      if (!source_.partition.empty() && record.object.partition != source_.partition) continue;
      if (!was_there || !Wants(record.object) || !tables.insert(table).second) continue;
      HF_ASSIGN_OR_RETURN(const auto after,
                          FirstAfter(catalog_, record.object, *question_.as_of_ms));
      selection_.missing.push_back(
          {.object = table,
           .reason = fmt::format("it was there (made at {}), and had no backup yet",
                                 TimeText(record.source.creation_ms)),
           .after_ms = after});
    }
    return Ok();
  }

  std::set<TableRef> SettledObjects() const {
    std::set<TableRef> settled;
    for (const SelectedBackup& chosen : selection_.backups) settled.insert(chosen.record.object);
    for (const MissingObject& missing : selection_.missing) settled.insert(missing.object);
    return settled;
  }

  // Partitions that were deleted at the source are not restored with their table; who lost them
  // must be told that they could be.
  void NoteDeletedPartitions() {
    if (!source_.partition.empty()) return;
    std::set<TableRef> told;
    std::set<TableRef> tables;
    for (const SelectedBackup& chosen : selection_.backups) {
      told.insert(chosen.record.object);
      if (!chosen.record.object.partition.empty()) tables.insert(chosen.record.object.WholeTable());
    }
    for (const MissingObject& missing : selection_.missing) told.insert(missing.object);
    struct LeftOut {
      int64_t partitions = 0;
      int64_t rows = 0;
    };
    std::map<TableRef, LeftOut> left_out;
    for (const auto& [object, record] : newest_) {
      const TableRef table = object.WholeTable();
      if (object.partition.empty() || told.contains(object) || !tables.contains(table)) continue;
      ++left_out[table].partitions;
      left_out[table].rows += record.rows;
    }
    for (const auto& [table, count] : left_out) {
      selection_.notes.push_back(fmt::format(
          "{}: not restored: {} with {}, deleted at the source, of which there are backups; "
          "--as-of TIME takes the table as it was before that, and a partition can be restored by "
          "its name",
          table.ToString(), Counted(count.partitions, "partition"), Counted(count.rows, "row")));
    }
  }

  // Tables that were dropped at the source are not restored with their dataset, which may be what
  // the restore is for.
  void NoteDeletedTables() {
    if (!source_.table.empty()) return;
    std::set<TableRef> told;
    for (const SelectedBackup& chosen : selection_.backups) {
      told.insert(chosen.record.object.WholeTable());
    }
    for (const MissingObject& missing : selection_.missing) {
      told.insert(missing.object.WholeTable());
    }
    std::set<std::string> gone;
    for (const auto& [object, record] : newest_) {
      if (!told.contains(object.WholeTable())) gone.insert(object.table);
    }
    if (gone.empty()) return;
    std::string names;
    size_t count = 0;
    for (const std::string& name : gone) {
      if (count++ == kNamesShown) break;
      names += (names.empty() ? "" : ", ") + name;
    }
    if (gone.size() > kNamesShown) names += ", ...";
    selection_.notes.push_back(fmt::format(
        "{}: not restored: {}, deleted at the source, of which there are backups: {}; --as-of TIME "
        "takes the dataset as it was before that, and each can be restored by its name",
        SourceText(source_), Counted(static_cast<int64_t>(gone.size()), "table"), names));
  }

  // The table or its partitions that have backups: of one that was divided otherwise before, as its
  // newest backup has it.
  std::vector<TableRef> ObjectsAsLastDivided(const TableRef& table) const {
    std::vector<TableRef> objects;
    const catalog::BackupRecord* last = nullptr;
    for (auto at = newest_.lower_bound(table);
         at != newest_.end() && at->first.WholeTable() == table; ++at) {
      objects.push_back(at->first);
      if (last == nullptr || at->second.created_ms > last->created_ms) last = &at->second;
    }
    std::erase_if(objects, [&](const TableRef& object) {
      return object.partition.empty() != last->object.partition.empty();
    });
    return objects;
  }

  // Those of them of which no run tells by itself.
  std::vector<TableRef> BackedUpObjects(const Census& census, const TableRef& table) const {
    std::vector<TableRef> objects = ObjectsAsLastDivided(table);
    std::erase_if(objects, [&](const TableRef& object) { return census.KnowsObject(object); });
    return objects;
  }

  // The backup that a run names; nullopt: it is not in the index any more.
  Result<std::optional<catalog::BackupRecord>> FindRecord(const ObjectState& state) {
    const auto found = newest_.find(state.object);
    if (found != newest_.end() && found->second.backup == state.backup) {
      return std::optional(found->second);
    }
    auto record = catalog::GetBackup(catalog_, state.backup);
    if (record.ok()) return std::optional(*std::move(record));
    if (record.error().code != Code::kNotFound) return record.error();
    return std::optional<catalog::BackupRecord>();
  }

  // Whether there are backups of the table as a whole where a partition is named, or the reverse.
  bool HasOtherLayout(const TableRef& object) const {
    for (auto at = newest_.lower_bound(object.WholeTable());
         at != newest_.end() && at->first.WholeTable() == object.WholeTable(); ++at) {
      if (at->first.partition.empty() != object.partition.empty() && at->second.IsGood()) {
        return true;
      }
    }
    return false;
  }

  // Of a name that has backups of the table that had it before; empty: there are none.
  std::string EarlierText(const TableRef& object) const {
    const auto at = newest_.lower_bound(object.WholeTable());
    if (at == newest_.end() || at->first.WholeTable() != object.WholeTable()) return {};
    return fmt::format(
        "; a table of that name was there before, with backups until {}: --as-of "
        "TIME takes it as it was then",
        TimeText(at->second.consistent_through_ms));
  }

  static std::string WhyNewestIsNotUsed(const catalog::BackupRecord& record) {
    return fmt::format("the newest backup {} of {} {}", record.backup,
                       TimeText(record.consistent_through_ms), WhyNotGood(record));
  }

  // The newest good backup at or before the time, and why it is not the newest of all.
  Status FallBack(const TableRef& object, const std::string& why) {
    HF_ASSIGN_OR_RETURN(auto latest, catalog::LatestGood(catalog_, object, question_.as_of_ms));
    if (!latest) {
      std::optional<int64_t> after;
      if (question_.as_of_ms) {
        HF_ASSIGN_OR_RETURN(after, FirstAfter(catalog_, object, *question_.as_of_ms));
      }
      selection_.missing.push_back(
          {.object = object,
           .reason = why + (HasOtherLayout(object)
                                ? "; the good backups are of the table as it was divided before: "
                                  "--as-of TIME takes it as it was then"
                                : "; no good backup of it"),
           .after_ms = after});
      return Ok();
    }
    std::string note = fmt::format("{}; using {} of {}", why, latest->backup,
                                   TimeText(latest->consistent_through_ms));
    selection_.backups.push_back({.record = *std::move(latest), .note = std::move(note)});
    return Ok();
  }

  catalog::Catalog& catalog_;
  RunHistory& history_;
  const SourceQuestion& question_;
  const TableRef& source_;
  MethodChoice choice_{{}};
  NewestByObject newest_;
  Selection selection_;
  int64_t gone_ms_ = 0;  // the newest run that found nothing of the source; 0: none did
};

}  // namespace

std::string WhyNotGood(const catalog::BackupRecord& record) {
  return record.damaged ? "is damaged: a verification of it failed"
                        : "is suspect: " + record.suspect;
}

Result<std::optional<int64_t>> FirstAfter(catalog::BackupIndex& index, const TableRef& object,
                                          int64_t time_ms) {
  std::optional<int64_t> first;
  const catalog::BackupFilter filter{.project = object.project,
                                     .dataset = object.dataset,
                                     .table = object.table,
                                     .partition = object.partition,
                                     .good_only = true};
  HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return index.FindBackups(filter, token); },
      [&](catalog::BackupRecord&& record) -> Status {
        if (record.consistent_through_ms > time_ms) first = record.consistent_through_ms;
        return Ok();
      }));
  return first;
}

Result<Selection> SelectSource(catalog::Catalog& catalog, RunHistory& history,
                               const SourceQuestion& question) {
  return Selector(catalog, history, question).Run();
}

}  // namespace holdfast::restore
