// QuotaLedger: what of a day's quotas was given to runs, and which tables wait for a later day.
//
// A use is counted under a key that names the work, once however often it is counted: what died
// half-way is counted right when it is begun again. What was reserved and never done is not given
// back: it counts until its quota day ends, and no longer. Counts are of what was let through, not
// of what Google saw: jobs of others, and the copy of an object that is written without pause, are
// not in it. Thread-safe; other processes may use the same catalog. Errors of all methods:
// kCatalogUnavailable, kDiskFull, kCatalogDamaged.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/quota_limits.h"
#include "model/resource_names.h"

namespace holdfast::catalog {

struct QuotaUse {
  std::string key;      // of the work
  std::string project;  // whose quotas it uses
  QuotaAmounts amounts{};
};

class QuotaLedger {
 public:
  virtual ~QuotaLedger() = default;

  // Counts uses for the quota day that began at `day_ms`; all or nothing. One whose key and project
  // are counted already, on whatever day, changes nothing. Forgets what is older than 30 days.
  virtual Status CountUse(int64_t day_ms, const std::vector<QuotaUse>& uses) = 0;

  // Counts uses as CountUse does where the day's limits leave room for them, and returns the keys
  // of those that it did not count, in order. The uses of one key stand side by side: all of them
  // are counted or none. One that is counted already stays so. One transaction: whoever reserves at
  // the same time, in whatever process, together they never pass a limit.
  virtual Result<std::vector<std::string>> ReserveUse(int64_t day_ms,
                                                      const std::vector<QuotaUse>& uses,
                                                      const QuotaLimits& limits) = 0;

  // Whether something was counted under that key.
  virtual Result<bool> IsCounted(const std::string& key) = 0;

  // What was counted for that day, by project; projects without any are left out.
  virtual Result<std::map<std::string, QuotaAmounts>> UsedOn(int64_t day_ms) = 0;

  // Says that the tables wait; one that waits already keeps the time since when. Forgets those that
  // nothing was said of for 30 days: they are gone, or not backed up any more.
  virtual Status NoteWaiting(const std::vector<TableRef>& tables, int64_t now_ms) = 0;

  // Says that they wait no longer.
  virtual Status NoteServed(const std::vector<TableRef>& tables) = 0;

  // Since when the table waits, in whole or in part; nullopt: it does not.
  virtual Result<std::optional<int64_t>> WaitingSince(const TableRef& table) = 0;

  // Whether tasks of the run that look for work (projects, scan) are not done: then more may come.
  virtual Result<bool> IsLookingForWork(const std::string& run) = 0;
};

}  // namespace holdfast::catalog
