// The name of a project, dataset, table or partition, as people type it on the command line.
#pragma once

#include <string>

#include "base/result.h"
#include "catalog/backup_index.h"
#include "model/resource_names.h"

namespace holdfast::cli {

// "project", "project.dataset", "project.dataset.table" or with "$partition", the first dot also as
// a colon; members that are not named stay empty. kInvalidName.
Result<TableRef> ParseSelector(const std::string& text);

// A scope's pattern ("project", "project.dataset" or "project.dataset.table", each part a glob) in
// the dot form; the colon before the dataset is accepted, as in names. kInvalidName.
Result<std::string> ScopePattern(const std::string& text);

// The filter that matches what a selector names.
catalog::BackupFilter FilterOf(const TableRef& selector);

// The error of a command for which nothing that `name` means has a backup: kBackupNotFound.
Error NoBackupsOf(const std::string& name);

// A backup in words or for machines.
Json BackupJson(const catalog::BackupRecord& record);

}  // namespace holdfast::cli
