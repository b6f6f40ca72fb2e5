// The REST methods of tables: insert, get, list, patch, update, delete.
//
// Tables, views, and the definitions of external tables and materialized views, which are kept but
// hold no rows here. A schema may only gain fields or be relaxed; partitioning cannot change but
// for its expiration. Errors: reason "notFound", "duplicate", "invalid", "required";
// "conditionNotMet" for an If-Match that is of another version. Thread-safe. Source: BigQuery REST
// `tables`; "Modifying table schemas".
#pragma once

#include "localcloud/bigquery/request.h"
#include "localcloud/bigquery/resources.h"
#include "localcloud/bigquery/service_context.h"

namespace holdfast::bigquery {

// The result's schema of a view's GoogleSQL; errors are the query's.
using ViewSchemaReader =
    std::function<Result<Schema>(const std::string& project, const std::string& sql)>;

class Tables {
 public:
  // `context` must outlive this.
  Tables(const ServiceContext& context, ViewSchemaReader view_schema)
      : context_(context), view_schema_(std::move(view_schema)) {}

  // The dataset must exist. A view gets the schema of its query.
  Result<Json> Insert(const Request& request);

  // Of a table, a partition (its own counts), `table@ms`, or the partitions summary.
  Result<Json> Get(const Request& request);

  // Tables of every kind, by name; totalItems only when one page is the whole listing.
  Result<Json> List(const Request& request);

  Result<Json> Patch(const Request& request);   // RFC 7396; null clears a member
  Result<Json> Update(const Request& request);  // replaces the document

  // A table, which stays readable through @ms; or the rows of one `$partition`. Not idempotent:
  // what is gone is "notFound".
  Result<Json> Delete(const Request& request);

 private:
  Result<Json> GetAsOf(const Request& request, const DecoratedTable& asked, TableView view);
  Result<Json> Edit(const Request& request, bool keep_others);
  Result<Schema> SchemaOfResource(const std::string& project, const Json& resource);

  const ServiceContext& context_;
  ViewSchemaReader view_schema_;
};

}  // namespace holdfast::bigquery
