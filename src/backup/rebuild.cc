#include "backup/rebuild.h"

#include <set>

#include "backup/projects_stage.h"
#include "backup/replicate.h"
#include "base/log.h"
#include "base/retry.h"
#include "model/effective_policy.h"
#include "repository/carry_pins.h"
#include "repository/run_file.h"
#include "verify/verify_recorded.h"

namespace holdfast::backup {

namespace {

Status AddLocations(const Services& services, const std::string& project,
                    std::set<std::string>& locations) {
  return cloud::ForEachPage<DatasetInfo>(
      [&](const std::string& token) { return services.warehouse.ListDatasets(project, token); },
      [&](DatasetInfo&& dataset) -> Status {
        locations.insert(dataset.location);
        return Ok();
      });
}

// Where repositories may be, the location and the project being filled in.
struct Patterns {
  std::set<std::string> buckets;
  std::set<std::string> prefixes;
};

Patterns PatternsOf(const BackupPolicy& policy, const std::optional<PolicyDocument>& document) {
  Patterns patterns{.buckets = {policy.bucket_pattern}, .prefixes = {policy.prefix}};
  if (!document) return patterns;
  for (const PolicyRule& rule : document->rules) {
    const auto add = [&](const char* field, std::set<std::string>& to) {
      const auto value = rule.fields.find(field);
      if (value != rule.fields.end()) to.insert(value->second.value.get<std::string>());
    };
    add("bucket_pattern", patterns.buckets);
    add("prefix", patterns.prefixes);
  }
  return patterns;
}

std::set<repository::Location> PlacesOf(const Patterns& patterns, const std::string& project,
                                        const std::set<std::string>& locations) {
  std::set<repository::Location> places;
  for (const std::string& location : locations) {
    for (const std::string& bucket : patterns.buckets) {
      for (const std::string& prefix : patterns.prefixes) {
        places.insert({FillBucketPattern(bucket, project, location), prefix});
      }
    }
  }
  return places;
}

std::set<repository::Location> FurtherPlacesOf(const std::vector<FurtherRepository>& further,
                                               const std::string& project,
                                               const std::set<std::string>& locations) {
  std::set<repository::Location> places;
  for (const FurtherRepository& repository : further) {
    for (const std::string& location : locations) {
      places.insert(PlaceOfFurther(repository, {project, "", "", ""}, location));
    }
  }
  return places;
}

// Adds those of the places in which there is a repository.
Status AddRepositories(const Services& services, const std::set<repository::Location>& places,
                       std::set<repository::Location>& found) {
  for (const repository::Location& place : places) {
    const auto opened = repository::Repository::Open(services.objects, place);
    if (opened.ok()) {
      found.insert(place);
    } else if (opened.error().code != Code::kNotFound) {
      return opened.error();
    }
  }
  return Ok();
}

// The evidence of a verification as the catalog records it.
Result<catalog::VerificationRecord> VerificationOf(const Json& evidence, int64_t at_ms) {
  catalog::VerificationRecord found{.at_ms = at_ms};
  HF_ASSIGN_OR_RETURN(found.backup, RequiredString(evidence, "backup"));
  HF_ASSIGN_OR_RETURN(const std::string requested, RequiredString(evidence, "requested"));
  found.level = FindVerifyLevel(requested).value_or(VerifyLevel::kL0);
  found.passed = BoolOr(evidence, "passed", false);
  const Json* findings = FindField(evidence, "findings");
  if (findings != nullptr && findings->is_array() && !findings->empty()) {
    found.detail = StringOr(findings->front(), "message", "");
  }
  return found;
}

// The id of the backup that evidence of that id is of.
std::string BackupOfEvidence(const std::string& evidence) {
  return evidence.substr(0, evidence.rfind('-'));
}

// Whether evidence of that backup is read.
using WantEvidence = std::function<Result<bool>(const std::string& backup)>;

// A restore that was equal to its backups proved each of them (L3).
Status VisitRestored(const Json& evidence, int64_t at_ms, const WantEvidence& want,
                     const catalog::VerificationVisitor& visit) {
  const Json* backups = FindField(evidence, "backups");
  if (!BoolOr(evidence, "equal", false) || backups == nullptr || !backups->is_array()) return Ok();
  for (const Json& backup : *backups) {
    if (!backup.is_string()) continue;
    HF_ASSIGN_OR_RETURN(const bool wanted, want(backup.get<std::string>()));
    if (!wanted) continue;
    HF_RETURN_IF_ERROR(visit(catalog::VerificationRecord{
        .backup = backup.get<std::string>(),
        .at_ms = at_ms,
        .level = VerifyLevel::kL3,
        .passed = true,
        .detail = "restored to " + StringOr(evidence, "target", "") + " and compared"}));
  }
  return Ok();
}

Status ForEachRestore(repository::Repository& repository, const WantEvidence& want,
                      const catalog::VerificationVisitor& visit) {
  return cloud::ForEachPage<repository::EvidenceEntry>(
      [&](const std::string& token) {
        return repository.ListEvidence(repository::kRestoreEvidence, token);
      },
      [&](repository::EvidenceEntry&& entry) -> Status {
        const auto json = repository.ReadEvidence(repository::kRestoreEvidence, entry.id);
        if (json.ok()) {
          return VisitRestored(*json, verify::EvidenceTime(*json, entry.created_ms), want, visit);
        }
        if (IsRetryable(json.error())) return json.error();
        return visit(json.error());
      });
}

Status ForEachVerification(repository::Repository& repository, const WantEvidence& want,
                           const catalog::VerificationVisitor& visit) {
  return cloud::ForEachPage<repository::EvidenceEntry>(
      [&](const std::string& token) {
        return repository.ListEvidence(repository::kVerifyEvidence, token);
      },
      [&](repository::EvidenceEntry&& entry) -> Status {
        HF_ASSIGN_OR_RETURN(const bool wanted, want(BackupOfEvidence(entry.id)));
        if (!wanted) return Ok();
        const auto json = repository.ReadEvidence(repository::kVerifyEvidence, entry.id);
        if (json.ok()) {
          return visit(VerificationOf(*json, verify::EvidenceTime(*json, entry.created_ms)));
        }
        if (IsRetryable(json.error())) return json.error();
        return visit(json.error());
      });
}

// What people left of losses: accepted, or taken back.
Result<std::vector<catalog::FoundLoss>> AcceptancesOf(const Json& evidence) {
  catalog::AcceptedLoss loss;
  HF_ASSIGN_OR_RETURN(loss.at_ms, RequiredInt64(evidence, "at_ms"));
  loss.actor = StringOr(evidence, "actor", "");
  loss.reason = StringOr(evidence, "reason", "");
  loss.withdrawn = BoolOr(evidence, "withdrawn", false);
  const Json* losses = FindField(evidence, "losses");
  if (losses == nullptr || !losses->is_array()) {
    return MakeError(ErrorId::kInvalidJson, "an accepted loss without \"losses\"");
  }
  std::vector<catalog::FoundLoss> found;
  for (const Json& each : *losses) {
    HF_ASSIGN_OR_RETURN(loss.object.project, RequiredString(each, "project"));
    HF_ASSIGN_OR_RETURN(loss.object.dataset, RequiredString(each, "dataset"));
    HF_ASSIGN_OR_RETURN(loss.object.table, RequiredString(each, "table"));
    HF_ASSIGN_OR_RETURN(loss.object.partition, RequiredString(each, "partition"));
    HF_ASSIGN_OR_RETURN(loss.backup, RequiredString(each, "backup"));
    found.emplace_back(loss);
  }
  return found;
}

// Where a backup was that is read from here since. The object is the manifest's.
Result<std::vector<catalog::FoundLoss>> LeftPlaceOf(const Json& evidence) {
  catalog::CopyRecord left{.state = catalog::CopyState::kLeft};
  HF_ASSIGN_OR_RETURN(left.backup, RequiredString(evidence, "backup"));
  HF_ASSIGN_OR_RETURN(left.bucket, RequiredString(evidence, "bucket"));
  HF_ASSIGN_OR_RETURN(left.prefix, RequiredString(evidence, "prefix"));
  HF_ASSIGN_OR_RETURN(left.at_ms, RequiredInt64(evidence, "at_ms"));
  left.detail = StringOr(evidence, "detail", "");
  return std::vector<catalog::FoundLoss>{std::move(left)};
}

using LossParser = Result<std::vector<catalog::FoundLoss>> (*)(const Json& evidence);

Status VisitLosses(repository::Repository& repository, const char* kind, LossParser parse,
                   const catalog::LossVisitor& visit) {
  return cloud::ForEachPage<repository::EvidenceEntry>(
      [&](const std::string& token) { return repository.ListEvidence(kind, token); },
      [&](repository::EvidenceEntry&& entry) -> Status {
        const auto json = repository.ReadEvidence(kind, entry.id);
        if (!json.ok() && IsRetryable(json.error())) return json.error();
        auto losses = json.ok() ? parse(*json) : json.error();
        if (!losses.ok()) return visit(std::move(losses).error());
        for (catalog::FoundLoss& loss : *losses) HF_RETURN_IF_ERROR(visit(std::move(loss)));
        return Ok();
      });
}

Status ForEachLoss(repository::Repository& repository, const catalog::LossVisitor& visit) {
  HF_RETURN_IF_ERROR(VisitLosses(repository, repository::kLeftEvidence, LeftPlaceOf, visit));
  return VisitLosses(repository, repository::kAcceptedLossEvidence, AcceptancesOf, visit);
}

// What of a repository is read.
struct Reading {
  int64_t now_ms = 0;
  bool losses = false;
  TableRef scope;  // everything, when no member is set
  repository::WantManifest want_manifest = [](const repository::ManifestEntry&) { return true; };
  std::function<Result<bool>(const std::string& run)> want_run = [](const std::string&) {
    return true;
  };
  WantEvidence want_verifications = [](const std::string&) { return true; };
};

// `repository` and `file` outlive it.
catalog::FoundRun FoundRunOf(repository::Repository& repository, const repository::RunFile& file) {
  return {.run = file.summary.run, .for_each_page = [&](const auto& visit) {
            return repository::ForEachRunPage(repository, file, visit);
          }};
}

// Whether the manifest is where the record says. Errors: the store's, when it cannot tell.
Result<bool> HasManifestAt(cloud::ObjectStore& store, const catalog::BackupRecord& record) {
  auto opened = repository::Repository::Open(store, {record.bucket, record.prefix});
  if (opened.ok()) return opened->HasManifest(record.object, record.backup);
  if (opened.error().id == ErrorId::kRepositoryNotFound ||
      opened.error().id == ErrorId::kBucketNotFound) {
    return false;
  }
  return std::move(opened).error();
}

catalog::RebuildSource SourceOf(repository::Repository repository, const Reading& reading) {
  const repository::Location location = repository.location();
  return {.bucket = location.bucket,
          .prefix = location.prefix,
          .now_ms = reading.now_ms,
          .for_each_manifest =
              [repository, reading](const catalog::ManifestVisitor& visit) mutable {
                return repository::ForEachManifest(repository, reading.scope, visit,
                                                   reading.want_manifest);
              },
          .for_each_run =
              [repository, reading](const catalog::RunVisitor& visit) mutable {
                return cloud::ForEachPage<std::string>(
                    [&](const std::string& token) { return repository.ListRuns(token); },
                    [&](std::string&& run) -> Status {
                      HF_ASSIGN_OR_RETURN(const bool wanted, reading.want_run(run));
                      if (!wanted) return Ok();
                      const auto file = repository::ReadRunFile(repository, run);
                      if (file.ok()) return visit(FoundRunOf(repository, *file));
                      // One that cannot be read must not hide the others; a store that is away
                      // does.
                      if (IsRetryable(file.error())) return file.error();
                      return visit(file.error());
                    });
              },
          .for_each_verification =
              [repository, reading](const catalog::VerificationVisitor& visit) mutable -> Status {
            HF_RETURN_IF_ERROR(ForEachVerification(repository, reading.want_verifications, visit));
            return ForEachRestore(repository, reading.want_verifications, visit);
          },
          .for_each_loss =
              reading.losses
                  ? [repository](const catalog::LossVisitor&
                                     visit) mutable { return ForEachLoss(repository, visit); }
                  : std::function<Status(const catalog::LossVisitor&)>(),
          .has_manifest = [&store = repository.store(), here = repository.location()](
                              const catalog::BackupRecord& record) -> Result<bool> {
            HF_ASSIGN_OR_RETURN(const bool is_there, HasManifestAt(store, record));
            if (is_there) return true;
            HF_RETURN_IF_ERROR(
                repository::CarryPins(store, {record.bucket, record.prefix}, here, record.backup));
            return false;
          },
          .is_accepted =
              [repository](const std::string& backup) mutable {
                return repository.HasEvidence(repository::kAcceptedEvidence, backup);
              },
          .is_pruned =
              [repository](const std::string& backup) mutable {
                return repository.HasEvidence(repository::kPrunedEvidence, backup);
              }};
}

// The repositories of the backups that match.
Result<std::set<repository::Location>> RepositoriesOf(catalog::BackupIndex& index,
                                                      const catalog::BackupFilter& filter) {
  std::set<repository::Location> found;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return index.FindBackups(filter, token); },
      [&](catalog::BackupRecord&& record) -> Status {
        found.insert({std::move(record.bucket), std::move(record.prefix)});
        return Ok();
      }));
  return found;
}

// Those in which backups of the scope lie, or may: a table that only others backed up lies where
// its neighbours do.
Result<std::set<repository::Location>> RepositoriesNear(catalog::BackupIndex& index,
                                                        const TableRef& scope) {
  HF_ASSIGN_OR_RETURN(auto of_dataset, RepositoriesOf(index, {.project = scope.project,
                                                              .dataset = scope.dataset,
                                                              .newest_only = true}));
  if (!of_dataset.empty()) return of_dataset;
  return RepositoriesOf(index, {.project = scope.project, .newest_only = true});
}

Result<bool> IsKnownRun(catalog::RunLedger& ledger, const std::string& run) {
  const auto found = ledger.GetRun(run);
  if (!found.ok() && found.error().id != ErrorId::kRunNotFound) return found.error();
  return found.ok();
}

// Whether the catalog has the backup and no verification of it.
Result<bool> IsKnownUnverified(catalog::BackupIndex& index, const std::string& backup) {
  HF_ASSIGN_OR_RETURN(const auto known, index.FindBackups({.id_prefix = backup}, ""));
  if (known.items.empty() || known.items.front().backup != backup) return false;
  HF_ASSIGN_OR_RETURN(const auto verifications, index.ListVerifications(backup));
  return verifications.empty();
}

// Reads only what the catalog lacks. `unverified` collects the backups whose verifications that
// goes for, and outlives the reading: the new ones, and those of which a rebuild that was killed
// had read the manifest and none of the evidence.
Reading WhatIsUnknown(catalog::Catalog& catalog, Timestamp now, const TableRef& scope,
                      std::set<std::string>& unverified) {
  return {.now_ms = ToUnixMillis(now),
          .scope = scope,
          .want_manifest = [&](const repository::ManifestEntry& entry) -> Result<bool> {
            const std::string& backup = entry.path.backup;
            HF_ASSIGN_OR_RETURN(const auto known, catalog.FindBackups({.id_prefix = backup}, ""));
            if (known.items.empty()) unverified.insert(backup);
            return known.items.empty();
          },
          .want_run = [&](const std::string& run) -> Result<bool> {
            HF_ASSIGN_OR_RETURN(const bool known, IsKnownRun(catalog, run));
            return !known;
          },
          .want_verifications = [&](const std::string& backup) -> Result<bool> {
            if (unverified.contains(backup)) return true;
            HF_ASSIGN_OR_RETURN(const bool found, IsKnownUnverified(catalog, backup));
            if (found) unverified.insert(backup);
            return found;
          }};
}

}  // namespace

Result<FoundRepositories> FindRepositories(const Services& services, const BackupPolicy& policy,
                                           const std::optional<PolicyDocument>& document) {
  StageContext context;
  context.run.policy = policy;
  HF_ASSIGN_OR_RETURN(const StageResult projects, ListProjects({.run = {}}, context, services));
  std::vector<Error> unsearched;
  std::set<std::string> locations;
  for (const WorkMessage& message : projects.follow_ups) {
    const std::string& project = std::get<CheckProjectTables>(message).project_to_check;
    const Status added = AddLocations(services, project, locations);
    if (!added.ok()) unsearched.push_back(added.error().WithContext(project));
  }
  const Patterns patterns = PatternsOf(policy, document);
  const std::vector<FurtherRepository> named = AllFurtherRepositories(policy, document);
  std::set<repository::Location> found;
  std::set<repository::Location> further;
  for (const WorkMessage& message : projects.follow_ups) {
    const std::string& project = std::get<CheckProjectTables>(message).project_to_check;
    Status added = AddRepositories(services, PlacesOf(patterns, project, locations), found);
    if (added.ok()) {
      added = AddRepositories(services, FurtherPlacesOf(named, project, locations), further);
    }
    if (!added.ok()) unsearched.push_back(added.error().WithContext(project));
  }
  for (const repository::Location& place : found) further.erase(place);
  return FoundRepositories{
      {found.begin(), found.end()}, {further.begin(), further.end()}, std::move(unsearched)};
}

Result<catalog::RebuildReport> RebuildFrom(const Services& services,
                                           const std::vector<repository::Location>& repositories) {
  std::vector<catalog::RebuildSource> sources;
  for (const repository::Location& location : repositories) {
    HF_ASSIGN_OR_RETURN(repository::Repository repository,
                        repository::Repository::Open(services.objects, location));
    sources.push_back(SourceOf(std::move(repository),
                               {.now_ms = ToUnixMillis(services.clock.Now()), .losses = true}));
  }
  return catalog::RebuildCatalog(sources, services.catalog);
}

namespace {

// nullopt: it is gone, or is no repository that could be read. A restore takes its backups from
// their copies then, and a verification says what is wrong with each.
Result<std::optional<repository::Repository>> OpenIfWhole(const Services& services,
                                                          const repository::Location& location) {
  auto repository = repository::Repository::Open(services.objects, location);
  if (repository.ok()) return std::optional(*std::move(repository));
  const Error& error = repository.error();
  if (error.code != Code::kNotFound && !verify::IsDamageOfRepository(error)) return error;
  LogWarning("a repository was left out",
             {{"repository", location.Uri()}, {"error", error.message}});
  return std::optional<repository::Repository>();
}

}  // namespace

Result<int64_t> ForgetPruned(const Services& services, const TableRef& scope) {
  HF_ASSIGN_OR_RETURN(const auto locations, RepositoriesNear(services.catalog, scope));
  int64_t forgotten = 0;
  for (const repository::Location& location : locations) {
    HF_ASSIGN_OR_RETURN(auto repository, OpenIfWhole(services, location));
    if (!repository) continue;
    HF_RETURN_IF_ERROR(cloud::ForEachPage<repository::EvidenceEntry>(
        [&](const std::string& token) {
          return repository->ListEvidence(repository::kPrunedEvidence, token);
        },
        [&](repository::EvidenceEntry&& entry) -> Status {
          HF_ASSIGN_OR_RETURN(const auto known,
                              services.catalog.FindBackups({.id_prefix = entry.id}, ""));
          const bool lay_here = !known.items.empty() && known.items.front().backup == entry.id &&
                                repository::Location{known.items.front().bucket,
                                                     known.items.front().prefix} == location;
          // Of one that was copied into a further repository only what lay here was deleted.
          if (!lay_here) return Ok();
          ++forgotten;
          return services.catalog.RemoveBackup(entry.id);
        }));
  }
  return forgotten;
}

Result<catalog::RebuildReport> CatchUp(const Services& services, const TableRef& scope) {
  HF_RETURN_IF_ERROR(ForgetPruned(services, scope));
  HF_ASSIGN_OR_RETURN(const auto locations, RepositoriesNear(services.catalog, scope));
  std::set<std::string> unverified;
  std::vector<catalog::RebuildSource> sources;
  for (const repository::Location& location : locations) {
    HF_ASSIGN_OR_RETURN(auto repository, OpenIfWhole(services, location));
    if (!repository) continue;
    sources.push_back(
        SourceOf(*std::move(repository),
                 WhatIsUnknown(services.catalog, services.clock.Now(), scope, unverified)));
  }
  return catalog::RebuildCatalog(sources, services.catalog);
}

}  // namespace holdfast::backup
