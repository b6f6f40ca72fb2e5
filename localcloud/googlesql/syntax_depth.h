// How deep the tree below a syntax node is: what the parser bounds.
//
// Pure function.
#pragma once

#include "localcloud/googlesql/syntax.h"

namespace holdfast::googlesql {

// The depth of a node: one more than its deepest operand or subquery.
int NodeDepth(const ExpressionNode& node);

}  // namespace holdfast::googlesql
