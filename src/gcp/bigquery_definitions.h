// cloud::Definitions over BigQuery's REST API v2.
//
// A row access policy's grantees are not part of its resource: they are read from its IAM policy,
// one call each. What is assumed of the service: docs/reference/assumptions.md.
#pragma once

#include "cloud/definitions.h"
#include "gcp/rest_client.h"

namespace holdfast::gcp {

class BigQueryDefinitions final : public cloud::Definitions {
 public:
  // `endpoint`: "https://bigquery.googleapis.com" or an emulator's.
  BigQueryDefinitions(std::string endpoint, RestEnvironment environment);

  Result<cloud::Page<cloud::RoutineInfo>> ListRoutines(const DatasetRef& dataset,
                                                       const std::string& page_token) override;
  Result<cloud::RoutineInfo> GetRoutine(const DatasetRef& dataset,
                                        const std::string& routine) override;
  Result<cloud::RoutineInfo> CreateRoutine(const DatasetRef& dataset, const std::string& routine,
                                           const Json& resource) override;
  Result<std::vector<cloud::RowAccessPolicy>> ListRowAccessPolicies(const TableRef& table) override;
  Result<bool> IsGranted(const TableRef& table, const std::string& policy) override;
  Status CreateRowAccessPolicy(const TableRef& table,
                               const cloud::RowAccessPolicy& policy) override;
  Result<Json> GetIamPolicy(const TableRef& table) override;
  Status SetIamPolicy(const TableRef& table, const Json& policy) override;

 private:
  Result<std::vector<std::string>> GranteesOf(const TableRef& table, const std::string& policy);

  RestClient client_;
};

}  // namespace holdfast::gcp
