// What the policy document says of one table after another, outside a run.
//
// Reads projects and datasets as a scan does, once for the tables of each that are asked for in a
// row. One thread at a time.
#pragma once

#include <memory>
#include <optional>

#include "backup/table_policy.h"
#include "base/result.h"
#include "cli/environment.h"
#include "model/effective_policy.h"
#include "model/policy_document.h"
#include "model/retention.h"

namespace holdfast::cli {

class TablePolicies {
 public:
  // Borrows the environment; copies the document.
  TablePolicies(Environment& environment, const PolicyDocument& document);

  // All that holds for the table. Errors: kProjectNotFound, and those of the warehouse and of the
  // policy bucket.
  Result<EffectivePolicy> Of(const TableRef& table);

  // How long its backups are kept; nullopt: the document does not say. Of a table that is gone its
  // labels count, and its dataset's, as its newest backup has them. Errors besides: those of
  // reading that backup; kTableNotFound when there is none.
  Result<std::optional<RetentionPolicy>> RetentionOf(const TableRef& table);

 private:
  Result<std::optional<RetentionPolicy>> RetentionIn(const TableRef& table,
                                                     const EffectivePolicy& policy);
  Result<std::optional<RetentionPolicy>> RetentionOfGone(const TableRef& table);
  Status EnterProject(const std::string& project);
  Status EnterDataset(const DatasetRef& dataset);

  Environment& environment_;
  backup::Services services_;
  backup::StageContext context_;
  std::unique_ptr<CheckProjectTables> project_;  // outlives policies_
  std::optional<backup::ProjectPolicies> policies_;
  DatasetRef dataset_;  // that was entered; empty: none
};

}  // namespace holdfast::cli
