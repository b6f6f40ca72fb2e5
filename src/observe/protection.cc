#include "observe/protection.h"

#include <algorithm>

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
  const bool is_loss = view.newest != nullptr && last != nullptr && IsLoss(*last);
  const bool is_accepted_loss =
      is_loss && std::ranges::any_of(view.accepted, [&](const catalog::AcceptedLoss& loss) {
        return loss.backup.empty() && loss.at_ms >= last->lost_ms;
      });
  protection.is_lost = is_loss && !is_accepted_loss;
  protection.is_accepted = is_accepted_loss || view.accepted_backups > 0;
  protection.is_suspect = protection.is_lost || (view.newest != nullptr && !view.newest->damaged &&
                                                 !view.newest->suspect.empty());
  protection.is_damaged = !view.damaged.empty();
  protection.is_from_copy = !view.from_copies.empty();
  protection.has_damaged_copy = !view.damaged_copies.empty();
  return protection;
}

}  // namespace holdfast::observe
