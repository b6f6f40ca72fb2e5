// What is wrong now, as the catalog tells it: what alerts are made of.
//
// Asked again at any time and by any process, it gives the same answer, so what was told of can be
// seen to be over. Memory does not grow with the number of objects. Reads only.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "model/policy_document.h"
#include "observe/alert_plan.h"

namespace holdfast::observe {

// How old an object's recovery point may be; nullopt: nothing is said.
using RpoOf = std::function<std::optional<Duration>(const TableRef& object)>;

// By the document's rules on names and defaults, classes included. What a rule says by a folder or
// a label, or an owner by a file, is not known here and counts for nothing.
RpoOf RpoByNames(const std::optional<PolicyDocument>& document);

// The findings of every kind but kMissedSchedule, which a clock alone tells; only kinds of which
// there is something. `whole`: the scope that the configuration covers. Errors: the catalog's.
Result<std::vector<Finding>> CollectFindings(catalog::Catalog& catalog, const Scope& whole,
                                             const RpoOf& rpo, Timestamp now);

}  // namespace holdfast::observe
