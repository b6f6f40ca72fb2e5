#include "catalog/sqlite_database.h"

#include <gtest/gtest.h>

#include "tests/support/temporary_directory.h"

namespace holdfast::catalog {
namespace {

class SqliteDatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = SqliteDatabase::Open(directory_.path() + "/catalog.sqlite", 100);
    ASSERT_TRUE(opened.ok()) << opened.error().ToString();
    database_ = *std::move(opened);
    ASSERT_TRUE(database_->Execute("CREATE TABLE items (name TEXT)").ok());
  }

  int64_t Read(const std::string& sql) {
    int64_t value = -1;
    const Status read = database_->Query(sql, {}, [&](const SqlRow& row) -> Status {
      value = row.Int(0);
      return Ok();
    });
    EXPECT_TRUE(read.ok());
    return value;
  }

  const testing_support::TemporaryDirectory directory_;
  std::unique_ptr<SqliteDatabase> database_;
};

TEST_F(SqliteDatabaseTest, SyncsWhatItCommits) {
  EXPECT_EQ(Read("PRAGMA synchronous"), 2) << "2 is FULL";
}

TEST_F(SqliteDatabaseTest, AFullDiskIsToldAsSuchAndTakesTheTransactionBack) {
  const std::string large(1'000'000, 'x');
  const auto write = [&] {
    return database_->Transact([&]() -> Status {
      HF_RETURN_IF_ERROR(database_->Execute("INSERT INTO items VALUES ('small')"));
      HF_RETURN_IF_ERROR(database_->Execute("INSERT INTO items VALUES (?)", {large}));
      return Ok();
    });
  };
  // SQLite answers a page too many as it answers a write that finds no space: SQLITE_FULL.
  ASSERT_TRUE(database_->ExecuteScript("PRAGMA max_page_count = 4").ok());
  const Status written = write();
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().id, ErrorId::kDiskFull);
  EXPECT_NE(written.error().message.find(directory_.path()), std::string::npos);
  EXPECT_EQ(Read("SELECT count(*) FROM items"), 0);
  ASSERT_TRUE(database_->ExecuteScript("PRAGMA max_page_count = 100000").ok());
  EXPECT_TRUE(write().ok());
  EXPECT_EQ(Read("SELECT count(*) FROM items"), 2);
}

}  // namespace
}  // namespace holdfast::catalog
