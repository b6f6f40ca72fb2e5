#include "localcloud/warehouse/effect_scope.h"

#include <utility>

#include "base/check.h"

namespace holdfast::warehouse {

namespace {

// The scope of this thread. The store's calls are synchronous, so the thread is the operation.
thread_local EffectScope* current_scope = nullptr;

}  // namespace

EffectScope::EffectScope(Effect effect) : effect_(std::move(effect)) {
  CHECK(current_scope == nullptr, "a thread has one effect scope at a time");
  current_scope = this;
}

EffectScope::~EffectScope() { current_scope = nullptr; }

void EffectScope::Count(const EffectCounts& counts) {
  if (current_scope != nullptr) current_scope->counts_ = counts;
}

Status EffectScope::Apply(sqlite::Database& database) {
  if (current_scope == nullptr) return Ok();
  return current_scope->effect_(database, current_scope->counts_);
}

}  // namespace holdfast::warehouse
