// A run's report as one web page: what failed and what is not protected first, then all the rest.
//
// The page is whole in itself (no script, no font, no image from elsewhere), light or dark as the
// reader's system is. Every text in it is escaped: names and reasons are chosen by others. Items
// are read a page at a time, once per section, so memory does not grow with their number.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/stream.h"
#include "catalog/run_ledger.h"

namespace holdfast::observe {

// `text` for HTML, in an element or in a quoted attribute; control characters as '?'.
std::string EscapeHtml(std::string_view text);

// Calls `visit` for each outcome of the run, in order of object. Errors: the ledger's, `visit`'s.
Status VisitOutcomes(catalog::RunLedger& ledger, const std::string& run,
                     const std::function<Status(const ItemOutcome& item)>& visit);

// Writes the page. A run that is not finished is shown as far as it is, and says so. Errors:
// kRunNotFound, the ledger's, those of `sink`.
Status WriteRunPage(catalog::RunLedger& ledger, const std::string& run, const ByteSink& sink);

}  // namespace holdfast::observe
