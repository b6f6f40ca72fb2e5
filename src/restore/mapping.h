// Where each object of a restore goes: the rules by which source names become target names.
//
// A rule for a table is stronger than one for its dataset, and that stronger than one for its
// project; each gives the members that it names, weaker ones the others. Where no rule gives a
// member, the request's `to_...` does, else it is the source's. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "restore/plan.h"
#include "restore/request.h"

namespace holdfast::restore {

// The rule in "FROM:TO", or "FROM=TO" where a name holds a colon (a project of a domain). FROM is a
// project, "project.dataset" or "project.dataset.table" as the level has it; TO may leave out
// leading parts, which then stay. kUsage with the form it must have.
Result<MapRule> ParseMapRule(MapRule::Level level, const std::string& text);

// "--map-dataset 'acme-shop.sales:sales_rescued'".
std::string MapRuleFlag(const MapRule& rule);

// What the object becomes; a routine, view or dataset too. The partition is dropped.
TableRef TargetOf(const RestoreRequest& request, const TableRef& source);

// kTargetAmbiguous when two objects would become the same one, naming both; or when one dataset
// would take in tables of two locations: kLocationMismatch.
Status CheckTargetsApart(const std::vector<TableRestore>& tables);

}  // namespace holdfast::restore
