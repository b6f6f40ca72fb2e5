// The plan of a pass: one stream over the catalog.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "retain/object_review.h"
#include "retain/prune.h"

namespace holdfast::retain {

namespace {

constexpr size_t kProblemsMax = 100;
// Clocks of machines differ a little; a time that far ahead of ours is not a jump.
constexpr Duration kClockSkew = std::chrono::minutes{10};

// What a repository says of its backups, read once.
struct RepositoryMarks {
  std::map<std::string, PinCounts> pins;
  std::map<std::string, TombstoneEntry> tombstones;  // less those whose backup came by
};

Result<RepositoryMarks> ReadMarks(const Services& services, const repository::Location& location,
                                  Timestamp now) {
  HF_ASSIGN_OR_RETURN(auto repository, repository::Repository::Open(services.objects, location));
  RepositoryMarks marks;
  HF_ASSIGN_OR_RETURN(marks.pins, ListKeepers(repository, now));
  HF_ASSIGN_OR_RETURN(marks.tombstones, ListTombstones(repository));
  return marks;
}

class Planner {
 public:
  Planner(const Services& services, const PruneOptions& options, const PlanVisitor& visit)
      : services_(services), options_(options), visit_(visit) {
    plan_.now = services.clock.Now();
  }

  Result<PrunePlan> Run() {
    HF_RETURN_IF_ERROR(SeeRuns());
    std::vector<catalog::BackupRecord> records;
    const Status read = cloud::ForEachPage<catalog::BackupRecord>(
        [&](const std::string& token) { return services_.catalog.FindBackups({}, token); },
        [&](catalog::BackupRecord&& record) -> Status {
          if (!records.empty() && records.front().object != record.object) {
            HF_RETURN_IF_ERROR(PlanObject(std::exchange(records, {})));
          }
          records.push_back(std::move(record));
          return Ok();
        });
    HF_RETURN_IF_ERROR(read);
    if (!records.empty()) HF_RETURN_IF_ERROR(PlanObject(std::move(records)));
    AddUnknown();
    JudgeClock();
    Finish();
    return std::move(plan_);
  }

 private:
  Status SeeRuns() {
    HF_ASSIGN_OR_RETURN(const auto runs, services_.catalog.ListRuns(false, ""));
    if (!runs.items.empty()) See(runs.items.front().started_ms);
    return Ok();
  }

  void See(int64_t at_ms) { newest_ms_ = std::max(newest_ms_, at_ms); }

  void AddProblem(std::string subject, Error error) {
    ++plan_.problem_count;
    if (plan_.problems.size() == kProblemsMax) return;
    plan_.problems.push_back({std::move(subject), std::move(error)});
  }

  // nullptr: the repository cannot be read, which was reported once.
  Result<RepositoryMarks*> MarksOf(const repository::Location& location) {
    const auto known = marks_.find(location);
    if (known != marks_.end()) return known->second ? &*known->second : nullptr;
    auto marks = ReadMarks(services_, location, plan_.now);
    if (!marks.ok()) {
      if (marks.error().code == Code::kCancelled) return marks.error();
      AddProblem(fmt::format("gs://{}/{}", location.bucket, location.prefix), marks.error());
      marks_[location] = std::nullopt;
      return nullptr;
    }
    for (const auto& [backup, entry] : marks->tombstones) See(entry.created_ms);
    return &*(marks_[location] = *std::move(marks));
  }

  // Records of one object; they may lie in several repositories.
  Status PlanObject(std::vector<catalog::BackupRecord> records) {
    ++plan_.objects;
    plan_.backups += static_cast<int64_t>(records.size());
    for (const catalog::BackupRecord& record : records) {
      See(record.created_ms);
      HF_ASSIGN_OR_RETURN(const RepositoryMarks* marks, MarksOf({record.bucket, record.prefix}));
      if (marks == nullptr) {
        LeaveAlone(records);
        return Ok();
      }
    }
    HF_ASSIGN_OR_RETURN(const bool half_deleted, FinishDeletions(records));
    if (half_deleted) return Ok();
    const auto pins = [this](const catalog::BackupRecord& record) -> Result<PinCounts> {
      const auto& known = marks_.at({record.bucket, record.prefix})->pins;
      const auto found = known.find(record.backup);
      return found == known.end() ? PinCounts{} : found->second;
    };
    for (const auto& of_method : ByMethod(std::move(records))) {
      const auto reviewed = ReviewObject(services_, of_method, pins, plan_.now);
      if (!reviewed.ok()) {
        if (reviewed.error().code == Code::kCancelled) return reviewed.error();
        LeaveAlone(of_method);
        AddProblem(of_method.front().object.ToString(), reviewed.error());
        continue;
      }
      std::map<std::string_view, const catalog::BackupRecord*> by_id;
      for (const catalog::BackupRecord& record : of_method) by_id[record.backup] = &record;
      for (const Verdict& verdict : reviewed->verdicts) Take(*by_id.at(verdict.backup.id), verdict);
      HF_RETURN_IF_ERROR(visit_(*reviewed));
    }
    return Ok();
  }

  // A backup without a manifest whose deletion was begun is no backup, whatever retention says by
  // now: its deletion is finished, and its object judged in the next pass. Whether there is one.
  Result<bool> FinishDeletions(const std::vector<catalog::BackupRecord>& records) {
    std::vector<PruneItem> begun;
    for (const catalog::BackupRecord& record : records) {
      const repository::Location place{record.bucket, record.prefix};
      const auto& tombstones = marks_.at(place)->tombstones;
      const auto tombstone = tombstones.find(record.backup);
      if (tombstone == tombstones.end()) continue;
      const std::string name =
          repository::ManifestName(record.prefix, record.object, record.backup);
      HF_ASSIGN_OR_RETURN(const auto info, services_.objects.StatObject({place.bucket, name, 0}));
      if (info) continue;
      begun.push_back({.repository = place,
                       .object = record.object,
                       .backup = record.backup,
                       .bytes = record.stored_bytes,
                       .reasons = {"its deletion was begun"},
                       .tombstone = tombstone->second});
    }
    if (begun.empty()) return false;
    LeaveAlone(records);
    plan_.kept -= static_cast<int64_t>(begun.size());
    for (PruneItem& item : begun) Add(deletes_, PruneAction::kDelete, std::move(item));
    return true;
  }

  // An object that cannot be judged: nothing of it goes, marked or not.
  void LeaveAlone(const std::vector<catalog::BackupRecord>& records) {
    plan_.kept += static_cast<int64_t>(records.size());
    for (const catalog::BackupRecord& record : records) {
      const auto marks = marks_.find({record.bucket, record.prefix});
      if (marks != marks_.end() && marks->second) marks->second->tombstones.erase(record.backup);
    }
  }

  void Take(const catalog::BackupRecord& record, const Verdict& verdict) {
    auto& tombstones = marks_.at({record.bucket, record.prefix})->tombstones;
    const auto found = tombstones.find(record.backup);
    if (verdict.keep) ++plan_.kept;
    if (verdict.keep && found == tombstones.end()) return;
    PruneItem item{.repository = {record.bucket, record.prefix},
                   .object = record.object,
                   .backup = record.backup,
                   .bytes = record.stored_bytes,
                   .reasons = verdict.reasons,
                   .tombstone = {}};
    if (found != tombstones.end()) {
      item.tombstone = found->second;
      tombstones.erase(found);
    }
    if (verdict.keep) {
      Add(unmarks_, PruneAction::kUnmark, std::move(item));
    } else if (!item.tombstone) {
      Add(marked_, PruneAction::kMark, std::move(item));
    } else {
      AddDue(std::move(item));
    }
  }

  void AddDue(PruneItem&& item) {
    if (FromUnixMillis(item.tombstone->created_ms) + options_.grace > plan_.now) {
      ++plan_.waiting;
    } else {
      Add(deletes_, PruneAction::kDelete, std::move(item));
    }
  }

  void Add(std::vector<PruneItem>& items, PruneAction action, PruneItem&& item) {
    if (static_cast<int64_t>(items.size()) >= options_.removals_max) {
      ++plan_.deferred;
      return;
    }
    item.action = action;
    items.push_back(std::move(item));
  }

  // Tombstones of backups that the catalog does not have: the last pass was killed at its end, or
  // the catalog was lost. Which of the two is seen when it is applied.
  void AddUnknown() {
    for (auto& [location, marks] : marks_) {
      if (!marks) continue;
      for (auto& [backup, entry] : marks->tombstones) {
        AddDue({.repository = location,
                .object = {},
                .backup = backup,
                .reasons = {"the catalog does not know it"},
                .tombstone = std::move(entry)});
      }
    }
  }

  void JudgeClock() {
    if (newest_ms_ == 0) return;
    const Timestamp newest = FromUnixMillis(newest_ms_);
    if (plan_.now + kClockSkew < newest) {
      plan_.clock_doubt = fmt::format("it is {} here, and the newest time seen is {}",
                                      FormatTimestamp(plan_.now), FormatTimestamp(newest));
    } else if (plan_.now > newest + options_.clock_forward_max) {
      plan_.clock_doubt =
          fmt::format("it is {} here, and nothing was seen since {}: the clock may have jumped",
                      FormatTimestamp(plan_.now), FormatTimestamp(newest));
    }
  }

  void Finish() {
    const auto share =
        static_cast<int64_t>(options_.share_max * static_cast<double>(plan_.backups));
    const auto most = static_cast<size_t>(std::max<int64_t>(share, 1));
    for (std::vector<PruneItem>* items : {&deletes_, &unmarks_, &marked_}) {
      if (items != &unmarks_ && items->size() > most) {
        plan_.deferred += static_cast<int64_t>(items->size() - most);
        items->resize(most);
      }
      std::ranges::move(*items, std::back_inserter(plan_.items));
    }
  }

  const Services& services_;
  const PruneOptions& options_;
  const PlanVisitor& visit_;
  PrunePlan plan_;
  std::map<repository::Location, std::optional<RepositoryMarks>> marks_;
  std::vector<PruneItem> deletes_;
  std::vector<PruneItem> unmarks_;
  std::vector<PruneItem> marked_;
  int64_t newest_ms_ = 0;
};

}  // namespace

std::string_view PruneActionName(PruneAction action) {
  switch (action) {
    case PruneAction::kDelete:
      return "delete";
    case PruneAction::kUnmark:
      return "unmark";
    case PruneAction::kMark:
      break;
  }
  return "mark";
}

int64_t PrunePlan::Count(PruneAction action) const {
  return std::ranges::count(items, action, &PruneItem::action);
}

Result<PrunePlan> PlanPrune(const Services& services, const PruneOptions& options,
                            const PlanVisitor& visit) {
  return Planner(services, options, visit).Run();
}

}  // namespace holdfast::retain
