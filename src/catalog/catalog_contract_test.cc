// What every catalog promises as an index of backups and as an audit log, over each kind of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "catalog/catalog.h"
#include "catalog/rebuild_catalog.h"
#include "tests/support/catalog_places.h"

namespace holdfast::catalog {
namespace {

const TableRef kTable{"acme", "sales", "orders", ""};

BackupRecord Record(const std::string& id, const TableRef& object, int64_t at_ms) {
  BackupRecord record;
  record.backup = id;
  record.object = object;
  record.run = "r1";
  record.created_ms = at_ms + 5;
  record.consistent_through_ms = at_ms;
  record.source.rows = 7;
  record.source.schema_hash = "s";
  record.bucket = "bucket";
  record.rows = 7;
  record.content_digest = "hf1:7:x";
  return record;
}

class CatalogContract : public testing_support::OverEachCatalog {
 protected:
  std::vector<std::string> Ids(const BackupFilter& filter) {
    std::vector<std::string> ids;
    const Status status = cloud::ForEachPage<BackupRecord>(
        [&](const std::string& token) { return catalog_->FindBackups(filter, token); },
        [&](BackupRecord&& record) -> Status {
          ids.push_back(record.backup);
          return Ok();
        });
    EXPECT_TRUE(status.ok()) << status.error().ToString();
    return ids;
  }
};

TEST_P(CatalogContract, ABackupIsFoundAsItWasRecorded) {
  const BackupRecord record = Record("b1", kTable.WithPartition("20240101"), 100);
  ASSERT_TRUE(catalog_->RecordBackup(record).ok());
  catalog_.reset();
  catalog_ = Open();
  const auto found = GetBackup(*catalog_, "b1");
  ASSERT_TRUE(found.ok()) << found.error().ToString();
  EXPECT_EQ(*found, record);
}

TEST_P(CatalogContract, RecordingTwiceChangesNothing) {
  ASSERT_TRUE(catalog_->RecordBackup(Record("b1", kTable, 100)).ok());
  ASSERT_TRUE(catalog_->RecordVerification({"b1", 200, VerifyLevel::kL2, true, ""}).ok());
  BackupRecord other = Record("b1", kTable, 999);
  ASSERT_TRUE(catalog_->RecordBackup(other).ok());
  const auto found = GetBackup(*catalog_, "b1");
  EXPECT_EQ(found->consistent_through_ms, 100);
  EXPECT_EQ(found->verified, VerifyLevel::kL2);
}

TEST_P(CatalogContract, FindsTheNewestOfEachMethod) {
  BackupRecord snapshot = Record("s1", kTable, 300);
  snapshot.method = Method::kSnapshot;
  snapshot.as_of_ms = 250;
  for (const BackupRecord& record :
       {Record("a1", kTable, 100), Record("b2", kTable, 200), snapshot}) {
    ASSERT_TRUE(catalog_->RecordBackup(record).ok());
  }
  EXPECT_EQ(Ids({.method = Method::kExport, .newest_only = true}), std::vector<std::string>{"b2"});
  EXPECT_EQ(LatestIntactOfTable(*catalog_, kTable, Method::kSnapshot)->at(0), snapshot);
  EXPECT_TRUE(LatestIntactOfTable(*catalog_, kTable, Method::kCopy)->empty());
  EXPECT_EQ(Ids({.newest_only = true}), std::vector<std::string>{"s1"});
}

TEST_P(CatalogContract, FindsByEachFilter) {
  const TableRef day = kTable.WithPartition("20240101");
  const TableRef other{"acme", "sales", "customers", ""};
  BackupRecord suspect = Record("c3", kTable, 300);
  suspect.suspect = "rows fell";
  for (const BackupRecord& record : {Record("a1", kTable, 100), Record("b2", kTable, 200), suspect,
                                     Record("d1", day, 150), Record("e1", other, 120)}) {
    ASSERT_TRUE(catalog_->RecordBackup(record).ok());
  }
  EXPECT_EQ(Ids({}), (std::vector<std::string>{"e1", "c3", "b2", "a1", "d1"}));
  EXPECT_EQ(Ids({.table = "orders", .partition = ""}),
            (std::vector<std::string>{"c3", "b2", "a1"}));
  EXPECT_EQ(Ids({.as_of_ms = 150}), (std::vector<std::string>{"e1", "a1", "d1"}));
  EXPECT_EQ(Ids({.table = "orders", .good_only = true}),
            (std::vector<std::string>{"b2", "a1", "d1"}));
  EXPECT_EQ(Ids({.good_only = true, .newest_only = true}),
            (std::vector<std::string>{"e1", "b2", "d1"}));
  EXPECT_EQ(Ids({.id_prefix = "b"}), (std::vector<std::string>{"b2"}));
  EXPECT_EQ(Ids({.run = "r2"}), (std::vector<std::string>{}));

  EXPECT_EQ((*LatestGood(*catalog_, kTable))->backup, "b2");
  EXPECT_EQ((*LatestGood(*catalog_, kTable, 199))->backup, "a1");
  EXPECT_FALSE(LatestGood(*catalog_, kTable, 99)->has_value());
  EXPECT_EQ(LatestGoodOfTable(*catalog_, kTable)->size(), 2);
}

TEST_P(CatalogContract, EveryPageTogetherIsEveryBackupOnce) {
  for (int i = 0; i < 2300; ++i) {
    const TableRef object{"acme", "d", "t" + std::to_string(i / 3), ""};
    ASSERT_TRUE(catalog_->RecordBackup(Record("b" + std::to_string(i), object, i)).ok());
  }
  auto all = Ids({});
  EXPECT_EQ(all.size(), 2300);
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
  EXPECT_EQ(Ids({.newest_only = true}).size(), 767);
  EXPECT_FALSE(catalog_->FindBackups({}, "[1,2]").ok());
  EXPECT_FALSE(catalog_->FindBackups({}, R"([1,2,3,4,5,6])").ok());
}

TEST_P(CatalogContract, AnIdIsFoundByAUniqueBeginning) {
  for (const char* id : {"20240101-aa", "20240101-ab", "20240101"}) {
    ASSERT_TRUE(catalog_->RecordBackup(Record(id, kTable, 1)).ok());
  }
  EXPECT_EQ(GetBackup(*catalog_, "20240101-aa")->backup, "20240101-aa");
  EXPECT_EQ(GetBackup(*catalog_, "20240101")->backup, "20240101");
  EXPECT_EQ(GetBackup(*catalog_, "20240101-a").error().id, ErrorId::kBackupAmbiguous);
  EXPECT_EQ(GetBackup(*catalog_, "x").error().id, ErrorId::kBackupNotFound);
  EXPECT_EQ(GetBackup(*catalog_, "").error().id, ErrorId::kBackupNotFound);
}

TEST_P(CatalogContract, DamageCountsUntilAVerificationOfThatLevelPasses) {
  ASSERT_TRUE(catalog_->RecordBackup(Record("b1", kTable, 100)).ok());
  const auto good = [&] { return LatestGood(*catalog_, kTable)->has_value(); };
  ASSERT_TRUE(catalog_->RecordVerification({"b1", 200, VerifyLevel::kL2, false, "rot"}).ok());
  EXPECT_FALSE(good());
  ASSERT_TRUE(catalog_->RecordVerification({"b1", 300, VerifyLevel::kL0, true, ""}).ok());
  EXPECT_FALSE(good()) << "L0 does not read what L2 found damaged";
  ASSERT_TRUE(catalog_->RecordVerification({"b1", 400, VerifyLevel::kL2, true, ""}).ok());
  EXPECT_TRUE(good());
  ASSERT_TRUE(catalog_->RecordVerification({"b1", 200, VerifyLevel::kL2, false, "rot"}).ok());
  EXPECT_TRUE(good()) << "the same verification is recorded once";
  EXPECT_EQ(catalog_->ListVerifications("b1")->size(), 3);
  EXPECT_EQ(catalog_->RecordVerification({"b9", 1, VerifyLevel::kL0, true, ""}).error().id,
            ErrorId::kBackupNotFound);
  ASSERT_TRUE(catalog_->RecordVerification({"b1", 500, VerifyLevel::kL0, false, "gone"}).ok());
  EXPECT_FALSE(good()) << "damage at L0 counts";
}

// A rebuild hears of what happened in any order.
TEST_P(CatalogContract, APassClearsOnlyDamageThatWasFoundBeforeIt) {
  const VerificationRecord before{"b1", 200, VerifyLevel::kL3, true, ""};
  const VerificationRecord failed{"b1", 300, VerifyLevel::kL0, false, "gone"};
  const VerificationRecord meanwhile{"b1", 300, VerifyLevel::kL0, true, ""};
  const VerificationRecord above{"b1", 300, VerifyLevel::kL2, true, ""};
  const VerificationRecord after{"b1", 400, VerifyLevel::kL2, true, ""};
  struct Case {
    std::vector<VerificationRecord> heard;
    bool good;
  };
  const Case cases[] = {{{before, failed}, false},
                        {{failed, before}, false},
                        {{failed, meanwhile}, false},
                        {{meanwhile, failed}, false},
                        {{failed, above}, false},
                        {{above, failed}, false},
                        {{failed, after}, true},
                        {{after, failed}, true},
                        {{after, failed, before}, true},
                        {{before, after, failed}, true},
                        {{meanwhile, above, failed}, false}};
  for (size_t i = 0; i < std::size(cases); ++i) {
    ASSERT_TRUE(catalog_->RemoveBackup("b1").ok());
    ASSERT_TRUE(catalog_->RecordBackup(Record("b1", kTable, 100)).ok());
    for (const VerificationRecord& heard : cases[i].heard) {
      ASSERT_TRUE(catalog_->RecordVerification(heard).ok());
    }
    EXPECT_EQ(LatestGood(*catalog_, kTable)->has_value(), cases[i].good) << "case " << i;
  }
}

TEST_P(CatalogContract, TellsWhenTheBestLevelPassedLast) {
  ASSERT_TRUE(catalog_->RecordBackup(Record("b1", kTable, 100)).ok());
  for (const int64_t at_ms : {300, 500, 400}) {
    ASSERT_TRUE(catalog_->RecordVerification({"b1", at_ms, VerifyLevel::kL2, true, ""}).ok());
  }
  ASSERT_TRUE(catalog_->RecordVerification({"b1", 600, VerifyLevel::kL1, true, ""}).ok());
  EXPECT_EQ(GetBackup(*catalog_, "b1")->verified, VerifyLevel::kL2);
  EXPECT_EQ(GetBackup(*catalog_, "b1")->verified_ms, 500);
}

TEST_P(CatalogContract, ReadingTheBackupItselfClearsWhatTheLookAtARestoredTableSaidOfIt) {
  ASSERT_TRUE(catalog_->RecordBackup(Record("b1", kTable, 100)).ok());
  const auto good = [&] { return LatestGood(*catalog_, kTable)->has_value(); };
  ASSERT_TRUE(catalog_->RecordVerification({"b1", 200, VerifyLevel::kL3, false, "differs"}).ok());
  EXPECT_FALSE(good());
  ASSERT_TRUE(catalog_->RecordVerification({"b1", 300, VerifyLevel::kL1, true, ""}).ok());
  EXPECT_FALSE(good()) << "L1 does not know the rows";
  ASSERT_TRUE(catalog_->RecordVerification({"b1", 400, VerifyLevel::kL2, true, ""}).ok());
  EXPECT_TRUE(good());
  ASSERT_TRUE(catalog_->RecordVerification({"b1", 500, VerifyLevel::kL4, false, "differs"}).ok());
  ASSERT_TRUE(catalog_->RecordVerification({"b1", 600, VerifyLevel::kL2, true, ""}).ok());
  EXPECT_FALSE(good()) << "L4 looked at the source";
}

TEST_P(CatalogContract, OfAMovedBackupOnlyWhatIsFoundWhereItIsNowCounts) {
  BackupRecord record = Record("b1", kTable, 100);
  record.suspect = "rows fell";
  ASSERT_TRUE(catalog_->RecordBackup(record).ok());
  ASSERT_TRUE(catalog_->AcceptBackup("b1").ok());
  ASSERT_TRUE(catalog_->RecordVerification({"b1", 200, VerifyLevel::kL2, false, "gone"}).ok());
  record.bucket = "elsewhere";
  const CopyRecord left{kTable, "b1", "vault", "", CopyState::kLeft, VerifyLevel::kNone, 300, ""};
  ASSERT_TRUE(catalog_->MoveBackup(record, left).ok());
  ASSERT_TRUE(catalog_->MoveBackup(record, left).ok());
  EXPECT_EQ(catalog_->FindCopies({}, "")->items, std::vector<CopyRecord>{left});
  EXPECT_EQ(GetBackup(*catalog_, "b1")->bucket, "elsewhere");
  EXPECT_TRUE(GetBackup(*catalog_, "b1")->IsGood());
  EXPECT_TRUE(catalog_->ListVerifications("b1")->empty());
  ASSERT_TRUE(catalog_->RecordVerification({"b1", 150, VerifyLevel::kL0, false, "gone"}).ok());
  EXPECT_TRUE(GetBackup(*catalog_, "b1")->damaged);
  EXPECT_EQ(catalog_->MoveBackup(Record("b9", kTable, 1), left).error().id,
            ErrorId::kBackupNotFound);
}

// The newest word counts in whatever order words are heard; a defect is as old as its first.
TEST_P(CatalogContract, OfACopyWhatWasFoundLastIsKept) {
  const auto found = [](CopyState state, int64_t at_ms) {
    return CopyRecord{kTable, "b1", "second", "p", state, VerifyLevel::kL2, at_ms, "d"};
  };
  using enum CopyState;
  const struct {
    std::vector<CopyRecord> heard;
    CopyState state;
    int64_t at_ms;
  } cases[] = {{{found(kAbsent, 10), found(kWhole, 20)}, kWhole, 20},
               {{found(kWhole, 20), found(kWhole, 10)}, kWhole, 20},
               {{found(kWhole, 20), found(kDamaged, 10)}, kWhole, 20},
               {{found(kDamaged, 20), found(kDamaged, 30)}, kDamaged, 20},
               {{found(kDamaged, 20), found(kWhole, 30)}, kWhole, 30},
               {{found(kDamaged, 20), found(kDamaged, 40), found(kWhole, 30)}, kDamaged, 20},
               {{found(kLeft, 20), found(kDamaged, 40), found(kWhole, 30)}, kLeft, 20},
               {{found(kLeft, 20), found(kDamaged, 30)}, kLeft, 20},
               {{found(kLeft, 20), found(kWhole, 30)}, kWhole, 30}};
  for (size_t i = 0; i < std::size(cases); ++i) {
    ASSERT_TRUE(catalog_->RemoveBackup("b1").ok());
    ASSERT_TRUE(catalog_->RecordCopy(found(kDamaged, 5)).ok());
    ASSERT_TRUE(catalog_->FindCopies({}, "")->items.empty()) << "of a backup that is not there";
    ASSERT_TRUE(catalog_->RecordBackup(Record("b1", kTable, 100)).ok());
    for (const CopyRecord& heard : cases[i].heard) ASSERT_TRUE(catalog_->RecordCopy(heard).ok());
    const auto copies = catalog_->FindCopies({.backup = "b1"}, "")->items;
    ASSERT_EQ(copies.size(), 1U) << "case " << i;
    EXPECT_EQ(copies[0], found(cases[i].state, cases[i].at_ms)) << "case " << i;
    EXPECT_EQ(catalog_->FindCopies({.defects_only = true}, "")->items.empty(),
              !copies[0].IsDefect());
  }
}

TEST_P(CatalogContract, AnAcceptedLossIsOneUntilItIsTakenBack) {
  AcceptedLoss loss{kTable.WithPartition("20260101"), "", 100, "cli:ada", "meant so", false};
  ASSERT_TRUE(catalog_->RecordAcceptance(loss).ok());
  ASSERT_TRUE(catalog_->RecordAcceptance(loss).ok());
  EXPECT_EQ(catalog_->FindAccepted({.table = kTable.table}, "")->items,
            std::vector<AcceptedLoss>{loss});
  EXPECT_TRUE(catalog_->FindAccepted({.table = "other"}, "")->items.empty());
  AcceptedLoss back = loss;
  back.at_ms = 200;
  back.withdrawn = true;
  ASSERT_TRUE(catalog_->RecordAcceptance(back).ok());
  ASSERT_TRUE(catalog_->RecordAcceptance(loss).ok()) << "heard of late";
  EXPECT_TRUE(catalog_->FindAccepted({}, "")->items.empty());
}

TEST_P(CatalogContract, AcceptedDamageThatIsNewIsNotAccepted) {
  ASSERT_TRUE(catalog_->RecordBackup(Record("b1", kTable, 100)).ok());
  const auto found = [&](int64_t at_ms, bool passed) {
    EXPECT_TRUE(catalog_->RecordVerification({"b1", at_ms, VerifyLevel::kL2, passed, ""}).ok());
    return catalog_->FindAccepted({}, "")->items.size();
  };
  found(200, false);
  ASSERT_TRUE(catalog_->RecordAcceptance({kTable, "b1", 300, "cli:ada", "known", false}).ok());
  EXPECT_EQ(found(400, false), 1U) << "the same damage";
  EXPECT_EQ(found(500, true), 1U);
  EXPECT_EQ(found(600, false), 0U) << "other damage";
}

TEST_P(CatalogContract, LossesAreListedInPagesInOrderOfObject) {
  constexpr int kLosses = 2'500;
  for (int i = kLosses - 1; i >= 0; --i) {
    const TableRef object{"acme", "sales", "t" + std::to_string(10'000 + i), ""};
    const std::string backup = "b" + std::to_string(i);
    ASSERT_TRUE(catalog_->RecordBackup(Record(backup, object, 100)).ok());
    ASSERT_TRUE(catalog_
                    ->RecordCopy({object, backup, "second", "", CopyState::kDamaged,
                                  VerifyLevel::kNone, 1, ""})
                    .ok());
    ASSERT_TRUE(catalog_->RecordAcceptance({object, backup, 1, "a", "r", false}).ok());
  }
  std::vector<TableRef> copies;
  ASSERT_TRUE(cloud::ForEachPage<CopyRecord>(
                  [&](const std::string& token) {
                    return catalog_->FindCopies({.defects_only = true}, token);
                  },
                  [&](CopyRecord&& copy) {
                    copies.push_back(copy.object);
                    return Ok();
                  })
                  .ok());
  std::vector<TableRef> accepted;
  ASSERT_TRUE(cloud::ForEachPage<AcceptedLoss>(
                  [&](const std::string& token) { return catalog_->FindAccepted({}, token); },
                  [&](AcceptedLoss&& loss) {
                    accepted.push_back(loss.object);
                    return Ok();
                  })
                  .ok());
  EXPECT_EQ(copies.size(), size_t{kLosses});
  EXPECT_TRUE(std::ranges::is_sorted(copies));
  EXPECT_EQ(accepted, copies);
}

TEST_P(CatalogContract, ARemovedBackupIsGoneWithItsVerifications) {
  ASSERT_TRUE(catalog_->RecordBackup(Record("b1", kTable, 100)).ok());
  ASSERT_TRUE(catalog_->RecordVerification({"b1", 200, VerifyLevel::kL2, true, ""}).ok());
  ASSERT_TRUE(catalog_->RemoveBackup("b1").ok());
  ASSERT_TRUE(catalog_->RemoveBackup("b1").ok());
  EXPECT_TRUE(Ids({}).empty());
  EXPECT_TRUE(catalog_->ListVerifications("b1")->empty());
}

TEST_P(CatalogContract, FindsTheNewestBackupsOfARangeOfTables) {
  for (const char* table : {"a", "b", "c", "d"}) {
    const TableRef object{"p", "d", table, ""};
    for (const int64_t at : {10, 20}) {
      ASSERT_TRUE(catalog_->RecordBackup(Record(table + std::to_string(at), object, at)).ok());
    }
  }
  EXPECT_EQ(Ids({.table_from = "b", .table_through = "c", .newest_only = true}),
            (std::vector<std::string>{"b20", "c20"}));
  EXPECT_EQ(Ids({.table_from = "c", .as_of_ms = 15, .newest_only = true}),
            (std::vector<std::string>{"c10", "d10"}));
}

TEST_P(CatalogContract, AnAuditEntryThatWasChangedIsFound) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(catalog_->AppendAudit({.at_ms = i, .actor = "cli", .action = "backup.run"}).ok());
  }
  const auto last = VerifyAuditChain(*catalog_);
  ASSERT_TRUE(last.ok()) << last.error().ToString();
  EXPECT_EQ(last->entries, 5);
  EXPECT_EQ(last->last_hash, catalog_->ListAudit(4)->front().hash);
  const std::string third = catalog_->ListAudit(2)->front().hash;
  EXPECT_TRUE(VerifyAuditChain(*catalog_, third).ok());
  EXPECT_EQ(VerifyAuditChain(*catalog_, std::string(64, 'a')).error().id,
            ErrorId::kAuditChainBroken);
  const std::string statements[] = {"UPDATE audit SET actor = 'x' WHERE sequence = 3",
                                    "DELETE FROM audit WHERE sequence = 2"};
  for (const std::string& sql : statements) {
    ASSERT_TRUE(place_->Alter(sql).ok());
    EXPECT_EQ(VerifyAuditChain(*catalog_).error().id, ErrorId::kAuditChainBroken) << sql;
  }
}

// Five entries, anchored when the third and the fifth were the last.
TEST_P(CatalogContract, AnAuditLogThatIsNotTheAnchoredOneIsFound) {
  EXPECT_FALSE(catalog_->LastAudit().value().has_value());
  std::vector<AuditAnchor> anchors;
  for (int i = 1; i <= 5; ++i) {
    const auto entry = catalog_->AppendAudit({.at_ms = i, .actor = "cli", .action = "backup.run"});
    ASSERT_TRUE(entry.ok()) << entry.error().ToString();
    EXPECT_EQ(catalog_->LastAudit().value()->hash, entry->hash);
    if (i == 3 || i == 5) anchors.push_back({entry->sequence, entry->hash, "gs://b"});
  }
  EXPECT_EQ(VerifyAuditChain(*catalog_, {}, anchors)->anchored, 5);
  ASSERT_TRUE(catalog_->AppendAudit({.at_ms = 6, .actor = "cli"}).ok());
  const auto longer = VerifyAuditChain(*catalog_, {}, anchors);
  ASSERT_TRUE(longer.ok()) << longer.error().ToString();
  EXPECT_EQ(longer->entries, 6);
  EXPECT_EQ(longer->anchored, 5);
  const auto message = [&](const std::string& sql) {
    EXPECT_TRUE(place_->Alter(sql).ok());
    EXPECT_TRUE(VerifyAuditChain(*catalog_).ok()) << "the chain by itself is whole";
    const auto chain = VerifyAuditChain(*catalog_, {}, anchors);
    return chain.ok() ? std::string("whole") : chain.error().message;
  };
  EXPECT_THAT(message("DELETE FROM audit WHERE sequence >= 5"),
              testing::HasSubstr("ends with entry 4, and gs://b tells of entry 5: entries 5 to 5"));
  ASSERT_TRUE(catalog_->AppendAudit({.at_ms = 9, .actor = "other"}).ok());
  EXPECT_THAT(message("DELETE FROM audit WHERE sequence > 5"),
              testing::HasSubstr("entry 5 is not the one that gs://b tells of: the log was written "
                                 "anew after entry 3"));
  EXPECT_THAT(message("DELETE FROM audit"),
              testing::HasSubstr("ends with entry 0, and gs://b tells of entry 5: entries 1 to 5"));
}

TEST_P(CatalogContract, HasAnIdentityThatStays) {
  const std::string id = catalog_->Id().value();
  EXPECT_EQ(id.size(), 16U);
  EXPECT_EQ(Open()->Id().value(), id);
  catalog_.reset();
  place_ = GetParam().make();
  EXPECT_NE(Open()->Id().value(), id);
}

TEST_P(CatalogContract, ProcessesShareOneCatalog) {
  catalog_.reset();
  place_ = GetParam().make();  // so that they make the tables too
  constexpr int kProcesses = 3;
  constexpr int kEach = 25;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t child = fork();
    if (child == 0) {
      const auto catalog = place_->Open();
      EXPECT_TRUE(catalog.ok()) << catalog.error().ToString();
      for (int i = 0; catalog.ok() && i < kEach; ++i) {
        const auto entry = (*catalog)->AppendAudit({.at_ms = i, .actor = std::to_string(p)});
        EXPECT_TRUE(entry.ok()) << entry.error().ToString();
      }
      _exit(HasFailure() ? 1 : 0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  catalog_ = Open();
  EXPECT_EQ(catalog_->ListAudit(0)->size(), kProcesses * kEach);
  EXPECT_TRUE(VerifyAuditChain(*catalog_).ok());
}

TEST_P(CatalogContract, AppendsOfManyConnectionsMakeOneChain) {
  constexpr int kThreads = 4;
  constexpr int kEach = 50;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const auto catalog = Open();
      for (int i = 0; i < kEach; ++i) {
        const auto entry = catalog->AppendAudit({.at_ms = i, .actor = std::to_string(t)});
        EXPECT_TRUE(entry.ok()) << entry.error().ToString();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto chain = VerifyAuditChain(*catalog_);
  ASSERT_TRUE(chain.ok()) << chain.error().ToString();
  EXPECT_EQ(chain->entries, kThreads * kEach);
}

TEST_P(CatalogContract, AListingGoesOnWhereItWasWhateverIsWrittenMeanwhile) {
  const auto record = [&](int i) {
    const std::string number = std::to_string(100'000 + i);
    return Record("b" + number, {"acme", "d", "t" + number, ""}, i);
  };
  for (int i = 0; i < 1500; ++i) ASSERT_TRUE(catalog_->RecordBackup(record(i * 10)).ok());
  const auto first = catalog_->FindBackups({}, "");
  ASSERT_EQ(first->items.size(), 1000);
  ASSERT_TRUE(catalog_->RemoveBackup(first->items.back().backup).ok());
  ASSERT_TRUE(catalog_->RecordBackup(record(5)).ok());
  ASSERT_TRUE(catalog_->RecordBackup(record(10'005)).ok());
  const auto second = catalog_->FindBackups({}, first->next_page_token);
  ASSERT_EQ(second->items.size(), 501);
  EXPECT_EQ(second->items[0].backup, "b110000");
  EXPECT_EQ(second->items[1].backup, "b110005");
}

TEST_P(CatalogContract, ListsInOrderOfBytes) {
  const std::vector<std::string> names = {"A", "B", "_", "a", "aB", "a_", "b", "\u00e4"};
  for (const std::string& name : names) {
    ASSERT_TRUE(catalog_->RecordBackup(Record(name, {"p", "d", name, ""}, 1)).ok());
  }
  EXPECT_EQ(Ids({}), names);
  EXPECT_EQ(Ids({.newest_only = true}), names);
}

TEST_P(CatalogContract, KeepsWhatIsNotUtf8ReadableBesideIt) {
  ASSERT_TRUE(catalog_->RecordBackup(Record("b1", kTable, 100)).ok());
  ASSERT_TRUE(
      catalog_->RecordVerification({"b1", 200, VerifyLevel::kL2, false, "rot: \xff\xfe!"}).ok());
  const auto found = catalog_->ListVerifications("b1");
  ASSERT_EQ(found->size(), 1);
  EXPECT_TRUE(found->front().detail.starts_with("rot: "));
  EXPECT_TRUE(found->front().detail.ends_with("!"));
}

// A repository with a damaged manifest, two good ones, and two that are suspect, b4 accepted.
RebuildSource SomeRepository() {
  return {
      .bucket = "bucket",
      .prefix = "vault",
      .for_each_manifest = [](const ManifestVisitor& visit) -> Status {
        Manifest manifest;
        manifest.object = kTable;
        HF_RETURN_IF_ERROR(visit(MakeError(ErrorId::kManifestDamaged, "edited")));
        for (const char* id : {"b1", "b2", "b3", "b4"}) {
          manifest.backup = id;
          manifest.suspect = manifest.backup > "b2" ? "rows fell" : "";
          HF_RETURN_IF_ERROR(visit(manifest));
        }
        return Ok();
      },
      .for_each_run = [](const RunVisitor& visit) -> Status {
        Run run;
        run.id = "20261121T101844Z-3fa9c1d2";
        run.state = RunState::kFinished;
        run.started_ms = 5;
        run.finished_ms = 9;
        HF_RETURN_IF_ERROR(visit(MakeError(ErrorId::kInvalidJson, "edited")));
        // Of one the second part is damaged: it is no run.
        Run cut = run;
        cut.id = "20261121T101845Z-3fa9c1d2";
        const auto half = [](const auto& visit_page) -> Status {
          const Status first = visit_page({});
          return first.ok() ? MakeError(ErrorId::kObjectCorrupt, "cut") : first;
        };
        HF_RETURN_IF_ERROR(visit(FoundRun{cut, half}));
        return visit(FoundRun{
            run, [](const auto& visit_page) -> Status {
              HF_RETURN_IF_ERROR(visit_page({{.object = kTable, .outcome = Outcome::kUnchanged}}));
              return visit_page(
                  {{.object = kTable, .outcome = Outcome::kBackedUp, .backup = "b1"}});
            }});
      },
      .for_each_verification = [](const VerificationVisitor& visit) -> Status {
        HF_RETURN_IF_ERROR(visit(VerificationRecord{
            .backup = "b1", .at_ms = 5, .level = VerifyLevel::kL2, .passed = false}));
        // Twice, and of a backup whose manifest is gone.
        for (const int64_t at_ms : {6, 7}) {
          HF_RETURN_IF_ERROR(
              visit(VerificationRecord{.backup = "gone", .at_ms = at_ms, .passed = true}));
        }
        HF_RETURN_IF_ERROR(visit(VerificationRecord{.backup = "pruned", .passed = true}));
        return visit(MakeError(ErrorId::kInvalidJson, "cut"));
      },
      .has_manifest = [](const BackupRecord&) { return true; },
      .is_accepted = [](const std::string& backup) -> Result<bool> { return backup == "b4"; },
      .is_pruned = [](const std::string& backup) -> Result<bool> { return backup == "pruned"; }};
}

// The words come last, and of the damage before b2 was whole again nothing is left to be accepted.
TEST_P(CatalogContract, ARebuildTakesWordsForTheDamageOfWhichTheyWereSaid) {
  RebuildSource source = SomeRepository();
  source.for_each_verification = [](const VerificationVisitor& visit) -> Status {
    for (const char* backup : {"b1", "b2", "b3"}) {
      HF_RETURN_IF_ERROR(visit(VerificationRecord{backup, 200, VerifyLevel::kL2, false, ""}));
    }
    HF_RETURN_IF_ERROR(visit(VerificationRecord{"b2", 400, VerifyLevel::kL2, true, ""}));
    // It did not read what is damaged.
    HF_RETURN_IF_ERROR(visit(VerificationRecord{"b3", 400, VerifyLevel::kL0, true, ""}));
    for (const char* backup : {"b1", "b2", "b3"}) {
      HF_RETURN_IF_ERROR(visit(VerificationRecord{backup, 600, VerifyLevel::kL2, false, ""}));
    }
    return Ok();
  };
  source.for_each_loss = [](const LossVisitor& visit) -> Status {
    for (const char* backup : {"", "b1", "b2", "b3", "pruned"}) {
      HF_RETURN_IF_ERROR(
          visit(FoundLoss(AcceptedLoss{kTable, backup, 300, "cli:ada", "known", false})));
    }
    return Ok();
  };
  for (int time = 1; time <= 2; ++time) {
    ASSERT_TRUE(RebuildCatalog({source}, *catalog_).ok());
    std::string accepted;
    for (const AcceptedLoss& loss : catalog_->FindAccepted({}, "")->items) {
      accepted += loss.backup + " ";
    }
    EXPECT_EQ(accepted, " b1 b3 ") << time;
  }
}

TEST_P(CatalogContract, ARebuildKnowsTheCopiesThatNobodyReadYet) {
  const RebuildSource first = SomeRepository();
  RebuildSource second = SomeRepository();
  second.bucket = "second";
  second.for_each_verification = [](const VerificationVisitor&) { return Ok(); };
  ASSERT_TRUE(RebuildCatalog({first, second}, *catalog_).ok());
  auto copies = catalog_->FindCopies({.backup = "b2"}, "").value().items;
  ASSERT_EQ(copies.size(), 1U);
  EXPECT_EQ(copies[0].bucket, "second");
  EXPECT_EQ(copies[0].state, CopyState::kWhole);
  // What was found of it since stays.
  copies[0].state = CopyState::kDamaged;
  copies[0].at_ms = 900;
  ASSERT_TRUE(catalog_->RecordCopy(copies[0]).ok());
  ASSERT_TRUE(RebuildCatalog({first, second}, *catalog_).ok());
  EXPECT_EQ(catalog_->FindCopies({.backup = "b2"}, "")->items, copies);
}

TEST_P(CatalogContract, IsRebuiltFromRepositories) {
  for (int time = 1; time <= 2; ++time) {  // the second changes nothing
    const auto report = RebuildCatalog({SomeRepository()}, *catalog_);
    ASSERT_TRUE(report.ok()) << report.error().ToString();
    EXPECT_EQ(report->manifests, 4);
    EXPECT_EQ(report->runs, 1);
    EXPECT_EQ(report->verifications, 1);
    EXPECT_EQ(report->damaged, 5);
    EXPECT_EQ(report->problems.size(), 5);
  }
  EXPECT_TRUE(GetBackup(*catalog_, "b1")->damaged);
  EXPECT_EQ(GetBackup(*catalog_, "b2")->prefix, "vault");
  EXPECT_EQ(Ids({}).size(), 4);
  EXPECT_FALSE(GetBackup(*catalog_, "b3")->IsGood());
  EXPECT_TRUE(GetBackup(*catalog_, "b4")->IsGood());
  const std::string run = "20261121T101844Z-3fa9c1d2";
  EXPECT_EQ(catalog_->GetRun(run)->finished_ms, 9);
  EXPECT_FALSE(*UnfinishedRun(*catalog_));
  EXPECT_EQ(catalog_->ListOutcomes(run, "")->items.at(0).backup, "b1");
  EXPECT_EQ(catalog_->GetProgress(run)->totals.objects, 1);
  EXPECT_EQ(catalog_->GetProgress(run)->totals.Of(Outcome::kBackedUp), 1);
  EXPECT_EQ(catalog_->ListRuns(false, "")->items.size(), 1);
}

TEST_P(CatalogContract, ASuspectBackupIsGoodOnceItWasAccepted) {
  BackupRecord record = Record("b1", kTable, 10);
  record.suspect = "rows fell";
  ASSERT_TRUE(catalog_->RecordBackup(record).ok());
  EXPECT_EQ(*LatestGood(*catalog_, kTable), std::nullopt);
  EXPECT_EQ(LatestIntactOfTable(*catalog_, kTable)->size(), 1);
  ASSERT_TRUE(catalog_->AcceptBackup("b1").ok());
  ASSERT_TRUE(catalog_->AcceptBackup("b1").ok());
  EXPECT_EQ((*LatestGood(*catalog_, kTable))->suspect, "");
  EXPECT_EQ(catalog_->AcceptBackup("b2").error().id, ErrorId::kBackupNotFound);
}

INSTANTIATE_TEST_SUITE_P(Kinds, CatalogContract, testing::ValuesIn(testing_support::kCatalogKinds),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace holdfast::catalog
