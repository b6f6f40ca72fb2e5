#include "verify/rotation.h"

#include <algorithm>
#include <optional>
#include <tuple>

namespace holdfast::verify {

namespace {

int64_t MillisOf(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

// What it costs to look at a backup, in bytes: the calls for a small one cost more than its bytes.
double WeightOf(const catalog::BackupRecord& record) {
  constexpr double kCallsInBytes = 256 * 1024;
  return static_cast<double>(record.stored_bytes) + kCallsInBytes;
}

bool IsMoreUrgent(const RotationItem& a, const RotationItem& b) {
  const auto key = [](const RotationItem& item) {
    const catalog::BackupRecord& record = item.record;
    return std::tie(item.due_ms, record.backup, item.is_copy, record.bucket, record.prefix);
  };
  return key(a) < key(b);
}

// A copy that was made without reading it has nothing that a read could be held against.
VerifyLevel ReadLevelOf(const catalog::BackupRecord& record) {
  const bool can_be_read = record.method == Method::kExport || IsDefinitionOnly(record.kind) ||
                           !record.content_digest.empty();
  return can_be_read ? VerifyLevel::kL2 : VerifyLevel::kL0;
}

// The records of one object after the other, and what a rehearsal needs of them.
class ObjectsSeen {
 public:
  ObjectsSeen(const VerificationPolicyOf& policy_of, RotationPlanner& planner)
      : policy_of_(policy_of), planner_(planner) {}

  Status Take(catalog::BackupIndex& index, catalog::BackupRecord&& record) {
    if (record.object != object_) HF_RETURN_IF_ERROR(Settle());
    object_ = record.object;
    if (IsDefinitionOnly(record.kind)) return Ok();
    if (record.verified >= VerifyLevel::kL3) {
      HF_ASSIGN_OR_RETURN(const int64_t restored_ms, LastVerified(index, record, VerifyLevel::kL3));
      restored_ms_ = std::max(restored_ms_, restored_ms);
    }
    first_ms_ = record.created_ms;
    if (!newest_ && record.IsGood()) newest_ = std::move(record);
    return Ok();
  }

  // What there is of the last object goes to the planner.
  Status Settle() {
    if (newest_) {
      HF_ASSIGN_OR_RETURN(const VerificationPolicy policy, policy_of_(newest_->object));
      if (policy.restore_within > Duration{0}) {
        planner_.Add({.record = *std::move(newest_)}, restored_ms_ == 0 ? first_ms_ : restored_ms_,
                     policy.restore_within);
      }
    }
    newest_.reset();
    restored_ms_ = 0;
    return Ok();
  }

 private:
  const VerificationPolicyOf& policy_of_;
  RotationPlanner& planner_;
  TableRef object_;
  std::optional<catalog::BackupRecord> newest_;  // good one, of the object
  int64_t restored_ms_ = 0;
  int64_t first_ms_ = 0;
};

}  // namespace

RotationPlanner::RotationPlanner(const RotationOptions& options, Timestamp now)
    : options_(options), now_ms_(ToUnixMillis(now)) {}

void RotationPlanner::Add(RotationItem item, int64_t last_ms, Duration within) {
  const catalog::BackupRecord& record = item.record;
  const int64_t within_ms = std::max<int64_t>(1, MillisOf(within));
  ++plan_.backups;
  plan_.bytes += record.stored_bytes;
  share_ += WeightOf(record) * static_cast<double>(MillisOf(options_.interval)) /
            static_cast<double>(within_ms);
  item.due_ms = last_ms + within_ms;
  if (item.due_ms <= now_ms_) ++plan_.overdue;
  if (item.due_ms <= now_ms_ + MillisOf(options_.interval))
    ++plan_.deferred;  // until it is planned
  items_.push_back(std::move(item));
  std::ranges::push_heap(items_, IsMoreUrgent);
  if (items_.size() <= options_.items_max) return;
  std::ranges::pop_heap(items_, IsMoreUrgent);
  items_.pop_back();
}

RotationPlan RotationPlanner::Finish() {
  std::ranges::sort(items_, IsMoreUrgent);
  const int64_t next_ms = now_ms_ + MillisOf(options_.interval);
  double taken = 0;
  for (RotationItem& item : items_) {
    const bool is_due = item.due_ms <= next_ms;
    const int64_t bytes = plan_.planned_bytes + item.record.stored_bytes;
    // A single backup over the limit is read all the same, or it never would be.
    if (options_.bytes_max > 0 && bytes > options_.bytes_max && !plan_.items.empty()) break;
    // To the nearest backup: rounded down, a pass would leave a little to the last day each time.
    const double weight = WeightOf(item.record);
    if (!is_due && taken + weight / 2 > share_) break;
    taken += weight;
    if (is_due) --plan_.deferred;
    plan_.planned_bytes = bytes;
    plan_.items.push_back(std::move(item));
  }
  items_.clear();
  return std::move(plan_);
}

Result<int64_t> LastVerified(catalog::BackupIndex& index, const catalog::BackupRecord& record,
                             VerifyLevel level) {
  if (record.verified < level) return 0;
  if (record.verified == level) return record.verified_ms;
  // The record tells when it passed its best level; it may have been read since.
  int64_t last_ms = record.verified_ms;
  HF_ASSIGN_OR_RETURN(const auto verifications, index.ListVerifications(record.backup));
  for (const catalog::VerificationRecord& verification : verifications) {
    if (verification.passed && verification.level >= level) {
      last_ms = std::max(last_ms, verification.at_ms);
    }
  }
  return last_ms;
}

namespace {

// The copies that the backup may have, each in its place. Of one that nobody read yet the time
// counts from when the backup was made: it was whole when it was copied.
Status AddCopies(catalog::Catalog& catalog, const FurtherPlaces& further_places,
                 const catalog::BackupRecord& record, const VerificationPolicy& policy,
                 RotationPlanner& planner) {
  const bool can_have_copies =
      record.method == Method::kExport || record.method == Method::kDefinition;
  if (!further_places || !can_have_copies) return Ok();
  std::vector<repository::Location> places = further_places(record.object, record.location);
  std::ranges::sort(places);
  const auto again = std::ranges::unique(places);
  places.erase(again.begin(), again.end());
  std::erase(places, repository::Location{record.bucket, record.prefix});
  if (places.empty()) return Ok();
  HF_ASSIGN_OR_RETURN(const auto known, catalog.FindCopies({.backup = record.backup}, ""));
  for (const repository::Location& place : places) {
    const auto found = std::ranges::find_if(known.items, [&](const catalog::CopyRecord& copy) {
      return copy.bucket == place.bucket && copy.prefix == place.prefix;
    });
    int64_t last_ms = record.created_ms;
    if (found != known.items.end()) {
      if (found->IsDefect()) continue;
      const bool was_read =
          found->state == catalog::CopyState::kAbsent || found->level >= ReadLevelOf(record);
      if (was_read) last_ms = std::max(last_ms, found->at_ms);
    }
    RotationItem item{.record = record, .is_copy = true};
    item.record.bucket = place.bucket;
    item.record.prefix = place.prefix;
    planner.Add(std::move(item), last_ms, policy.read_within);
  }
  return Ok();
}

}  // namespace

Result<RotationPlan> PlanReading(catalog::Catalog& catalog, const VerificationPolicyOf& policy_of,
                                 const FurtherPlaces& further_places,
                                 const RotationOptions& options, Timestamp now) {
  RotationPlanner planner(options, now);
  const auto add = [&](catalog::BackupRecord&& record) -> Status {
    HF_ASSIGN_OR_RETURN(const VerificationPolicy policy, policy_of(record.object));
    HF_ASSIGN_OR_RETURN(int64_t last_ms, LastVerified(catalog, record, ReadLevelOf(record)));
    HF_RETURN_IF_ERROR(AddCopies(catalog, further_places, record, policy, planner));
    // It is in its manifest, which was whole when it was written.
    if (IsDefinitionOnly(record.kind)) last_ms = std::max(last_ms, record.created_ms);
    planner.Add({.record = std::move(record), .live = policy.live}, last_ms, policy.read_within);
    return Ok();
  };
  HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return catalog.FindBackups({.intact_only = true}, token); },
      add));
  return planner.Finish();
}

Result<RotationPlan> PlanRehearsals(catalog::BackupIndex& index,
                                    const VerificationPolicyOf& policy_of,
                                    const RotationOptions& options, Timestamp now) {
  RotationPlanner planner(options, now);
  ObjectsSeen seen(policy_of, planner);
  HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return index.FindBackups({}, token); },
      [&](catalog::BackupRecord&& record) { return seen.Take(index, std::move(record)); }));
  HF_RETURN_IF_ERROR(seen.Settle());
  return planner.Finish();
}

}  // namespace holdfast::verify
