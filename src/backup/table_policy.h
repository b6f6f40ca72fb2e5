// What the run's policy document says of the objects of one project, as a scan meets them.
//
// Labels and owners' files are read in bulk: one listing per dataset, and only where the document
// asks for them; of the labels those that it can use are kept. Without a document every table has
// the run's own policy. Used by one thread. Source: model/effective_policy.h.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "backup/services.h"
#include "model/effective_policy.h"
#include "model/work_message.h"

namespace holdfast::backup {

// What holds for one table.
struct TablePolicy {
  BackupPolicy policy;
  Json patch = Json::object();  // in what it differs from the run's (RunBackup::policy)
  std::string note;             // what its owner asked for and was refused
  std::string data_class;       // as RunBackup's, and the RPO too
  int64_t rpo_seconds = 0;
  std::optional<ItemOutcome> settled;  // it is excluded or not due: nothing else is to be done
};

// Tables from one name to another, both included, by bytes. Both empty: none.
struct NameRange {
  std::string first;
  std::string last;

  bool Contains(std::string_view name) const { return first <= name && name <= last; }
};

class ProjectPolicies {
 public:
  // Borrows both.
  ProjectPolicies(const CheckProjectTables& message, const StageContext& context,
                  const Services& services);

  // The outcome of the project as a whole, when nothing in it is backed up.
  std::optional<ItemOutcome> ExcludedProject() const;

  // As above, of a dataset.
  std::optional<ItemOutcome> ExcludedDataset(const DatasetInfo& dataset) const;

  // Reads what is needed for those of the dataset's tables that are asked for next: the ones in
  // `tables`, or all of them, and what is no table in any case. Errors: of the warehouse and of a
  // policy bucket, those that another attempt may mend; what else is wrong with a policy bucket
  // goes into every note.
  Status EnterDataset(const DatasetInfo& dataset,
                      const std::optional<NameRange>& tables = std::nullopt);

  // Says what labels a table of the dataset had that is gone: no listing tells any more.
  void RememberLabels(const TableRef& table, Labels labels);

  // All that the document says of a table of the dataset that was entered; the run has one.
  // Errors: as above.
  Result<EffectivePolicy> EffectiveOf(const TableRef& table);

  // What the scan needs of that, whether there is a document or not. Errors: as above.
  Result<TablePolicy> Of(const TableRef& table);

 private:
  Status ReadLabels(const DatasetRef& dataset, const std::optional<NameRange>& tables);
  Status ListOwnerFiles(const DatasetRef& dataset, const std::optional<NameRange>& tables);
  Result<std::optional<OwnerFile>> ReadOwnerFile(const TableRef& table);
  bool UsesLabel(std::string_view key) const;
  std::string OwnerObject(const DatasetRef& dataset) const;
  bool IsDue(const EffectivePolicy& policy) const;

  const StageContext& context_;
  const Services& services_;
  std::string project_;
  std::optional<PolicyResolver> resolver_;  // nullopt: the run has no document
  std::set<std::string, std::less<>> selected_labels_;
  Labels dataset_labels_;
  std::map<std::string, Labels> table_labels_;  // of the dataset's tables, by table
  std::set<std::string> owner_files_;           // names of objects
  std::string owner_note_;                      // why owners' files could not be read
};

}  // namespace holdfast::backup
