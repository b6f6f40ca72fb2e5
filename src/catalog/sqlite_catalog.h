// The catalog in one SQLite file, for one machine and as many processes as it runs.
//
// What a call recorded survives kill -9 and a power cut: it is synced before the call returns,
// since a worker then acknowledges the message for good. Without that a cut would lose no data (a
// task that is pending again finds its manifest and adopts it), but a whole run could drop out of
// the index after its report was given, and stay out of restores until the index is rebuilt from
// the manifests. Writers of other processes wait for one another up to the busy timeout. The file's
// schema has a version; a newer one is refused. One connection, used under a mutex: thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"

namespace holdfast::catalog {

class SqliteDatabase;

struct SqliteCatalogOptions {
  int busy_timeout_ms = 30'000;
};

class SqliteCatalog final : public Catalog {
 public:
  // Opens the file, making it when absent; ":memory:" is a catalog of this object alone. Errors:
  // kCatalogUnavailable (cannot be opened, locked for too long), kDiskFull, kCatalogVersion
  // (written by a newer program), kCatalogDamaged (not a SQLite file of ours).
  static Result<std::unique_ptr<SqliteCatalog>> Open(const std::string& path,
                                                     const SqliteCatalogOptions& options = {});
  ~SqliteCatalog() override;

  Result<std::string> Id() override;

  Status RecordBackup(const BackupRecord& record) override;
  Result<cloud::Page<BackupRecord>> FindBackups(const BackupFilter& filter,
                                                const std::string& page_token) override;
  Status RemoveBackup(const std::string& backup) override;
  Status RecordVerification(const VerificationRecord& record) override;
  Status AcceptBackup(const std::string& backup) override;
  Result<std::vector<VerificationRecord>> ListVerifications(const std::string& backup) override;

  Status BeginRun(const Run& run) override;
  Result<cloud::Page<Run>> ListRuns(bool running_only, const std::string& page_token) override;
  Result<Run> GetRun(const std::string& run) override;
  Result<Task> GetTask(const std::string& task) override;
  Result<cloud::Page<Task>> PendingTasks(const std::string& run,
                                         const std::string& page_token) override;
  Result<cloud::Page<Task>> PendingFollowUps(const std::string& task,
                                             const std::string& page_token) override;
  Result<int> AdvanceAttempt(const std::string& task, int failed) override;
  Status NoteAlive(const std::string& task, int64_t now_ms) override;
  Status CompleteTask(const std::string& task, const std::vector<WorkMessage>& follow_ups,
                      const std::vector<ItemOutcome>& outcomes) override;
  Status RecordOutcomes(const std::string& run, const std::vector<ItemOutcome>& outcomes) override;
  Status AdoptRun(const Run& finished) override;
  Result<RunProgress> GetProgress(const std::string& run) override;
  Result<cloud::Page<ItemOutcome>> ListOutcomes(const std::string& run,
                                                const std::string& page_token) override;
  Result<std::optional<int64_t>> LastSeen(const TableRef& object) override;
  Status FinishRun(const std::string& run, int64_t finished_ms) override;

  Status CountUse(int64_t day_ms, const std::vector<QuotaUse>& uses) override;
  Result<bool> IsCounted(const std::string& key) override;
  Result<std::map<std::string, QuotaAmounts>> UsedOn(int64_t day_ms) override;
  Status NoteWaiting(const std::vector<TableRef>& tables, int64_t now_ms) override;
  Status NoteServed(const std::vector<TableRef>& tables) override;
  Result<std::optional<int64_t>> WaitingSince(const TableRef& table) override;
  Result<bool> IsLookingForWork(const std::string& run) override;

  Result<AuditEntry> AppendAudit(const AuditEvent& event) override;
  Result<std::vector<AuditEntry>> ListAudit(int64_t sequence) override;

 private:
  explicit SqliteCatalog(std::unique_ptr<SqliteDatabase> database);

  // The lock is held.
  Result<Run> ReadRun(const std::string& run);
  Result<Task> ReadTask(const std::string& task);
  // `parent`: the task whose completion adds it; empty: none does. True when it was not there.
  Result<bool> AddTask(const WorkMessage& message, const std::string& parent);
  Status CountTasks(const std::string& run, int64_t added, int64_t done);
  // Adds to the run's sums; `sign` -1 takes away.
  Status CountOutcome(const std::string& run, Outcome outcome, int64_t rows, int64_t bytes,
                      int64_t sign);
  Result<bool> InsertOutcome(const std::string& run, const ItemOutcome& item);
  Status ReplaceOutcome(const std::string& run, const ItemOutcome& item);
  Status ReadPendingTasks(std::string_view sql, const std::string& key, int64_t after,
                          cloud::Page<Task>& page);
  Result<ItemOutcome> WithOtherMethods(const std::string& run, const ItemOutcome& item);

  std::mutex mutex_;
  std::unique_ptr<SqliteDatabase> database_;
};

}  // namespace holdfast::catalog
