// A policy document in the hands of the real stages.
#include "backup/table_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/projects_stage.h"
#include "model/ids.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::backup {
namespace {

using testing::HasSubstr;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

class PolicyRun : public testing::Test {
 protected:
  PolicyRun() {
    for (const char* folder : {"folders/1", "folders/2"}) {
      fixture_.cloud().AddFolder(folder, "organizations/1");
    }
    fixture_.cloud().AddFolder("folders/11", "folders/1");
    AddTable({"acme-prod", "sales", "orders", ""}, "folders/11");
    AddTable({"acme-prod", "sales", "tmp_1", ""}, "folders/11");
    AddTable({"acme-prod", "scratch", "one", ""}, "folders/11");
    AddTable({"acme-test", "sales", "orders", ""}, "folders/2");
  }

  void AddTable(const TableRef& table, const std::string& folder, const Json& labels = {}) {
    fixture_.cloud().AddProject(table.project, folder);
    fixture_.cloud().AddDataset(table.dataset_ref(), "US");
    fixture_.cloud().AddTable(table, TwoColumns(), NumberedRows(0, 10));
    if (labels.is_null()) return;
    ASSERT_TRUE(fixture_.cloud().warehouse().UpdateTable(table, {{"labels", labels}}).ok());
  }

  RunReport Run(const std::string& text, std::vector<std::string> due = {}) {
    auto document = ReadPolicyText(text, "policy.yaml");
    EXPECT_TRUE(document.ok()) << document.error().message;
    const BusSetup setup{.bus = fixture_.cloud().bus(), .project = "platform"};
    fixture_.clock().Advance(std::chrono::seconds{1});
    auto report = RunBackups({.policy = {}, .document = *document, .due = due, .workers = 0}, setup,
                             fixture_.services(), [](const BackupProgress&) {});
    EXPECT_TRUE(report.ok()) << report.error().message;
    return *std::move(report);
  }

  static const ItemOutcome& Of(const RunReport& report, const std::string& name) {
    for (const ItemOutcome& item : report.items) {
      std::string text = item.object.project;
      if (!item.object.dataset.empty()) text += "." + item.object.dataset;
      if (!item.object.table.empty()) text += "." + item.object.table;
      if (text == name) return item;
    }
    ADD_FAILURE() << "no outcome of " << name;
    static const ItemOutcome kNone;
    return kNone;
  }

  SimFixture fixture_;
};

TEST_F(PolicyRun, NamesAndCountsWhatIsExcluded) {
  const RunReport report =
      Run("folders: {folders/2: {exclude: true}}\n"
          "datasets: {acme-*.scratch: {exclude: true}}\n"
          "tables: {\"*.*.tmp_*\": {exclude: true}}\n");
  EXPECT_EQ(Of(report, "acme-prod.sales.orders").outcome, Outcome::kBackedUp);
  EXPECT_EQ(Of(report, "acme-prod.sales.tmp_1").outcome, Outcome::kExcluded);
  EXPECT_THAT(Of(report, "acme-prod.sales.tmp_1").reason, HasSubstr("policy.yaml:3"));
  EXPECT_EQ(Of(report, "acme-prod.scratch").outcome, Outcome::kExcluded);
  EXPECT_EQ(Of(report, "acme-test").outcome, Outcome::kExcluded);
  EXPECT_EQ(report.items.size(), 5);
  EXPECT_EQ(report.totals.Of(Outcome::kExcluded), 3);
  // What was backed up before and is excluded now is not taken for deleted.
  Run("");
  const RunReport again = Run("folders: {folders/1: {exclude: true}}\n");
  EXPECT_EQ(again.totals.Of(Outcome::kVanished), 0);
  EXPECT_EQ(Of(again, "acme-prod").outcome, Outcome::kExcluded) << "every ancestor counts";
  EXPECT_EQ(Of(again, "acme-test.sales.orders").outcome, Outcome::kUnchanged);
}

TEST_F(PolicyRun, LooksIntoWhatIsExcludedWhereSomethingBelowIsNot) {
  const RunReport report =
      Run("projects: {acme-prod: {exclude: true}}\n"
          "tables: {acme-prod.sales.orders: {exclude: false}}\n");
  EXPECT_EQ(Of(report, "acme-prod.sales.orders").outcome, Outcome::kBackedUp);
  EXPECT_EQ(Of(report, "acme-prod.sales.tmp_1").outcome, Outcome::kExcluded);
  EXPECT_EQ(Of(report, "acme-prod.scratch.one").outcome, Outcome::kExcluded);
}

TEST_F(PolicyRun, BacksUpEachTableByItsOwnMethodAndCodec) {
  const RunReport report =
      Run("defaults: {codec: NONE}\n"
          "projects: {acme-test: {method: copy}}\n"
          "tables: {acme-prod.scratch.one: {method: [snapshot, export]}}\n");
  const auto record = [&](const std::string& name) {
    return catalog::GetBackup(fixture_.catalog(), Of(report, name).backup).value();
  };
  EXPECT_EQ(record("acme-prod.sales.orders").method, Method::kExport);
  EXPECT_EQ(record("acme-test.sales.orders").method, Method::kCopy);
  const ItemOutcome& both = Of(report, "acme-prod.scratch.one");
  EXPECT_EQ(both.outcome, Outcome::kBackedUp) << both.reason;
  ASSERT_EQ(both.by_method.size(), 2U);
  EXPECT_EQ(both.by_method[0].method, Method::kExport);
  EXPECT_EQ(both.by_method[1].method, Method::kSnapshot);
  const auto orders = record("acme-prod.sales.orders");
  auto repository =
      repository::Repository::Open(fixture_.cloud().objects(), {orders.bucket, orders.prefix});
  ASSERT_TRUE(repository.ok());
  EXPECT_EQ(repository->ReadManifest(orders.object, orders.backup)->codec, "NONE");
  // The run says by what it went, so that the answer outlives the file.
  ASSERT_TRUE(report.run.document);
  EXPECT_EQ(report.run.document->rules.size(), 3);
}

TEST_F(PolicyRun, StartsJobsInTheProjectsForThem) {
  fixture_.cloud().AddProject("ops-one", "folders/1");
  fixture_.cloud().AddProject("ops-two", "folders/1");
  const char* text = "projects: {acme-prod: {backup_operation_projects: [ops-one, ops-two]}}\n";
  const RunReport report = Run(text);
  const auto job_of = [&](const std::string& project, const TableRef& table) {
    return fixture_.cloud().warehouse().GetJob(
        {project, "US", JobId("extract", report.run.id, table, 1)});
  };
  const BackupPolicy policy{.backup_operation_projects = {"ops-one", "ops-two"}};
  for (const TableRef& table : {TableRef{"acme-prod", "sales", "orders", ""},
                                TableRef{"acme-prod", "sales", "tmp_1", ""}}) {
    EXPECT_TRUE(job_of(JobProjectOf(policy, table), table).ok()) << table.ToString();
    EXPECT_FALSE(job_of("acme-prod", table).ok());
  }
  const TableRef other{"acme-test", "sales", "orders", ""};
  EXPECT_TRUE(job_of("acme-test", other).ok());
}

TEST_F(PolicyRun, HeedsTheForcedFullOfEachTable) {
  const char* text =
      "defaults: {forced_full_days: 30}\n"
      "tables: {acme-prod.sales.orders: {forced_full_days: 1}}\n";
  Run(text);
  fixture_.clock().Advance(std::chrono::hours{24});
  const RunReport report = Run(text);
  EXPECT_EQ(Of(report, "acme-prod.sales.orders").outcome, Outcome::kBackedUp);
  EXPECT_EQ(Of(report, "acme-test.sales.orders").outcome, Outcome::kUnchanged);
}

TEST_F(PolicyRun, RefusesAnOwnersLabelBeyondTheBoundsAndSaysSo) {
  AddTable({"acme-prod", "sales", "theirs", ""}, "folders/11",
           {{"holdfast-forced_full_days", "1"}, {"holdfast-exclude", "true"}, {"team", "x"}});
  const char* text =
      "defaults: {forced_full_days: 30}\n"
      "owner_bounds: {labels: true, fields: {forced_full_days: {max: 3}}}\n";
  const RunReport first = Run(text);
  EXPECT_EQ(Of(first, "acme-prod.sales.theirs").outcome, Outcome::kBackedUp);
  EXPECT_THAT(Of(first, "acme-prod.sales.theirs").note, HasSubstr("holdfast-exclude"));
  EXPECT_THAT(Of(first, "acme-prod.sales.theirs").note, HasSubstr("not for owners"));
  EXPECT_EQ(Of(first, "acme-prod.sales.orders").note, "");
  // Said again when the table is unchanged, and what is within the bounds holds.
  EXPECT_THAT(Of(Run(text), "acme-prod.sales.theirs").note, HasSubstr("holdfast-exclude"));
  fixture_.clock().Advance(std::chrono::hours{24});
  EXPECT_EQ(Of(Run(text), "acme-prod.sales.theirs").outcome, Outcome::kBackedUp);
}

TEST_F(PolicyRun, ReadsTheOwnersFileOfATable) {
  const char* text =
      "owner_bounds: {bucket: policies, prefix: holdfast,\n"
      "  fields: {enabled: {}, forced_full_days: {max: 3}}}\n";
  const RunReport without = Run(text);
  EXPECT_EQ(Of(without, "acme-prod.sales.orders").outcome, Outcome::kBackedUp);
  EXPECT_THAT(Of(without, "acme-prod.sales.orders").note, HasSubstr("could not be read"))
      << "a bucket that is not there is said";
  auto& objects = fixture_.cloud().objects();
  ASSERT_TRUE(
      objects.EnsureBucket({.name = "policies", .project = "platform", .location = "US"}).ok());
  ASSERT_TRUE(cloud::CreateObjectFromString(objects,
                                            {"policies", "holdfast/acme-prod/sales/orders.yaml"},
                                            "exclude: true\nforced_full_days: 9\n")
                  .ok());
  const RunReport report = Run(text);
  EXPECT_EQ(Of(report, "acme-prod.sales.orders").outcome, Outcome::kExcluded);
  EXPECT_THAT(Of(report, "acme-prod.sales.orders").reason,
              HasSubstr("gs://policies/holdfast/acme-prod/sales/orders.yaml:1"));
  EXPECT_THAT(Of(report, "acme-prod.sales.orders").note, HasSubstr("at most 3"));
  EXPECT_EQ(Of(report, "acme-prod.sales.tmp_1").outcome, Outcome::kUnchanged);
}

TEST_F(PolicyRun, OfOneScheduleLeavesOutWhatIsNotDue) {
  const char* text =
      "defaults: {schedule: 0 23 * * *}\n"
      "projects: {acme-test: {schedule: 0 2 * * *}}\n";
  Run(text);
  const RunReport report = Run(text, {"0 2 * * * UTC"});
  EXPECT_EQ(Of(report, "acme-test.sales.orders").outcome, Outcome::kUnchanged);
  EXPECT_EQ(report.totals.Of(Outcome::kNotDue), 5);
  EXPECT_EQ(report.totals.Of(Outcome::kVanished), 0);
  // A table that goes while others are due is noticed once its own schedule comes.
  fixture_.cloud().DropTable({"acme-prod", "sales", "tmp_1", ""});
  Run(text, {"0 2 * * * UTC"});
  const RunReport daily = Run(text, {"0 23 * * * UTC"});
  EXPECT_EQ(Of(daily, "acme-prod.sales.tmp_1").outcome, Outcome::kVanished);
  EXPECT_EQ(Run(text, {"0 23 * * * UTC"}).totals.Of(Outcome::kVanished), 0) << "told once";
}

TEST_F(PolicyRun, KnowsNoFoldersWithoutAnOrganization) {
  auto services = fixture_.services();
  services.organization.clear();
  StageContext context;
  context.run.document = *ReadPolicyText("folders: {folders/1: {codec: NONE}}", "p.yaml");
  const auto listed = ListProjects({.run = "r"}, context, services);
  ASSERT_FALSE(listed.ok());
  EXPECT_EQ(listed.error().id, ErrorId::kInvalidPolicy);
}

}  // namespace
}  // namespace holdfast::backup
