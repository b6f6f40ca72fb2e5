// The organization as the engine needs it: which projects there are.
//
// Implemented by gcp/ (Resource Manager v3) and sim/. Thread-safe, blocking; reads only, retried by
// the implementation.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "cloud/page.h"

namespace holdfast::cloud {

struct ProjectInfo {
  std::string id;
  std::string number;
  std::string parent;  // "folders/123" or "organizations/456"
  std::string display_name;
  bool active = true;  // false: being deleted
  std::map<std::string, std::string> labels;
};

struct FolderInfo {
  std::string name;  // "folders/123"
  std::string parent;
  std::string display_name;
};

class Projects {
 public:
  virtual ~Projects() = default;

  // Projects directly below `parent` ("organizations/456" or "folders/123").
  virtual Result<Page<ProjectInfo>> ListProjects(const std::string& parent,
                                                 const std::string& page_token) = 0;

  // Folders directly below `parent`.
  virtual Result<Page<FolderInfo>> ListFolders(const std::string& parent,
                                               const std::string& page_token) = 0;

  // Every project that the caller may see, whatever its parent.
  virtual Result<Page<ProjectInfo>> SearchProjects(const std::string& page_token) = 0;

  // One project. kProjectNotFound; kAccessDenied.
  virtual Result<ProjectInfo> GetProject(const std::string& id) = 0;
};

}  // namespace holdfast::cloud
