#include "localcloud/googlesql/bounds.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "localcloud/googlesql/constant.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();
constexpr int64_t kHourMicros = int64_t{3'600'000'000};
constexpr int64_t kDayMicros = 24 * kHourMicros;

// The values that a column may have.
struct ValueSet {
  std::vector<ValueRange> ranges;  // sorted, apart
  bool admits_null = false;
};

using Key = std::pair<size_t, std::string>;  // relation and column
using Bounds = std::map<Key, ValueSet>;

// A column as a comparison sees it: its value, or that rounded down to a unit.
struct ColumnForm {
  const Column* column = nullptr;
  int64_t unit = 1;
  TypeKind type = TypeKind::kInt64;  // in which it is compared
};

bool IsDateOrTime(TypeKind kind) {
  return kind == TypeKind::kDate || kind == TypeKind::kDatetime || kind == TypeKind::kTimestamp;
}

int64_t FloorTo(int64_t value, int64_t unit) {
  const int64_t rest = value % unit;
  return value - (rest < 0 ? rest + unit : rest);
}

std::vector<ValueRange> Joined(std::vector<ValueRange> ranges) {
  std::erase_if(ranges, [](const ValueRange& range) { return range.low > range.high; });
  std::ranges::sort(ranges, {}, &ValueRange::low);
  std::vector<ValueRange> joined;
  for (const ValueRange& range : ranges) {
    if (!joined.empty() && range.low <= joined.back().high) {
      joined.back().high = std::max(joined.back().high, range.high);
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

ValueSet Intersection(const ValueSet& left, const ValueSet& right) {
  ValueSet both{.ranges = {}, .admits_null = left.admits_null && right.admits_null};
  for (const ValueRange& one : left.ranges) {
    for (const ValueRange& other : right.ranges) {
      both.ranges.push_back({std::max(one.low, other.low), std::min(one.high, other.high)});
    }
  }
  both.ranges = Joined(std::move(both.ranges));
  return both;
}

ValueSet Union(const ValueSet& left, const ValueSet& right) {
  ValueSet either{.ranges = left.ranges, .admits_null = left.admits_null || right.admits_null};
  either.ranges.insert(either.ranges.end(), right.ranges.begin(), right.ranges.end());
  either.ranges = Joined(std::move(either.ranges));
  return either;
}

Bounds Both(Bounds left, const Bounds& right) {
  for (const auto& [key, values] : right) {
    const auto [place, is_new] = left.emplace(key, values);
    if (!is_new) place->second = Intersection(place->second, values);
  }
  return left;
}

Bounds Either(const Bounds& left, const Bounds& right) {
  Bounds either;
  for (const auto& [key, values] : left) {
    const auto other = right.find(key);
    if (other != right.end()) either.emplace(key, Union(values, other->second));
  }
  return either;
}

// The column's values for which its rounded value is in [low, high].
ValueRange Unrounded(const ColumnForm& form, int64_t low, int64_t high) {
  const auto ceil_to = [](int64_t value, int64_t unit) {
    const int64_t floor = FloorTo(value, unit);
    return floor == value ? value : floor + unit;
  };
  if (form.unit > 1) {
    if (low != kLowest) low = ceil_to(low, form.unit);
    if (high != kHighest) high = FloorTo(high, form.unit) + form.unit - 1;
  }
  // A date is a midnight.
  if (form.column->type.kind == TypeKind::kDate) {
    if (low != kLowest) low = ceil_to(low, kDayMicros);
    if (high != kHighest) high = FloorTo(high, kDayMicros);
  }
  return {low, high};
}

// The operation with its sides exchanged.
std::string_view Mirrored(std::string_view operation) {
  if (operation == "<") return ">";
  if (operation == "<=") return ">=";
  if (operation == ">") return "<";
  if (operation == ">=") return "<=";
  return operation;
}

std::optional<ValueRange> RangeOf(std::string_view operation, const ColumnForm& form,
                                  int64_t constant) {
  constexpr ValueRange kNone{1, 0};
  if (operation == "=") return Unrounded(form, constant, constant);
  if (operation == "<") {
    return constant == kLowest ? kNone : Unrounded(form, kLowest, constant - 1);
  }
  if (operation == "<=") return Unrounded(form, kLowest, constant);
  if (operation == ">") {
    return constant == kHighest ? kNone : Unrounded(form, constant + 1, kHighest);
  }
  if (operation == ">=") return Unrounded(form, constant, kHighest);
  return std::nullopt;
}

std::optional<int64_t> IntegerConstant(const Expression& expression) {
  if (const auto* const unary = std::get_if<Unary>(&expression.node)) {
    if (unary->operation != "-") return std::nullopt;
    const auto value = IntegerConstant(*unary->operand);
    if (!value || *value == kLowest) return std::nullopt;
    return -*value;
  }
  const auto* const number = std::get_if<NumberLiteral>(&expression.node);
  if (number == nullptr || number->is_float) return std::nullopt;
  int64_t value = 0;
  const char* const end = number->text.data() + number->text.size();
  const auto read = std::from_chars(number->text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

class BoundsReader {
 public:
  BoundsReader(const Scope& scope, int64_t now_us) : scope_(scope), now_us_(now_us) {}

  Bounds Read(const Expression& expression) const {
    return std::visit([this](const auto& node) { return ReadNode(node); }, expression.node);
  }

 private:
  template <typename Node>
  Bounds ReadNode(const Node&) const {
    return {};
  }

  Bounds ReadNode(const Chain& node) const {
    if (node.operation != "AND" && node.operation != "OR") return {};
    Bounds bounds = Read(*node.operands.front());
    for (size_t i = 1; i < node.operands.size(); ++i) {
      const Bounds next = Read(*node.operands[i]);
      bounds = node.operation == "AND" ? Both(std::move(bounds), next) : Either(bounds, next);
    }
    return bounds;
  }

  Bounds ReadNode(const Binary& node) const {
    Bounds bounds = Compared(*node.left, node.operation, *node.right);
    return bounds.empty() ? Compared(*node.right, Mirrored(node.operation), *node.left) : bounds;
  }

  Bounds ReadNode(const Between& node) const {
    if (node.negated) return {};
    return Both(Compared(*node.value, ">=", *node.low), Compared(*node.value, "<=", *node.high));
  }

  Bounds ReadNode(const In& node) const {
    if (node.negated || node.list.empty()) return {};
    Bounds bounds = Compared(*node.value, "=", *node.list.front());
    for (size_t i = 1; i < node.list.size(); ++i) {
      bounds = Either(bounds, Compared(*node.value, "=", *node.list[i]));
    }
    return bounds;
  }

  Bounds ReadNode(const Is& node) const {
    const Column* column = ColumnOf(*node.value);
    if (node.test != "NULL" || column == nullptr) return {};
    ValueSet values{.ranges = {}, .admits_null = !node.negated};
    if (node.negated) values.ranges.push_back({kLowest, kHighest});
    return {{KeyOf(*column), std::move(values)}};
  }

  static Key KeyOf(const Column& column) { return {column.relation, LowerCase(column.name)}; }

  Bounds Compared(const Expression& value, std::string_view operation,
                  const Expression& constant) const {
    const auto form = FormOf(value);
    if (!form) return {};
    const auto number =
        IsDateOrTime(form->type) ? TimeConstant(constant, form->type) : IntegerConstant(constant);
    if (!number) return {};
    const auto range = RangeOf(operation, *form, *number);
    if (!range) return {};
    return {{KeyOf(*form->column), ValueSet{.ranges = Joined({*range}), .admits_null = false}}};
  }

  // The column of a table of this scope that the expression names; nullptr: it is none.
  const Column* ColumnOf(const Expression& expression) const {
    ColumnMatch match;
    if (const auto* const name = std::get_if<Name>(&expression.node)) {
      if (scope_.FindVariable(name->text) != nullptr) return nullptr;
      match = FindColumn(scope_, name->text);
    } else if (const auto* const access = std::get_if<FieldAccess>(&expression.node)) {
      const auto* const base = std::get_if<Name>(&access->base->node);
      const RangeVariable* const variable =
          base == nullptr ? nullptr : scope_.FindVariable(base->text);
      if (variable == nullptr || variable->value) return nullptr;
      match = FindColumn(variable->columns, access->field.text);
      if (match.column == nullptr) match = FindColumn(variable->pseudo_columns, access->field.text);
    }
    const bool is_known =
        match.column != nullptr && !match.ambiguous && match.column->relation != kNoRelation;
    if (!is_known) return nullptr;
    const TypeKind kind = match.column->type.kind;
    return kind == TypeKind::kInt64 || IsDateOrTime(kind) ? match.column : nullptr;
  }

  std::optional<ColumnForm> FormOf(const Expression& expression) const {
    if (const Column* column = ColumnOf(expression))
      return ColumnForm{column, 1, column->type.kind};
    if (const auto* const cast = std::get_if<Cast>(&expression.node)) {
      return Converted(*cast->value, cast->type.name);
    }
    if (const auto* const extract = std::get_if<Extract>(&expression.node)) {
      if (extract->part != "DATE" || extract->time_zone != nullptr) return std::nullopt;
      return Converted(*extract->value, "DATE");
    }
    const auto* const call = std::get_if<FunctionCall>(&expression.node);
    if (call == nullptr || call->window != nullptr) return std::nullopt;
    if (call->arguments.size() == 1) return Converted(*call->arguments.front(), call->name);
    if (call->arguments.size() == 2) return Truncated(*call);
    return std::nullopt;
  }

  // Of a time as one of another type, without a time zone.
  std::optional<ColumnForm> Converted(const Expression& value, std::string_view type) const {
    const Column* column = ColumnOf(value);
    if (column == nullptr || !IsDateOrTime(column->type.kind)) return std::nullopt;
    if (type == "DATE") return ColumnForm{column, kDayMicros, TypeKind::kDate};
    if (type == "DATETIME") return ColumnForm{column, 1, TypeKind::kDatetime};
    if (type == "TIMESTAMP") return ColumnForm{column, 1, TypeKind::kTimestamp};
    return std::nullopt;
  }

  std::optional<ColumnForm> Truncated(const FunctionCall& call) const {
    if (call.name != "DATE_TRUNC" && call.name != "DATETIME_TRUNC" &&
        call.name != "TIMESTAMP_TRUNC") {
      return std::nullopt;
    }
    const Column* column = ColumnOf(*call.arguments.front());
    const auto* const part = std::get_if<Name>(&call.arguments.back()->node);
    if (column == nullptr || part == nullptr || !IsDateOrTime(column->type.kind))
      return std::nullopt;
    const TypeKind type = column->type.kind;
    if (SameWord(part->text, "DAY")) return ColumnForm{column, kDayMicros, type};
    if (SameWord(part->text, "HOUR")) return ColumnForm{column, kHourMicros, type};
    return std::nullopt;
  }

  // Microseconds since 1970 of a constant date or time, which is compared as `type`.
  std::optional<int64_t> TimeConstant(const Expression& expression, TypeKind type) const {
    if (const auto* const text = std::get_if<StringLiteral>(&expression.node)) {
      return TimeOfText(text->value, type);
    }
    if (const auto* const typed = std::get_if<TypedLiteral>(&expression.node)) {
      if (typed->type == "DATE") return TimeOfText(typed->value, TypeKind::kDate);
      if (typed->type == "DATETIME") return TimeOfText(typed->value, TypeKind::kDatetime);
      if (typed->type == "TIMESTAMP") return TimeOfText(typed->value, TypeKind::kTimestamp);
      return std::nullopt;
    }
    const auto* const call = std::get_if<FunctionCall>(&expression.node);
    if (call == nullptr || call->window != nullptr) return std::nullopt;
    if (call->name == "DATE" && call->arguments.size() == 3) return DateOfParts(*call);
    const auto time = ConstantTimestamp(expression, now_us_);
    return time.ok() ? std::optional(*time) : std::nullopt;
  }

  // Dates have no time of day, and civil times no zone: such text is somebody else's to refuse.
  static std::optional<int64_t> TimeOfText(std::string_view text, TypeKind type) {
    constexpr size_t kDateBytes = 10;
    const std::string_view time = text.substr(std::min(kDateBytes, text.size()));
    if (type == TypeKind::kDate && !time.empty()) return std::nullopt;
    if (type == TypeKind::kDatetime && time.find_first_of("+-ZzU") != time.npos) {
      return std::nullopt;
    }
    return ParseTimestampText(text);
  }

  static std::optional<int64_t> DateOfParts(const FunctionCall& call) {
    std::string text;
    for (const ExpressionPtr& argument : call.arguments) {
      const auto part = IntegerConstant(*argument);
      if (!part || *part < 0) return std::nullopt;
      const std::string digits = std::to_string(*part);
      const size_t width = text.empty() ? 4 : 2;
      if (digits.size() > width) return std::nullopt;
      text += (text.empty() ? "" : "-") + std::string(width - digits.size(), '0') + digits;
    }
    return ParseTimestampText(text);
  }

  const Scope& scope_;
  int64_t now_us_;
};

}  // namespace

std::vector<RelationBound> BoundsOf(const Expression& where, const Scope& scope, bool null_extends,
                                    int64_t now_us) {
  std::vector<RelationBound> found;
  for (const auto& [key, values] : BoundsReader(scope, now_us).Read(where)) {
    if (null_extends && values.admits_null) continue;
    found.push_back(
        {.relation = key.first,
         .bound = {
             .column = key.second, .ranges = values.ranges, .admits_null = values.admits_null}});
  }
  return found;
}

bool HasOuterJoin(const FromItem& item) {
  const auto* const join = std::get_if<JoinItem>(&item.node);
  if (join == nullptr) return false;
  const bool is_outer =
      join->kind != JoinItem::Kind::kInner && join->kind != JoinItem::Kind::kCross;
  return is_outer || HasOuterJoin(*join->left) || HasOuterJoin(*join->right);
}

}  // namespace holdfast::googlesql
