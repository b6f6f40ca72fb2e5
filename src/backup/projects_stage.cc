#include "backup/projects_stage.h"

#include <algorithm>
#include <deque>
#include <set>

namespace holdfast::backup {

namespace {

constexpr size_t kFoldersMax = 10'000;

using VisitProject =
    std::function<Status(cloud::ProjectInfo&&, const std::vector<std::string>& folders)>;

// Calls `visit` for every project below the organization, with the folders that it is in; folders
// are walked breadth first.
Status ForEachProject(const Services& services, const VisitProject& visit) {
  cloud::Projects& projects = services.projects;
  if (services.organization.empty()) {
    return cloud::ForEachPage<cloud::ProjectInfo>(
        [&](const std::string& token) { return projects.SearchProjects(token); },
        [&](cloud::ProjectInfo&& project) { return visit(std::move(project), {}); });
  }
  std::deque<std::vector<std::string>> paths = {{services.organization}};  // the nearest first
  std::set<std::string> seen = {services.organization};
  while (!paths.empty()) {
    const std::vector<std::string> path = std::move(paths.front());
    paths.pop_front();
    const std::string& parent = path.front();
    const std::vector<std::string> folders(path.begin(), path.end() - 1);
    HF_RETURN_IF_ERROR(cloud::ForEachPage<cloud::ProjectInfo>(
        [&](const std::string& token) { return projects.ListProjects(parent, token); },
        [&](cloud::ProjectInfo&& project) { return visit(std::move(project), folders); }));
    HF_RETURN_IF_ERROR(cloud::ForEachPage<cloud::FolderInfo>(
        [&](const std::string& token) { return projects.ListFolders(parent, token); },
        [&](cloud::FolderInfo&& folder) -> Status {
          if (seen.size() >= kFoldersMax) {
            return MakeError(ErrorId::kLimitExceeded, "the organization has too many folders");
          }
          if (seen.insert(folder.name).second) {
            std::vector<std::string> below = {folder.name};
            below.insert(below.end(), path.begin(), path.end());
            paths.push_back(std::move(below));
          }
          return Ok();
        }));
  }
  return Ok();
}

bool HasFolders(const PolicyDocument& document) {
  return std::ranges::any_of(
      document.rules, [](const PolicyRule& rule) { return rule.level == PolicyLevel::kFolders; });
}

}  // namespace

Result<StageResult> ListProjects(const StartBackupProcess& message, const StageContext& context,
                                 const Services& services) {
  if (services.organization.empty() && context.run.document && HasFolders(*context.run.document)) {
    return MakeError(ErrorId::kInvalidPolicy,
                     "the policy speaks of folders, and no organization is set: in which folders a "
                     "project is cannot be known");
  }
  StageResult result;
  std::set<std::string> seen;
  const auto visit = [&](cloud::ProjectInfo&& project,
                         const std::vector<std::string>& folders) -> Status {
    const Scope& scope = context.run.policy.scope;
    if (!project.active || !seen.insert(project.id).second) return context.keep_alive();
    if (auto left_out = LeftOutOutcome(scope, {.project = project.id})) {
      result.outcomes.push_back(*std::move(left_out));
    } else if (scope.MayCoverProject(project.id)) {
      CheckProjectTables check;
      check.run = message.run;
      check.project_to_check = project.id;
      check.folders = folders;
      check.labels = std::move(project.labels);
      result.follow_ups.emplace_back(std::move(check));
    }
    return context.keep_alive();
  };
  HF_RETURN_IF_ERROR(ForEachProject(services, visit));
  if (result.follow_ups.empty()) {
    return MakeError(ErrorId::kNoProjects,
                     services.organization.empty()
                         ? "no project is visible and in scope"
                         : "no project of " + services.organization + " is visible and in scope");
  }
  return result;
}

}  // namespace holdfast::backup
