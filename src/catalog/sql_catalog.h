// The catalog as statements over a database that speaks SQL; SqliteCatalog and PostgresCatalog say
// which. Whole records are kept as JSON beside the columns that are searched by (record_json.h).
//
// Safe beside other processes that use the same database: a write takes the row that it decides by
// before it reads it, or the lock of what has no row yet. Thread-safe. Source: DESIGN §1.4.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"

namespace holdfast::catalog {

class SqlSession;
class SqlStore;

// RecordCopy in a transaction of another call.
Status AddCopy(SqlSession& session, const CopyRecord& record);

class SqlCatalog : public Catalog {
 public:
  ~SqlCatalog() override;

  Result<std::string> Id() override;

  Status RecordBackup(const BackupRecord& record) override;
  Result<cloud::Page<BackupRecord>> FindBackups(const BackupFilter& filter,
                                                const std::string& page_token) override;
  Status MoveBackup(const BackupRecord& record, const CopyRecord& left) override;
  Status RemoveBackup(const std::string& backup) override;
  Status RecordVerification(const VerificationRecord& record) override;
  Status AcceptBackup(const std::string& backup) override;
  Result<std::vector<VerificationRecord>> ListVerifications(const std::string& backup) override;

  Status RecordCopy(const CopyRecord& record) override;
  Result<cloud::Page<CopyRecord>> FindCopies(const LossFilter& filter,
                                             const std::string& page_token) override;
  Status RecordAcceptance(const AcceptedLoss& loss) override;
  Result<cloud::Page<AcceptedLoss>> FindAccepted(const LossFilter& filter,
                                                 const std::string& page_token) override;

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
  Result<cloud::Page<ItemOutcome>> FindOutcomes(const std::string& run, const OutcomeFilter& filter,
                                                const std::string& page_token) override;
  Result<std::optional<int64_t>> LastSeen(const TableRef& object) override;
  Status FinishRun(const std::string& run, int64_t finished_ms) override;

  Status CountUse(int64_t day_ms, const std::vector<QuotaUse>& uses) override;
  Result<std::vector<std::string>> ReserveUse(int64_t day_ms, const std::vector<QuotaUse>& uses,
                                              const QuotaLimits& limits) override;
  Result<bool> IsCounted(const std::string& key) override;
  Result<std::map<std::string, QuotaAmounts>> UsedOn(int64_t day_ms) override;
  Status NoteWaiting(const std::vector<TableRef>& tables, int64_t now_ms) override;
  Status NoteServed(const std::vector<TableRef>& tables) override;
  Result<std::optional<int64_t>> WaitingSince(const TableRef& table) override;
  Result<bool> IsLookingForWork(const std::string& run) override;

  Result<AuditEntry> AppendAudit(const AuditEvent& event) override;
  Result<std::vector<AuditEntry>> ListAudit(int64_t sequence) override;
  Result<std::optional<AuditEntry>> LastAudit() override;

 protected:
  // The tables are there (sqlite_schema.h, postgres_schema.h).
  explicit SqlCatalog(std::unique_ptr<SqlStore> store);

 private:
  std::unique_ptr<SqlStore> store_;
};

}  // namespace holdfast::catalog
