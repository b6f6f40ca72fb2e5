// An organization's folders and projects in memory. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "cloud/projects.h"
#include "sim/fault_plan.h"

namespace holdfast::sim {

class SimProjects final : public cloud::Projects {
 public:
  // Borrows the plan.
  SimProjects(FaultPlan& faults, size_t page_size) : faults_(faults), page_size_(page_size) {}

  Result<cloud::Page<cloud::ProjectInfo>> ListProjects(const std::string& parent,
                                                       const std::string& page_token) override;
  Result<cloud::Page<cloud::FolderInfo>> ListFolders(const std::string& parent,
                                                     const std::string& page_token) override;
  Result<cloud::Page<cloud::ProjectInfo>> SearchProjects(const std::string& page_token) override;
  Result<cloud::ProjectInfo> GetProject(const std::string& id) override;

  // Added once: one that is there stays where it is.
  void AddProject(const std::string& id, const std::string& parent);
  void AddFolder(const std::string& name, const std::string& parent);

  // Whether it was added; faults and denials do not count.
  bool HasProject(const std::string& id) const;

 private:
  FaultPlan& faults_;
  const size_t page_size_;
  mutable std::mutex mutex_;
  std::map<std::string, cloud::ProjectInfo> projects_;
  std::map<std::string, cloud::FolderInfo> folders_;
};

}  // namespace holdfast::sim
