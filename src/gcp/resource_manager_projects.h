// cloud::Projects over Resource Manager v3.
#pragma once

#include "cloud/projects.h"
#include "gcp/rest_client.h"

namespace holdfast::gcp {

class ResourceManagerProjects final : public cloud::Projects {
 public:
  // `endpoint`: "https://cloudresourcemanager.googleapis.com" or an emulator's.
  ResourceManagerProjects(std::string endpoint, RestEnvironment environment);

  Result<cloud::Page<cloud::ProjectInfo>> ListProjects(const std::string& parent,
                                                       const std::string& page_token) override;
  Result<cloud::Page<cloud::FolderInfo>> ListFolders(const std::string& parent,
                                                     const std::string& page_token) override;
  Result<cloud::Page<cloud::ProjectInfo>> SearchProjects(const std::string& page_token) override;
  Result<cloud::ProjectInfo> GetProject(const std::string& id) override;

 private:
  RestClient client_;
};

}  // namespace holdfast::gcp
