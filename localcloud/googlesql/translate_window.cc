#include <fmt/format.h>

#include "localcloud/googlesql/translator.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {

// The windows that one names, outermost first: `w2 AS (w1 ORDER BY x)` has w1 and w2.
Status Translator::WindowLayers(const Window& window, const ExpressionContext& context,
                                std::vector<const Window*>& layers) const {
  if (window.base) {
    const Window* base = nullptr;
    if (context.windows != nullptr) {
      for (const auto& [name, named] : *context.windows) {
        if (SameWord(name.text, window.base->text)) base = &named;
      }
    }
    if (base == nullptr) {
      return QueryError(fmt::format("Unrecognized window alias {}", window.base->text),
                        window.base->position);
    }
    if (layers.size() > (context.windows == nullptr ? 0 : context.windows->size())) {
      return QueryError(fmt::format("Window {} names itself", window.base->text),
                        window.base->position);
    }
    layers.push_back(&window);
    return WindowLayers(*base, context, layers);
  }
  layers.push_back(&window);
  return {};
}

Result<std::string> Translator::OverClause(const FunctionCall& call,
                                           const ExpressionContext& context) {
  std::vector<const Window*> layers;
  HF_RETURN_IF_ERROR(WindowLayers(*call.window, context, layers));
  ExpressionContext inner = context;
  inner.allows_windows = false;
  inner.clause = "window specification";
  std::string partition;
  std::string order;
  std::string frame;
  for (const Window* layer : layers) {
    if (partition.empty() && !layer->partition_by.empty()) {
      HF_ASSIGN_OR_RETURN(const std::vector<TypedSql> keys,
                          TranslateAll(layer->partition_by, inner));
      for (const TypedSql& key : keys) partition += (partition.empty() ? "" : ", ") + key.sql;
    }
    if (order.empty() && !layer->order_by.empty()) {
      HF_ASSIGN_OR_RETURN(order, OrderSql(layer->order_by, inner));
    }
    if (frame.empty() && layer->frame) {
      HF_ASSIGN_OR_RETURN(frame, FrameSql(*layer->frame));
    }
  }
  std::string window;
  if (!partition.empty()) window += "PARTITION BY " + partition;
  if (!order.empty()) window += fmt::format("{}ORDER BY {}", window.empty() ? "" : " ", order);
  if (!frame.empty()) window += fmt::format("{}{}", window.empty() ? "" : " ", frame);
  return fmt::format(" OVER ({})", window);
}

Result<std::string> Translator::FrameSql(const WindowFrame& frame) {
  HF_ASSIGN_OR_RETURN(const std::string start, FrameBoundSql(frame.start));
  const std::string_view unit = frame.rows ? "ROWS" : "RANGE";
  if (!frame.end) return fmt::format("{} {}", unit, start);
  HF_ASSIGN_OR_RETURN(const std::string end, FrameBoundSql(*frame.end));
  return fmt::format("{} BETWEEN {} AND {}", unit, start, end);
}

Result<std::string> Translator::FrameBoundSql(const FrameBound& bound) {
  using Kind = FrameBound::Kind;
  if (bound.kind == Kind::kUnboundedPreceding) return std::string("UNBOUNDED PRECEDING");
  if (bound.kind == Kind::kUnboundedFollowing) return std::string("UNBOUNDED FOLLOWING");
  if (bound.kind == Kind::kCurrentRow) return std::string("CURRENT ROW");
  ExpressionContext context;
  context.clause = "window frame";
  HF_ASSIGN_OR_RETURN(const TypedSql offset, TranslateExpression(*bound.offset, context));
  if (!IsArithmetic(offset.type.kind) || !offset.literal) {
    return QueryError("Window frame offset must be a numeric literal or parameter",
                      bound.offset->position);
  }
  return fmt::format("{} {}", offset.sql,
                     bound.kind == Kind::kPreceding ? "PRECEDING" : "FOLLOWING");
}

Result<std::string> Translator::OrderSql(const std::vector<OrderItem>& items,
                                         const ExpressionContext& context) {
  std::string sql;
  for (const OrderItem& item : items) {
    HF_ASSIGN_OR_RETURN(const TypedSql key, TranslateExpression(*item.expression, context));
    HF_RETURN_IF_ERROR(CheckOrderable(key.type, "ORDER BY", item.expression->position));
    sql += fmt::format("{}{}{}", sql.empty() ? "" : ", ", key.sql, OrderDirection(item));
  }
  return sql;
}

Status Translator::CheckOrderable(const Type& type, std::string_view clause,
                                  Position position) const {
  if (IsOrderable(type)) return {};
  return QueryError(
      fmt::format("{} does not support expressions of type {}", clause, TypeName(type)), position);
}

// NULLs are the least values in BigQuery; DuckDB would put them last.
std::string Translator::OrderDirection(const OrderItem& item) {
  const bool nulls_first = item.nulls_first.value_or(!item.descending);
  return fmt::format(" {} NULLS {}", item.descending ? "DESC" : "ASC",
                     nulls_first ? "FIRST" : "LAST");
}

}  // namespace holdfast::googlesql
