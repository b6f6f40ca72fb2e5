#include "localcloud/warehouse/effect_scope.h"

#include <utility>

#include "base/check.h"

namespace holdfast::warehouse {

namespace {

// The scope of this thread. The store's calls are synchronous, so the thread is the operation.
thread_local const EffectScope::Effect* current_effect = nullptr;

}  // namespace

EffectScope::EffectScope(Effect effect) : effect_(std::move(effect)) {
  CHECK(current_effect == nullptr, "a thread has one effect scope at a time");
  current_effect = &effect_;
}

EffectScope::~EffectScope() { current_effect = nullptr; }

Status EffectScope::Apply(sqlite::Database& database) {
  return current_effect == nullptr ? Ok() : (*current_effect)(database);
}

}  // namespace holdfast::warehouse
