#include "observe/alert_kind.h"

#include <algorithm>
#include <array>

namespace holdfast::observe {

namespace {

using enum cloud::AlertSeverity;

constexpr auto kKinds = std::to_array<AlertKindEntry>({
    {AlertKind::kFailedStep, "failed_step", kWarning, "{} could not be backed up",
     "See what failed with `holdfast backup report`, and what to do of each error with `holdfast "
     "explain ID`; the next run tries again"},
    {AlertKind::kMissedSchedule, "missed_schedule", kWarning, "The schedule {} was missed",
     "See that `holdfast up` runs, or that what calls `holdfast backup run --due` does; what was "
     "missed is caught up with once"},
    {AlertKind::kRpoMissed, "rpo_missed", kCritical,
     "{} without a recovery point as new as the policy asks for",
     "See why they are not backed up with `holdfast status` and `holdfast backup report`, then: "
     "holdfast backup run"},
    {AlertKind::kSuspect, "suspect", kCritical, "The newest backup of {} is suspect",
     "Look at the source: rows are missing. If it is meant to be so: holdfast backup accept "
     "BACKUP; until then restores use the last good backup"},
    {AlertKind::kVerifyDefect, "verify_defect", kCritical, "The newest backup of {} is damaged",
     "Run `holdfast backup run`: it takes the objects anew; restores use an older good backup "
     "until "
     "then. Find out who can write to the repository"},
    {AlertKind::kTest, "test", kInfo, "This is a test: alerts reach you", "Nothing"},
});

}  // namespace

std::span<const AlertKindEntry> AllAlertKinds() { return kKinds; }

const AlertKindEntry& EntryOf(AlertKind kind) { return kKinds[static_cast<size_t>(kind)]; }

const AlertKindEntry* FindAlertKind(std::string_view id) {
  const auto* found = std::ranges::find(kKinds, id, &AlertKindEntry::id);
  return found == kKinds.end() ? nullptr : &*found;
}

}  // namespace holdfast::observe
