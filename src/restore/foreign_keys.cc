#include "restore/foreign_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "model/quote.h"

namespace holdfast::restore {

namespace {

constexpr const char* kConstraints = "tableConstraints";
constexpr const char* kForeignKeys = "foreignKeys";

struct Reference {
  TableRef table;
  std::vector<std::string> referencing;  // columns, quoted
  std::vector<std::string> referenced;   // theirs, in the same order
};

// Errors: kInvalidJson when the key is not of the form that the API gives.
Result<Reference> ReferenceOf(const Json& key) {
  Reference reference;
  const Json* table = FindField(key, "referencedTable");
  const Json* columns = FindField(key, "columnReferences");
  if (table == nullptr || columns == nullptr || !columns->is_array() || columns->empty()) {
    return MakeError(ErrorId::kInvalidJson, "a foreign key refers to nothing");
  }
  HF_ASSIGN_OR_RETURN(reference.table.project, RequiredString(*table, "projectId"));
  HF_ASSIGN_OR_RETURN(reference.table.dataset, RequiredString(*table, "datasetId"));
  HF_ASSIGN_OR_RETURN(reference.table.table, RequiredString(*table, "tableId"));
  for (const Json& pair : *columns) {
    HF_ASSIGN_OR_RETURN(const std::string from, RequiredString(pair, "referencingColumn"));
    HF_ASSIGN_OR_RETURN(const std::string to, RequiredString(pair, "referencedColumn"));
    reference.referencing.push_back(QuotePath({from}));
    reference.referenced.push_back(QuotePath({to}));
  }
  return reference;
}

// A name that the service made holds a '$' and is not one to give.
std::string NameClause(const Json& key) {
  const std::string name = StringOr(key, "name", "");
  const bool given = !name.empty() && name.find('$') == std::string::npos;
  return given ? "CONSTRAINT " + QuotePath({name}) + " " : "";
}

std::string LeftOut(const Json& key, const TableRef& target,
                    const std::vector<TableRestore>& tables) {
  const auto reference = ReferenceOf(key);
  if (!reference.ok()) return "one that is not understood: " + DumpJson(key);
  const auto restored = std::ranges::find(tables, reference->table, &TableRestore::source);
  const bool is_restored = restored != tables.end();
  const TableRef& referenced = is_restored ? restored->target : reference->table;
  return fmt::format(
      "({}) to {}{}; to set it again: ALTER TABLE {} ADD {}FOREIGN KEY ({}) REFERENCES {} ({}) NOT "
      "ENFORCED",
      fmt::join(reference->referencing, ", "), reference->table.ToString(),
      is_restored ? "" : ", which is not restored with it",
      QuotePath({target.project, target.dataset, target.table}), NameClause(key),
      fmt::join(reference->referencing, ", "),
      QuotePath({referenced.project, referenced.dataset, referenced.table}),
      fmt::join(reference->referenced, ", "));
}

}  // namespace

Json WithoutForeignKeys(Json table_resource) {
  const auto constraints = table_resource.find(kConstraints);
  if (constraints == table_resource.end() || !constraints->is_object()) return table_resource;
  constraints->erase(kForeignKeys);
  if (constraints->empty()) table_resource.erase(constraints);
  return table_resource;
}

std::vector<std::string> ForeignKeysLeftOut(const Json& saved_resource, const TableRef& target,
                                            const std::vector<TableRestore>& tables) {
  std::vector<std::string> left_out;
  const Json* keys = FindPath(saved_resource, {kConstraints, kForeignKeys});
  if (keys == nullptr || !keys->is_array()) return left_out;
  for (const Json& key : *keys) left_out.push_back(LeftOut(key, target, tables));
  return left_out;
}

}  // namespace holdfast::restore
