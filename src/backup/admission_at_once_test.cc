// Two processes that admit different runs at one moment, over each kind of catalog.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "backup/admission.h"
#include "catalog/sql_catalog.h"
#include "catalog/sql_store.h"
#include "tests/support/catalog_places.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::backup {
namespace {

using testing_support::SimFixture;

constexpr size_t kCopies = static_cast<size_t>(Quota::kCopyJobs);

// A catalog over one connection, in which something else happens once: after the day's use was read
// for a plan, and before anything of the plan is done.
class OvertakenCatalog final : public catalog::SqlCatalog {
 public:
  // The session outlives it.
  OvertakenCatalog(catalog::SqlSession& session, std::function<void()> meanwhile)
      : SqlCatalog(std::make_unique<OneSession>(session)), meanwhile_(std::move(meanwhile)) {}

  Result<std::map<std::string, QuotaAmounts>> UsedOn(int64_t day_ms) override {
    auto used = SqlCatalog::UsedOn(day_ms);
    if (const auto meanwhile = std::exchange(meanwhile_, nullptr)) meanwhile();
    return used;
  }

 private:
  class OneSession final : public catalog::SqlStore {
   public:
    explicit OneSession(catalog::SqlSession& session) : session_(session) {}
    Result<catalog::SqlLease> Take() override {
      return catalog::SqlLease(&session_, [](catalog::SqlSession*) {});
    }

   private:
    catalog::SqlSession& session_;
  };

  std::function<void()> meanwhile_;
};

class AdmissionAtOnce : public testing_support::OverEachCatalog {
 protected:
  static constexpr const char* kFirst = "20261121T101844Z-3fa9c1d2";
  static constexpr const char* kSecond = "20261121T101844Z-4fa9c1d2";

  void SetUp() override {
    OverEachCatalog::SetUp();
    ASSERT_TRUE(EnsureBus(Bus()).ok());
    fixture_.quotas = QuotaLimits::FromJson({{"copy_jobs_per_day", 5}}).value();
  }

  BusSetup Bus() { return {.bus = fixture_.cloud().bus(), .project = "platform"}; }

  Services ServicesOver(catalog::Catalog& catalog) {
    const Services mine = fixture_.services();
    return {mine.warehouse, mine.definitions, mine.objects,      mine.projects,     catalog,
            mine.clock,     mine.random,      mine.organization, mine.tool_version, mine.quotas};
  }

  // A run that wants backups of so many tables of one partition each, and of one that has `parts`.
  void BeginRun(const std::string& id, int tables, int parts) {
    BackupPolicy policy;
    policy.method = Method::kCopy;
    policy.freeze = false;
    ASSERT_TRUE(catalog_->BeginRun({.id = id, .policy = policy}).ok());
    std::vector<WorkMessage> wanted;
    for (int i = 0; i < tables; ++i) wanted.push_back(Message(id, fmt::format("t{}", i), 1));
    if (parts > 0) wanted.push_back(Message(id, "parts", parts));
    ASSERT_TRUE(catalog_->CompleteTask(TaskId(StartBackupProcess{id}), wanted, {}).ok());
  }

  static RunBackup Message(const std::string& run, const std::string& table, int parts) {
    RunBackup message{.run = run,
                      .table_to_backup = {"acme", "sales", table, ""},
                      .method = Method::kCopy,
                      .units = {}};
    for (int i = 0; i < parts; ++i) {
      message.units.push_back(
          {.partition = parts == 1 ? "" : fmt::format("2026010{}", i + 1), .fingerprint = {}});
    }
    return message;
  }

  int64_t CopiesUsed() {
    const auto used = catalog_->UsedOn(ToUnixMillis(QuotaDayStart(fixture_.clock().Now())));
    return used->contains("acme") ? used->at("acme")[kCopies] : 0;
  }

  int64_t Carried(const std::string& run) {
    return catalog_->GetProgress(run)->totals.Of(Outcome::kCarried);
  }

  // The units of the run that were let through, and are not done.
  int64_t LetThrough(const std::string& run) {
    int64_t units = 0;
    const auto pending = catalog_->PendingTasks(run, "");
    EXPECT_TRUE(pending.ok());
    for (const catalog::Task& task : pending->items) {
      EXPECT_TRUE(WasLetThrough(ServicesOver(*catalog_), task).value())
          << "it is neither let through nor carried";
      units += static_cast<int64_t>(std::get<RunBackup>(task.message).units.size());
    }
    return units;
  }

  // Admits the first run; the second one is admitted by another process while the first is planned.
  void AdmitBoth() {
    const auto session = place_->OpenSession();
    ASSERT_TRUE(session.ok()) << session.error().message;
    const auto other = Open();
    bool is_overtaken = false;
    OvertakenCatalog overtaken(**session, [&] {
      is_overtaken = true;
      const Status admitted = AdmitWork(Bus(), ServicesOver(*other), kSecond, false);
      EXPECT_TRUE(admitted.ok()) << admitted.error().message;
    });
    const Status admitted = AdmitWork(Bus(), ServicesOver(overtaken), kFirst, false);
    EXPECT_TRUE(admitted.ok()) << admitted.error().message;
    EXPECT_TRUE(is_overtaken);
  }

  SimFixture fixture_;
};

TEST_P(AdmissionAtOnce, NeverPassesTheDaysLimitTogether) {
  BeginRun(kFirst, 4, 0);
  BeginRun(kSecond, 3, 0);
  AdmitBoth();
  EXPECT_EQ(CopiesUsed(), 5);
  EXPECT_EQ(LetThrough(kSecond), 3);
  EXPECT_EQ(LetThrough(kFirst), 2) << "what the other left is used";
  EXPECT_EQ(Carried(kFirst), 2);
}

TEST_P(AdmissionAtOnce, DividesWhatWasDividedByAnOldPlanOnceMore) {
  BeginRun(kFirst, 0, 7);
  BeginRun(kSecond, 3, 0);
  AdmitBoth();
  EXPECT_EQ(CopiesUsed(), 5);
  EXPECT_EQ(LetThrough(kSecond), 3);
  EXPECT_EQ(LetThrough(kFirst), 2);
  EXPECT_EQ(Carried(kFirst), 5);
}

// Midnight comes between the plan and what is done of it.
TEST_P(AdmissionAtOnce, TakesOfTheNewDayWhatWasPlannedOnTheOneBefore) {
  for (const int64_t used_before : {0, 5}) {
    const std::string run = used_before == 0 ? kFirst : kSecond;
    BeginRun(run, 3, 0);
    QuotaAmounts used{};
    used[kCopies] = used_before;
    ASSERT_TRUE(catalog_
                    ->CountUse(ToUnixMillis(QuotaDayStart(fixture_.clock().Now())),
                               {{.key = "others of " + run, .project = "acme", .amounts = used}})
                    .ok());
    const auto session = place_->OpenSession();
    ASSERT_TRUE(session.ok());
    OvertakenCatalog overtaken(**session,
                               [&] { fixture_.clock().Advance(std::chrono::hours{24}); });
    ASSERT_TRUE(AdmitWork(Bus(), ServicesOver(overtaken), run, false).ok());
    EXPECT_EQ(LetThrough(run), 3) << used_before;
    EXPECT_EQ(CopiesUsed(), 3) << used_before;
    fixture_.clock().Advance(std::chrono::hours{24});
  }
}

TEST_P(AdmissionAtOnce, ATableThatIsRefusedStillWaits) {
  BeginRun(kFirst, 1, 0);
  BeginRun(kSecond, 5, 0);
  const TableRef table{"acme", "sales", "t0", ""};
  const int64_t since_ms = ToUnixMillis(fixture_.clock().Now() - std::chrono::hours{24});
  ASSERT_TRUE(catalog_->NoteWaiting({table}, since_ms).ok());
  const auto session = place_->OpenSession();
  ASSERT_TRUE(session.ok());
  const auto other = Open();
  OvertakenCatalog overtaken(**session, [&] {
    // The others' tables have the same names: what is noted of them is not what is asked here.
    QuotaAmounts all{};
    all[kCopies] = 5;
    EXPECT_TRUE(other
                    ->CountUse(ToUnixMillis(QuotaDayStart(fixture_.clock().Now())),
                               {{.key = "others", .project = "acme", .amounts = all}})
                    .ok());
  });
  ASSERT_TRUE(AdmitWork(Bus(), ServicesOver(overtaken), kFirst, false).ok());
  EXPECT_EQ(Carried(kFirst), 1);
  EXPECT_EQ(catalog_->WaitingSince(table).value(), since_ms);
}

INSTANTIATE_TEST_SUITE_P(Kinds, AdmissionAtOnce, testing::ValuesIn(testing_support::kCatalogKinds),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace holdfast::backup
