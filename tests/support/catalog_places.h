// Where a catalog is kept under test: a place of each kind, empty at first.
//
// Every promise of a catalog is tested over all of them (CatalogKinds). Used by one thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "catalog/postgres_catalog.h"
#include "catalog/postgres_connection.h"
#include "catalog/sqlite_catalog.h"
#include "catalog/sqlite_database.h"
#include "tests/support/postgres_server.h"
#include "tests/support/temporary_directory.h"

namespace holdfast::testing_support {

class CatalogPlace {
 public:
  virtual ~CatalogPlace() = default;

  // One more connection to the same catalog.
  virtual Result<std::unique_ptr<catalog::Catalog>> Open() const = 0;

  // A bare connection to it, for a catalog of the test's own. The tables are there once one was
  // opened.
  virtual Result<std::unique_ptr<catalog::SqlSession>> OpenSession() const = 0;

  // Changes it behind the catalog's back.
  virtual Status Alter(const std::string& sql) const = 0;
};

class SqlitePlace final : public CatalogPlace {
 public:
  Result<std::unique_ptr<catalog::Catalog>> Open() const override {
    HF_ASSIGN_OR_RETURN(auto opened, catalog::SqliteCatalog::Open(path()));
    return std::unique_ptr<catalog::Catalog>(std::move(opened));
  }
  Result<std::unique_ptr<catalog::SqlSession>> OpenSession() const override {
    HF_ASSIGN_OR_RETURN(auto database, catalog::SqliteDatabase::Open(path(), 1000));
    return std::unique_ptr<catalog::SqlSession>(std::move(database));
  }
  Status Alter(const std::string& sql) const override {
    HF_ASSIGN_OR_RETURN(const auto database, catalog::SqliteDatabase::Open(path(), 1000));
    return database->ExecuteScript(sql.c_str());
  }
  std::string path() const { return directory_.path() + "/catalog.sqlite"; }

 private:
  const TemporaryDirectory directory_;
};

class PostgresPlace final : public CatalogPlace {
 public:
  // Takes out what the last one left in the one server of the process.
  PostgresPlace() {
    const Status emptied = Alter("DROP SCHEMA IF EXISTS holdfast CASCADE");
    EXPECT_TRUE(emptied.ok()) << emptied.error().ToString();
  }

  // Started when first asked for.
  static const Result<std::unique_ptr<PostgresServer>>& Server() {
    static const auto server = PostgresServer::Start();
    return server;
  }

  Result<std::unique_ptr<catalog::Catalog>> Open() const override {
    if (!Server().ok()) return Server().error();
    HF_ASSIGN_OR_RETURN(auto opened, catalog::PostgresCatalog::Open(
                                         {.target = {.url = (*Server())->Url(), .password = {}}}));
    return std::unique_ptr<catalog::Catalog>(std::move(opened));
  }
  Result<std::unique_ptr<catalog::SqlSession>> OpenSession() const override {
    if (!Server().ok()) return Server().error();
    HF_ASSIGN_OR_RETURN(auto connection, catalog::PostgresConnection::Open(
                                             {.url = (*Server())->Url(), .password = {}}));
    return std::unique_ptr<catalog::SqlSession>(std::move(connection));
  }
  Status Alter(const std::string& sql) const override {
    if (!Server().ok()) return Server().error();
    HF_ASSIGN_OR_RETURN(const auto connection, catalog::PostgresConnection::Open(
                                                   {.url = (*Server())->Url(), .password = {}}));
    return connection->ExecuteScript(sql.c_str());
  }
};

struct CatalogKind {
  const char* name;
  std::unique_ptr<CatalogPlace> (*make)();
};

inline const CatalogKind kCatalogKinds[] = {
    {"Sqlite", []() -> std::unique_ptr<CatalogPlace> { return std::make_unique<SqlitePlace>(); }},
    {"Postgres",
     []() -> std::unique_ptr<CatalogPlace> { return std::make_unique<PostgresPlace>(); }},
};

// A suite of what every catalog promises: each of its tests has a place of its own of each kind.
class OverEachCatalog : public testing::TestWithParam<CatalogKind> {
 protected:
  void SetUp() override {
    place_ = GetParam().make();
    catalog_ = Open();
    ASSERT_NE(catalog_, nullptr);
  }

  // One more connection to the catalog; nullptr, and the test fails, when there is none.
  std::unique_ptr<catalog::Catalog> Open() const {
    auto catalog = place_->Open();
    EXPECT_TRUE(catalog.ok()) << catalog.error().ToString();
    return catalog.ok() ? std::move(*catalog) : nullptr;
  }

  std::unique_ptr<CatalogPlace> place_;
  std::unique_ptr<catalog::Catalog> catalog_;
};

}  // namespace holdfast::testing_support
