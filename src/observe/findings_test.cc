#include "observe/findings.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "observe/collect_metrics.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::observe {
namespace {

using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const TableRef kPeople{"acme-shop", "sales", "people", ""};

class Findings : public testing::Test {
 protected:
  Findings() {
    fixture_.cloud().AddProject("acme-shop");
    fixture_.cloud().AddDataset({"acme-shop", "sales"});
    fixture_.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(0, 100));
    fixture_.cloud().AddTable(kPeople, TwoColumns(), NumberedRows(0, 10));
  }

  void BackUp(std::vector<std::string> include = {}) {
    BackupPolicy policy;
    policy.scope.include = std::move(include);
    ASSERT_TRUE(fixture_.BackUp(policy).ok());
  }

  // The kinds with their objects: "suspect a.b.c d.e.f".
  std::vector<std::string> Collect(const RpoOf& rpo = RpoByNames({})) {
    const auto findings = CollectFindings(fixture_.catalog(), Scope(), rpo, fixture_.clock().Now());
    std::vector<std::string> texts;
    if (!findings.ok()) return {findings.error().message};
    for (const Finding& finding : *findings) {
      std::string text(EntryOf(finding.kind).id);
      for (const std::string& object : finding.objects) text += " " + object;
      texts.push_back(text);
    }
    return texts;
  }

  SimFixture fixture_;
  using Texts = std::vector<std::string>;
};

RpoOf Within(Duration span) {
  return [span](const TableRef&) { return std::optional<Duration>(span); };
}

TEST_F(Findings, AreNoneWhenAllIsWell) {
  EXPECT_EQ(Collect(), Texts()) << "nothing was ever backed up";
  BackUp();
  EXPECT_EQ(Collect(Within(std::chrono::hours{1})), Texts());
}

TEST_F(Findings, NameWhatFailedUntilItIsBackedUp) {
  BackUp();
  fixture_.cloud().AppendRows(kPeople, NumberedRows(10, 10));
  fixture_.cloud().faults().DenyAccess("acme-shop.sales.people");
  BackUp();
  EXPECT_EQ(Collect(), Texts{"failed_step acme-shop.sales.people"});
  BackUp({"acme-shop.sales.orders"});
  EXPECT_EQ(Collect(), Texts{"failed_step acme-shop.sales.people"}) << "a run of a part";
  fixture_.cloud().faults().AllowAccess("acme-shop.sales.people");
  BackUp({"acme-shop.sales.people"});
  EXPECT_EQ(Collect(), Texts()) << "backed up since, though by a run of a part";
}

TEST_F(Findings, NameSuspectAndDamagedBackups) {
  BackUp();
  fixture_.cloud().ReplaceRows(kOrders, NumberedRows(0, 3));
  BackUp();
  EXPECT_EQ(Collect(), Texts{"suspect acme-shop.sales.orders"});
  const auto page = fixture_.catalog().FindBackups({.table = "people"}, "").value();
  ASSERT_EQ(page.items.size(), 1U);
  ASSERT_TRUE(fixture_.catalog()
                  .RecordVerification({.backup = page.items[0].backup,
                                       .at_ms = ToUnixMillis(fixture_.clock().Now()),
                                       .level = VerifyLevel::kL1,
                                       .passed = false,
                                       .detail = "flipped"})
                  .ok());
  EXPECT_EQ(Collect(),
            (Texts{"suspect acme-shop.sales.orders",
                   "verify_defect acme-shop.sales.people (backup " + page.items[0].backup + ")"}));
}

TEST_F(Findings, NameADamagedBackupThatIsNotTheNewest) {
  BackUp();
  const auto older = fixture_.catalog().FindBackups({.table = "people"}, "").value().items.at(0);
  fixture_.cloud().AppendRows(kPeople, NumberedRows(10, 10));
  BackUp();
  catalog::VerificationRecord failed{.backup = older.backup,
                                     .at_ms = ToUnixMillis(fixture_.clock().Now()),
                                     .level = VerifyLevel::kL1,
                                     .passed = false,
                                     .detail = "gone"};
  ASSERT_TRUE(fixture_.catalog().RecordVerification(failed).ok());
  EXPECT_EQ(Collect(), Texts{"verify_defect acme-shop.sales.people (backup " + older.backup + ")"});
  failed.at_ms += 1;
  failed.passed = true;
  ASSERT_TRUE(fixture_.catalog().RecordVerification(failed).ok());
  EXPECT_EQ(Collect(), Texts());
}

TEST_F(Findings, NameWhatIsReadFromACopyAndDamagedCopiesUntilTheyAreAccepted) {
  BackUp();
  const auto backup = fixture_.catalog().FindBackups({.table = "people"}, "").value().items.at(0);
  const int64_t now_ms = ToUnixMillis(fixture_.clock().Now());
  catalog::CopyRecord copy{.object = backup.object,
                           .backup = backup.backup,
                           .bucket = "vault",
                           .prefix = "p",
                           .state = catalog::CopyState::kDamaged,
                           .at_ms = now_ms,
                           .detail = "flipped"};
  ASSERT_TRUE(fixture_.catalog().RecordCopy(copy).ok());
  const std::string of_copy =
      "copy_defect acme-shop.sales.people (backup " + backup.backup + " in gs://vault/p)";
  EXPECT_EQ(Collect(), Texts{of_copy});
  copy.bucket = "first";
  copy.prefix = "";
  copy.state = catalog::CopyState::kLeft;
  ASSERT_TRUE(fixture_.catalog().RecordCopy(copy).ok());
  EXPECT_EQ(Collect(), (Texts{"from_copy acme-shop.sales.people (backup " + backup.backup +
                                  ", which was in gs://first)",
                              of_copy}));
  const auto value = [&](Metric metric) {
    return MetricsCollector(fixture_.catalog(), "default", Scope())
        .Collect(fixture_.clock().Now())
        ->Get(metric, {});
  };
  EXPECT_EQ(value(Metric::kBackupsFromCopies), 1);
  EXPECT_EQ(value(Metric::kCopyDefects), 1);
  catalog::AcceptedLoss accepted{backup.object, backup.backup, now_ms - 1, "cli:ada", "", false};
  ASSERT_TRUE(fixture_.catalog().RecordAcceptance(accepted).ok());
  EXPECT_EQ(Collect().size(), 2U) << "of something before that";
  accepted.at_ms = now_ms;
  ASSERT_TRUE(fixture_.catalog().RecordAcceptance(accepted).ok());
  EXPECT_EQ(Collect(), Texts());
  EXPECT_EQ(value(Metric::kBackupsFromCopies), 0);
  EXPECT_EQ(value(Metric::kAcceptedLosses), 1);
  accepted.withdrawn = true;
  ASSERT_TRUE(fixture_.catalog().RecordAcceptance(accepted).ok());
  EXPECT_EQ(Collect().size(), 2U);
}

TEST_F(Findings, SayWhatFell) {
  const auto title = [&] {
    const auto findings =
        CollectFindings(fixture_.catalog(), Scope(), RpoByNames({}), fixture_.clock().Now());
    const AlertSettings settings{.channels = {{.name = "a", .email = {}, .webhook = {}}}};
    const auto planned = PlanAlerts(settings, findings.value(), {}, 1);
    return planned.empty() ? std::string() : planned[0].alert.title;
  };
  BackUp();
  const auto good = fixture_.catalog().FindBackups({.table = "people"}, "").value().items.at(0);
  const auto add = [&](const TableRef& object, const std::string& id, const std::string& why) {
    catalog::BackupRecord record = good;
    record.object = object;
    record.backup = id;
    record.suspect = why;
    record.consistent_through_ms += 1'000;
    ASSERT_TRUE(fixture_.catalog().RecordBackup(record).ok());
  };
  add(kPeople, "b1", "bytes fell from 5000 to 2, below 50% of the last good backup");
  EXPECT_EQ(title(), "Bytes are missing from 1 object");
  add(kOrders, "b2", "rows fell from 100 to 3, below 50% of the last good backup");
  EXPECT_EQ(title(), "Rows or bytes are missing from 2 objects");
  ASSERT_TRUE(fixture_.catalog().RemoveBackup("b1").ok());
  EXPECT_EQ(title(), "Rows are missing from 1 object");
}

// Ten days of twenty rows, of which the last `left` days are there.
sim::Rows TenDays(int left) {
  sim::Rows rows;
  for (int day = 11 - left; day <= 10; ++day) {
    for (int i = 0; i < 20; ++i) {
      rows.push_back({{"day", fmt::format("2026-01-{:02}", day)}, {"n", i}});
    }
  }
  return rows;
}

class LostPartitions : public Findings {
 protected:
  LostPartitions() {
    fixture_.cloud().AddTable(
        kDaily,
        {{{.name = "day", .type = FieldType::kDate}, {.name = "n", .type = FieldType::kInt64}}},
        TenDays(10), {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
    BackUp();
    fixture_.cloud().ReplaceRows(kDaily, TenDays(1));
    BackUp();
  }

  int64_t CountSuspects() {
    const auto metrics =
        MetricsCollector(fixture_.catalog(), "default", Scope()).Collect(fixture_.clock().Now());
    return metrics.ok() ? static_cast<int64_t>(metrics->Get(Metric::kBackupSuspects, {})) : -1;
  }

  const TableRef kDaily{"acme-shop", "sales", "daily", ""};
};

TEST_F(LostPartitions, AreNamedUntilAsManyRowsAreBack) {
  for (int runs = 0; runs < 7; ++runs) {
    ASSERT_EQ(Collect().size(), 1U) << runs;
    EXPECT_TRUE(Collect()[0].starts_with("suspect acme-shop.sales.daily$20260101 "))
        << Collect()[0];
    EXPECT_EQ(CountSuspects(), 9);
    BackUp();
  }
  fixture_.cloud().ReplaceRows(kDaily, TenDays(10));
  BackUp();
  EXPECT_EQ(Collect(), Texts());
  EXPECT_EQ(CountSuspects(), 0);
}

TEST_F(LostPartitions, AreNamedWhileNoRunCanLook) {
  for (const char* denied : {"acme-shop.sales.daily", "acme-shop.sales", "acme-shop"}) {
    fixture_.cloud().faults().DenyAccess(denied);
    BackUp();
    EXPECT_EQ(CountSuspects(), 9) << denied;
    fixture_.cloud().faults().AllowAccess(denied);
    BackUp();
    EXPECT_EQ(CountSuspects(), 9) << denied;
  }
}

TEST_F(LostPartitions, EndWhenTheyAreAcceptedAtOnceAndBeginAgainWhenThatIsTakenBack) {
  const auto say = [&](bool withdrawn) {
    fixture_.clock().Advance(std::chrono::seconds{1});
    for (int day = 1; day <= 9; ++day) {
      ASSERT_TRUE(fixture_.catalog()
                      .RecordAcceptance({kDaily.WithPartition(fmt::format("2026010{}", day)), "",
                                         ToUnixMillis(fixture_.clock().Now()), "cli:ada", "meant",
                                         withdrawn})
                      .ok());
    }
  };
  for (const bool with_runs : {false, true}) {
    say(false);
    if (with_runs) BackUp();
    EXPECT_EQ(Collect(), Texts());
    EXPECT_EQ(CountSuspects(), 0);
    say(true);
    EXPECT_EQ(CountSuspects(), 9) << "what runs tell of it since is a loss still";
    if (with_runs) BackUp();
    EXPECT_EQ(CountSuspects(), 9);
  }
}

TEST_F(LostPartitions, EndWithTheirBackups) {
  const auto backups = fixture_.catalog().FindBackups({.table = "daily"}, "").value();
  for (const auto& record : backups.items) {
    if (record.object.partition != "20260110") {
      ASSERT_TRUE(fixture_.catalog().RemoveBackup(record.backup).ok());
    }
  }
  EXPECT_EQ(Collect(), Texts());
  BackUp();
  EXPECT_EQ(Collect(), Texts());
}

TEST_F(LostPartitions, EndWhenThePolicyAllowsIt) {
  BackupPolicy policy;
  policy.shrink_threshold = 0.05;
  ASSERT_TRUE(fixture_.BackUp(policy).ok());
  EXPECT_EQ(Collect(), Texts());
}

TEST_F(Findings, CountARunThatFoundNothingNewAsARecoveryPoint) {
  BackUp();
  fixture_.clock().Advance(std::chrono::hours{30});
  EXPECT_EQ(Collect(Within(std::chrono::hours{24})),
            Texts{"rpo_missed acme-shop.sales.dataset:definition acme-shop.sales.orders "
                  "acme-shop.sales.people"});
  BackUp();  // unchanged
  EXPECT_EQ(Collect(Within(std::chrono::hours{24})), Texts());
}

TEST_F(Findings, MissTheRpoOfWhatFailsAndNotOfWhatIsGone) {
  BackUp();
  fixture_.clock().Advance(std::chrono::hours{30});
  fixture_.cloud().DropTable(kPeople);
  fixture_.cloud().AppendRows(kOrders, NumberedRows(100, 5));
  fixture_.cloud().faults().DenyAccess("acme-shop.sales.orders");
  BackUp();
  EXPECT_EQ(Collect(Within(std::chrono::hours{24})),
            (Texts{"failed_step acme-shop.sales.orders", "rpo_missed acme-shop.sales.orders"}));
}

TEST_F(Findings, MissTheRpoOfWhatLiesWhereNoRunCanLook) {
  BackUp();
  fixture_.clock().Advance(std::chrono::hours{30});
  fixture_.cloud().faults().DenyAccess("acme-shop");
  BackUp();
  EXPECT_EQ(Collect(Within(std::chrono::hours{24})),
            (Texts{"failed_step acme-shop",
                   "rpo_missed acme-shop.sales.dataset:definition acme-shop.sales.orders "
                   "acme-shop.sales.people"}));
}

TEST(RpoByNames, ReadsDefaultsNamesAndClasses) {
  const auto document = ReadPolicyText(
      "defaults: {rpo: 2d}\n"
      "classes: {gold: {rpo: 30m}}\n"
      "datasets: {acme-shop.sales: {class: gold}}\n"
      "tables: {acme-shop.sales.orders: {rpo: 5m}}\n",
      "policy.yaml");
  ASSERT_TRUE(document.ok());
  const RpoOf rpo = RpoByNames(*document);
  EXPECT_EQ(rpo({"acme-shop", "other", "t", ""}), std::chrono::hours{48});
  EXPECT_EQ(rpo({"acme-shop", "sales", "people", "20260101"}), std::chrono::minutes{30});
  EXPECT_EQ(rpo({"acme-shop", "sales", "orders", ""}), std::chrono::minutes{5});
  EXPECT_EQ(rpo({"zeta", "a", "b", ""}), std::chrono::hours{48});
  EXPECT_EQ(RpoByNames({})({"zeta", "a", "b", ""}), std::nullopt);
}

}  // namespace
}  // namespace holdfast::observe
