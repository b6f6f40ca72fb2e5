// The syntax tree of a GoogleSQL query: what was written, before any name has a meaning.
//
// A tree is at most kSyntaxDepthMax deep, so that it can be walked and freed by recursion; long
// chains of AND, OR and || are one node with many operands. Nodes own their children. Plain values,
// built by the parser (parser.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "localcloud/googlesql/error.h"

namespace holdfast::googlesql {

inline constexpr int kSyntaxDepthMax = 200;

struct Expression;
struct Query;
using ExpressionPtr = std::unique_ptr<Expression>;
using QueryPtr = std::unique_ptr<Query>;

struct Identifier {
  std::string text;
  Position position;
};

struct TypeMember;

// A type as written: INT64, NUMERIC(10, 2), ARRAY<T>, STRUCT<a T, ...>, RANGE<T>.
struct TypeSyntax {
  std::string name;  // upper case; "ARRAY", "STRUCT", "RANGE" have members
  Position position;
  std::vector<TypeMember> members;
  std::vector<int> parameters;  // precision, scale or length
};

struct TypeMember {
  std::string name;  // of a STRUCT's field, if it has one; empty for ARRAY and RANGE
  TypeSyntax type;
};

struct NullLiteral {};
struct BoolLiteral {
  bool value = false;
};
struct NumberLiteral {
  std::string text;
  bool is_float = false;
};
struct StringLiteral {
  std::string value;
};
struct BytesLiteral {
  std::string value;
};
struct TypedLiteral {  // DATE '2024-01-01', NUMERIC '1.5', JSON '{}'
  std::string type;    // upper case
  std::string value;
};
struct Parameter {
  std::string name;  // empty: positional
  size_t ordinal = 0;
};
struct IntervalLiteral {  // INTERVAL 5 DAY
  ExpressionPtr amount;
  std::string part;  // upper case
};
struct Name {  // a column, an alias, or the word of a date part
  std::string text;
  bool quoted = false;
};
struct FieldAccess {
  ExpressionPtr base;
  Identifier field;
};
struct Subscript {  // base[index], base[OFFSET(index)], ...
  ExpressionPtr base;
  std::string mode;  // "", "OFFSET", "ORDINAL", "SAFE_OFFSET", "SAFE_ORDINAL"
  ExpressionPtr index;
};
struct Unary {  // - + ~ NOT
  std::string operation;
  ExpressionPtr operand;
};
struct Binary {  // + - * / = != < <= > >= << >> & | ^, "IS DISTINCT FROM", "IS NOT DISTINCT FROM"
  std::string operation;
  ExpressionPtr left;
  ExpressionPtr right;
};
struct Chain {  // a AND b AND c; OR; ||
  std::string operation;
  std::vector<ExpressionPtr> operands;
};
struct Like {
  ExpressionPtr value;
  ExpressionPtr pattern;
  bool negated = false;
};
struct Between {
  ExpressionPtr value;
  ExpressionPtr low;
  ExpressionPtr high;
  bool negated = false;
};
struct In {  // IN (list), IN (query) or IN UNNEST(array): one of the three is set
  ExpressionPtr value;
  std::vector<ExpressionPtr> list;
  QueryPtr query;
  ExpressionPtr array;
  bool negated = false;
};
struct Is {  // IS [NOT] NULL, TRUE, FALSE
  ExpressionPtr value;
  std::string test;
  bool negated = false;
};
struct Case {
  ExpressionPtr operand;  // null: a searched CASE
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> branches;
  ExpressionPtr otherwise;
};
struct Cast {
  ExpressionPtr value;
  TypeSyntax type;
  bool safe = false;
};
struct Extract {
  std::string part;  // upper case; "WEEK(MONDAY)" for weeks of a weekday
  ExpressionPtr value;
  ExpressionPtr time_zone;
};
struct ArrayLiteral {
  std::optional<TypeSyntax> element;
  std::vector<ExpressionPtr> elements;
};
struct StructLiteral {  // STRUCT(1 AS a), STRUCT<a INT64>(1), (1, 2)
  std::optional<TypeSyntax> type;
  std::vector<std::pair<std::string, ExpressionPtr>> members;
};
struct SubqueryExpression {
  enum class Kind { kScalar, kExists, kArray };
  Kind kind = Kind::kScalar;
  QueryPtr query;
};

struct OrderItem {
  ExpressionPtr expression;
  bool descending = false;
  std::optional<bool> nulls_first;
};

struct FrameBound {
  enum class Kind { kUnboundedPreceding, kPreceding, kCurrentRow, kFollowing, kUnboundedFollowing };
  Kind kind = Kind::kCurrentRow;
  ExpressionPtr offset;
};
struct WindowFrame {
  bool rows = true;  // ROWS or RANGE
  FrameBound start;
  std::optional<FrameBound> end;
};
struct Window {
  std::optional<Identifier> base;  // a window of the WINDOW clause
  std::vector<ExpressionPtr> partition_by;
  std::vector<OrderItem> order_by;
  std::optional<WindowFrame> frame;
};

struct NamedWindow {  // of the WINDOW clause
  Identifier name;
  Window window;
};

struct FunctionCall {
  std::string name;  // upper case, dots kept: "SAFE.PARSE_DATE" has safe set and no prefix
  bool safe = false;
  bool star = false;  // COUNT(*)
  bool distinct = false;
  std::vector<ExpressionPtr> arguments;
  std::vector<OrderItem> order_by;
  ExpressionPtr limit;
  enum class Nulls { kDefault, kIgnore, kRespect };
  Nulls nulls = Nulls::kDefault;
  std::unique_ptr<Window> window;  // OVER; null: none
};

using ExpressionNode =
    std::variant<NullLiteral, BoolLiteral, NumberLiteral, StringLiteral, BytesLiteral, TypedLiteral,
                 Parameter, IntervalLiteral, Name, FieldAccess, Subscript, Unary, Binary, Chain,
                 Like, Between, In, Is, Case, Cast, Extract, ArrayLiteral, StructLiteral,
                 SubqueryExpression, FunctionCall>;

struct Expression {
  Position position;
  ExpressionNode node;
  int depth = 1;  // of the tree below, at most kSyntaxDepthMax
};

// A name in FROM or of a statement's target, in the parts that dots and backticks make.
struct PathName {
  std::vector<Identifier> parts;
  Position position;
  size_t size_bytes = 0;

  // The parts with dots between them, without backticks: for messages, not for parsing.
  std::string ToString() const;
};

struct FromItem;
using FromItemPtr = std::unique_ptr<FromItem>;

struct TableItem {
  PathName path;
  ExpressionPtr as_of;                     // FOR SYSTEM_TIME AS OF
  bool is_array = false;                   // path into an earlier item: an implicit UNNEST
  std::optional<Identifier> offset_alias;  // of an implicit UNNEST
  bool with_offset = false;
};
struct SubqueryItem {
  QueryPtr query;
};
struct UnnestItem {
  ExpressionPtr array;
  bool with_offset = false;
  std::optional<Identifier> offset_alias;
};
struct JoinItem {
  enum class Kind { kInner, kCross, kLeft, kRight, kFull };
  Kind kind = Kind::kInner;
  FromItemPtr left;
  FromItemPtr right;
  ExpressionPtr on;
  std::vector<Identifier> using_columns;
};
struct FromItem {
  Position position;
  std::optional<Identifier> alias;
  std::variant<TableItem, SubqueryItem, UnnestItem, JoinItem> node;
  int depth = 1;
};

struct SelectItem {
  Position position;
  ExpressionPtr expression;  // of a star: what stands before `.*`, or null for `*`
  std::optional<Identifier> alias;
  bool star = false;
  std::vector<Identifier> except;
  std::vector<std::pair<ExpressionPtr, Identifier>> replace;
};

struct GroupBy {
  enum class Kind { kExpressions, kRollup, kCube, kAll };
  Kind kind = Kind::kExpressions;
  std::vector<ExpressionPtr> expressions;
};

struct Select {
  Position position;
  bool distinct = false;
  enum class As { kRow, kStruct, kValue };
  As as = As::kRow;
  std::vector<SelectItem> items;
  FromItemPtr from;
  ExpressionPtr where;
  std::optional<GroupBy> group_by;
  ExpressionPtr having;
  ExpressionPtr qualify;
  std::vector<NamedWindow> windows;
};

struct SetOperation {
  std::string operation;  // "UNION ALL", "UNION", "INTERSECT", "EXCEPT" (the last three: DISTINCT)
  std::vector<QueryPtr> operands;
};

struct CommonTable {
  Identifier name;
  QueryPtr query;
};

struct Query {
  Position position;
  int depth = 1;  // of the deepest expression or join below
  bool recursive = false;
  std::vector<CommonTable> with;
  std::variant<Select, SetOperation, QueryPtr> body;
  std::vector<OrderItem> order_by;
  ExpressionPtr limit;
  ExpressionPtr offset;
};

}  // namespace holdfast::googlesql
