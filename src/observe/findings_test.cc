#include "observe/findings.h"

#include <gtest/gtest.h>

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
            (Texts{"suspect acme-shop.sales.orders", "verify_defect acme-shop.sales.people"}));
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
