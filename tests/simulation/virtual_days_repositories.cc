#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "backup/rebuild.h"
#include "backup/replicate.h"
#include "catalog/audit_log.h"
#include "model/effective_policy.h"
#include "repository/repository.h"
#include "tests/simulation/virtual_days.h"
#include "verify/drift.h"

namespace holdfast::simulation {

namespace {

RetentionPolicy RetentionOf(const TableRef& object) {
  const char* const text =
      object.project == "acme-shop"
          ? R"({"preset": "gfs", "keep_daily": 4, "deleted_source": {"grace": "10d"}})"
          : R"({"preset": "bbq", "keep_young": 4})";
  return RetentionPolicy::FromJson(ParseJson(text).value()).value();
}

}  // namespace

std::vector<repository::Location> VirtualDays::PlacesOf(const TableRef& object,
                                                        const std::string& location) const {
  const BackupPolicy first;
  std::vector<repository::Location> places = {
      {FillBucketPattern(first.bucket_pattern, object.project, location), first.prefix}};
  for (const FurtherRepository& further : AllFurtherRepositories(first, document_)) {
    places.push_back(backup::PlaceOfFurther(further, object, location));
  }
  return places;
}

retain::Services VirtualDays::retain_services() {
  const backup::Services mine = fixture_.services();
  return {
      .warehouse = mine.warehouse,
      .definitions = mine.definitions,
      .objects = mine.objects,
      .catalog = mine.catalog,
      .clock = mine.clock,
      .random = mine.random,
      .policy_of = [](const TableRef& object) -> Result<RetentionPolicy> {
        return RetentionOf(object);
      },
      .further_places = [this](const TableRef& object,
                               const std::string& location) { return PlacesOf(object, location); }};
}

verify::Services VirtualDays::verify_services() {
  const backup::Services mine = fixture_.services();
  return {mine.warehouse,
          mine.objects,
          mine.catalog,
          mine.clock,
          mine.random,
          BackupPolicy().staging_bucket_pattern,
          [this](const TableRef& object, const std::string& location) {
            return PlacesOf(object, location);
          }};
}

void VirtualDays::LoseCatalog() {
  FinishRuns();
  fixture_.LoseCatalog();
  auto found = backup::FindRepositories(fixture_.services(), {}, document_);
  ASSERT_TRUE(found.ok()) << found.error().message;
  std::vector<repository::Location> there;
  // The further ones last, as whoever rebuilds does.
  for (const auto* places : {&found->repositories, &found->further}) {
    for (const repository::Location& location : *places) {
      if (!fixture_.cloud().AllObjects(location.bucket).empty()) there.push_back(location);
    }
  }
  const auto rebuilt = backup::RebuildFrom(fixture_.services(), there);
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.error().message;
  for (const Error& problem : rebuilt->problems) {
    EXPECT_TRUE(std::ranges::any_of(lost_, [&](const std::string& backup) {
      return problem.message.find(backup) != problem.message.npos;
    })) << problem.message;
  }
  Note("the catalog was lost");
  Say(fmt::format("catalog rebuilt from {} manifests", rebuilt->manifests));
}

void VirtualDays::LoseBackups(const DatasetRef& dataset) {
  for (const TableRef& object : ExpectedIn(dataset)) {
    const Good* const good = OracleOf(object).GoodOf(object);
    if (good == nullptr || IsUncertain(object) || Chance(50)) continue;
    const auto record = catalog::GetBackup(fixture_.catalog(), good->backup);
    ASSERT_TRUE(record.ok()) << object.ToString() << ": " << record.error().message;
    const auto places = PlacesOf(object, record->location);
    if (repository::Location{record->bucket, record->prefix} != places.front()) continue;
    auto copies = repository::Repository::Open(fixture_.cloud().objects(), places.back());
    if (!copies.ok()) continue;
    // A copy that failed is made up for by the next run: until then there is none.
    const auto has_copy = copies->HasManifest(object, record->backup);
    ASSERT_TRUE(has_copy.ok());
    if (*has_copy) LoseBackup(*record);
  }
}

void VirtualDays::LoseBackup(const catalog::BackupRecord& record) {
  const bool only_data = record.objects > 0 && Chance(50);
  for (const cloud::ObjectInfo& object : fixture_.cloud().AllObjects(record.bucket)) {
    const auto data = repository::ParseDataName(record.prefix, object.ref.name);
    const auto manifest = repository::ParseManifestName(record.prefix, object.ref.name);
    const bool is_lost = (data && data->backup == record.backup) ||
                         (!only_data && manifest && manifest->backup == record.backup);
    if (is_lost) fixture_.cloud().RemoveObject(object.ref);
  }
  (only_data ? lost_data_ : lost_).insert(record.backup);
  Note(only_data ? "data of a backup was lost" : "a backup was lost");
  Say(fmt::format("lost of {}: {} of {}", record.bucket, only_data ? "the data" : "all",
                  record.backup));
}

// Whatever of the lost the catalog still has is found in the copy.
void VirtualDays::ExpectCopiesOfTheLost() {
  for (const auto* lost : {&lost_, &lost_data_}) {
    for (const std::string& backup : *lost) {
      const auto record = catalog::GetBackup(fixture_.catalog(), backup);
      if (!record.ok()) continue;  // pruned since
      const auto report = verify::VerifyRecorded(verify_services(), *record, VerifyLevel::kL2);
      ASSERT_TRUE(report.ok()) << backup << ": " << report.error().message;
      EXPECT_TRUE(report->Passed()) << DumpJson(report->ToJson());
    }
  }
}

void VirtualDays::ExpectAllIsWell() {
  FinishRuns();
  ExpectCopiesOfTheLost();
  const auto found = backup::FindRepositories(fixture_.services(), {}, document_);
  ASSERT_TRUE(found.ok());
  std::vector<repository::Location> places = found->repositories;
  places.insert(places.end(), found->further.begin(), found->further.end());
  std::vector<repository::Repository> repositories;
  int64_t manifests = 0;
  int64_t without_data = 0;
  const verify::Services services = verify_services();
  for (const repository::Location& location : places) {
    auto repository = repository::Repository::Open(services.objects, location);
    if (!repository.ok()) continue;
    const bool is_first = std::ranges::count(found->repositories, location) > 0;
    std::set<std::string> seen;
    const Status read = repository::ForEachManifest(
        *repository, {}, [&](const Result<Manifest>& manifest) -> Status {
          HF_RETURN_IF_ERROR(manifest);
          ++manifests;
          EXPECT_TRUE(seen.insert(manifest->backup).second) << manifest->backup << " twice";
          HF_ASSIGN_OR_RETURN(const auto report,
                              verify::VerifyManifest(services, *manifest, VerifyLevel::kL2));
          const bool is_lost = is_first && lost_data_.contains(manifest->backup);
          without_data += is_lost ? 1 : 0;
          EXPECT_NE(report.Passed(), is_lost) << DumpJson(report.ToJson());
          return Ok();
        });
    EXPECT_TRUE(read.ok()) << read.error().message;
    repositories.push_back(*std::move(repository));
  }
  EXPECT_GT(manifests, 0);
  const auto drift = verify::CheckDrift(services, repositories);
  ASSERT_TRUE(drift.ok()) << drift.error().message;
  using verify::DriftKind;
  EXPECT_EQ(drift->Of(DriftKind::kDataLost), without_data) << DumpJson(drift->ToJson());
  for (const DriftKind kind :
       {DriftKind::kManifestDamaged, DriftKind::kManifestLost, DriftKind::kSharedData,
        DriftKind::kUnknownBackup, DriftKind::kDocumentDamaged}) {
    EXPECT_EQ(drift->Of(kind), 0) << DumpJson(drift->ToJson());
  }
  EXPECT_TRUE(catalog::VerifyAuditChain(fixture_.catalog()).ok());
}

}  // namespace holdfast::simulation
