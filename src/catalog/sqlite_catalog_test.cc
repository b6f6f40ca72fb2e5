#include "catalog/sqlite_catalog.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/catalog_places.h"

namespace holdfast::catalog {
namespace {

TEST(SqliteCatalog, OfTheFirstVersionIsBroughtUpToDate) {
  const testing_support::SqlitePlace place;
  ASSERT_TRUE(place.Open().value()->BeginRun({.id = "r1", .started_ms = 10}).ok());
  ASSERT_TRUE(place
                  .Alter("DROP TABLE identity; ALTER TABLE tasks DROP COLUMN alive_ms;"
                         "PRAGMA user_version = 1")
                  .ok());
  const auto catalog = place.Open().value();
  EXPECT_EQ(catalog->Id().value().size(), 16U);
  const std::string task = catalog->PendingTasks("r1", "").value().items.at(0).id;
  ASSERT_TRUE(catalog->NoteAlive(task, 77).ok());
  EXPECT_EQ(catalog->GetProgress("r1").value().alive_ms, 77);
}

TEST(SqliteCatalog, FilesOfOthersAndOfTheFutureAreRefused) {
  const testing_support::SqlitePlace place;
  ASSERT_TRUE(place.Open().ok());
  ASSERT_TRUE(place.Alter("PRAGMA user_version = 99").ok());
  EXPECT_EQ(place.Open().error().id, ErrorId::kCatalogVersion);
  ASSERT_TRUE(place.Alter("PRAGMA application_id = 5").ok());
  EXPECT_EQ(place.Open().error().id, ErrorId::kCatalogDamaged);
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(place.path() + suffix);
  std::ofstream file(place.path());
  for (int i = 0; i < 1000; ++i) file << "this is no database\n";
  file.close();
  EXPECT_EQ(place.Open().error().id, ErrorId::kCatalogDamaged);
  EXPECT_EQ(SqliteCatalog::Open(place.path() + "/absent/x").error().id,
            ErrorId::kCatalogUnavailable);
}

}  // namespace
}  // namespace holdfast::catalog
