// The translator's own class: the state of one statement, and one method per construct.
//
// Private to the files translate_*.cc. Expressions become DuckDB SQL with a type (TypedSql);
// queries become DuckDB SQL with columns (QuerySql). Every relation gets a name that no other part
// of the statement has ("orders", then "orders_2"), and columns are always written with it, so that
// DuckDB has nothing left to resolve. Not thread-safe; one per statement.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "localcloud/googlesql/coerce.h"
#include "localcloud/googlesql/functions.h"
#include "localcloud/googlesql/plan.h"
#include "localcloud/googlesql/scope.h"
#include "localcloud/googlesql/statement.h"
#include "localcloud/googlesql/syntax.h"
#include "localcloud/googlesql/translate.h"

namespace holdfast::googlesql {

inline constexpr size_t kDuckSqlBytesMax = size_t{8} << 20U;  // arguments used twice could explode
inline constexpr size_t kViewDepthMax = 16;                   // BigQuery: nested views

inline constexpr std::string_view kWhereClause = "WHERE clause";
inline constexpr std::string_view kOnClause = "JOIN ON clause";

// A column of a query's result.
struct OutputColumn {
  std::string name;       // empty: anonymous
  std::string duck_name;  // in the DuckDB SQL; unique in the query
  Type type;
  size_t filter = kNoFilter;  // as in TypedSql
};

struct QuerySql {
  std::string sql;  // a whole SELECT, not in parentheses
  std::vector<OutputColumn> columns;
  bool is_value_table = false;  // SELECT AS STRUCT or VALUE: one column, which is the row
};

// Columns of a SELECT with groups that are neither in a key nor inside an aggregate.
struct GroupCheck {
  const Scope* scope = nullptr;
  std::set<std::string> keys;  // DuckDB SQL
  std::vector<std::pair<std::string, Position>> ungrouped;
};

// Where an expression stands: what it may name and call.
struct ExpressionContext {
  const Scope* scope = nullptr;
  std::string_view clause;  // "WHERE clause", for errors
  bool allows_aggregates = false;
  bool allows_windows = false;
  const std::vector<std::pair<std::string, TypedSql>>* aliases = nullptr;  // of the SELECT list
  const std::vector<NamedWindow>* windows = nullptr;                       // the WINDOW clause
  GroupCheck* groups = nullptr;  // notes columns that are not grouped
};

class Translator {
 public:
  // Both must outlive this.
  Translator(const TranslateOptions& options, const TableResolver& resolver)
      : options_(options), resolver_(resolver) {}

  // The whole work; call it once. Errors: as TranslateStatement (translate.h).
  Result<Plan> Translate(const Statement& statement);

  // The whole work for one column; call it once. Errors: as TranslateDefault (translate.h).
  Result<std::string> TranslateDefault(const Field& field);

 private:
  struct CommonTableEntry {
    std::string name;
    std::string duck_name;
    std::vector<OutputColumn> columns;
  };
  struct FromSql {
    std::string sql;
    Scope scope;
  };
  struct Target {  // of UPDATE and DELETE
    TableRef table;
    Schema schema;
    std::string name;  // of its rows in the DuckDB SQL
    Scope scope;
  };
  struct RequiredFilter {  // of a table that must not be read whole
    TableRef table;
    std::vector<std::string> columns;
    Position position;
    bool seen = false;
  };
  using SelectList = std::vector<std::pair<std::string, TypedSql>>;  // name (or empty) and value

  // Statements (translate_statement.cc, translate_create.cc, translate_dml.cc).
  Result<Plan> TranslateNode(const QueryStatement& node);
  Result<Plan> TranslateNode(const CreateTableStatement& node);
  Result<Plan> TranslateNode(const CopyTableStatement& node);
  Result<Plan> TranslateNode(const CreateViewStatement& node);
  Result<Plan> TranslateNode(const CreateSchemaStatement& node);
  Result<Plan> TranslateNode(const DropStatement& node);
  Result<Plan> TranslateNode(const SetOptionsStatement& node);
  Result<Plan> TranslateNode(const AddColumnsStatement& node);
  Result<Plan> TranslateNode(const InsertStatement& node);
  Result<Plan> TranslateNode(const UpdateStatement& node);
  Result<Plan> TranslateNode(const DeleteStatement& node);
  Result<Plan> TranslateNode(const TruncateStatement& node);
  Result<QueryText> FinishQuery(QuerySql query, Position position);
  // The number of a new required filter for the table's columns, or kNoFilter if it needs none.
  size_t RequireFilter(const ResolvedTable& table, const TableRef& ref, Position position);
  Status CheckFilters() const;
  Result<TableRef> ResolveTarget(const PathName& path) const;
  Result<DatasetRef> ResolveSchema(const PathName& path) const;
  Result<std::vector<Option>> EvaluateOptions(const std::vector<OptionSyntax>& options) const;
  Result<Schema> SchemaOfColumns(const std::vector<ColumnSyntax>& columns);
  Result<Field> FieldOfColumn(const ColumnSyntax& column);
  Result<Partitioning> PartitioningOf(const Expression& expression, const Schema& schema) const;
  Status CheckClustering(const std::vector<Identifier>& columns, const Schema& schema) const;
  Result<std::vector<Field>> InsertColumns(const InsertStatement& node, const Schema& schema);
  Result<QuerySql> InsertRows(const InsertStatement& node, const std::vector<Field>& columns);
  Status AddDefaults(const Schema& schema, QuerySql& query);
  Result<TypedSql> DefaultOf(const Field& field);
  Result<std::string> AssignedValue(const TypedSql& value, const Field& field, Position position);
  Result<std::string> QueryOfFields(const QuerySql& query, const std::vector<Field>& fields,
                                    Position position);
  Result<Target> ResolveRows(const PathName& path, const std::optional<Identifier>& alias);
  Result<std::string> WithMember(const TypedSql& base, std::span<const Identifier> path,
                                 const TypedSql& value);
  Result<std::pair<std::string, std::string>> Assignment(const std::vector<Identifier>& path,
                                                         const ExpressionPtr& value,
                                                         const Target& target,
                                                         const ExpressionContext& context);

  // Queries (translate_query.cc, translate_select.cc).
  Result<QuerySql> TranslateQuery(const Query& query, const Scope* outer);
  Result<QuerySql> OrderedQuery(QuerySql query, const std::vector<OrderItem>& order_by);
  Result<std::string> TranslateWith(const Query& query, const Scope* outer);
  Result<CommonTableEntry> TranslateCommonTable(const CommonTable& table, bool recursive,
                                                const Scope* outer, std::string& sql);
  Result<QuerySql> TranslateSetOperation(const SetOperation& operation, const Scope* outer,
                                         Position position);
  Result<std::string> OperandWithTypes(const QuerySql& operand,
                                       const std::vector<OutputColumn>& columns, Position position);
  Result<QuerySql> TranslateSelect(const Select& select, const std::vector<OrderItem>& order_by,
                                   const Scope* outer);
  Result<SelectList> TranslateSelectList(const Select& select, const ExpressionContext& context);
  Status ExpandStar(const SelectItem& item, const ExpressionContext& context, SelectList& list);
  Result<std::vector<Column>> StarColumns(const SelectItem& item, const ExpressionContext& context);
  Result<TypedSql> RowValue(const Select& select, const SelectList& list) const;
  Result<std::string> GroupBySql(const GroupBy& group, const SelectList& list, bool by_ordinal,
                                 const ExpressionContext& context);
  // An error for a column of the list that is neither grouped nor aggregated.
  Status CheckGrouped(const Select& select, const SelectList& list,
                      const ExpressionContext& context);
  // Tells the relation of a metadata view which table alone the WHERE clause asks for.
  void NarrowMetadata(const Select& select);
  // Tells the relations of the FROM clause which of their rows the WHERE clause can let pass.
  void NoteBounds(const Select& select, const Scope& scope);
  Result<std::string> SelectClauses(const Select& select, const SelectList& list,
                                    const ExpressionContext& context);
  // ORDER BY behind a SELECT: ordinals and aliases of its list, or its expressions.
  Result<std::string> OrderBySql(const std::vector<OrderItem>& items, const SelectList& list,
                                 const ExpressionContext& context);
  // "1" for an integer literal that counts the list's items or a name that the list defines;
  // nullopt: neither.
  Result<std::optional<size_t>> ListOrdinal(const Expression& expression,
                                            const SelectList& list) const;
  std::vector<OutputColumn> OutputColumns(const SelectList& list) const;
  Result<std::string> OrderSql(const std::vector<OrderItem>& items,
                               const ExpressionContext& context);
  Result<std::string> TranslateLimit(const Query& query);
  Result<std::string> LimitCount(const Expression& expression, std::string_view clause);
  Result<std::string> Condition(const Expression& expression, const ExpressionContext& context);

  // FROM (translate_from.cc).
  Result<FromSql> TranslateFrom(const FromItem& item, const Scope* outer);
  Result<FromSql> TranslateItem(const FromItem& item, const TableItem& table, const Scope* outer);
  Result<FromSql> TranslateItem(const FromItem& item, const SubqueryItem& subquery,
                                const Scope* outer);
  Result<FromSql> TranslateItem(const FromItem& item, const UnnestItem& unnest, const Scope* outer);
  Result<FromSql> TranslateItem(const FromItem& item, const JoinItem& join, const Scope* outer);
  Result<FromSql> Unnest(const TypedSql& array, std::string_view alias, bool with_offset,
                         const std::optional<Identifier>& offset_alias);
  Result<FromSql> TableRelation(const TableItem& table, const std::string& alias,
                                Position position);
  Result<FromSql> InlineView(const ResolvedTable& view, const RelationRef& ref,
                             const std::string& alias, Position position);
  Result<FromSql> TranslateArrayPath(const FromItem& item, const TableItem& table,
                                     const Scope* outer);
  // What a comma or JOIN puts together: the left's names, then the right's.
  Result<Scope> JoinScopes(const Scope& left, const Scope& right, const Scope* outer,
                           Position position) const;
  Result<std::string> JoinUsing(const JoinItem& join, const Scope& left, const Scope& right,
                                Scope& joined);
  FromSql QueryRelation(const QuerySql& query, std::string_view alias, std::string_view duck_alias,
                        std::string sql);
  const CommonTableEntry* FindCommonTable(std::string_view name) const;
  Result<RelationRef> ResolvePath(const PathName& path) const;
  Result<ResolvedTable> Resolve(const RelationRef& ref, Position position) const;

  // Expressions (translate_expression.cc, translate_operator.cc, translate_name.cc,
  // translate_function.cc, translate_window.cc).
  Result<TypedSql> TranslateExpression(const Expression& expression,
                                       const ExpressionContext& context);
  Result<TypedSql> TranslateNode(const NullLiteral&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const BoolLiteral&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const NumberLiteral&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const StringLiteral&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const BytesLiteral&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const TypedLiteral&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const Parameter&, Position, const ExpressionContext&);
  // The declaration that the parameter has in the options; nullopt: none.
  std::optional<size_t> FindParameter(const Parameter& node) const;
  Result<TypedSql> TranslateNode(const IntervalLiteral&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const Name&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const FieldAccess&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const Subscript&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const Unary&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const Binary&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const Chain&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const Like&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const Between&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const In&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const Is&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const Case&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const Cast&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const Extract&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const ArrayLiteral&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const StructLiteral&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const SubqueryExpression&, Position, const ExpressionContext&);
  Result<TypedSql> TranslateNode(const FunctionCall&, Position, const ExpressionContext&);
  Result<TypedSql> Arithmetic(const Binary& node, TypedSql left, TypedSql right, Position position);
  Result<TypedSql> DateArithmetic(const Binary& node, const TypedSql& left, const TypedSql& right,
                                  Position position);
  Result<TypedSql> Compare(const Binary& node, TypedSql left, TypedSql right, Position position);
  Result<TypedSql> InSubquery(const In& node, TypedSql value, Position position,
                              const ExpressionContext& context);
  Result<TypedSql> ReadColumn(const ColumnMatch& match, const Scope* scope, std::string_view name,
                              Position position, const ExpressionContext& context);
  Result<TypedSql> WholeRow(const RangeVariable& variable);
  Result<TypedSql> MemberOf(const TypedSql& base, const Identifier& field);
  Result<std::vector<TypedSql>> TranslateAll(const std::vector<ExpressionPtr>& expressions,
                                             const ExpressionContext& context);
  // The values, each coerced to their common type.
  Result<Type> Unify(std::vector<TypedSql>& values, std::string_view what, Position position);
  Result<Type> ResolveType(const TypeSyntax& syntax) const;
  Result<std::vector<TypedSql>> TranslateArguments(const FunctionCall& call,
                                                   const ExpressionContext& context);
  Result<TypedSql> ApplySignature(const FunctionCall& call, const FunctionSignature& signature,
                                  std::vector<TypedSql> arguments, Position position,
                                  const ExpressionContext& context);
  Result<std::string> OverClause(const FunctionCall& call, const ExpressionContext& context);
  Status WindowLayers(const Window& window, const ExpressionContext& context,
                      std::vector<const Window*>& layers) const;
  Status CheckOrderable(const Type& type, std::string_view clause, Position position) const;
  static std::string OrderDirection(const OrderItem& item);
  Result<std::string> FrameSql(const WindowFrame& frame);
  Result<std::string> FrameBoundSql(const FrameBound& bound);
  Status CheckCall(const FunctionCall& call, const FunctionSignature& signature, Position position,
                   const ExpressionContext& context) const;

  Status CheckClauses(const FunctionCall& call, const FunctionSignature& signature,
                      Position position) const;

  std::string NewName(std::string_view wanted);
  std::string NewRelation(RelationRef ref);

  const TranslateOptions& options_;
  const TableResolver& resolver_;
  std::vector<Relation> relations_;
  std::vector<BoundParameter> parameters_;
  std::vector<CommonTableEntry> common_tables_;
  std::set<std::string> names_;  // lower case
  std::string default_project_;  // of the view that is being inlined; empty: the options'
  std::vector<RequiredFilter> filters_;
  std::vector<TableRef> views_;  // those being inlined, outermost first
  int aggregates_ = 0;           // called so far by the SELECT being translated
  bool checking_groups_ = false;
};

}  // namespace holdfast::googlesql
