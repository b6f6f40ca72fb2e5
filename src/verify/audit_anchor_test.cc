// What runs leave in the repositories shows that the audit log is not the one that it was.
#include "verify/audit_anchor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/sim_fixture.h"

namespace holdfast::verify {
namespace {

using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

class AuditAnchorTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "anchors-" +
            testing::UnitTest::GetInstance()->current_test_info()->name() + "-" +
            std::to_string(getpid());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
    Open();
    fixture_.cloud().AddTable(testing_support::kOrders, TwoColumns(), NumberedRows(1, 10));
  }
  void TearDown() override {
    catalog_.reset();
    std::filesystem::remove_all(path_);
  }

  void Open() { catalog_ = catalog::SqliteCatalog::Open(path_ + "/catalog.sqlite").value(); }

  // One more entry, and a run that leaves where the log ends then.
  void BackUp(const std::string& actor = "cli") {
    Append(actor);
    const backup::Services mine = fixture_.services();
    const backup::Services services{.warehouse = mine.warehouse,
                                    .definitions = mine.definitions,
                                    .objects = mine.objects,
                                    .projects = mine.projects,
                                    .catalog = *catalog_,
                                    .clock = mine.clock,
                                    .random = mine.random,
                                    .organization = mine.organization,
                                    .tool_version = mine.tool_version,
                                    .quotas = mine.quotas};
    const auto report = fixture_.BackUp({}, services);
    ASSERT_TRUE(report.ok()) << report.error().message;
  }

  void Append(const std::string& actor = "cli") {
    ASSERT_TRUE(catalog_->AppendAudit({.at_ms = 1, .actor = actor, .action = "backup.run"}).ok());
  }

  FoundAnchors Find() {
    auto found = FindAuditAnchors(*catalog_, fixture_.services().objects);
    EXPECT_TRUE(found.ok()) << found.error().message;
    return found.ok() ? *std::move(found) : FoundAnchors();
  }

  Result<catalog::AuditChain> Verify() {
    return catalog::VerifyAuditChain(*catalog_, {}, Find().anchors);
  }

  std::string path_;
  SimFixture fixture_;
  std::unique_ptr<catalog::Catalog> catalog_;
};

TEST_F(AuditAnchorTest, EachRunProvesTheLogUpToIt) {
  EXPECT_TRUE(Find().anchors.empty());
  BackUp();
  BackUp();
  Append();
  EXPECT_EQ(Find().anchors.size(), 2U);
  EXPECT_EQ(Find().repositories, 1);
  const auto chain = Verify();
  ASSERT_TRUE(chain.ok()) << chain.error().message;
  EXPECT_EQ(chain->entries, 3);
  EXPECT_EQ(chain->anchored, 2);
}

TEST_F(AuditAnchorTest, AnOlderCatalogThatWasPutBackIsFound) {
  BackUp();
  catalog_.reset();
  std::filesystem::copy(path_ + "/catalog.sqlite", path_ + "/older.sqlite");
  Open();
  BackUp();
  ASSERT_TRUE(Verify().ok());
  catalog_.reset();
  for (const char* beside : {"", "-wal", "-shm"}) {
    std::filesystem::remove(path_ + "/catalog.sqlite" + beside);
  }
  std::filesystem::copy(path_ + "/older.sqlite", path_ + "/catalog.sqlite");
  Open();
  const auto older = Verify();
  ASSERT_FALSE(older.ok());
  EXPECT_EQ(older.error().id, ErrorId::kAuditChainBroken);
  EXPECT_THAT(older.error().message, testing::HasSubstr("entries 2 to 2 are missing"));
  // As long again as it was, and longer: the newest anchor is of the new one.
  BackUp("someone else");
  BackUp();
  EXPECT_TRUE(catalog::VerifyAuditChain(*catalog_).ok());
  const auto rewritten = Verify();
  ASSERT_FALSE(rewritten.ok());
  EXPECT_THAT(rewritten.error().message, testing::HasSubstr("written anew after entry 1"));
}

TEST_F(AuditAnchorTest, TellsWhatItCannotCompare) {
  BackUp();
  const std::string id = catalog_->Id().value();
  catalog_.reset();
  std::filesystem::remove_all(path_);
  std::filesystem::create_directories(path_);
  Open();  // another one, which finds the repository and another that is not there
  BackUp();
  catalog::BackupRecord lost;
  lost.backup = "lost";
  lost.object = testing_support::kOrders;
  lost.bucket = "not-there";
  ASSERT_TRUE(catalog_->RecordBackup(lost).ok());
  const FoundAnchors found = Find();
  ASSERT_EQ(found.unread.size(), 1U);
  EXPECT_THAT(found.unread[0].message, testing::HasSubstr("gs://not-there"));
  ASSERT_EQ(found.of_others.size(), 1U);
  EXPECT_EQ(*found.of_others.begin(), (std::pair<const std::string, int64_t>(id, 1)));
}

}  // namespace
}  // namespace holdfast::verify
