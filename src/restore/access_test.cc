#include "restore/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/sim_definitions.h"
#include "tests/support/restore_fixture.h"

namespace holdfast::restore {
namespace {

using testing_support::kFirst;
using testing_support::NumberedRows;
using testing_support::Restore;
using testing_support::SimFixture;
using testing_support::To;
using testing_support::TwoColumns;

const TableRef kGuarded{"acme-shop", "guarded", "t1", ""};
const cloud::RowAccessPolicy kAllRows{"all_rows", "TRUE", {std::string(sim::kSimIdentity)}};
const cloud::RowAccessPolicy kEurope{"eu", "name = 'EU'", {"group:eu@x.org"}};
const Json kReaders = {
    {"bindings", {{{"role", "roles/bigquery.dataViewer"}, {"members", {"user:ann@x.org"}}}}}};

void BackUpGuarded(SimFixture& fixture) {
  fixture.cloud().AddTable(kFirst, TwoColumns(), NumberedRows(1, 10));
  fixture.cloud().PutRowAccessPolicy(kFirst, kAllRows);
  fixture.cloud().PutRowAccessPolicy(kFirst, kEurope);
  fixture.cloud().PutIamPolicy(kFirst, kReaders);
  ASSERT_TRUE(fixture.BackUp().ok());
}

TEST(RestoreAccess, ATableComesBackWithItsReaders) {
  SimFixture fixture;
  BackUpGuarded(fixture);
  const auto report = Restore(fixture, To(kFirst, "guarded"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Succeeded()) << DumpJson(report->ToJson());
  EXPECT_TRUE(report->tables.at(0).notes.empty()) << DumpJson(report->ToJson());
  cloud::Definitions& definitions = fixture.cloud().definitions();
  EXPECT_EQ(definitions.ListRowAccessPolicies(kGuarded).value(),
            (std::vector<cloud::RowAccessPolicy>{kAllRows, kEurope}));
  EXPECT_EQ(definitions.GetIamPolicy(kGuarded).value(), kReaders);
}

// Somebody has given another policy that name while the table was being made.
TEST(RestoreAccess, ATableWhoseRowPoliciesCannotBeSetIsNotFilled) {
  SimFixture fixture;
  BackUpGuarded(fixture);
  fixture.cloud().PutRowAccessPolicy(kGuarded, {"eu", "TRUE", {"allAuthenticatedUsers"}});
  const auto report = Restore(fixture, To(kFirst, "guarded"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->tables.at(0).outcome, TableOutcome::kFailed);
  EXPECT_THAT(report->tables[0].error->message, testing::HasSubstr("row access policy eu"));
  EXPECT_THAT(report->tables[0].error->hint, testing::HasSubstr("--without-access"));
  EXPECT_FALSE(fixture.cloud().HasTable(kGuarded)) << "nothing of it can be read";
  EXPECT_EQ(fixture.cloud().JobsStarted("load"), 0);
}

TEST(RestoreAccess, SaysWhatIsLeftOutWhenItIsNotWanted) {
  SimFixture fixture;
  BackUpGuarded(fixture);
  RestoreRequest request = To(kFirst, "guarded");
  request.without_access = true;
  const auto report = Restore(fixture, request);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Succeeded());
  EXPECT_THAT(report->tables.at(0).notes,
              testing::ElementsAre(testing::HasSubstr("row access policies left out"),
                                   testing::HasSubstr("IAM policy left out")));
  EXPECT_TRUE(fixture.cloud().definitions().ListRowAccessPolicies(kGuarded)->empty());
}

TEST(RestoreAccess, SaysThatABackupDidNotSaveIt) {
  SimFixture fixture;
  fixture.cloud().AddTable(kGuarded, TwoColumns(), {});
  Manifest manifest;
  std::vector<std::string> notes;
  ASSERT_TRUE(RestoreRowPolicies(fixture.restore_services(), manifest, kGuarded, notes).ok());
  EXPECT_THAT(notes, testing::ElementsAre(testing::HasSubstr("was not saved")));
}

}  // namespace
}  // namespace holdfast::restore
