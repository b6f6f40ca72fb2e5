// What kind of object a backup is of: a table with its data, or one that is its definition alone.
//
// A view, a materialized view, an external table, a routine and a dataset hold no rows of their
// own: the backup of one is its resource document, saved in the manifest itself. Plain values.
#pragma once

#include <optional>
#include <string_view>

#include "model/table.h"

namespace holdfast {

enum class ObjectKind {
  kTable,  // the only kind with data
  kView,
  kMaterializedView,
  kExternal,  // the definition of it; the files that it reads are not ours to keep
  kRoutine,
  kDataset,
};

// "table", "view", "materialized_view", "external_table", "routine", "dataset".
std::string_view ObjectKindName(ObjectKind kind);

// The same for a person: "materialized view".
std::string_view ObjectKindWords(ObjectKind kind);

// The inverse of ObjectKindName; nullopt for another text.
std::optional<ObjectKind> FindObjectKind(std::string_view name);

// What a table's resource of this kind is backed up as; nullopt: it is not (a snapshot of somebody
// else's, a kind that is not known yet).
std::optional<ObjectKind> ObjectKindOf(TableKind kind);

// Whether a backup of it has no data.
inline bool IsDefinitionOnly(ObjectKind kind) { return kind != ObjectKind::kTable; }

}  // namespace holdfast
