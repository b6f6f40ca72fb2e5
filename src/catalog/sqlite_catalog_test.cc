#include "catalog/sqlite_catalog.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/catalog_places.h"
#include "tests/support/watched_catalog.h"

namespace holdfast::catalog {
namespace {

// Takes a catalog back to version 4.
const std::string kWithoutVersion5 =
    "ALTER TABLE backups RENAME TO backups_5; DROP INDEX backups_by_id; DROP INDEX "
    "backups_by_run;"
    "CREATE TABLE backups (backup TEXT PRIMARY KEY, project TEXT NOT NULL, dataset TEXT NOT NULL,"
    "  table_id TEXT NOT NULL, partition TEXT NOT NULL, run TEXT NOT NULL, method TEXT NOT NULL,"
    "  consistent_through_ms INTEGER NOT NULL, suspect INTEGER NOT NULL,"
    "  verified_level INTEGER NOT NULL, verified_ms INTEGER NOT NULL,"
    "  damaged_level INTEGER NOT NULL DEFAULT 0, record TEXT NOT NULL) WITHOUT ROWID;"
    "INSERT INTO backups SELECT backup, project, dataset, table_id, partition, run, method,"
    "  consistent_through_ms, suspect, verified_level, verified_ms, damaged_level, record"
    "  FROM backups_5;"
    "CREATE INDEX backups_by_object ON backups"
    "  (project, dataset, table_id, partition, consistent_through_ms DESC, backup DESC);"
    "CREATE INDEX backups_by_run ON backups (run); DROP TABLE backups_5;";

// A million take a while: whoever waits for it is told.
TEST(SqliteCatalog, TellsHowFarItIsWithAnEarlierVersion) {
  const testing_support::SqlitePlace place;
  constexpr int64_t kBackups = 2'500;
  {
    const auto made = place.Open().value();
    for (int64_t i = 0; i < kBackups; ++i) {
      ASSERT_TRUE(made->RecordBackup({.backup = "b" + std::to_string(i),
                                      .object = {"p", "d", "t" + std::to_string(i % 7), ""},
                                      .consistent_through_ms = i})
                      .ok());
    }
  }
  ASSERT_TRUE(place.Alter(kWithoutVersion5 + "PRAGMA user_version = 4").ok());
  std::vector<int64_t> moved;
  const auto note = [&](int64_t so_many, int64_t backups) {
    EXPECT_EQ(backups, kBackups);
    moved.push_back(so_many);
  };
  const auto opened = SqliteCatalog::Open(place.path(), {.on_progress = note});
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(moved, (std::vector<int64_t>{0, 1'000, 2'000, 2'500}));
  moved.clear();
  ASSERT_TRUE(SqliteCatalog::Open(place.path(), {.on_progress = note}).ok());
  EXPECT_TRUE(moved.empty()) << "once";
}

TEST(SqliteCatalog, OfAnEarlierVersionIsBroughtUpToDate) {
  const std::string without_version_4 =
      kWithoutVersion5 + "ALTER TABLE backups DROP COLUMN method;";
  const std::string without_version_3 =
      without_version_4 +
      "DROP TABLE run_tasks; DROP TABLE run_totals; DROP INDEX tasks_by_parent;"
      "ALTER TABLE tasks DROP COLUMN parent;";
  const std::string earlier[] = {
      kWithoutVersion5 + "PRAGMA user_version = 4", without_version_4 + "PRAGMA user_version = 3",
      without_version_3 +
          "ALTER TABLE tasks ADD COLUMN alive_ms INTEGER NOT NULL DEFAULT 0;"
          "PRAGMA user_version = 2",
      without_version_3 +
          "DROP TABLE identity; ALTER TABLE tasks DROP COLUMN alive_ms; PRAGMA user_version = 1"};
  const testing_support::SqlitePlace place;
  const auto made = place.Open().value();
  BackupRecord snapshot{.backup = "s1", .object = {"p", "d", "a", ""}};
  snapshot.method = Method::kSnapshot;
  snapshot.consistent_through_ms = 7;
  ASSERT_TRUE(made->RecordBackup(snapshot).ok());
  ASSERT_TRUE(
      made->RecordBackup({.backup = "a2", .object = {"p", "d", "a", ""}, .run = "r1"}).ok());
  ASSERT_TRUE(made->AcceptBackup("s1").ok());
  ASSERT_TRUE(made->RecordVerification({"s1", 8, VerifyLevel::kL2, false, "damaged"}).ok());
  const auto before = made->FindBackups({}, "").value().items;
  ASSERT_EQ(before.size(), 2U);
  ASSERT_TRUE(made->BeginRun({.id = "r1", .started_ms = 10}).ok());
  const std::vector<ItemOutcome> items = {
      {.object = {"p", "d", "a", ""}, .outcome = Outcome::kBackedUp, .rows = 5},
      {.object = {"p", "d", "b", ""}, .outcome = Outcome::kFailed}};
  ASSERT_TRUE(
      made->CompleteTask(TaskId(StartBackupProcess{"r1"}), {CheckProjectTables{"r1", "pa"}}, items)
          .ok());
  int64_t at_ms = 76;
  for (const std::string& script : earlier) {
    const Status altered = place.Alter(script);
    ASSERT_TRUE(altered.ok()) << altered.error().ToString();
    const auto catalog = place.Open().value();
    EXPECT_EQ(catalog->Id().value().size(), 16U);
    const std::string task = catalog->PendingTasks("r1", "").value().items.at(0).id;
    ASSERT_TRUE(catalog->NoteAlive(task, ++at_ms).ok());
    const RunProgress progress = catalog->GetProgress("r1").value();
    EXPECT_EQ(progress.alive_ms, at_ms);
    EXPECT_EQ(progress.tasks_pending, 1);
    EXPECT_EQ(progress.tasks_done, 1);
    EXPECT_EQ(progress.totals.objects, 2);
    EXPECT_EQ(progress.totals.rows, 5);
    EXPECT_EQ(progress.totals.Of(Outcome::kFailed), 1);
    EXPECT_EQ(catalog->FindBackups({.method = Method::kSnapshot}, "")->items.size(), 1);
    EXPECT_EQ(catalog->FindBackups({}, "")->items, before);
    EXPECT_EQ(catalog->FindBackups({.run = "r1"}, "")->items.size(), 1);
    EXPECT_EQ(catalog->FindBackups({.id_prefix = "s"}, "")->items.size(), 1);
    ASSERT_TRUE(catalog->RecordBackup(snapshot).ok()) << "twice is once";
  }
}

TEST(SqliteCatalog, ListingsOfManyBackupsSortNothingAndReadNoMoreThanTheirPage) {
  testing_support::WatchedSession session;
  testing_support::WatchedCatalog catalog(session);
  ASSERT_TRUE(session
                  .Transact([&]() -> Status {
                    for (int i = 0; i < 2'500; ++i) {
                      BackupRecord record{.backup = "b" + std::to_string(i)};
                      record.object = {"p", "d", "t" + std::to_string(i % 1'250), ""};
                      record.consistent_through_ms = i;
                      HF_RETURN_IF_ERROR(catalog.RecordBackup(record));
                    }
                    return Ok();
                  })
                  .ok());
  const std::pair<BackupFilter, size_t> cases[] = {
      {{}, 2'500},
      {{.newest_only = true}, 1'250},
      {{.as_of_ms = 2'000, .good_only = true, .newest_only = true}, 1'250},
      {{.project = "p", .dataset = "d", .table = "t7"}, 2},
      {{.method = Method::kExport, .newest_only = true}, 1'250},
  };
  for (const auto& [filter, expected] : cases) {
    session.plans.clear();
    session.pages = 0;
    size_t found = 0;
    const Status listed = cloud::ForEachPage<BackupRecord>(
        [&](const std::string& token) { return catalog.FindBackups(filter, token); },
        [&](BackupRecord&&) -> Status {
          ++found;
          return Ok();
        });
    ASSERT_TRUE(listed.ok());
    EXPECT_EQ(found, expected);
    EXPECT_EQ(session.pages, expected / 1'000 + 1);
    EXPECT_EQ(session.plans.find("TEMP B-TREE"), std::string::npos) << session.plans;
    // A page after the first begins where the one before it ended.
    const auto scans = [&] {
      size_t count = 0;
      for (size_t at = 0; (at = session.plans.find("SCAN backups", at)) != std::string::npos;
           ++at) {
        ++count;
      }
      return count;
    }();
    EXPECT_EQ(scans, filter.table.empty() ? 1U : 0U) << session.plans;
  }
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
