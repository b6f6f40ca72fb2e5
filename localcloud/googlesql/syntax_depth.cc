#include "localcloud/googlesql/syntax_depth.h"

#include <algorithm>

namespace holdfast::googlesql {
namespace {

int DepthOf(const ExpressionPtr& expression) {
  return expression == nullptr ? 0 : expression->depth;
}

int DepthOf(const QueryPtr& query) { return query == nullptr ? 0 : query->depth; }

int DepthOf(const OrderItem& item) { return DepthOf(item.expression); }

int DepthOf(const std::pair<std::string, ExpressionPtr>& member) { return DepthOf(member.second); }

int DepthOf(const std::pair<ExpressionPtr, ExpressionPtr>& branch) {
  return std::max(DepthOf(branch.first), DepthOf(branch.second));
}

template <typename T>
int DepthOf(const std::vector<T>& items) {
  int depth = 0;
  for (const T& item : items) depth = std::max(depth, DepthOf(item));
  return depth;
}

int DepthOf(const std::unique_ptr<Window>& window) {
  if (window == nullptr) return 0;
  return std::max(DepthOf(window->partition_by), DepthOf(window->order_by));
}

template <typename... Parts>
int Deepest(const Parts&... parts) {
  return std::max({0, DepthOf(parts)...});
}

struct OperandDepth {
  template <typename Leaf>
  int operator()(const Leaf&) const {
    return 0;
  }
  int operator()(const IntervalLiteral& node) const { return DepthOf(node.amount); }
  int operator()(const FieldAccess& node) const { return DepthOf(node.base); }
  int operator()(const Subscript& node) const { return Deepest(node.base, node.index); }
  int operator()(const Unary& node) const { return DepthOf(node.operand); }
  int operator()(const Binary& node) const { return Deepest(node.left, node.right); }
  int operator()(const Chain& node) const { return DepthOf(node.operands); }
  int operator()(const Like& node) const { return Deepest(node.value, node.pattern); }
  int operator()(const Between& node) const { return Deepest(node.value, node.low, node.high); }
  int operator()(const In& node) const {
    return Deepest(node.value, node.list, node.query, node.array);
  }
  int operator()(const Is& node) const { return DepthOf(node.value); }
  int operator()(const Case& node) const {
    return Deepest(node.operand, node.branches, node.otherwise);
  }
  int operator()(const Cast& node) const { return DepthOf(node.value); }
  int operator()(const Extract& node) const { return Deepest(node.value, node.time_zone); }
  int operator()(const ArrayLiteral& node) const { return DepthOf(node.elements); }
  int operator()(const StructLiteral& node) const { return DepthOf(node.members); }
  int operator()(const SubqueryExpression& node) const { return DepthOf(node.query); }
  int operator()(const FunctionCall& node) const {
    return Deepest(node.arguments, node.order_by, node.limit, node.window);
  }
};

}  // namespace

int NodeDepth(const ExpressionNode& node) { return 1 + std::visit(OperandDepth{}, node); }

}  // namespace holdfast::googlesql
