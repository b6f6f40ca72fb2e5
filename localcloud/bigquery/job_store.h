// Jobs on disk: one row each, beside the tables that they change.
//
// The rows live in the warehouse's own SQLite catalog, so that what a job did to a table and the
// note that it did so are committed in one transaction. A job keeps its place when it is saved
// again. Thread-safe; every call is short. Errors: reason "notFound", "duplicate"; those of
// localcloud/sqlite/database.h.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "localcloud/bigquery/job.h"
#include "localcloud/sqlite/database.h"
#include "localcloud/warehouse/table_store.h"

namespace holdfast::bigquery {

struct JobFilter {
  std::set<JobState> states;  // empty: any
  std::optional<int64_t> creation_ms_min;
  std::optional<int64_t> creation_ms_max;
};

class JobStore {
 public:
  // Creates the table when it is absent. `tables` must outlive the job store.
  static Result<std::unique_ptr<JobStore>> Open(warehouse::TableStore& tables);
  ~JobStore();
  JobStore(const JobStore&) = delete;
  JobStore& operator=(const JobStore&) = delete;

  // Adds a job, durable on return. Errors: reason "duplicate" when the id is in use in its
  // location.
  Status Insert(const Job& job);

  // Writes the job over the one of its key; does nothing when that was deleted. Idempotent.
  Status Save(const Job& job);

  // Saves a job that is done. Where that cannot be written, as on a full disk, the job is kept in
  // memory, every call answers with it, and each of them tries again to write it: a client must not
  // wait for a job that ended. Lost by a crash until then, the job is run again.
  void SaveDone(const Job& job);

  // The job as it was last saved. Errors: reason "notFound".
  Result<Job> Get(const JobKey& key);

  // Forgets the job, done or not. Errors: reason "notFound".
  Status Delete(const JobKey& key);

  // The newest job of that id in any location of the project.
  Result<Job> Find(const std::string& project, const std::string& id);

  // Jobs of a project, newest first; `page.token` is what the page before gave.
  Result<warehouse::Page<Job>> List(const std::string& project, const JobFilter& filter,
                                    const warehouse::PageRequest& page);

  // Jobs that are not done, oldest first.
  Result<std::vector<Job>> Unfinished();

  // Notes in the transaction that is open on `database` that the job takes effect with it. `job`:
  // with what it leaves behind, so that a crash before the job is marked as done loses none of it.
  static Status NoteEffect(sqlite::Database& database, const Job& job);

  // Whether the job's effect was committed, although it may not be marked as done yet.
  Result<bool> HasTakenEffect(const JobKey& key);

 private:
  explicit JobStore(warehouse::TableStore& tables) : tables_(tables) {}

  // Below, the lock of `tables_` is held.
  Status Update(const Job& job);
  void WriteUnwritten();
  Result<Job> ReadJob(const sqlite::Statement& row, int column) const;

  warehouse::TableStore& tables_;
  std::map<JobKey, Job> unwritten_;  // done, but not so on disk
};

}  // namespace holdfast::bigquery
