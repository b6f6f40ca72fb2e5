#include "backup/projects_stage.h"

#include <deque>
#include <set>

namespace holdfast::backup {

namespace {

constexpr size_t kFoldersMax = 10'000;

// Calls `visit` for every project below the organization; folders are walked breadth first.
Status ForEachProject(const Services& services,
                      const std::function<Status(cloud::ProjectInfo&&)>& visit) {
  cloud::Projects& projects = services.projects;
  if (services.organization.empty()) {
    return cloud::ForEachPage<cloud::ProjectInfo>(
        [&](const std::string& token) { return projects.SearchProjects(token); }, visit);
  }
  std::deque<std::string> parents = {services.organization};
  std::set<std::string> seen = {services.organization};
  while (!parents.empty()) {
    const std::string parent = std::move(parents.front());
    parents.pop_front();
    HF_RETURN_IF_ERROR(cloud::ForEachPage<cloud::ProjectInfo>(
        [&](const std::string& token) { return projects.ListProjects(parent, token); }, visit));
    HF_RETURN_IF_ERROR(cloud::ForEachPage<cloud::FolderInfo>(
        [&](const std::string& token) { return projects.ListFolders(parent, token); },
        [&](cloud::FolderInfo&& folder) -> Status {
          if (seen.size() >= kFoldersMax) {
            return MakeError(ErrorId::kLimitExceeded, "the organization has too many folders");
          }
          if (seen.insert(folder.name).second) parents.push_back(folder.name);
          return Ok();
        }));
  }
  return Ok();
}

}  // namespace

Result<StageResult> ListProjects(const StartBackupProcess& message, const StageContext& context,
                                 const Services& services) {
  StageResult result;
  std::set<std::string> seen;
  HF_RETURN_IF_ERROR(ForEachProject(services, [&](cloud::ProjectInfo&& project) -> Status {
    if (project.active && context.run.policy.scope.MayCoverProject(project.id) &&
        seen.insert(project.id).second) {
      result.follow_ups.emplace_back(
          CheckProjectTables{.run = message.run, .project_to_check = project.id});
    }
    return context.keep_alive();
  }));
  if (result.follow_ups.empty()) {
    return MakeError(ErrorId::kNoProjects,
                     services.organization.empty()
                         ? "no project is visible and in scope"
                         : "no project of " + services.organization + " is visible and in scope");
  }
  return result;
}

}  // namespace holdfast::backup
