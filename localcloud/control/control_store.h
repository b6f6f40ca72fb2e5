// The resource hierarchy of localcloud: one organization, its folders and projects, in SQLite.
//
// It is Resource Manager v3 without a transport (control_service.h translates), and the one place
// that says whether a project exists: the other services ask EnsureProject. Numbers of
// organizations, folders and projects come from one rising sequence, so they are the same for the
// same calls. A change that was answered is durable. Thread-safe; every call is short.
//
// Errors of all calls: kControlNotFound, kControlInvalid (a name, a parent, a query), kDiskFull,
// kLocalDatabaseFailed. Source: cloudresourcemanager v3 REST reference.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "localcloud/sqlite/database.h"

namespace holdfast::control {

// kControlInvalid, reason "invalid".
Error Invalid(std::string message);

enum class LifecycleState { kActive, kDeleteRequested };

struct Organization {
  std::string name;  // "organizations/123"
  std::string display_name;
  Timestamp created;
  Timestamp updated;
};

struct Folder {
  std::string name;    // "folders/123"
  std::string parent;  // "organizations/123" or "folders/123"
  std::string display_name;
  Timestamp created;
  Timestamp updated;
};

struct Project {
  std::string id;      // "acme-sales"
  std::string number;  // "123"
  std::string parent;  // "organizations/123", "folders/123", or empty: in no organization
  std::string display_name;
  std::map<std::string, std::string> labels;
  LifecycleState state = LifecycleState::kActive;
  Timestamp created;
  Timestamp updated;
  std::optional<Timestamp> delete_requested;
};

// One page of a listing: from `after` (the `next` of the page before; empty: the beginning).
struct PageRequest {
  std::string after;
  int limit = 100;
};

template <typename T>
struct Page {
  std::vector<T> items;
  std::string next;  // opaque; empty: the last page
};

// Which projects a search gives; an empty field does not restrict. Source: projects.search,
// `query`.
struct ProjectFilter {
  std::string parent;
  std::string id;
  std::string display_name;                   // whole, without regard to case
  std::map<std::string, std::string> labels;  // value "*": any value
  std::optional<LifecycleState> state;
};

struct ControlOptions {
  bool strict_projects = false;  // refuse projects that were not created by CreateProject
};

class ControlStore {
 public:
  // Opens or creates the store in the file `path`. `clock` must outlive it.
  static Result<std::unique_ptr<ControlStore>> Open(const std::string& path, Clock& clock,
                                                    ControlOptions options = {});

  // The organization, which is created when there is none yet; an existing one keeps its name.
  // Idempotent. Projects that come into being by themselves are placed in it.
  Result<Organization> EnsureOrganization(const std::string& display_name);

  // By resource name, "organizations/123"; and every organization there is.
  Result<Organization> GetOrganization(const std::string& name);
  Result<Page<Organization>> SearchOrganizations(const PageRequest& page);

  // A new folder; the name is unique among the parent's folders: kControlExists.
  Result<Folder> CreateFolder(const std::string& parent, const std::string& display_name);

  // By resource name, "folders/123".
  Result<Folder> GetFolder(const std::string& name);

  // Folders directly below `parent`, which must exist.
  Result<Page<Folder>> ListFolders(const std::string& parent, const PageRequest& page);

  // Every folder; `display_name` and `parent` restrict unless empty.
  Result<Page<Folder>> SearchFolders(const std::string& parent, const std::string& display_name,
                                     const PageRequest& page);

  // Takes id, parent (empty: the organization, if any), display name and labels of `project`.
  // Errors: kControlExists.
  Result<Project> CreateProject(const Project& project);

  // By id or number, with or without "projects/".
  Result<Project> GetProject(const std::string& name);

  // Active projects directly below `parent`; `show_deleted`: also those being deleted.
  Result<Page<Project>> ListProjects(const std::string& parent, bool show_deleted,
                                     const PageRequest& page);

  // Projects that fit `filter`, below whichever parent; those being deleted too, unless it says
  // otherwise.
  Result<Page<Project>> SearchProjects(const ProjectFilter& filter, const PageRequest& page);

  // Replaces display name and labels.
  Result<Project> UpdateProject(const std::string& name, const std::string& display_name,
                                const std::map<std::string, std::string>& labels);

  // Marks a project as being deleted, or takes that back. Errors: kControlPrecondition when it is
  // in that state already.
  Result<Project> DeleteProject(const std::string& name);
  Result<Project> UndeleteProject(const std::string& name);

  // The rule "a project named in a request comes into being": creates an absent project, unless
  // strict (then kControlNotFound). Errors: kControlInvalid (malformed id), kControlPrecondition
  // (being deleted). Idempotent; cheap for a project seen before.
  Status EnsureProject(const std::string& id);

 private:
  ControlStore(std::unique_ptr<sqlite::Database> database, Clock& clock, ControlOptions options);
  Result<Project> SetDeleted(const std::string& name, bool deleted);

  Clock& clock_;
  const ControlOptions options_;
  std::mutex mutex_;
  std::unique_ptr<sqlite::Database> database_;
};

}  // namespace holdfast::control
