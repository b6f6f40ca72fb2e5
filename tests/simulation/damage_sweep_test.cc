// Each object of a repository is flipped, cut, swapped and deleted in turn: verification, or the
// check of the catalog, finds it and names what is hit, and nothing else. Source: issue "Proof".
//
// What is not found is what leaves no trace by design: evidence, pins and tombstones that are gone.
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "repository/repository.h"
#include "retain/pins.h"
#include "retain/prune.h"
#include "tests/support/sim_fixture.h"
#include "verify/drift.h"

namespace holdfast::simulation {
namespace {

using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

constexpr const char* kBucket = "acme-shop-holdfast-us";
const TableRef kSold{"acme-shop", "sales", "sold", ""};
const TableRef kDaily{"acme-shop", "sales", "daily", ""};

// Two runs, verified, with a pin, a hold and a tombstone: every kind of object that there is.
class DamagedWorld {
 public:
  DamagedWorld() {
    sim::SimCloud& cloud = fixture_.cloud();
    cloud.AddTable(kSold, TwoColumns(), NumberedRows(1, 5));
    const Schema schema{
        {{.name = "day", .type = FieldType::kDate}, {.name = "what", .type = FieldType::kString}}};
    cloud.AddTable(kDaily, schema,
                   {{{"day", "2026-01-01"}, {"what", "a"}}, {{"day", "2026-01-02"}, {"what", "b"}}},
                   {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
    CHECK(fixture_.BackUp().ok(), "no backup");
    fixture_.clock().Advance(std::chrono::hours{24});
    cloud.AppendRows(kSold, NumberedRows(100, 2));
    CHECK(fixture_.BackUp().ok(), "no second backup");
    for (const auto& record : Records()) {
      CHECK(verify::VerifyRecorded(services(), record, VerifyLevel::kL1).ok(), "not verified");
    }
    auto repository = OpenRepository();
    for (const auto kind : {retain::PinKind::kPin, retain::PinKind::kHold}) {
      CHECK(retain::AddPin(repository, Records().front(), {kind, "why", "test"},
                           fixture_.clock().Now(), *random_)
                .ok(),
            "not pinned");
    }
    const retain::Services with = retain_services();
    const auto plan =
        retain::PlanPrune(with, {}, [](const retain::RetentionPlan&) { return Ok(); });
    CHECK(plan.ok() && retain::ApplyPrune(with, {}, *plan).ok(), "not pruned");
  }

  std::vector<catalog::BackupRecord> Records() {
    return fixture_.catalog().FindBackups({}, "")->items;
  }

  std::vector<cloud::ObjectInfo> Objects() { return fixture_.cloud().AllObjects(kBucket); }
  sim::SimCloud& cloud() { return fixture_.cloud(); }

  // The backups of which a verification of every byte says that they are damaged.
  std::set<std::string> DamagedBackups() {
    std::set<std::string> damaged;
    for (const catalog::BackupRecord& record : Records()) {
      const auto report = verify::VerifyRecorded(services(), record, VerifyLevel::kL1);
      EXPECT_TRUE(report.ok()) << report.error().message;
      if (!report.ok() || report->Passed()) continue;
      EXPECT_EQ(report->object, record.object);
      EXPECT_FALSE(report->findings.empty());
      damaged.insert(record.backup);
    }
    return damaged;
  }

  verify::DriftReport Drift() {
    std::vector<repository::Repository> repositories{OpenRepository()};
    const auto report = verify::CheckDrift(services(), repositories);
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? *report : verify::DriftReport();
  }

 private:
  repository::Repository OpenRepository() {
    return repository::Repository::Open(fixture_.cloud().objects(), {kBucket, ""}).value();
  }

  verify::Services services() {
    const backup::Services mine = fixture_.services();
    return {mine.warehouse, mine.objects, mine.catalog,
            mine.clock,     mine.random,  BackupPolicy().staging_bucket_pattern};
  }

  retain::Services retain_services() {
    const backup::Services mine = fixture_.services();
    return {.warehouse = mine.warehouse,
            .definitions = mine.definitions,
            .objects = mine.objects,
            .catalog = mine.catalog,
            .clock = mine.clock,
            .random = *random_,
            .policy_of = [](const TableRef&) -> Result<RetentionPolicy> {
              return RetentionPolicy::FromJson({{"keep_last", 1}});
            }};
  }

  SimFixture fixture_;
  std::unique_ptr<Random> random_ = MakeSeededRandom(5);
};

enum class Damage { kFlipFirst, kFlipMiddle, kFlipLast, kCut, kSwap, kDelete };

void Harm(DamagedWorld& world, const cloud::ObjectInfo& object, Damage damage) {
  cloud::ObjectRef ref = object.ref;
  ref.generation = 0;
  const std::string content = world.cloud().ReadObject(ref);
  switch (damage) {
    case Damage::kFlipFirst:
      return world.cloud().CorruptObject(ref, 0);
    case Damage::kFlipMiddle:
      return world.cloud().CorruptObject(ref, content.size() / 2);
    case Damage::kFlipLast:
      return world.cloud().CorruptObject(ref, content.size() - 1);
    case Damage::kCut:
      return world.cloud().OverwriteObject(ref, content.substr(0, content.size() - 3));
    case Damage::kSwap: {
      // With the next one of its folder that is another, or of any.
      const auto objects = world.Objects();
      const std::string folder = ref.name.substr(0, ref.name.find('/'));
      std::string other = "{}";
      for (const cloud::ObjectInfo& candidate : objects) {
        const std::string text = world.cloud().ReadObject(candidate.ref);
        if (text == content) continue;
        other = text;
        if (candidate.ref.name.starts_with(folder + "/")) break;
      }
      return world.cloud().OverwriteObject(ref, other);
    }
    case Damage::kDelete:
      return world.cloud().RemoveObject(ref);
  }
}

// The backup whose data or manifest lies there; empty: it is another kind of object.
std::string BackupAt(const std::string& name) {
  if (const auto data = repository::ParseDataName("", name)) return data->backup;
  const auto manifest = repository::ParseManifestName("", name);
  return manifest ? manifest->backup : "";
}

void ExpectFound(DamagedWorld& world, const std::string& name, Damage damage) {
  if (const std::string backup = BackupAt(name); !backup.empty()) {
    EXPECT_EQ(world.DamagedBackups(), std::set<std::string>{backup});
    return;
  }
  if (name == "repository.json") {
    EXPECT_EQ(world.DamagedBackups().size(), world.Records().size());
    return;
  }
  const verify::DriftReport drift = world.Drift();
  if (damage == Damage::kDelete) {
    EXPECT_EQ(drift.Of(verify::DriftKind::kRunFileLost), name.starts_with("runs/") ? 1 : 0);
    EXPECT_EQ(drift.Of(verify::DriftKind::kDocumentDamaged),
              name.starts_with("run-items/") ? 1 : 0);
    return;
  }
  ASSERT_EQ(drift.Of(verify::DriftKind::kDocumentDamaged), 1) << DumpJson(drift.ToJson());
  EXPECT_TRUE(drift.HasDamage());
  EXPECT_EQ(drift.findings.at(0).subject, std::string("gs://") + kBucket + "/" + name);
}

TEST(DamageSweep, NothingIsFoundWhereNothingWasHarmed) {
  DamagedWorld world;
  EXPECT_TRUE(world.DamagedBackups().empty());
  const verify::DriftReport drift = world.Drift();
  EXPECT_TRUE(drift.IsClean()) << DumpJson(drift.ToJson());
  std::set<std::string> folders;
  for (const cloud::ObjectInfo& object : world.Objects()) {
    folders.insert(object.ref.name.substr(0, object.ref.name.find('/')));
  }
  EXPECT_EQ(folders, (std::set<std::string>{"data", "evidence", "manifests", "pins",
                                            "repository.json", "run-items", "runs", "tombstones"}));
}

TEST(DamageSweep, WhateverIsHarmedIsFoundAndNamed) {
  const size_t count = DamagedWorld().Objects().size();
  ASSERT_GT(count, 15U);
  for (size_t i = 0; i < count; ++i) {
    for (const Damage damage : {Damage::kFlipFirst, Damage::kFlipMiddle, Damage::kFlipLast,
                                Damage::kCut, Damage::kSwap, Damage::kDelete}) {
      DamagedWorld world;
      const cloud::ObjectInfo object = world.Objects().at(i);
      SCOPED_TRACE(object.ref.name + ", damage " + std::to_string(static_cast<int>(damage)));
      Harm(world, object, damage);
      ExpectFound(world, object.ref.name, damage);
    }
  }
}

}  // namespace
}  // namespace holdfast::simulation
