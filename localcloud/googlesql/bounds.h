// What a WHERE clause says of the values of single columns, so that partitions can be left out.
//
// Conservative: a row that the clause lets pass lies within every bound, while a row within them
// may still be refused by it. What is not understood bounds nothing: OR needs each of its sides to
// bound a column, NOT is never looked into. Pure function over the syntax tree; the clause has been
// translated before, so that its types are known to fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "localcloud/googlesql/plan.h"
#include "localcloud/googlesql/scope.h"
#include "localcloud/googlesql/syntax.h"

namespace holdfast::googlesql {

// A bound of a column of one of the plan's relations.
struct RelationBound {
  size_t relation = kNoRelation;  // its place in the plan
  ColumnBound bound;
};

// The bounds that `where` sets to columns of `scope`'s own tables. With `null_extends`, when an
// outer join may make rows of NULLs, bounds that let NULL pass are left out: to miss rows of such a
// table would make more of them. `now_us`: CURRENT_TIMESTAMP().
std::vector<RelationBound> BoundsOf(const Expression& where, const Scope& scope, bool null_extends,
                                    int64_t now_us);

// Whether a join below `item` makes rows of NULLs for what has no match.
bool HasOuterJoin(const FromItem& item);

}  // namespace holdfast::googlesql
