// What a call failed of, for tests that expect an error.
#pragma once

#include "base/result.h"

namespace holdfast::testing_support {

// The id of the result's error; kUnknown when there is none.
template <typename T>
ErrorId IdOf(const Result<T>& result) {
  return result.ok() ? ErrorId::kUnknown : result.error().id;
}

}  // namespace holdfast::testing_support
