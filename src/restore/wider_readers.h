// Who may read the tables of a dataset and could not read those of another one: by access lists.
//
// What is restored into a dataset that is there gets that dataset's readers. Only the lists of the
// datasets are compared: what a project, a folder or the organization grants besides cannot be seen
// here, and the owners of a project read all of it in any case. Pure. Source: google-semantics A3;
// issue "never readable by more people than the source was".
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace holdfast::restore {

// In words, each reader of the target dataset whom the list of the source dataset does not cover:
// "user:eve@example.org", "projectReaders of acme-restore", "view:acme.reports.all". Both are
// documents of datasets.get; one without an access list lets in nobody.
std::vector<std::string> WiderReaders(const Json& source_dataset, const std::string& source_project,
                                      const Json& target_dataset,
                                      const std::string& target_project);

}  // namespace holdfast::restore
