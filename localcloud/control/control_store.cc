#include "localcloud/control/control_store.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/json.h"

namespace holdfast::control {
namespace {

constexpr int kPageMax = 1000;
constexpr size_t kDisplayNameBytesMax = 200;

// Numbers begin where they have as many digits as Google's.
constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS resources (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  parent TEXT NOT NULL,
  display_name TEXT NOT NULL,
  labels TEXT NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  delete_requested INTEGER,
  declared INTEGER NOT NULL,
  UNIQUE (kind, id)
) STRICT;
CREATE INDEX IF NOT EXISTS resources_by_parent ON resources (kind, parent, id);
INSERT INTO sqlite_sequence (name, seq) SELECT 'resources', 100000000000
  WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'resources');
)";

constexpr std::string_view kColumns =
    "SELECT number, id, parent, display_name, labels, created, updated, delete_requested, declared "
    "FROM resources ";

Error NotFound(const std::string& name) {
  return WithReason("notFound", MakeError(ErrorId::kControlNotFound, name + " does not exist"));
}

// Source: "Creating and managing projects": 6-30 lower-case letters, digits and hyphens, a letter
// first, no hyphen last. A domain ("example.com:") may precede it.
Status CheckProjectId(const std::string& id) {
  const size_t colon = id.find(':');
  const std::string name = colon == std::string::npos ? id : id.substr(colon + 1);
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':';
  };
  const bool length = !name.empty() && id.size() <= 100 && name.size() <= 63;
  if (!length || !std::all_of(id.begin(), id.end(), allowed) || name.front() < 'a' ||
      name.front() > 'z' || name.back() == '-') {
    return Invalid("project id \"" + id.substr(0, 200) +
                   "\" must be lower-case letters, digits and hyphens, a letter first");
  }
  return Ok();
}

Status CheckDisplayName(const std::string& name) {
  if (name.size() > kDisplayNameBytesMax) return Invalid("the display name is too long");
  return Ok();
}

// One row, of whichever kind.
struct Row {
  int64_t number = 0;
  std::string id;
  std::string parent;
  std::string display_name;
  std::map<std::string, std::string> labels;
  Timestamp created;
  Timestamp updated;
  std::optional<Timestamp> delete_requested;
  bool declared = false;  // made by a create call, not by being named
};

Result<Row> ReadRow(const sqlite::Statement& statement) {
  Row row{.number = statement.Int(0),
          .id = statement.Text(1),
          .parent = statement.Text(2),
          .display_name = statement.Text(3),
          .created = statement.Time(5),
          .updated = statement.Time(6),
          .delete_requested = statement.OptionalTime(7),
          .declared = statement.Int(8) != 0};
  HF_ASSIGN_OR_RETURN(const Json labels, ParseJson(statement.Text(4)));
  for (const auto& [key, value] : labels.items()) row.labels[key] = value.get<std::string>();
  return row;
}

Organization ToOrganization(const Row& row) {
  return {.name = "organizations/" + row.id,
          .display_name = row.display_name,
          .created = row.created,
          .updated = row.updated};
}

Folder ToFolder(const Row& row) {
  return {.name = "folders/" + row.id,
          .parent = row.parent,
          .display_name = row.display_name,
          .created = row.created,
          .updated = row.updated};
}

Project ToProject(const Row& row) {
  return {
      .id = row.id,
      .number = std::to_string(row.number),
      .parent = row.parent,
      .display_name = row.display_name,
      .labels = row.labels,
      .state = row.delete_requested ? LifecycleState::kDeleteRequested : LifecycleState::kActive,
      .created = row.created,
      .updated = row.updated,
      .delete_requested = row.delete_requested};
}

// Everything the queries below ask of one table.
class Rows {
 public:
  explicit Rows(sqlite::Database& database) : database_(database) {}

  Result<std::optional<Row>> Find(std::string_view kind, const std::string& id) {
    HF_ASSIGN_OR_RETURN(
        sqlite::Statement statement,
        database_.Prepare(std::string(kColumns) + "WHERE kind = ? AND id = ?", kind, id));
    HF_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return std::optional<Row>();
    HF_ASSIGN_OR_RETURN(Row row, ReadRow(statement));
    return std::optional(std::move(row));
  }

  // A project by its number.
  Result<std::optional<Row>> FindNumber(std::string_view kind, int64_t number) {
    HF_ASSIGN_OR_RETURN(
        sqlite::Statement statement,
        database_.Prepare(std::string(kColumns) + "WHERE kind = ? AND number = ?", kind, number));
    HF_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return std::optional<Row>();
    HF_ASSIGN_OR_RETURN(Row row, ReadRow(statement));
    return std::optional(std::move(row));
  }

  // Rows of a kind after `page.after` (a number) that `wanted` takes, one page of them.
  template <typename T, typename Wanted, typename Convert>
  Result<Page<T>> List(std::string_view kind, const PageRequest& page, Wanted wanted,
                       Convert convert) {
    const auto limit = static_cast<size_t>(std::clamp(page.limit, 1, kPageMax));
    if (page.after.size() > 18 || page.after.find_first_not_of("0123456789") != std::string::npos) {
      return Invalid("the page token is not one that a listing gave");
    }
    HF_ASSIGN_OR_RETURN(
        sqlite::Statement statement,
        database_.Prepare(std::string(kColumns) + "WHERE kind = ? AND number > ? ORDER BY number",
                          kind, page.after.empty() ? 0 : std::stoll(page.after)));
    Page<T> result;
    int64_t last = 0;
    for (;;) {
      HF_ASSIGN_OR_RETURN(const bool more, statement.Step());
      if (!more) return result;
      HF_ASSIGN_OR_RETURN(const Row row, ReadRow(statement));
      if (!wanted(row)) continue;
      if (result.items.size() == limit) {
        result.next = std::to_string(last);
        return result;
      }
      last = row.number;
      result.items.push_back(convert(row));
    }
  }

  // Adds a row; one without an id is named by its number.
  Result<Row> Insert(std::string_view kind, Row row, Timestamp now) {
    HF_ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::Begin(database_));
    HF_RETURN_IF_ERROR(
        database_.Run("INSERT INTO resources (kind, id, parent, display_name, labels, created, "
                      "updated, declared) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                      kind, row.id, row.parent, row.display_name, DumpJson(Json(row.labels)), now,
                      now, row.declared));
    row.number = database_.last_insert_id();
    if (row.id.empty()) {
      row.id = std::to_string(row.number);
      HF_RETURN_IF_ERROR(
          database_.Run("UPDATE resources SET id = ? WHERE number = ?", row.id, row.number));
    }
    HF_RETURN_IF_ERROR(transaction.Commit());
    row.created = now;
    row.updated = now;
    return row;
  }

  Status Update(const Row& row) {
    return database_.Run(
        "UPDATE resources SET display_name = ?, labels = ?, updated = ?, delete_requested = ? "
        "WHERE number = ?",
        row.display_name, DumpJson(Json(row.labels)), row.updated, row.delete_requested,
        row.number);
  }

  // The row of a resource name of the form "collection/id".
  Result<Row> Require(const std::string& collection, std::string_view kind,
                      const std::string& name) {
    if (!name.starts_with(collection)) return Invalid(name + " is not a name in " + collection);
    HF_ASSIGN_OR_RETURN(auto row, Find(kind, name.substr(collection.size())));
    if (!row) return NotFound(name);
    return *std::move(row);
  }

  // Whether `parent` names an organization or a folder that is there.
  Status CheckParent(const std::string& parent) {
    if (parent.starts_with("organizations/")) {
      HF_RETURN_IF_ERROR(Require("organizations/", "organization", parent));
      return Ok();
    }
    HF_RETURN_IF_ERROR(Require("folders/", "folder", parent));
    return Ok();
  }

  Result<Row> RequireProject(const std::string& name) {
    const std::string id = name.starts_with("projects/") ? name.substr(9) : name;
    const bool number =
        !id.empty() && id.size() <= 18 && id.find_first_not_of("0123456789") == std::string::npos;
    HF_ASSIGN_OR_RETURN(auto row,
                        number ? FindNumber("project", std::stoll(id)) : Find("project", id));
    if (!row) return NotFound("project " + id);
    return *std::move(row);
  }

  // "organizations/…" when there is one, else "".
  Result<std::string> DefaultParent() {
    HF_ASSIGN_OR_RETURN(const auto page, List<Organization>(
                                             "organization", {.limit = 1},
                                             [](const Row&) { return true; }, ToOrganization));
    return page.items.empty() ? std::string() : page.items.front().name;
  }

 private:
  sqlite::Database& database_;
};

bool EqualsIgnoringCase(const std::string& left, const std::string& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

bool Fits(const ProjectFilter& filter, const Row& row) {
  const LifecycleState state =
      row.delete_requested ? LifecycleState::kDeleteRequested : LifecycleState::kActive;
  if (filter.state && *filter.state != state) return false;
  if (!filter.parent.empty() && filter.parent != row.parent) return false;
  if (!filter.id.empty() && filter.id != row.id) return false;
  if (!filter.display_name.empty() && !EqualsIgnoringCase(filter.display_name, row.display_name)) {
    return false;
  }
  return std::all_of(filter.labels.begin(), filter.labels.end(), [&](const auto& wanted) {
    const auto label = row.labels.find(wanted.first);
    return label != row.labels.end() && (wanted.second == "*" || wanted.second == label->second);
  });
}

}  // namespace

Error Invalid(std::string message) {
  return WithReason("invalid", MakeError(ErrorId::kControlInvalid, std::move(message)));
}

ControlStore::ControlStore(std::unique_ptr<sqlite::Database> database, Clock& clock,
                           ControlOptions options)
    : clock_(clock), options_(options), database_(std::move(database)) {}

Result<std::unique_ptr<ControlStore>> ControlStore::Open(const std::string& path, Clock& clock,
                                                         ControlOptions options) {
  HF_ASSIGN_OR_RETURN(auto database, sqlite::Database::Open(path));
  HF_RETURN_IF_ERROR(database->Execute(kSchema));
  return std::unique_ptr<ControlStore>(new ControlStore(std::move(database), clock, options));
}

Result<Organization> ControlStore::EnsureOrganization(const std::string& display_name) {
  HF_RETURN_IF_ERROR(CheckDisplayName(display_name));
  const std::lock_guard lock(mutex_);
  Rows rows(*database_);
  HF_ASSIGN_OR_RETURN(const std::string name, rows.DefaultParent());
  if (!name.empty()) {
    HF_ASSIGN_OR_RETURN(const Row row, rows.Require("organizations/", "organization", name));
    return ToOrganization(row);
  }
  HF_ASSIGN_OR_RETURN(
      const Row row,
      rows.Insert("organization", {.display_name = display_name, .declared = true}, clock_.Now()));
  return ToOrganization(row);
}

Result<Organization> ControlStore::GetOrganization(const std::string& name) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const Row row,
                      Rows(*database_).Require("organizations/", "organization", name));
  return ToOrganization(row);
}

Result<Page<Organization>> ControlStore::SearchOrganizations(const PageRequest& page) {
  const std::lock_guard lock(mutex_);
  return Rows(*database_)
      .List<Organization>(
          "organization", page, [](const Row&) { return true; }, ToOrganization);
}

Result<Folder> ControlStore::CreateFolder(const std::string& parent,
                                          const std::string& display_name) {
  if (display_name.empty()) return Invalid("a folder needs a display name");
  HF_RETURN_IF_ERROR(CheckDisplayName(display_name));
  const std::lock_guard lock(mutex_);
  Rows rows(*database_);
  HF_RETURN_IF_ERROR(rows.CheckParent(parent));
  const auto same = [&](const Row& row) {
    return row.parent == parent && EqualsIgnoringCase(row.display_name, display_name);
  };
  HF_ASSIGN_OR_RETURN(const auto existing,
                      rows.List<Folder>("folder", {.limit = 1}, same, ToFolder));
  if (!existing.items.empty()) {
    return WithReason("alreadyExists",
                      MakeError(ErrorId::kControlExists,
                                parent + " has a folder named " + display_name + " already"));
  }
  HF_ASSIGN_OR_RETURN(
      const Row row,
      rows.Insert("folder", {.parent = parent, .display_name = display_name, .declared = true},
                  clock_.Now()));
  return ToFolder(row);
}

Result<Folder> ControlStore::GetFolder(const std::string& name) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const Row row, Rows(*database_).Require("folders/", "folder", name));
  return ToFolder(row);
}

Result<Page<Folder>> ControlStore::ListFolders(const std::string& parent, const PageRequest& page) {
  const std::lock_guard lock(mutex_);
  Rows rows(*database_);
  HF_RETURN_IF_ERROR(rows.CheckParent(parent));
  return rows.List<Folder>(
      "folder", page, [&](const Row& row) { return row.parent == parent; }, ToFolder);
}

Result<Page<Folder>> ControlStore::SearchFolders(const std::string& parent,
                                                 const std::string& display_name,
                                                 const PageRequest& page) {
  const std::lock_guard lock(mutex_);
  const ProjectFilter filter{.parent = parent, .display_name = display_name};
  return Rows(*database_)
      .List<Folder>(
          "folder", page, [&](const Row& row) { return Fits(filter, row); }, ToFolder);
}

Result<Project> ControlStore::CreateProject(const Project& project) {
  HF_RETURN_IF_ERROR(CheckProjectId(project.id));
  HF_RETURN_IF_ERROR(CheckDisplayName(project.display_name));
  const std::lock_guard lock(mutex_);
  Rows rows(*database_);
  HF_ASSIGN_OR_RETURN(const auto existing, rows.Find("project", project.id));
  if (existing) {
    return WithReason("alreadyExists", MakeError(ErrorId::kControlExists,
                                                 "project " + project.id + " exists already"));
  }
  std::string parent = project.parent;
  if (parent.empty()) {
    HF_ASSIGN_OR_RETURN(parent, rows.DefaultParent());
  } else {
    HF_RETURN_IF_ERROR(rows.CheckParent(parent));
  }
  Row row{.id = project.id,
          .parent = parent,
          .display_name = project.display_name.empty() ? project.id : project.display_name,
          .labels = project.labels,
          .declared = true};
  HF_ASSIGN_OR_RETURN(row, rows.Insert("project", std::move(row), clock_.Now()));
  return ToProject(row);
}

Result<Project> ControlStore::GetProject(const std::string& name) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const Row row, Rows(*database_).RequireProject(name));
  return ToProject(row);
}

Result<Page<Project>> ControlStore::ListProjects(const std::string& parent, bool show_deleted,
                                                 const PageRequest& page) {
  const std::lock_guard lock(mutex_);
  Rows rows(*database_);
  HF_RETURN_IF_ERROR(rows.CheckParent(parent));
  const auto wanted = [&](const Row& row) {
    return row.parent == parent && (show_deleted || !row.delete_requested);
  };
  return rows.List<Project>("project", page, wanted, ToProject);
}

Result<Page<Project>> ControlStore::SearchProjects(const ProjectFilter& filter,
                                                   const PageRequest& page) {
  const std::lock_guard lock(mutex_);
  return Rows(*database_)
      .List<Project>(
          "project", page, [&](const Row& row) { return Fits(filter, row); }, ToProject);
}

Result<Project> ControlStore::UpdateProject(const std::string& name,
                                            const std::string& display_name,
                                            const std::map<std::string, std::string>& labels) {
  HF_RETURN_IF_ERROR(CheckDisplayName(display_name));
  const std::lock_guard lock(mutex_);
  Rows rows(*database_);
  HF_ASSIGN_OR_RETURN(Row row, rows.RequireProject(name));
  row.display_name = display_name;
  row.labels = labels;
  row.updated = clock_.Now();
  HF_RETURN_IF_ERROR(rows.Update(row));
  return ToProject(row);
}

Result<Project> ControlStore::SetDeleted(const std::string& name, bool deleted) {
  const std::lock_guard lock(mutex_);
  Rows rows(*database_);
  HF_ASSIGN_OR_RETURN(Row row, rows.RequireProject(name));
  if (row.delete_requested.has_value() == deleted) {
    return WithReason(
        "failedPrecondition",
        MakeError(ErrorId::kControlPrecondition,
                  "project " + row.id + (deleted ? " is being deleted already" : " is active")));
  }
  row.updated = clock_.Now();
  row.delete_requested = deleted ? std::optional(row.updated) : std::nullopt;
  HF_RETURN_IF_ERROR(rows.Update(row));
  return ToProject(row);
}

Result<Project> ControlStore::DeleteProject(const std::string& name) {
  return SetDeleted(name, true);
}

Result<Project> ControlStore::UndeleteProject(const std::string& name) {
  return SetDeleted(name, false);
}

Status ControlStore::EnsureProject(const std::string& id) {
  HF_RETURN_IF_ERROR(CheckProjectId(id));
  const std::lock_guard lock(mutex_);
  Rows rows(*database_);
  HF_ASSIGN_OR_RETURN(const auto row, rows.Find("project", id));
  if (row && row->delete_requested) {
    return WithReason("forbidden", MakeError(ErrorId::kControlPrecondition,
                                             "project " + id + " is being deleted"));
  }
  // A project that came into being by itself is not one that a strict server knows.
  if (row && (row->declared || !options_.strict_projects)) return Ok();
  if (options_.strict_projects) return NotFound("project " + id);
  HF_ASSIGN_OR_RETURN(std::string parent, rows.DefaultParent());
  HF_RETURN_IF_ERROR(rows.Insert(
      "project", {.id = id, .parent = std::move(parent), .display_name = id}, clock_.Now()));
  return Ok();
}

}  // namespace holdfast::control
