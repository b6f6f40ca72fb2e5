// Which method's backups a table is restored from, where its policy has several.
//
// Backups of two methods are two views of the same rows: a restore takes one of them whole. It is
// the method of the newest run that has a good backup of the table; of the same run an export, then
// a copy, then a snapshot, since what lies outside of the warehouse survives more. An object that
// this method has no backup of is taken from another one that divides the table alike. Of a table
// without any good backup the newest decide. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/backup_index.h"
#include "model/run.h"

namespace holdfast::restore {

class MethodChoice {
 public:
  // Of records, the newest of each object and method of whole tables. `newest_good`: likewise, the
  // newest that are good, where that matters (`NeedsNewestGood`). With `partition`, by what there
  // is of that one.
  explicit MethodChoice(const std::vector<catalog::BackupRecord>& newest,
                        const std::vector<catalog::BackupRecord>& newest_good = {},
                        const std::string& partition = {});

  // Whether `newest` alone does not tell which method has the newest good backup: it has several of
  // one table, and one that is not good hides what was before it.
  static bool NeedsNewestGood(const std::vector<catalog::BackupRecord>& newest);

  // Whether a record may be taken.
  bool Takes(const catalog::BackupRecord& record) const;

  // What an outcome says of the method chosen; nullopt: nothing.
  std::optional<ItemOutcome> PartOf(ItemOutcome item) const;

 private:
  struct Chosen {
    Method method = Method::kExport;
    bool is_whole = false;  // the backup that decided is of the whole table
  };
  std::map<TableRef, Chosen> chosen_;     // of each table
  std::map<TableRef, Method> by_object_;  // which record of an object of such a table is taken
};

}  // namespace holdfast::restore
