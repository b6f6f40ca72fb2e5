// The registry of alert kinds: everything that the program tells people of by itself, as data.
//
// The configuration's rules, the mails, `holdfast alert list` and the reference come from this one
// table. Ids are never renamed. Static data; thread-safe. Source: issue "Seeing it".
#pragma once

#include <span>
#include <string_view>

#include "cloud/notifier.h"

namespace holdfast::observe {

enum class AlertKind {
  kFailedStep,      // an object failed in the newest run that tried it, and was not backed up since
  kMissedSchedule,  // a schedule's time passed and no run began
  kRpoMissed,       // the recovery point of an object is older than its policy allows
  kSuspect,         // the newest backup of an object is suspect
  kVerifyDefect,    // a backup of an object, whichever version, is damaged or lost for good
  kFromCopy,        // a backup was lost where it was, and is read from its copy
  kCopyDefect,      // a copy of a backup is damaged or gone
  kTest,            // `holdfast alert test`
};

struct AlertKindEntry {
  AlertKind kind;
  std::string_view id;  // "failed_step"
  cloud::AlertSeverity severity;
  std::string_view title;   // "{} of objects could not be backed up"; {} is how many
  std::string_view action;  // what to do
};

// All of them, in the order of the enumeration.
std::span<const AlertKindEntry> AllAlertKinds();

// Total: every kind has an entry.
const AlertKindEntry& EntryOf(AlertKind kind);

// The entry of that id; nullptr: there is none.
const AlertKindEntry* FindAlertKind(std::string_view id);

}  // namespace holdfast::observe
