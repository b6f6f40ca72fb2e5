#include "observe/protection.h"

namespace holdfast::observe {

Protection ProtectionOf(const ObjectView& view, const RecentRuns& recent) {
  const size_t runs =
      recent.whole < 0 ? view.outcomes.size() : static_cast<size_t>(recent.whole) + 1;
  const int at = view.NewestOutcome(runs);
  const ItemOutcome* last = at < 0 ? nullptr : view.outcomes[static_cast<size_t>(at)];
  const auto is_last = [&](Outcome outcome) { return last != nullptr && last->outcome == outcome; };
  Protection protection;
  protection.is_unsupported = is_last(Outcome::kUnsupported);
  const bool is_tried =
      view.newest != nullptr ||
      (!view.object.table.empty() && (is_last(Outcome::kFailed) || is_last(Outcome::kCarried)));
  protection.lacks_good_backup = is_tried && view.good == nullptr && !protection.is_unsupported;
  protection.is_lost = view.newest != nullptr && is_last(Outcome::kVanished) && last->suspect;
  protection.is_suspect = protection.is_lost || (view.newest != nullptr && !view.newest->damaged &&
                                                 !view.newest->suspect.empty());
  protection.is_damaged = !view.damaged.empty();
  return protection;
}

}  // namespace holdfast::observe
