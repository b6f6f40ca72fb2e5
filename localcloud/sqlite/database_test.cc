#include "localcloud/sqlite/database.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_directory.h"

namespace holdfast::sqlite {
namespace {

class SqliteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_ = Open({});
    ASSERT_TRUE(database_
                    ->Execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT UNIQUE,"
                              " body BLOB, at INTEGER, size INTEGER)")
                    .ok());
  }

  std::string path() const { return directory_.path() + "/state.sqlite"; }

  std::unique_ptr<Database> Open(const DatabaseOptions& options) const {
    return std::move(Database::Open(path(), options)).value();
  }

  Status Insert(const std::string& name) {
    return database_->Run("INSERT INTO items (name) VALUES (?)", name);
  }

  int64_t Count() const { return database_->ReadInt("SELECT count(*) FROM items").value().value(); }

  const testing_support::TemporaryDirectory directory_;
  std::unique_ptr<Database> database_;
};

TEST_F(SqliteTest, ValuesComeBackAsTheyWereBound) {
  const std::string bytes("\0\xff'; DROP TABLE items; --", 25);
  const Timestamp time{Duration{1'700'000'000'123'456}};
  ASSERT_TRUE(database_
                  ->Run("INSERT INTO items VALUES (?, ?, ?, ?, ?)", int64_t{1} << 62U, bytes,
                        Blob{bytes}, time, std::optional<int64_t>())
                  .ok());
  auto row = database_
                 ->Prepare(
                     "SELECT id, name, body, at, size, typeof(body), typeof(name)"
                     " FROM items")
                 .value();
  ASSERT_TRUE(row.Step().value());
  EXPECT_EQ(row.Int(0), int64_t{1} << 62U);
  EXPECT_EQ(row.Text(1), bytes);
  EXPECT_EQ(row.Bytes(2), bytes);
  EXPECT_EQ(row.Time(3), time);
  EXPECT_EQ(row.OptionalTime(3), time);
  EXPECT_EQ(row.OptionalInt(4), std::nullopt);
  EXPECT_EQ(row.OptionalTime(4), std::nullopt);
  EXPECT_EQ(row.Int(4), 0);
  EXPECT_EQ(row.Text(5), "blob");
  EXPECT_EQ(row.Text(6), "text");
  EXPECT_FALSE(row.Step().value());
}

TEST_F(SqliteTest, AnEmptyViewIsAnEmptyValueAndNotNull) {
  ASSERT_TRUE(database_
                  ->Run("INSERT INTO items (name, body) VALUES (?, ?)", std::string_view(),
                        Blob{std::string_view()})
                  .ok());
  EXPECT_EQ(
      database_->ReadInt("SELECT count(*) FROM items WHERE name IS NOT NULL AND body IS NOT NULL")
          .value(),
      1);
}

TEST_F(SqliteTest, ReadIntTellsNoRowAndNullFromZero) {
  EXPECT_EQ(database_->ReadInt("SELECT id FROM items").value(), std::nullopt);
  EXPECT_EQ(database_->ReadInt("SELECT max(id) FROM items").value(), std::nullopt);
  EXPECT_EQ(database_->ReadInt("SELECT 0").value(), 0);
}

TEST_F(SqliteTest, TooManyValuesAreAnError) {
  const Status run = database_->Run("INSERT INTO items (name) VALUES (?)", "a", "b");
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.error().id, ErrorId::kLocalDatabaseFailed);
  EXPECT_EQ(Count(), 0);
}

TEST_F(SqliteTest, AnErrorNamesTheFileAndTheStatement) {
  const auto prepared = database_->Prepare("SELECT nothing FROM nowhere");
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().id, ErrorId::kLocalDatabaseFailed);
  EXPECT_NE(prepared.error().message.find(path()), std::string::npos);
  EXPECT_NE(prepared.error().message.find("nowhere"), std::string::npos);
}

TEST_F(SqliteTest, CountsWhatChanged) {
  ASSERT_TRUE(Insert("a").ok());
  ASSERT_TRUE(Insert("b").ok());
  EXPECT_EQ(database_->last_insert_id(), 2);
  ASSERT_TRUE(database_->Run("UPDATE items SET size = 1").ok());
  EXPECT_EQ(database_->rows_changed(), 2);
}

TEST_F(SqliteTest, AStatementIsPreparedOnce) {
  ASSERT_TRUE(Insert("a").ok());
  const size_t kept = database_->kept_statements();
  ASSERT_TRUE(Insert("b").ok());
  EXPECT_EQ(database_->kept_statements(), kept);
  EXPECT_EQ(Count(), 2);
}

TEST_F(SqliteTest, AKeptStatementBeginsAnew) {
  ASSERT_TRUE(Insert("a").ok());
  ASSERT_TRUE(Insert("b").ok());
  constexpr std::string_view kNames = "SELECT name, ? FROM items ORDER BY id";
  {
    auto rows = database_->Prepare(kNames, 7).value();
    ASSERT_TRUE(rows.Step().value());
  }
  // Left in the middle, it is at its first row again, and what was bound is gone.
  auto rows = database_->Prepare(kNames).value();
  ASSERT_TRUE(rows.Step().value());
  EXPECT_EQ(rows.Text(0), "a");
  EXPECT_EQ(rows.OptionalInt(1), std::nullopt);
}

TEST_F(SqliteTest, AStatementThatFailedServesAgain) {
  ASSERT_TRUE(Insert("a").ok());
  EXPECT_FALSE(Insert("a").ok());
  EXPECT_TRUE(Insert("b").ok());
}

TEST_F(SqliteTest, TwoStatementsOfOneTextDoNotDisturbEachOther) {
  ASSERT_TRUE(Insert("a").ok());
  ASSERT_TRUE(Insert("b").ok());
  constexpr std::string_view kNames = "SELECT name FROM items ORDER BY id";
  auto outer = database_->Prepare(kNames).value();
  ASSERT_TRUE(outer.Step().value());
  {
    auto inner = database_->Prepare(kNames).value();
    ASSERT_TRUE(inner.Step().value());
    EXPECT_EQ(inner.Text(0), "a");
  }
  ASSERT_TRUE(outer.Step().value());
  EXPECT_EQ(outer.Text(0), "b");
}

TEST_F(SqliteTest, KeepsABoundedNumberOfStatements) {
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(database_->ReadInt("SELECT " + std::to_string(i)).value(), i);
  }
  EXPECT_LE(database_->kept_statements(), 256U);
}

TEST_F(SqliteTest, AKeptStatementSeesAChangedSchema) {
  ASSERT_TRUE(Insert("a").ok());
  EXPECT_EQ(Count(), 1);
  ASSERT_TRUE(database_->Execute("DROP TABLE items; CREATE TABLE items (name TEXT)").ok());
  EXPECT_EQ(Count(), 0);
  EXPECT_TRUE(Insert("b").ok());
}

TEST_F(SqliteTest, ATransactionThatIsNotCommittedLeavesNothing) {
  const auto insert_and_fail = [&]() -> Status {
    HF_ASSIGN_OR_RETURN(const Transaction transaction, Transaction::Begin(*database_));
    HF_RETURN_IF_ERROR(Insert("a"));
    return Insert("a");  // UNIQUE
  };
  EXPECT_FALSE(insert_and_fail().ok());
  EXPECT_EQ(Count(), 0);
  auto transaction = Transaction::Begin(*database_).value();
  ASSERT_TRUE(Insert("a").ok());
  EXPECT_TRUE(transaction.Commit().ok());
  EXPECT_EQ(Count(), 1);
}

TEST_F(SqliteTest, WhatWasCommittedIsThereAfterReopening) {
  ASSERT_TRUE(Insert("a").ok());
  database_.reset();
  database_ = Open({});
  EXPECT_EQ(Count(), 1);
  EXPECT_EQ(database_->ReadInt("PRAGMA synchronous").value(), 2) << "2 is FULL";
}

TEST_F(SqliteTest, AnotherWriterIsWaitedForAndThenNamedAsTheReason) {
  const auto other = Open({.busy_timeout_ms = 1});
  auto transaction = Transaction::Begin(*database_).value();
  ASSERT_TRUE(Insert("a").ok());
  const Status written = other->Run("INSERT INTO items (name) VALUES ('b')");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().id, ErrorId::kLocalDatabaseFailed);
  EXPECT_NE(written.error().message.find("locked"), std::string::npos) << written.error().message;
  EXPECT_EQ(other->ReadInt("SELECT count(*) FROM items").value(), 0) << "readers are not kept out";
  ASSERT_TRUE(transaction.Commit().ok());
  EXPECT_TRUE(other->Run("INSERT INTO items (name) VALUES ('b')").ok());
}

TEST_F(SqliteTest, AFullDiskIsToldAsSuchAndTakesTheWriteBack) {
  ASSERT_TRUE(Insert("before").ok());
  // SQLite answers a page too many as it answers a write that finds no space: SQLITE_FULL.
  ASSERT_TRUE(database_->Execute("PRAGMA max_page_count = 4").ok());
  const auto fill = [&]() -> Status {
    HF_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*database_));
    HF_RETURN_IF_ERROR(Insert("small"));
    HF_RETURN_IF_ERROR(Insert(std::string(1'000'000, 'x')));
    return transaction.Commit();
  };
  const Status filled = fill();
  ASSERT_FALSE(filled.ok());
  EXPECT_EQ(filled.error().id, ErrorId::kDiskFull);
  EXPECT_NE(filled.error().message.find(path()), std::string::npos);
  EXPECT_EQ(Count(), 1);
  ASSERT_TRUE(database_->Execute("PRAGMA max_page_count = 1000000").ok());
  EXPECT_TRUE(fill().ok());
  EXPECT_EQ(Count(), 3);
}

TEST_F(SqliteTest, AFileThatIsNoDatabaseIsDamaged) {
  const std::string other = directory_.path() + "/other.sqlite";
  std::ofstream(other) << std::string(8192, 'x');
  const auto opened = Database::Open(other);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().id, ErrorId::kLocalDatabaseDamaged);
  EXPECT_NE(opened.error().message.find(other), std::string::npos);
}

TEST_F(SqliteTest, AnOverwrittenPageIsDamaged) {
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(Insert("name " + std::to_string(i)).ok());
  database_.reset();  // the last connection moves everything into the file
  {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(4096, '\x5a');
  }
  database_ = Open({});
  const auto count = database_->ReadInt("SELECT count(*) FROM items WHERE size IS NULL");
  ASSERT_FALSE(count.ok());
  EXPECT_EQ(count.error().id, ErrorId::kLocalDatabaseDamaged);
}

TEST_F(SqliteTest, AFileThatCannotBeMadeIsAnError) {
  const auto opened = Database::Open(directory_.path() + "/absent/state.sqlite");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().id, ErrorId::kLocalDatabaseFailed);
  EXPECT_NE(opened.error().message.find("No such file"), std::string::npos)
      << opened.error().message;
}

TEST(Vacuum, GivesSpaceBackWhereTheFileWasMadeForIt) {
  const testing_support::TemporaryDirectory directory;
  const auto database =
      std::move(Database::Open(directory.path() + "/v.sqlite", {.incremental_vacuum = true}))
          .value();
  EXPECT_EQ(database->ReadInt("PRAGMA auto_vacuum").value(), 2) << "2 is INCREMENTAL";
  ASSERT_TRUE(database->Execute("CREATE TABLE t (x)").ok());
  ASSERT_TRUE(database->Run("INSERT INTO t VALUES (?)", std::string(1'000'000, 'x')).ok());
  const auto before = database->ReadInt("PRAGMA page_count").value();
  ASSERT_TRUE(database->Execute("DELETE FROM t; PRAGMA incremental_vacuum(1000)").ok());
  EXPECT_LT(database->ReadInt("PRAGMA page_count").value(), before);
}

}  // namespace
}  // namespace holdfast::sqlite
