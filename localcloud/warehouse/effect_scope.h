// A caller's own note that is committed together with what it does to the catalog.
//
// While a scope lives, every change of tables, and every deletion of a dataset, that its thread
// makes through a TableStore also runs the scope's effect inside the change's transaction: both are
// there after a crash, or neither. The embedded BigQuery so records that a job has taken effect.
// Upkeep (expiry, garbage collection) is not such a change. One scope per thread at a time.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"

namespace holdfast::sqlite {
class Database;
}

namespace holdfast::warehouse {

// How much a change does, for the effect to note: a job's statistics.
struct EffectCounts {
  int64_t rows = 0;         // written, copied, or affected by a statement
  int64_t bytes = 0;        // logical
  int64_t bad_records = 0;  // these three: of a load
  int64_t input_files = 0;
  int64_t input_bytes = 0;
};

class EffectScope {
 public:
  // May run more than once; an error takes the whole change back.
  using Effect = std::function<Status(sqlite::Database& database, const EffectCounts& counts)>;

  // Begins the scope of this thread, which must have none. It ends where it began: same thread.
  explicit EffectScope(Effect effect);
  ~EffectScope();
  EffectScope(const EffectScope&) = delete;
  EffectScope& operator=(const EffectScope&) = delete;

  // Tells the effect of this thread's scope, if there is one, what the change about to be committed
  // does.
  static void Count(const EffectCounts& counts);

  // Runs the effect of this thread's scope, if there is one. For TableStore, before it commits.
  static Status Apply(sqlite::Database& database);

 private:
  Effect effect_;
  EffectCounts counts_;
};

}  // namespace holdfast::warehouse
