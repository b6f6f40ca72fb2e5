// A simulated organization of one table that grows every day, its backups, and prune over them:
// what the tests of prune begin with. Virtual time, one thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "backup/replicate.h"
#include "retain/pins.h"
#include "retain/prune.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::retain {

class PruneWorld {
 public:
  explicit PruneWorld(uint64_t seed = 1) : fixture_(seed), random_(MakeSeededRandom(seed)) {
    fixture_.cloud().AddProject("acme-shop");
    fixture_.cloud().AddTable(testing_support::kOrders, testing_support::TwoColumns(),
                              testing_support::NumberedRows(0, 5));
  }

  void BackUpDays(int days, Method method = Method::kExport) {
    for (int day = 0; day < days; ++day) {
      fixture_.clock().Advance(std::chrono::hours{24});
      if (fixture_.cloud().HasTable(testing_support::kOrders)) {
        fixture_.cloud().AppendRows(testing_support::kOrders,
                                    testing_support::NumberedRows(1000 + 10 * rows_++, 2));
      }
      const auto report =
          fixture_.BackUp({.method = method,
                           .scope = {.include = {}, .exclude = {"*.*.dataset:definition"}},
                           .repositories = repositories});
      ASSERT_TRUE(report.ok()) << report.error().ToString();
    }
  }

  Services services() { return services(fixture_.clock()); }
  Services services(Clock& clock) {
    return {.warehouse = fixture_.cloud().warehouse(),
            .definitions = fixture_.cloud().definitions(),
            .objects = fixture_.cloud().objects(),
            .catalog = fixture_.catalog(),
            .clock = clock,
            .random = *random_,
            .policy_of = [this](const TableRef&) -> Result<RetentionPolicy> {
              return RetentionPolicy::FromJson(ParseJson(policy).value());
            },
            .further_places =
                [this](const TableRef& object, const std::string& location) {
                  std::vector<repository::Location> places;
                  for (const FurtherRepository& further : repositories) {
                    places.push_back(backup::PlaceOfFurther(further, object, location));
                  }
                  return places;
                }};
  }

  Result<PrunePlan> Plan() {
    return PlanPrune(services(), options, [](const RetentionPlan&) { return Ok(); });
  }

  // One pass, applied.
  Result<PruneReport> Prune() {
    auto plan = Plan();
    if (!plan.ok()) return std::move(plan).error();
    return ApplyPrune(services(), options, *plan);
  }

  // Of the table, the newest first.
  std::vector<catalog::BackupRecord> Records() {
    return fixture_.catalog().FindBackups({.dataset = "sales", .table = "orders"}, "")->items;
  }

  repository::Repository OpenRepository(const char* bucket = kBucket) {
    return repository::Repository::Open(fixture_.cloud().objects(), {bucket, ""}).value();
  }

  std::vector<std::string> ObjectsBelow(const std::string& prefix, const char* bucket = kBucket) {
    std::vector<std::string> names;
    for (const cloud::ObjectInfo& info : fixture_.cloud().AllObjects(bucket)) {
      if (info.ref.name.starts_with(prefix)) names.push_back(info.ref.name);
    }
    return names;
  }

  // Invariant M1: every manifest that is visible has all its objects, in their generations.
  void CheckManifests(const char* bucket = kBucket) {
    auto repository = OpenRepository(bucket);
    int64_t manifests = 0;
    const Status read = ForEachManifest(repository, {}, [&](Result<Manifest> manifest) -> Status {
      EXPECT_TRUE(manifest.ok());
      ++manifests;
      for (const DataObject& object : manifest->objects) {
        const auto info = fixture_.cloud().objects().StatObject({bucket, object.name, 0});
        EXPECT_TRUE(info.ok() && *info && (*info)->ref.generation == object.generation)
            << manifest->backup << " lacks " << object.name;
      }
      EXPECT_TRUE(!manifest->copy || fixture_.cloud().HasTable(*manifest->copy));
      return Ok();
    });
    EXPECT_TRUE(read.ok());
    EXPECT_GT(manifests, 0);
  }

  testing_support::SimFixture& fixture() { return fixture_; }
  Random& random() { return *random_; }

  static constexpr const char* kBucket = "acme-shop-holdfast-us";
  static constexpr const char* kFurtherBucket = "acme-shop-elsewhere";
  std::vector<FurtherRepository> repositories;
  std::string policy = R"({"keep_last": 2})";
  PruneOptions options{.removals_max = 100, .share_max = 1};

 private:
  testing_support::SimFixture fixture_;
  std::unique_ptr<Random> random_;
  int64_t rows_ = 0;
};

}  // namespace holdfast::retain
