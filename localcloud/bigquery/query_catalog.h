// What the names in a query stand for: tables, wildcards of tables, views and metadata views.
//
// One object serves one statement: it answers the translator's questions about schemas and then
// binds the relations that the translated SQL reads. Every dataset must be in the query's location.
// What was referenced is remembered for the job's statistics. One thread. Errors: reason "notFound"
// or "invalidQuery". Source: BigQuery "Wildcard tables", "Information schema".
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "localcloud/bigquery/query_parameters.h"
#include "localcloud/bigquery/service_context.h"
#include "localcloud/googlesql/plan.h"
#include "localcloud/googlesql/translate.h"
#include "localcloud/warehouse/query.h"

namespace holdfast::bigquery {

class QueryCatalog {
 public:
  // `context` must outlive this. `location`: where the query runs.
  QueryCatalog(const ServiceContext& context, std::string location)
      : context_(context), location_(std::move(location)) {}

  // The schema, pseudo-columns or view text of what `ref` names.
  Result<googlesql::ResolvedTable> Resolve(const googlesql::RelationRef& ref);

  // The relations under the names that the SQL has for them. `parameters`: the statement's.
  Result<std::vector<warehouse::Binding>> Bind(const std::vector<googlesql::Relation>& relations,
                                               const QueryParameters& parameters);

  // Makes `Bind` refuse to read more bytes than that: reason "bytesBilledLimitExceeded".
  void LimitBytes(std::optional<int64_t> bytes_max) { bytes_max_ = bytes_max; }

  // What was resolved so far, each member of a wildcard once it is bound; views too.
  const std::set<TableRef>& referenced() const { return referenced_; }
  int64_t bytes() const { return bytes_; }  // logical, of the tables bound

 private:
  Result<warehouse::TableRecord> Find(const googlesql::RelationRef& ref);
  Result<std::vector<warehouse::TableRecord>> FindWildcard(const TableRef& pattern);
  Result<googlesql::ResolvedTable> ResolveWildcard(const TableRef& pattern);
  Status BindTable(const googlesql::Relation& relation, std::vector<warehouse::Binding>& bindings);
  Status BindWildcard(const googlesql::Relation& relation,
                      std::vector<warehouse::Binding>& bindings);

  const ServiceContext& context_;
  std::string location_;
  std::set<TableRef> referenced_;
  int64_t bytes_ = 0;
  std::optional<int64_t> bytes_max_;
};

}  // namespace holdfast::bigquery
