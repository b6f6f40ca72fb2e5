#include "localcloud/storage/storage_error.h"

#include <utility>

namespace holdfast::storage {

Error StorageNotFound(const std::string& what) {
  return WithReason("notFound", MakeError(ErrorId::kStorageNotFound, what + " does not exist"));
}

Error StorageInvalid(std::string message) {
  return WithReason("invalid", MakeError(ErrorId::kStorageInvalid, std::move(message)));
}

}  // namespace holdfast::storage
