#include "backup/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repository/repository.h"
#include "sim/sim_definitions.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::backup {
namespace {

using testing_support::ItemOf;
using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const std::string kOurs(sim::kSimIdentity);
const Json kIam = {
    {"bindings", {{{"role", "roles/bigquery.dataViewer"}, {"members", {"user:ann@x.org"}}}}}};

TEST(IsTrueFilter, IsTrueOfTheWordAlone) {
  for (const char* filter : {"TRUE", "true", " ( True ) ", "((TRUE))"}) {
    EXPECT_TRUE(IsTrueFilter(filter)) << filter;
  }
  for (const char* filter : {"", "FALSE", "TRUE OR x", "TRUE AND region = 'EU'", "'TRUE'", "(TRUE",
                             "TRUE)", "TRUE()", "NOT TRUE", "x = TRUE", "1 = 1"}) {
    EXPECT_FALSE(IsTrueFilter(filter)) << filter;
  }
}

Result<RunReport> BackUpOrders(SimFixture& fixture, const std::vector<cloud::RowAccessPolicy>& rows,
                               const BackupPolicy& policy = {}) {
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  fixture.cloud().PutIamPolicy(kOrders, kIam);
  for (const auto& row : rows) fixture.cloud().PutRowAccessPolicy(kOrders, row);
  return fixture.BackUp(policy);
}

Result<Manifest> LatestManifest(SimFixture& fixture) {
  HF_ASSIGN_OR_RETURN(const auto record, catalog::LatestGood(fixture.catalog(), kOrders));
  if (!record) return MakeError(ErrorId::kBackupNotFound, "no good backup");
  HF_ASSIGN_OR_RETURN(
      auto repository,
      repository::Repository::Open(fixture.cloud().objects(), {record->bucket, record->prefix}));
  return repository.ReadManifest(kOrders, record->backup);
}

TEST(ReadAccess, SavesWhoMayReadATableWithIt) {
  SimFixture fixture;
  const cloud::RowAccessPolicy all{"all_rows", "TRUE", {kOurs}};
  const cloud::RowAccessPolicy eu{"eu", "name = 'EU'", {"group:eu@x.org"}};
  const auto report = BackUpOrders(fixture, {all, eu});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(ItemOf(*report, kOrders).outcome, Outcome::kBackedUp);
  EXPECT_EQ(ItemOf(*report, kOrders).reason, "first backup");
  const auto manifest = LatestManifest(fixture);
  ASSERT_TRUE(manifest.ok()) << manifest.error().message;
  ASSERT_TRUE(manifest->access.has_value());
  EXPECT_EQ((*manifest->access)["iam_policy"], kIam);
  EXPECT_EQ((*manifest->access)["row_access_policies"], (Json{all.ToJson(), eu.ToJson()}));
}

// A reader of a part gets the part without an error: so nothing is exported.
TEST(ReadAccess, FailsATableWhoseRowsMayBeHidden) {
  const std::vector<std::vector<cloud::RowAccessPolicy>> cases = {
      {{"eu", "name = 'EU'", {kOurs}}},
      {{"all_rows", "TRUE", {"user:ann@x.org"}}},
      {{"all_rows", "TRUE", {"user:ann@x.org"}}, {"eu", "name = 'EU'", {kOurs}}}};
  for (const auto& rows : cases) {
    for (const Method method : {Method::kExport, Method::kCopy}) {
      SimFixture fixture;
      BackupPolicy policy;
      policy.method = method;
      const auto report = BackUpOrders(fixture, rows, policy);
      ASSERT_TRUE(report.ok()) << report.error().message;
      EXPECT_EQ(ItemOf(*report, kOrders).outcome, Outcome::kFailed);
      EXPECT_EQ(ItemOf(*report, kOrders).error_id, "B0008");
      EXPECT_EQ(fixture.cloud().JobsStarted("extract") + fixture.cloud().JobsStarted("copy"), 0);
    }
  }
}

// The definitions of a service that keeps this identity from looking at access.
class DeniedDefinitions final : public cloud::Definitions {
 public:
  explicit DeniedDefinitions(cloud::Definitions& real) : real_(real) {}

  Result<cloud::Page<cloud::RoutineInfo>> ListRoutines(const DatasetRef& dataset,
                                                       const std::string& page_token) override {
    return real_.ListRoutines(dataset, page_token);
  }
  Result<cloud::RoutineInfo> GetRoutine(const DatasetRef& dataset,
                                        const std::string& routine) override {
    return real_.GetRoutine(dataset, routine);
  }
  Result<cloud::RoutineInfo> CreateRoutine(const DatasetRef& dataset, const std::string& routine,
                                           const Json& resource) override {
    return real_.CreateRoutine(dataset, routine, resource);
  }
  Result<std::vector<cloud::RowAccessPolicy>> ListRowAccessPolicies(const TableRef&) override {
    return Denied();
  }
  Result<bool> IsGranted(const TableRef&, const std::string&) override { return Denied(); }
  Status CreateRowAccessPolicy(const TableRef&, const cloud::RowAccessPolicy&) override {
    return Denied();
  }
  Result<Json> GetIamPolicy(const TableRef&) override { return Denied(); }
  Status SetIamPolicy(const TableRef&, const Json&) override { return Denied(); }

 private:
  static Error Denied() { return MakeError(ErrorId::kAccessDenied, "may not be looked at"); }

  cloud::Definitions& real_;
};

TEST(ReadAccess, SaysWhatMayNotBeLookedAtOrFailsIfThePolicyWantsSo) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  DeniedDefinitions denied(fixture.cloud().definitions());
  const Services real = fixture.services();
  const Services services{real.warehouse,   denied,     real.objects, real.projects,
                          real.catalog,     real.clock, real.random,  real.organization,
                          real.tool_version};
  const auto told = ReadAccess(services, {}, kOrders, ObjectKind::kTable);
  ASSERT_TRUE(told.ok()) << told.error().message;
  EXPECT_FALSE(told->document.has_value());
  EXPECT_THAT(told->note, testing::HasSubstr("row access policies may not be read"));
  EXPECT_THAT(told->note, testing::HasSubstr("IAM policies may not be read"));
  BackupPolicy policy;
  policy.require_access = true;
  const auto failed = ReadAccess(services, policy, kOrders, ObjectKind::kTable);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().id, ErrorId::kAccessDenied);
}

}  // namespace
}  // namespace holdfast::backup
