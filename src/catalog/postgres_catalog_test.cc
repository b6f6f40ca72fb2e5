// What a catalog in PostgreSQL promises beyond what every catalog does (catalog_contract_test.cc).
#include "catalog/postgres_catalog.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "catalog/postgres_url.h"
#include "catalog/record_json.h"
#include "tests/support/catalog_places.h"

namespace holdfast::catalog {
namespace {

using testing_support::PostgresPlace;

Result<std::unique_ptr<PostgresCatalog>> OpenAt(const std::string& url,
                                                const std::string& password = {}) {
  return PostgresCatalog::Open({.target = {.url = url, .password = password}});
}

class PostgresCatalogTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(PostgresPlace::Server().ok()) << PostgresPlace::Server().error().ToString();
    catalog_ = Open();
    ASSERT_NE(catalog_, nullptr);
  }

  std::unique_ptr<Catalog> Open() const {
    auto catalog = place_.Open();
    EXPECT_TRUE(catalog.ok()) << catalog.error().ToString();
    return catalog.ok() ? std::move(*catalog) : nullptr;
  }

  static testing_support::PostgresServer& Server() { return **PostgresPlace::Server(); }
  void Alter(const std::string& sql) const {
    const Status altered = place_.Alter(sql);
    ASSERT_TRUE(altered.ok()) << altered.error().ToString();
  }

  // From now on, so many inserts into the audit log fail with that SQLSTATE.
  void FailAppends(const std::string& state, int times) const {
    Alter(
        "CREATE SEQUENCE failures; CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$"
        "BEGIN IF nextval('failures') <= " +
        std::to_string(times) + " THEN RAISE EXCEPTION 'made to fail' USING ERRCODE = '" + state +
        "'; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER fails BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION fail()");
  }

  const PostgresPlace place_;
  std::unique_ptr<Catalog> catalog_;
};

TEST(PostgresStatement, HasNumbersWhereValuesAreBound) {
  EXPECT_EQ(WithNumberedParameters("SELECT 1"), "SELECT 1");
  EXPECT_EQ(WithNumberedParameters("a = ? AND (b, c) < (?, ?)"), "a = $1 AND (b, c) < ($2, $3)");
  EXPECT_EQ(WithNumberedParameters("?2 + ?1 + ?12"), "$2 + $1 + $12");
}

TEST(PostgresUrl, IsReadBeforeAnythingIsConnectedTo) {
  for (const char* url :
       {"postgresql://db/holdfast", "postgres://ada@[::1]:5432/x?sslmode=require",
        "postgresql:///holdfast?host=/var/run/postgresql", "postgresql://a:5432,b:5433/x"}) {
    const Status valid = ValidatePostgresUrl(url);
    EXPECT_TRUE(valid.ok()) << url << ": " << valid.error().message;
  }
  for (const char* url : {"", "holdfast", "mysql://db/x", "host=db dbname=x", "postgresql:/db",
                          "postgresql://[::1/x", "postgresql://db/x?nonsense=1",
                          "postgresql://ada:hunter2@db/x", "postgresql://db/x?password=hunter2",
                          "postgresql://ada:hunter2%zz@db/x", "postgresql://ada:hunter2@[::1/x"}) {
    const Status valid = ValidatePostgresUrl(url);
    ASSERT_FALSE(valid.ok()) << url;
    EXPECT_EQ(valid.error().id, ErrorId::kConfigInvalid);
    EXPECT_EQ(valid.error().ToString().find("hunter2"), std::string::npos) << url;
  }
}

TEST_F(PostgresCatalogTest, AServerThatIsNotThereIsToldFromOneThatRefuses) {
  const auto absent = OpenAt("postgresql:///postgres?host=/absent");
  EXPECT_EQ(absent.error().id, ErrorId::kCatalogUnavailable);
  EXPECT_NE(absent.error().hint.find("catalog.url"), std::string::npos);
  EXPECT_EQ(absent.error().message.find('\n'), std::string::npos);
  EXPECT_EQ(OpenAt("postgresql://127.0.0.1:1/postgres").error().id, ErrorId::kCatalogUnavailable);
  std::string url = Server().Url();
  url.replace(url.find("/postgres"), 9, "/nowhere");
  const auto refused = OpenAt(url);
  EXPECT_EQ(refused.error().id, ErrorId::kCatalogRefused);
  EXPECT_NE(refused.error().message.find("nowhere"), std::string::npos);
}

TEST_F(PostgresCatalogTest, TakesAPasswordAndNeverRepeatsIt) {
  Alter(
      "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'guarded') THEN"
      " CREATE ROLE guarded LOGIN SUPERUSER PASSWORD 'hunter2'; END IF; END $$");
  const std::string url = Server().Url("guarded");
  EXPECT_TRUE(OpenAt(url, "hunter2").ok());
  for (const char* password : {"", "hunter3"}) {
    const auto refused = OpenAt(url, password);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().id, ErrorId::kCatalogRefused);
    EXPECT_NE(refused.error().hint.find("catalog.password"), std::string::npos);
    EXPECT_EQ(refused.error().ToString().find("hunter"), std::string::npos);
  }
}

TEST_F(PostgresCatalogTest, AUserWithoutPrivilegesIsRefused) {
  Alter("DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN");
  EXPECT_EQ(OpenAt(Server().Url("stranger")).error().id, ErrorId::kCatalogRefused);
  Alter(
      "GRANT USAGE ON SCHEMA holdfast TO stranger;"
      "GRANT SELECT ON ALL TABLES IN SCHEMA holdfast TO stranger");
  const auto reader = OpenAt(Server().Url("stranger"));
  ASSERT_TRUE(reader.ok()) << reader.error().ToString();
  EXPECT_TRUE((*reader)->ListAudit(0).ok());
  EXPECT_EQ((*reader)->AppendAudit({}).error().id, ErrorId::kCatalogRefused);
}

TEST_F(PostgresCatalogTest, SchemasOfOthersAndOfTheFutureAreRefused) {
  Alter("UPDATE catalog_version SET version = 99");
  EXPECT_EQ(place_.Open().error().id, ErrorId::kCatalogVersion);
  Alter("DROP TABLE catalog_version");
  EXPECT_EQ(place_.Open().error().id, ErrorId::kCatalogDamaged);
  Alter("DROP SCHEMA holdfast CASCADE; CREATE SCHEMA holdfast");
  EXPECT_TRUE(place_.Open().ok()) << "a schema that was made for us, and is empty";
  Alter("DROP TABLE audit");
  EXPECT_EQ(Open()->ListAudit(0).error().id, ErrorId::kCatalogDamaged);
}

TEST_F(PostgresCatalogTest, AConnectionThatWasClosedMeanwhileIsMadeAnew) {
  ASSERT_TRUE(catalog_->AppendAudit({.at_ms = 1}).ok());
  Alter(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
      " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
  const auto appended = catalog_->AppendAudit({.at_ms = 2});
  EXPECT_TRUE(appended.ok()) << appended.error().ToString();
  EXPECT_EQ(VerifyAuditChain(*catalog_)->entries, 2);
}

TEST_F(PostgresCatalogTest, ALossInATransactionIsToldAndTakesItBack) {
  Alter(
      "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$"
      "BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;"
      "CREATE TRIGGER dies BEFORE INSERT ON audit FOR EACH ROW WHEN (NEW.at_ms = 2)"
      " EXECUTE FUNCTION die()");
  ASSERT_TRUE(catalog_->AppendAudit({.at_ms = 1}).ok());
  const auto lost = catalog_->AppendAudit({.at_ms = 2});
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().id, ErrorId::kCatalogUnavailable);
  EXPECT_EQ(lost.error().code, Code::kUnavailable);
  ASSERT_TRUE(catalog_->AppendAudit({.at_ms = 3}).ok());
  EXPECT_EQ(VerifyAuditChain(*catalog_)->entries, 2);
}

TEST_F(PostgresCatalogTest, GoesOnOnceTheServerIsBack) {
  ASSERT_TRUE(catalog_->AppendAudit({.at_ms = 1}).ok());
  Server().Stop();
  EXPECT_EQ(catalog_->AppendAudit({.at_ms = 2}).error().id, ErrorId::kCatalogUnavailable);
  EXPECT_EQ(catalog_->ListAudit(0).error().id, ErrorId::kCatalogUnavailable);
  ASSERT_TRUE(Server().StartAgain().ok()) << Server().Log();
  ASSERT_TRUE(catalog_->AppendAudit({.at_ms = 3}).ok());
  EXPECT_EQ(VerifyAuditChain(*catalog_)->entries, 2);
}

TEST_F(PostgresCatalogTest, AFullDiskIsToldAsSuchAndTakesTheTransactionBack) {
  FailAppends("53100", 1);
  const auto full = catalog_->AppendAudit({.at_ms = 1});
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().id, ErrorId::kDiskFull);
  ASSERT_TRUE(catalog_->AppendAudit({.at_ms = 2}).ok());
  EXPECT_EQ(VerifyAuditChain(*catalog_)->entries, 1);
}

TEST_F(PostgresCatalogTest, WhatTheServerGaveUpForAnotherIsDoneAgainABoundedNumberOfTimes) {
  for (const char* state : {"40001", "40P01"}) {
    Alter(
        "DROP TRIGGER IF EXISTS fails ON audit; DROP FUNCTION IF EXISTS fail();"
        "DROP SEQUENCE IF EXISTS failures; DELETE FROM audit");
    FailAppends(state, 5);
    const auto appended = catalog_->AppendAudit({.at_ms = 1});
    EXPECT_TRUE(appended.ok()) << state << ": " << appended.error().ToString();
    EXPECT_EQ(VerifyAuditChain(*catalog_)->entries, 1);
  }
  Alter("DROP TRIGGER fails ON audit; DROP FUNCTION fail(); DROP SEQUENCE failures");
  FailAppends("40001", 1'000'000);
  EXPECT_EQ(catalog_->AppendAudit({.at_ms = 1}).error().id, ErrorId::kCatalogUnavailable);
}

TEST_F(PostgresCatalogTest, ThreadsWaitForTheFewConnectionsThereAre) {
  const auto one = PostgresCatalog::Open(
      {.target = {.url = Server().Url(), .password = {}}, .connections_max = 1});
  ASSERT_TRUE(one.ok());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) EXPECT_TRUE((*one)->AppendAudit({.at_ms = i}).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(VerifyAuditChain(**one)->entries, 80);
}

TEST_F(PostgresCatalogTest, ATextWithAZeroByteIsRefusedAndNotCut) {
  const auto appended = catalog_->AppendAudit({.at_ms = 1, .actor = std::string("a\0b", 3)});
  EXPECT_EQ(appended.error().id, ErrorId::kInvalidName);
  EXPECT_TRUE(catalog_->ListAudit(0)->empty());
}

// 100,000 backups of 20,000 objects in one statement.
std::string ManyBackups() {
  BackupRecord record;
  record.backup = "@b";
  record.object = {"acme", "sales", "@t", ""};
  record.run = "r1";
  return "INSERT INTO backups SELECT 'b' || lpad(i::text, 6, '0'), 'acme', 'sales',"
         " 't' || lpad((i / 5)::text, 5, '0'), '', 'r' || i % 7, 'export', i, 0, 0, 0, 0,"
         " replace(replace('" +
         BackupRecordToText(record) +
         "', '@b', 'b' || lpad(i::text, 6, '0')), '@t', 't' || lpad((i / 5)::text, 5, '0'))"
         " FROM generate_series(0, 99999) AS i";
}

// What the server logged of the plans of what `use` did.
std::string PlansOf(testing_support::PostgresServer& server,
                    const std::function<void(Catalog& catalog)>& use) {
  const size_t before = server.Log().size();
  const auto catalog = OpenAt(server.Url() +
                              "&options=-csession_preload_libraries%3Dauto_explain%20"
                              "-cauto_explain.log_min_duration%3D0");
  EXPECT_TRUE(catalog.ok()) << catalog.error().ToString();
  if (catalog.ok()) use(**catalog);
  return server.Log().substr(before);
}

TEST_F(PostgresCatalogTest, ListingsOfManyBackupsGoByIndexWithAndWithoutStatistics) {
  Alter("ALTER TABLE backups SET (autovacuum_enabled = false)");
  Alter(ManyBackups());
  constexpr int kPages = 3;
  const std::pair<BackupFilter, size_t> cases[] = {
      {{}, 3000},
      {{.newest_only = true}, 3000},
      {{.as_of_ms = 9'999, .good_only = true, .newest_only = true}, 2000},
      {{.project = "acme", .dataset = "sales", .table = "t00042"}, 5},
      {{.project = "acme",
        .dataset = "sales",
        .table = "t00042",
        .partition = "",
        .good_only = true,
        .newest_only = true},
       1},
      {{.method = Method::kExport, .newest_only = true}, 3000},
  };
  for (const bool analyzed : {false, true}) {
    if (analyzed) Alter("ANALYZE backups");
    for (const auto& [filter, expected] : cases) {
      size_t found = 0;
      const std::string plans = PlansOf(Server(), [&](Catalog& catalog) {
        std::string token;
        for (int page = 0; page < kPages && (page == 0 || !token.empty()); ++page) {
          const auto listed = catalog.FindBackups(filter, token);
          ASSERT_TRUE(listed.ok()) << listed.error().ToString();
          found += listed->items.size();
          token = listed->next_page_token;
        }
      });
      EXPECT_EQ(found, expected);
      EXPECT_NE(plans.find("Index Scan using backups_by_object"), std::string::npos) << plans;
      EXPECT_EQ(plans.find("Seq Scan on backups"), std::string::npos) << plans.substr(0, 4000);
      // What is of one object may be sorted.
      if (!filter.table.empty()) continue;
      EXPECT_EQ(plans.find("Sort Key"), std::string::npos) << plans.substr(0, 4000);
    }
  }
}

TEST(PostgresServer, LeavesNothingBehind) {
  std::string url;
  {
    const auto server = testing_support::PostgresServer::Start();
    ASSERT_TRUE(server.ok()) << server.error().ToString();
    url = (*server)->Url();
    EXPECT_TRUE(OpenAt(url).ok());
  }
  EXPECT_EQ(OpenAt(url).error().id, ErrorId::kCatalogUnavailable);
  const size_t host = url.find("host=") + 5;
  EXPECT_FALSE(std::filesystem::exists(url.substr(host, url.find('&') - host)));
}

}  // namespace
}  // namespace holdfast::catalog
