// A caller's own note that is committed together with what it does to the catalog.
//
// While a scope lives, every change of tables or datasets that its thread makes through a
// TableStore also runs the scope's effect inside the change's transaction: both are there after a
// crash, or neither. The embedded BigQuery so records that a job has taken effect. Upkeep (expiry,
// garbage collection) is not such a change. One scope per thread at a time.
#pragma once

#include <functional>

#include "base/result.h"

namespace holdfast::sqlite {
class Database;
}

namespace holdfast::warehouse {

class EffectScope {
 public:
  // May run more than once; an error takes the whole change back.
  using Effect = std::function<Status(sqlite::Database& database)>;

  explicit EffectScope(Effect effect);
  ~EffectScope();
  EffectScope(const EffectScope&) = delete;
  EffectScope& operator=(const EffectScope&) = delete;

  // Runs the effect of this thread's scope, if there is one. For TableStore, before it commits.
  static Status Apply(sqlite::Database& database);

 private:
  Effect effect_;
};

}  // namespace holdfast::warehouse
