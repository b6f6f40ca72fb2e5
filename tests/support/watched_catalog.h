// A catalog of SQLite in memory that tells how it lists backups: how many pages were asked for, and
// by which plan each was read. One thread.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "catalog/sql_catalog.h"
#include "catalog/sql_store.h"
#include "catalog/sqlite_database.h"
#include "catalog/sqlite_schema.h"

namespace holdfast::testing_support {

class WatchedSession final : public catalog::SqlSession {
 public:
  WatchedSession() : database_(catalog::SqliteDatabase::Open(":memory:", 1'000).value()) {
    CHECK(catalog::PrepareSchema(*database_).ok(), "the tables cannot be made");
  }

  Status Query(std::string_view sql, const std::vector<catalog::SqlValue>& values,
               const std::function<Status(const catalog::SqlRow& row)>& visit) override {
    if (sql.starts_with("SELECT record") && sql.find("FROM backups") != sql.npos) {
      ++pages;
      HF_RETURN_IF_ERROR(database_->Query("EXPLAIN QUERY PLAN " + std::string(sql), values,
                                          [&](const catalog::SqlRow& row) -> Status {
                                            plans += row.Text(3) + "\n";
                                            return Ok();
                                          }));
    }
    return database_->Query(sql, values, visit);
  }
  Result<int64_t> Execute(std::string_view sql,
                          const std::vector<catalog::SqlValue>& values) override {
    return database_->Execute(sql, values);
  }
  Status Transact(const std::function<Status()>& body) override {
    return database_->Transact(body);
  }
  Status Serialize(std::string_view name) override { return database_->Serialize(name); }

  int64_t pages = 0;  // of backups, that were asked for
  std::string plans;  // SQLite's words on how it read them, a line each

 private:
  std::unique_ptr<catalog::SqliteDatabase> database_;
};

class WatchedCatalog final : public catalog::SqlCatalog {
 public:
  // `session` must outlive it.
  explicit WatchedCatalog(WatchedSession& session) : SqlCatalog(std::make_unique<Store>(session)) {}

 private:
  class Store final : public catalog::SqlStore {
   public:
    explicit Store(WatchedSession& session) : session_(session) {}
    Result<catalog::SqlLease> Take() override {
      return catalog::SqlLease(&session_, [](catalog::SqlSession*) {});
    }

   private:
    WatchedSession& session_;
  };
};

}  // namespace holdfast::testing_support
