// Audit anchors: where the audit log ended when a run or a prune was at work in a repository.
//
// The chain of the log (catalog/audit_log.h) shows an edit, but not that its end was cut off, all
// of it deleted, or an older copy of the catalog put back. So each run and each pass of prune
// leaves evidence/audit/<catalog>-<sequence>-<hash> in the repositories that it wrote to: its name
// tells which entry was the last. Write-once, as all evidence; whoever can write to the catalog
// need not be able to write there. What came after the newest anchor is proven by none.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "cloud/object_store.h"
#include "repository/repository.h"

namespace holdfast::verify {

// Writes where the log ends now; nothing while it is empty. Idempotent. Errors: the catalog's and
// the store's.
Status WriteAuditAnchor(catalog::Catalog& catalog, repository::Repository& repository);

// The same after work that is done, and so cannot fail for it any more: an error is logged.
void LeaveAuditAnchor(catalog::Catalog& catalog, repository::Repository& repository);

struct FoundAnchors {
  std::vector<catalog::AuditAnchor> anchors;  // of this catalog, in order; the newest 100,000 of
                                              // each repository
  int64_t repositories = 0;                   // that were read
  std::vector<Error> unread;                  // those that could not be: why
  std::map<std::string, int64_t> of_others;   // of other catalogs, by id: their newest entry
};

// Reads the anchors in the repositories of all backups of the catalog. Errors: the catalog's.
Result<FoundAnchors> FindAuditAnchors(catalog::Catalog& catalog, cloud::ObjectStore& store);

}  // namespace holdfast::verify
