// The errors of Cloud Storage that many of its calls make, with the reasons that its clients read.
#pragma once

#include <string>

#include "base/result.h"

namespace holdfast::storage {

// kStorageNotFound, reason "notFound": `what` "does not exist".
Error StorageNotFound(const std::string& what);

// kStorageInvalid, reason "invalid".
Error StorageInvalid(std::string message);

}  // namespace holdfast::storage
