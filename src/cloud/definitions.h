// What a warehouse holds beside tables and their rows: routines, and who may read which rows.
//
// Implemented by gcp/ (BigQuery's REST API) and sim/ (in memory). One contract suite runs over
// every implementation (tests/contract/definitions_contract.h). All methods are thread-safe and
// block. Errors as in warehouse.h: kTableNotFound / kDatasetNotFound when the thing is absent,
// kAccessDenied when it may not be seen, never an empty answer. Reads are retried by the
// implementation, writes only where the service said that nothing happened.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cloud/page.h"
#include "model/resource_names.h"

namespace holdfast::cloud {

// A function, procedure or table function of a dataset.
struct RoutineInfo {
  DatasetRef dataset;
  std::string routine;  // its id
  int64_t creation_ms = 0;
  int64_t last_modified_ms = 0;
  Json resource = Json::object();  // of a listing it may be partial

  // From routines.get. Errors: kInvalidJson naming the member.
  static Result<RoutineInfo> FromJson(const Json& resource);
};

// One row access policy: rows that the filter is true of are seen by its grantees. Who is granted
// several sees the rows of all; who is granted none sees no row of a table that has any policy.
struct RowAccessPolicy {
  std::string id;
  std::string filter;                 // GoogleSQL
  std::vector<std::string> grantees;  // "user:...", "group:...", "domain:...", sorted

  bool operator==(const RowAccessPolicy&) const = default;

  // As a manifest keeps it. Errors: kInvalidJson naming the member.
  static Result<RowAccessPolicy> FromJson(const Json& json);
  Json ToJson() const;
};

class Definitions {
 public:
  virtual ~Definitions() = default;

  // Routines of a dataset, in order of id.
  virtual Result<Page<RoutineInfo>> ListRoutines(const DatasetRef& dataset,
                                                 const std::string& page_token) = 0;

  // One routine whole. kRoutineNotFound.
  virtual Result<RoutineInfo> GetRoutine(const DatasetRef& dataset, const std::string& routine) = 0;

  // Creates a routine from its resource document; server-owned members in it are ignored. An
  // existing one is kRoutineExists.
  virtual Result<RoutineInfo> CreateRoutine(const DatasetRef& dataset, const std::string& routine,
                                            const Json& resource) = 0;

  // All row access policies of a table, in order of id; of a table without any, none.
  virtual Result<std::vector<RowAccessPolicy>> ListRowAccessPolicies(const TableRef& table) = 0;

  // Whether the caller is one of the policy's grantees, by whatever way.
  virtual Result<bool> IsGranted(const TableRef& table, const std::string& policy) = 0;

  // Adds one; a policy of that id that is there is kTableExists.
  virtual Status CreateRowAccessPolicy(const TableRef& table, const RowAccessPolicy& policy) = 0;

  // Who may do what with one table, beside what its dataset and project allow: {"bindings": [...]}
  // without version and etag; an empty object when nothing is set.
  virtual Result<Json> GetIamPolicy(const TableRef& table) = 0;

  // Replaces it. Idempotent, retried.
  virtual Status SetIamPolicy(const TableRef& table, const Json& policy) = 0;
};

}  // namespace holdfast::cloud
