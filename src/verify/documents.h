// The small documents of a repository beside its manifests: run files, evidence, pins, tombstones.
//
// Each is written once and never edited. One that cannot be read, is cut, or says of itself that it
// is another than its name, is damage; so is a bit that no longer fits the store's checksum. What
// is only for a person to read (the reason of a pin) has nothing that it could be held against.
// Memory: one document.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "repository/repository.h"

namespace holdfast::verify {

// Takes a document that is damaged: its URI, and what is wrong, for a person.
using DocumentVisitor = std::function<Status(const std::string& uri, const std::string& why)>;

// Reads them all. Errors: of listing; a store that does not answer; those of `visit`.
Status CheckDocuments(repository::Repository& repository, const DocumentVisitor& visit);

}  // namespace holdfast::verify
