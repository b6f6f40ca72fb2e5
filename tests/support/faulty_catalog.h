// A catalog in memory whose reads and writes come under a fault plan: a process that is dead writes
// nothing any more, a disk is full, and the answer to a commit can be lost.
//
// Each write outside of a transaction, and each transaction, is one call of the plan. Borrows the
// plan. Thread-safe as SqliteCatalog is.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "catalog/sql_catalog.h"
#include "catalog/sqlite_schema.h"
#include "sim/fault_plan.h"

namespace holdfast::testing_support {

class FaultySession final : public catalog::SqlSession {
 public:
  FaultySession(std::unique_ptr<catalog::SqliteDatabase> database, sim::FaultPlan& faults)
      : database_(std::move(database)), faults_(faults) {}

  Status Query(std::string_view sql, const std::vector<catalog::SqlValue>& values,
               const std::function<Status(const catalog::SqlRow& row)>& visit) override {
    if (!is_writing_) HF_RETURN_IF_ERROR(faults_.CheckAlive());
    return database_->Query(sql, values, visit);
  }

  Result<int64_t> Execute(std::string_view sql,
                          const std::vector<catalog::SqlValue>& values) override {
    if (is_writing_) return database_->Execute(sql, values);
    int64_t changed = 0;
    HF_RETURN_IF_ERROR(Transact([&]() -> Status {
      HF_ASSIGN_OR_RETURN(changed, database_->Execute(sql, values));
      return Ok();
    }));
    return changed;
  }

  Status Transact(const std::function<Status()>& body) override {
    HF_RETURN_IF_ERROR(faults_.BeforeCommit());
    is_writing_ = true;
    const Status done = database_->Transact([&]() -> Status {
      HF_RETURN_IF_ERROR(body());
      if (!faults_.FillsDisk()) return Ok();
      return MakeError(ErrorId::kDiskFull, "catalog: simulated: no space is left");
    });
    is_writing_ = false;
    HF_RETURN_IF_ERROR(done);
    return faults_.AfterCommit();
  }

  Status Serialize(std::string_view name) override { return database_->Serialize(name); }

 private:
  std::unique_ptr<catalog::SqliteDatabase> database_;
  sim::FaultPlan& faults_;
  bool is_writing_ = false;
};

class FaultyCatalog final : public catalog::SqlCatalog {
 public:
  // A new one.
  static std::unique_ptr<catalog::Catalog> Open(sim::FaultPlan& faults) {
    auto database = catalog::SqliteDatabase::Open(":memory:", 0);
    CHECK(database.ok(), "no catalog in memory");
    CHECK(catalog::PrepareSchema(**database).ok(), "no tables");
    return std::unique_ptr<catalog::Catalog>(
        new FaultyCatalog(std::make_unique<Store>(FaultySession(*std::move(database), faults))));
  }

 private:
  class Store final : public catalog::SqlStore {
   public:
    explicit Store(FaultySession&& session) : session_(std::move(session)) {}
    Result<catalog::SqlLease> Take() override {
      mutex_.lock();
      return catalog::SqlLease(&session_, [this](catalog::SqlSession*) { mutex_.unlock(); });
    }

   private:
    std::mutex mutex_;
    FaultySession session_;
  };

  using SqlCatalog::SqlCatalog;
};

}  // namespace holdfast::testing_support
