#include "sim/sim_projects.h"

#include <fmt/format.h>

#include "sim/paging.h"

namespace holdfast::sim {

namespace {

template <typename T>
std::map<std::string, T> Below(const std::map<std::string, T>& all, const std::string& parent) {
  std::map<std::string, T> below;
  for (const auto& [key, item] : all) {
    if (item.parent == parent) below.emplace(key, item);
  }
  return below;
}

}  // namespace

Result<cloud::Page<cloud::ProjectInfo>> SimProjects::ListProjects(const std::string& parent,
                                                                  const std::string& page_token) {
  HF_RETURN_IF_ERROR(faults_.Before(parent));
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(faults_.After());
  return PageOf(Below(projects_, parent), page_token, page_size_);
}

Result<cloud::Page<cloud::FolderInfo>> SimProjects::ListFolders(const std::string& parent,
                                                                const std::string& page_token) {
  HF_RETURN_IF_ERROR(faults_.Before(parent));
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(faults_.After());
  return PageOf(Below(folders_, parent), page_token, page_size_);
}

Result<cloud::Page<cloud::ProjectInfo>> SimProjects::SearchProjects(const std::string& page_token) {
  HF_RETURN_IF_ERROR(faults_.Before("projects"));
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(faults_.After());
  return PageOf(projects_, page_token, page_size_);
}

Result<cloud::ProjectInfo> SimProjects::GetProject(const std::string& id) {
  HF_RETURN_IF_ERROR(faults_.Before(id));
  const std::lock_guard lock(mutex_);
  HF_RETURN_IF_ERROR(faults_.After());
  const auto found = projects_.find(id);
  if (found != projects_.end()) return found->second;
  return MakeError(ErrorId::kProjectNotFound, fmt::format("project {} is not there", id));
}

void SimProjects::AddProject(const std::string& id, const std::string& parent) {
  const std::lock_guard lock(mutex_);
  const std::string number = std::to_string(100'000 + projects_.size());
  projects_.try_emplace(
      id, cloud::ProjectInfo{
              .id = id, .number = number, .parent = parent, .display_name = id, .active = true});
}

void SimProjects::AddFolder(const std::string& name, const std::string& parent) {
  const std::lock_guard lock(mutex_);
  folders_.try_emplace(name,
                       cloud::FolderInfo{.name = name, .parent = parent, .display_name = name});
}

bool SimProjects::HasProject(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return projects_.contains(id);
}

}  // namespace holdfast::sim
