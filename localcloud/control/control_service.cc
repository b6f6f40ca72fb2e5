#include "localcloud/control/control_service.h"

#include <fmt/format.h>

#include <sstream>
#include <utility>

#include "localcloud/rest/api_error.h"
#include "localcloud/rest/page_token.h"

namespace holdfast::control {
namespace {

constexpr size_t kBodyBytesMax = size_t{1} << 20U;
constexpr rest::PageSizes kPageSizes = {.usual = 100, .maximum = 1000};

Json ToJson(const Organization& organization) {
  return {{"name", organization.name},
          {"displayName", organization.display_name},
          {"state", "ACTIVE"},
          {"createTime", FormatTimestamp(organization.created)},
          {"updateTime", FormatTimestamp(organization.updated)}};
}

Json ToJson(const Folder& folder) {
  return {{"name", folder.name},
          {"parent", folder.parent},
          {"displayName", folder.display_name},
          {"state", "ACTIVE"},
          {"createTime", FormatTimestamp(folder.created)},
          {"updateTime", FormatTimestamp(folder.updated)}};
}

Json ToJson(const Project& project) {
  Json json = {{"name", "projects/" + project.number},
               {"projectId", project.id},
               {"displayName", project.display_name},
               {"state", project.state == LifecycleState::kActive ? "ACTIVE" : "DELETE_REQUESTED"},
               {"createTime", FormatTimestamp(project.created)},
               {"updateTime", FormatTimestamp(project.updated)}};
  if (!project.parent.empty()) json["parent"] = project.parent;
  if (!project.labels.empty()) json["labels"] = project.labels;
  if (project.delete_requested) json["deleteTime"] = FormatTimestamp(*project.delete_requested);
  return json;
}

// An operation that is done when it is answered.
Json Done(Json response) { return {{"done", true}, {"response", std::move(response)}}; }

// What names a listing, so that its page tokens fit no other.
std::string ListingOf(const net::ServerRequest& request) {
  return request.path + "?" + request.query.Get("parent") + "&" + request.query.Get("query") + "&" +
         request.query.Get("showDeleted");
}

Result<PageRequest> ReadPage(const net::ServerRequest& request) {
  PageRequest page;
  HF_ASSIGN_OR_RETURN(const int64_t limit,
                      rest::ReadPageSize(request.query, "pageSize", kPageSizes));
  page.limit = static_cast<int>(limit);
  HF_ASSIGN_OR_RETURN(page.after,
                      rest::DecodePageToken(ListingOf(request), request.query.Get("pageToken")));
  return page;
}

template <typename T>
Json RenderPage(const net::ServerRequest& request, const char* field, const Page<T>& page) {
  Json json = Json::object();
  for (const T& item : page.items) json[field].push_back(ToJson(item));
  if (!page.next.empty()) {
    json["nextPageToken"] = rest::EncodePageToken(ListingOf(request), page.next);
  }
  return json;
}

// The terms of a search: "field:value" or "field=value", separated by blanks, with AND between
// them.
Result<std::map<std::string, std::string>> ParseQuery(const std::string& query) {
  std::map<std::string, std::string> terms;
  std::istringstream words(query);
  for (std::string word; words >> word;) {
    if (word == "AND") continue;
    const size_t separator = word.find_first_of(":=");
    if (separator == std::string::npos || separator == 0) {
      return Invalid("query term \"" + word + "\" is not of the form field:value");
    }
    std::string value = word.substr(separator + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    terms[word.substr(0, separator)] = value;
  }
  return terms;
}

Result<ProjectFilter> ReadProjectFilter(const std::string& query) {
  HF_ASSIGN_OR_RETURN(const auto terms, ParseQuery(query));
  ProjectFilter filter;
  for (const auto& [field, value] : terms) {
    if (field == "parent") {
      filter.parent = value;
    } else if (field == "id" || field == "projectId") {
      filter.id = value;
    } else if (field == "name" || field == "displayName") {
      filter.display_name = value;
    } else if (field.starts_with("labels.")) {
      filter.labels[field.substr(7)] = value;
    } else if (field == "state" && (value == "ACTIVE" || value == "DELETE_REQUESTED")) {
      filter.state = value == "ACTIVE" ? LifecycleState::kActive : LifecycleState::kDeleteRequested;
    } else {
      return Invalid(
          fmt::format("query field \"{}\" with value \"{}\" is not known", field, value));
    }
  }
  return filter;
}

Result<std::map<std::string, std::string>> ReadLabels(const Json& body) {
  std::map<std::string, std::string> labels;
  const Json* json = FindField(body, "labels");
  if (json == nullptr) return labels;
  if (!json->is_object()) return Invalid("labels must be an object");
  for (const auto& [key, value] : json->items()) {
    if (!value.is_string()) return Invalid("label " + key + " must be a string");
    labels[key] = value.get<std::string>();
  }
  return labels;
}

using Action = std::function<Result<Json>(ControlStore& store, net::ServerRequest& request,
                                          const rest::PathParameters& path)>;

Status RequireParent(const net::ServerRequest& request) {
  if (!request.query.Get("parent").empty()) return Ok();
  return Invalid("parameter parent is required");
}

Result<Json> ListFolders(ControlStore& store, net::ServerRequest& request,
                         const rest::PathParameters&) {
  HF_RETURN_IF_ERROR(RequireParent(request));
  HF_ASSIGN_OR_RETURN(const PageRequest page, ReadPage(request));
  HF_ASSIGN_OR_RETURN(const auto folders, store.ListFolders(request.query.Get("parent"), page));
  return RenderPage(request, "folders", folders);
}

Result<Json> SearchFolders(ControlStore& store, net::ServerRequest& request,
                           const rest::PathParameters&) {
  HF_ASSIGN_OR_RETURN(const PageRequest page, ReadPage(request));
  HF_ASSIGN_OR_RETURN(auto terms, ParseQuery(request.query.Get("query")));
  terms.erase("state");  // every folder is active
  const std::string parent = std::exchange(terms["parent"], "");
  const std::string display_name = std::exchange(terms["displayName"], "");
  for (const auto& [field, value] : terms) {
    if (!value.empty()) return Invalid("query field \"" + field + "\" is not known");
  }
  HF_ASSIGN_OR_RETURN(const auto folders, store.SearchFolders(parent, display_name, page));
  return RenderPage(request, "folders", folders);
}

Result<Json> CreateFolder(ControlStore& store, net::ServerRequest& request,
                          const rest::PathParameters&) {
  HF_ASSIGN_OR_RETURN(const Json body, rest::ReadJsonBody(request, kBodyBytesMax));
  HF_ASSIGN_OR_RETURN(const Folder folder, store.CreateFolder(StringOr(body, "parent", ""),
                                                              StringOr(body, "displayName", "")));
  return Done(ToJson(folder));
}

Result<Json> ListProjects(ControlStore& store, net::ServerRequest& request,
                          const rest::PathParameters&) {
  HF_RETURN_IF_ERROR(RequireParent(request));
  HF_ASSIGN_OR_RETURN(const PageRequest page, ReadPage(request));
  HF_ASSIGN_OR_RETURN(const auto projects,
                      store.ListProjects(request.query.Get("parent"),
                                         request.query.Get("showDeleted") == "true", page));
  return RenderPage(request, "projects", projects);
}

Result<Json> SearchProjects(ControlStore& store, net::ServerRequest& request,
                            const rest::PathParameters&) {
  HF_ASSIGN_OR_RETURN(const PageRequest page, ReadPage(request));
  HF_ASSIGN_OR_RETURN(const ProjectFilter filter, ReadProjectFilter(request.query.Get("query")));
  HF_ASSIGN_OR_RETURN(const auto projects, store.SearchProjects(filter, page));
  return RenderPage(request, "projects", projects);
}

Result<Json> CreateProject(ControlStore& store, net::ServerRequest& request,
                           const rest::PathParameters&) {
  HF_ASSIGN_OR_RETURN(const Json body, rest::ReadJsonBody(request, kBodyBytesMax));
  Project project{.id = StringOr(body, "projectId", ""),
                  .parent = StringOr(body, "parent", ""),
                  .display_name = StringOr(body, "displayName", "")};
  HF_ASSIGN_OR_RETURN(project.labels, ReadLabels(body));
  HF_ASSIGN_OR_RETURN(project, store.CreateProject(project));
  return Done(ToJson(project));
}

Result<Json> PatchProject(ControlStore& store, net::ServerRequest& request,
                          const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(const Json body, rest::ReadJsonBody(request, kBodyBytesMax));
  HF_ASSIGN_OR_RETURN(const Project before, store.GetProject(path.Get("project")));
  const std::string display_name = StringOr(body, "displayName", before.display_name);
  auto labels = before.labels;
  if (FindField(body, "labels") != nullptr) {
    HF_ASSIGN_OR_RETURN(labels, ReadLabels(body));
  }
  HF_ASSIGN_OR_RETURN(const Project project, store.UpdateProject(before.id, display_name, labels));
  return Done(ToJson(project));
}

}  // namespace

void RegisterControlRoutes(rest::Router& router, ControlStore& store) {
  const auto add = [&](std::string_view method, std::string_view pattern, Action action) {
    router.Add(method, pattern,
               [&store, action = std::move(action)](net::ServerRequest& request,
                                                    const rest::PathParameters& path) {
                 return rest::ResponseOf(action(store, request, path));
               });
  };
  add("GET", "/v3/organizations/{organization}",
      [](auto& control, auto&, auto& path) -> Result<Json> {
        HF_ASSIGN_OR_RETURN(const Organization organization,
                            control.GetOrganization("organizations/" + path.Get("organization")));
        return ToJson(organization);
      });
  add("GET", "/v3/organizations:search", [](auto& control, auto& request, auto&) -> Result<Json> {
    HF_ASSIGN_OR_RETURN(const PageRequest page, ReadPage(request));
    HF_ASSIGN_OR_RETURN(const auto organizations, control.SearchOrganizations(page));
    return RenderPage(request, "organizations", organizations);
  });
  add("GET", "/v3/folders", ListFolders);
  add("GET", "/v3/folders:search", SearchFolders);
  add("POST", "/v3/folders", CreateFolder);
  add("GET", "/v3/folders/{folder}", [](auto& control, auto&, auto& path) -> Result<Json> {
    HF_ASSIGN_OR_RETURN(const Folder folder, control.GetFolder("folders/" + path.Get("folder")));
    return ToJson(folder);
  });
  add("GET", "/v3/projects", ListProjects);
  add("GET", "/v3/projects:search", SearchProjects);
  add("POST", "/v3/projects", CreateProject);
  add("PATCH", "/v3/projects/{project}", PatchProject);
  add("GET", "/v3/projects/{project}", [](auto& control, auto&, auto& path) -> Result<Json> {
    HF_ASSIGN_OR_RETURN(const Project project, control.GetProject(path.Get("project")));
    return ToJson(project);
  });
  add("DELETE", "/v3/projects/{project}", [](auto& control, auto&, auto& path) -> Result<Json> {
    HF_ASSIGN_OR_RETURN(const Project project, control.DeleteProject(path.Get("project")));
    return Done(ToJson(project));
  });
  add("POST", "/v3/projects/{project}:undelete",
      [](auto& control, auto&, auto& path) -> Result<Json> {
        HF_ASSIGN_OR_RETURN(const Project project, control.UndeleteProject(path.Get("project")));
        return Done(ToJson(project));
      });
}

}  // namespace holdfast::control
