// The tables and routines that a GoogleSQL text names, and the same text with other names in place
// of some of them.
//
// The text is cut into tokens, not parsed: a name counts where a table or a routine can stand
// (after FROM, JOIN, a comma in a FROM clause, INTO, TABLE, CALL..., or before a parenthesis), or
// anywhere when it has project, dataset and object. What is in comments, in strings or is a
// column's name stays as it is. A name that the text builds while it runs is not seen. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/resource_names.h"

namespace holdfast::restore {

// From an object to the one that takes its place; a routine by its reserved name.
using Renames = std::map<TableRef, TableRef>;

// What the text names, each once, in order. `home` is the dataset of the object that the text is
// of: a name without a project is of its project. A name that is followed by a parenthesis is a
// routine's.
std::vector<TableRef> NamesInSql(std::string_view sql, const DatasetRef& home);

// Whether the text still holds the name of the dataset where it stands for it, as `sales.` of
// another project's or its own: in places that are not understood, a rewritten text may.
bool MayNameDataset(std::string_view sql, const DatasetRef& dataset);

// The text with the names that `renames` has replaced by those of their successors, whole and
// quoted. A table of another name is given its old one as an alias, where it had no other. The name
// of many tables, `events_*`, follows them where all keep their names and go to one dataset.
std::string RewriteSql(std::string_view sql, const DatasetRef& home, const Renames& renames);

}  // namespace holdfast::restore
