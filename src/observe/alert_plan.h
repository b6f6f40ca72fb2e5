// Which alerts are to be sent now: what is wrong, less what people were told already.
//
// A finding is told of to each channel that its kind goes to: at once when it is new, when it got
// worse (more objects, or as many but others), after repeat_after while it lasts, and once more
// when it is over. What was sent is remembered by channel and key, only after the channel took it:
// a channel that fails is tried again at the next occasion, and the others are not told twice.
// `PlanAlerts` is pure. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cloud/notifier.h"
#include "observe/alert_settings.h"

namespace holdfast::observe {

inline constexpr size_t kAlertObjectsMax = 20;  // that an alert names

// Something that is wrong now.
struct Finding {
  AlertKind kind = AlertKind::kTest;
  std::string subject;  // of a schedule its text; otherwise empty: all objects of the kind
  int64_t count = 0;
  std::vector<std::string> objects;  // the first kAlertObjectsMax
  std::string detail;
  std::string title = {};  // in place of the kind's, with {} as there; empty: the kind's
  uint64_t digest = 0;     // of all their names, whatever their order

  // What it is remembered by: "suspect", "missed_schedule/0 2 * * * UTC".
  std::string Key() const;

  // Counts one more object.
  void Add(const std::string& object);
};

// What a channel was last told of one key.
struct SentAlert {
  std::string channel;
  std::string key;
  AlertKind kind = AlertKind::kTest;
  std::string title;
  int64_t since_ms = 0;
  int64_t sent_ms = 0;
  int64_t count = 0;
  uint64_t digest = 0;

  bool operator==(const SentAlert&) const = default;
};

// All that was sent and is not over.
struct AlertState {
  std::vector<SentAlert> sent;

  const SentAlert* Find(const std::string& channel, const std::string& key) const;

  // JSON and back. Errors: kAlertStateDamaged.
  static Result<AlertState> FromJson(const Json& json);
  Json ToJson() const;
  bool operator==(const AlertState&) const = default;
};

struct PlannedAlert {
  std::string channel;
  cloud::Alert alert;
  SentAlert remembered;  // once it was taken; of one that is resolved nothing is
};

// Those to be sent at `now_ms`, in order of channel and key. `findings` are all there are: what was
// sent and is not among them is over. Entries of channels, or of kinds for channels, that the
// settings do not have any more stay silent; `Forget` takes them out.
std::vector<PlannedAlert> PlanAlerts(const AlertSettings& settings,
                                     const std::vector<Finding>& findings, const AlertState& state,
                                     int64_t now_ms);

// Notes that the channel took it.
void NoteSent(AlertState& state, const PlannedAlert& planned);

// Takes out of the state what goes nowhere by these settings.
void Forget(AlertState& state, const AlertSettings& settings);

// The alert of `holdfast alert test`.
cloud::Alert TestAlert(int64_t now_ms);

}  // namespace holdfast::observe
