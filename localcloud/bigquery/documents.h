// Routines, IAM policies and row access policies: documents that are kept and shown, not acted on.
//
// They live in the warehouse's SQLite catalog. A table's documents go when its dataset or it is
// recreated under the same name only through their own delete; policies do not restrict anyone
// here. Thread-safe. Source: BigQuery REST `routines`, `tables.getIamPolicy`, `rowAccessPolicies`.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "localcloud/bigquery/request.h"
#include "localcloud/bigquery/service_context.h"

namespace holdfast::bigquery {

// As whom every caller counts in the grantees of row access policies.
inline constexpr std::string_view kCaller = "serviceAccount:localcloud@localhost";

class Documents {
 public:
  // `context` must outlive this.
  explicit Documents(const ServiceContext& context) : context_(context) {}

  // Creates the table that keeps them when it is absent. Call once, before the rest.
  Status Open();

  // The body is kept as given but for reference, times and etag. Errors of these five: reason
  // "notFound" (dataset or routine), "duplicate" (insert), "required".
  Result<Json> InsertRoutine(const Request& request);
  Result<Json> GetRoutine(const Request& request);
  Result<Json> UpdateRoutine(const Request& request);
  Result<Json> ListRoutines(const Request& request);
  Result<Json> DeleteRoutine(const Request& request);

  // Row access policies of a table. The grantees of one are shown by its IAM policy alone, as
  // BigQuery does. Who calls is not known here: everybody is kCaller, and is granted what names
  // that or everybody. Errors: reason "notFound" (table or policy), "duplicate" (insert),
  // "required".
  Result<Json> InsertRowPolicy(const Request& request);
  Result<Json> ListRowPolicies(const Request& request);
  Result<Json> GetRowPolicy(const Request& request);
  Result<Json> DeleteRowPolicy(const Request& request);
  Result<Json> GetRowPolicyIam(const Request& request);
  Result<Json> TestRowPolicyIam(const Request& request);

  // The three custom methods of a table's policy; {tableId} is without the verb. Errors:
  // reason "notFound"; "conditionNotMet" for a policy with another etag. Every permission is
  // granted.
  Result<Json> GetIamPolicy(const Request& request);
  Result<Json> SetIamPolicy(const Request& request);
  Result<Json> TestIamPermissions(const Request& request);

 private:
  Result<std::optional<Json>> Read(const std::string& kind, const std::string& parent,
                                   const std::string& name);
  // One page of the documents of a parent, in order of name, under `key` in the answer.
  Result<Json> List(const Request& request, const std::string& kind, const std::string& parent,
                    const std::string& key, const std::function<Json(Json document)>& shown);
  Result<Json> ReadRowPolicy(const Request& request);
  Status Write(const std::string& kind, const std::string& parent, const std::string& name,
               const Json& document);

  const ServiceContext& context_;
};

}  // namespace holdfast::bigquery
