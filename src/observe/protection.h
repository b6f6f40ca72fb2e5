// How well one object is protected: the one judgement that `status`, metrics and alerts share.
//
// What counts is what is in the catalog now and what the newest run says that looked at the object,
// back to the newest one that looked at everything. A run speaks for what it could not look at as
// well (backup/deleted.h). Pure; plain values.
#pragma once

#include "observe/object_stream.h"

namespace holdfast::observe {

struct Protection {
  // None of its backups is good, or it has none although a run tried or carried it.
  bool lacks_good_backup = false;
  bool is_unsupported = false;  // of a kind that is not backed up
  // Its newest backup is suspect, or it is a partition that is gone with most of its table's rows
  // (backup/deleted.h) and whose backups are there still.
  bool is_suspect = false;
  bool is_lost = false;       // the latter
  bool is_damaged = false;    // one of its backups is, whichever version
  bool is_from_copy = false;  // one of them is read from its copy, being lost where it was
  bool has_damaged_copy = false;
  bool is_accepted = false;  // a person accepted that it is lost, or what is wrong with its
                             // backups; then it is none of these for that

  // Nothing can be restored of it that would be good.
  bool IsUnprotected() const { return lacks_good_backup || is_unsupported; }
};

Protection ProtectionOf(const ObjectView& view, const RecentRuns& recent);

}  // namespace holdfast::observe
