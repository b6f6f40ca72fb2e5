// Making objects without data again: datasets, views, materialized views, external tables,
// routines.
//
// Each is made in one call from its saved definition, names in its SQL that are restored with it
// replaced by their targets'. What is there already and is the same counts as restored, so the same
// command goes on after a crash; anything else of that name is a conflict. They come in an order in
// which each finds what it refers to: datasets, tables, then the rest by references. Nobody who
// could not see the source may see the target by this: a dataset is made with the access list that
// was saved, less what means other people in another project. Source:
// docs/adr/2026-11-21-definitions-are-backups.md.
#pragma once

#include <string>
#include <vector>

#include "model/manifest.h"
#include "restore/plan.h"
#include "restore/report.h"
#include "restore/request.h"
#include "restore/services.h"
#include "restore/sql_names.h"

namespace holdfast::restore {

// Whether the table of a plan is an object without data.
bool IsDefinition(const TableRestore& restore);

// In which order the tables of the plan are made: their indexes. A definition that cannot be read
// now comes as one that refers to nothing, and fails when its turn comes.
std::vector<size_t> OrderOfRestore(const RestorePlan& plan, const Services& services);

// Makes one. The outcome is in the report; errors: kTableExists, kRoutineExists for another object
// of that name, those of the services.
Status RestoreDefinition(const RestoreRequest& request, const RestorePlan& plan,
                         const TableRestore& restore, const Services& services,
                         TableReport& report);

// What CheckTargets refuses of one: another object of its name. Ok where the object that is there
// is the one that would be made.
Status CheckDefinitionTarget(const RestorePlan& plan, const TableRestore& restore,
                             const Services& services);

// The document from which it is made. Pure.
Json DefinitionToMake(const Manifest& manifest, const TableRef& target, const Renames& renames);

// The dataset of a restored object as it is made when it is absent. Pure.
Json TargetDatasetResource(const Json& saved_resource, const std::string& source_project,
                           const std::string& target_project);

// In words, entries of the saved access list that the dataset made above has not. Pure.
std::vector<std::string> AccessLeftOut(const Json& saved_resource,
                                       const std::string& source_project,
                                       const std::string& target_project);

}  // namespace holdfast::restore
