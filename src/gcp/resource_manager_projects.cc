#include "gcp/resource_manager_projects.h"

#include "gcp/list_items.h"

namespace holdfast::gcp {

namespace {

constexpr ErrorNames kProjectErrors = {.not_found = ErrorId::kProjectNotFound};

Result<cloud::ProjectInfo> ProjectFromJson(const Json& json) {
  cloud::ProjectInfo project;
  HF_ASSIGN_OR_RETURN(project.id, RequiredString(json, "projectId"));
  const std::string name = StringOr(json, "name", "");  // "projects/415104041262"
  project.number = name.substr(name.rfind('/') + 1);
  project.parent = StringOr(json, "parent", "");
  project.display_name = StringOr(json, "displayName", project.id);
  project.active = StringOr(json, "state", "ACTIVE") == "ACTIVE";
  if (const Json* labels = FindField(json, "labels"); labels != nullptr && labels->is_object()) {
    for (const auto& [key, value] : labels->items()) {
      if (value.is_string()) project.labels[key] = value.get<std::string>();
    }
  }
  return project;
}

Result<cloud::FolderInfo> FolderFromJson(const Json& json) {
  cloud::FolderInfo folder;
  HF_ASSIGN_OR_RETURN(folder.name, RequiredString(json, "name"));
  folder.parent = StringOr(json, "parent", "");
  folder.display_name = StringOr(json, "displayName", "");
  return folder;
}

// One page of the list field `key`, each item read by `read`.
template <typename T>
Result<cloud::Page<T>> ReadPage(const Json& json, std::string_view key,
                                Result<T> (*read)(const Json&)) {
  cloud::Page<T> page;
  page.next_page_token = StringOr(json, "nextPageToken", "");
  HF_ASSIGN_OR_RETURN(const std::span<const Json> items, ListItems(json, key));
  for (const Json& item : items) {
    HF_ASSIGN_OR_RETURN(T value, read(item));
    page.items.push_back(std::move(value));
  }
  return page;
}

RestCall ListCall(std::string path, const std::string& parent, const std::string& page_token,
                  std::string what) {
  RestCall call{.path = std::move(path), .what = std::move(what), .names = kProjectErrors};
  if (!parent.empty()) call.query.Add("parent", parent);
  call.query.Add("pageSize", "500");
  if (!page_token.empty()) call.query.Add("pageToken", page_token);
  return call;
}

}  // namespace

ResourceManagerProjects::ResourceManagerProjects(std::string endpoint, RestEnvironment environment)
    : client_(std::move(endpoint), std::move(environment)) {}

Result<cloud::Page<cloud::ProjectInfo>> ResourceManagerProjects::ListProjects(
    const std::string& parent, const std::string& page_token) {
  HF_ASSIGN_OR_RETURN(const Json json, client_.Call(ListCall("/v3/projects", parent, page_token,
                                                             "projects of " + parent)));
  return ReadPage<cloud::ProjectInfo>(json, "projects", ProjectFromJson);
}

Result<cloud::Page<cloud::FolderInfo>> ResourceManagerProjects::ListFolders(
    const std::string& parent, const std::string& page_token) {
  HF_ASSIGN_OR_RETURN(const Json json, client_.Call(ListCall("/v3/folders", parent, page_token,
                                                             "folders of " + parent)));
  return ReadPage<cloud::FolderInfo>(json, "folders", FolderFromJson);
}

Result<cloud::Page<cloud::ProjectInfo>> ResourceManagerProjects::SearchProjects(
    const std::string& page_token) {
  HF_ASSIGN_OR_RETURN(const Json json,
                      client_.Call(ListCall("/v3/projects:search", "", page_token, "projects")));
  return ReadPage<cloud::ProjectInfo>(json, "projects", ProjectFromJson);
}

Result<cloud::ProjectInfo> ResourceManagerProjects::GetProject(const std::string& id) {
  HF_ASSIGN_OR_RETURN(const Json json,
                      client_.Call({.path = "/v3/projects/" + net::PercentEncode(id),
                                    .what = "project " + id,
                                    .names = kProjectErrors}));
  return ProjectFromJson(json);
}

}  // namespace holdfast::gcp
