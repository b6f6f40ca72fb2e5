// GoogleSQL (BigQuery standard SQL) to DuckDB's SQL: one statement in, a plan out.
//
// Names and types are resolved against the schemas that the resolver gives, so that DuckDB is asked
// only what BigQuery would mean: orders of NULLs, integer division, coercions. What is not
// understood is an error that names the construct and its place, never a guess. No text of the user
// reaches the SQL but through quoting. Pure but for the resolver; safe from any thread. Source:
// DESIGN §6, cloud.google.com/bigquery/docs/reference/standard-sql.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "localcloud/googlesql/plan.h"
#include "localcloud/googlesql/type.h"
#include "model/schema.h"

namespace holdfast::googlesql {

// A query parameter's declaration; its value is bound later.
struct ParameterType {
  std::string name;  // empty: positional
  Type type;
};

// What the text alone does not say.
struct TranslateOptions {
  std::string project;  // for names without one
  std::string dataset;  // for bare table names; empty: they are an error
  int64_t now_us = 0;   // CURRENT_TIMESTAMP(): microseconds since 1970
  std::vector<ParameterType> parameters;
  bool checks_filters = true;  // false: of a view, whose readers bring the filter
};

// A table as a query sees it.
struct ResolvedTable {
  Schema schema;
  std::vector<Field> pseudo_columns;  // can be named but are not in `*`
  // Columns of which a WHERE or ON clause must name one (requirePartitionFilter); empty: none must.
  std::vector<std::string> filter_columns;
  std::optional<std::string> view_sql;  // a view: GoogleSQL, inlined with the view's project
};

// Finds what a FROM item or a statement's target names. Called once or more per name. An error of
// the resolver becomes the translation's, as it is.
using TableResolver = std::function<Result<ResolvedTable>(const RelationRef& ref)>;

// Errors: kInvalidQuery (with the place), kUnsupportedQuery, and the resolver's.
Result<Plan> TranslateStatement(std::string_view sql, const TranslateOptions& options,
                                const TableResolver& resolver);

// DuckDB's SQL of the DEFAULT of `field`, which has one (`defaultValueExpression`), as a value of
// the field's type. Errors: kInvalidQuery and kUnsupportedQuery, for names of columns and tables,
// too.
Result<std::string> TranslateDefault(const Field& field, const TranslateOptions& options);

// The type of a query parameter from the API's `parameterType` object. Errors: kInvalidQuery.
Result<Type> ParseParameterType(const Json& parameter_type);

}  // namespace holdfast::googlesql
