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
    {AlertKind::kSuspect, "suspect", kCritical, "Rows or bytes are missing from {}",
     "Look at the source. If a backup is suspect and it is meant to be so: holdfast backup accept "
     "BACKUP; until then restores use the last good backup. For partitions that are gone it ends "
     "when they or as many rows are back, when their backups are pruned, when the setting "
     "policy.shrink_threshold allows it at the next run, or when someone accepts it: holdfast "
     "backup accept-loss TABLE --reason TEXT; restores --as-of a time before have them"},
    {AlertKind::kVerifyDefect, "verify_defect", kCritical, "Backups of {} are damaged or lost",
     "See which with `holdfast backup list`. Run `holdfast backup run`: where the newest is "
     "damaged it takes the object anew; restores use good backups only. It ends when the backups "
     "pass a verification, are pruned, or someone accepts it: holdfast backup accept-loss NAME "
     "--reason TEXT. Find out who can write to the repository"},
    {AlertKind::kFromCopy, "from_copy", kCritical,
     "Backups of {} were lost where they were and are read from their copies",
     "Find out what happened to the repository that they were in: of these backups there is one "
     "copy less. `holdfast backup run` backs the objects up again there. It ends when the backups "
     "are whole there again (holdfast backup verify --repository), are pruned, or someone accepts "
     "it: holdfast backup accept-loss NAME --reason TEXT"},
    {AlertKind::kCopyDefect, "copy_defect", kCritical, "Copies of backups of {} are damaged",
     "The backups themselves are used, as before. Find out who can write to the further repository "
     "and read what is in it: holdfast backup verify --repository gs://BUCKET/PREFIX. It ends when "
     "the copies pass that, when their backups are pruned, or when someone accepts it: holdfast "
     "backup accept-loss NAME --reason TEXT"},
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
