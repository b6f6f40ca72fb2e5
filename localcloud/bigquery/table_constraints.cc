#include "localcloud/bigquery/table_constraints.h"

#include <fmt/format.h>

#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/resources.h"

namespace holdfast::bigquery {

namespace {

Status CheckForeignKey(const ServiceContext& context, const TableRef& table, const Json& key) {
  const Json* reference = FindField(key, "referencedTable");
  if (reference == nullptr) return Required("tableConstraints.foreignKeys.referencedTable");
  HF_ASSIGN_OR_RETURN(const TableRef referenced, ParseTableReference(*reference, table.project));
  if (referenced.dataset_ref() != table.dataset_ref()) {
    return Invalid(fmt::format(
        "Invalid foreign key: {} is in another dataset than {}; the table that a foreign key "
        "refers to must be in the same one",
        DisplayName(referenced), DisplayName(table)));
  }
  if (referenced == table.WholeTable()) return Ok();
  const auto found = context.tables().GetTable(referenced);
  if (found.ok()) return Ok();
  if (!IsNotFound(found.error())) return found.error();
  return Invalid(
      fmt::format("Invalid foreign key: table {} does not exist", DisplayName(referenced)));
}

}  // namespace

Status CheckForeignKeys(const ServiceContext& context, const TableRef& table,
                        const Json& resource) {
  const Json* keys = FindPath(resource, {"tableConstraints", "foreignKeys"});
  if (keys == nullptr) return Ok();
  if (!keys->is_array()) return Invalid("tableConstraints.foreignKeys should be an array");
  for (const Json& key : *keys) HF_RETURN_IF_ERROR(CheckForeignKey(context, table, key));
  return Ok();
}

}  // namespace holdfast::bigquery
