// Foreign keys, which a restored table is made without.
//
// BigQuery takes no table with a foreign key to a table that is not there yet, nor with one to
// another dataset, so the saved definition of a table may not be taken where it is restored. The
// keys are left out, as they are not enforced, and the report names each with the statement that
// sets it again. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "restore/plan.h"

namespace holdfast::restore {

// The definition of a table without its foreign keys; its primary key stays.
Json WithoutForeignKeys(Json table_resource);

// In words, the foreign keys of a saved definition that `target` has not, each with the statement
// that sets it again. A table that it refers to is named as one of `tables` restores it; one that
// none of them does, as it was.
std::vector<std::string> ForeignKeysLeftOut(const Json& saved_resource, const TableRef& target,
                                            const std::vector<TableRestore>& tables);

}  // namespace holdfast::restore
