#include "backup/rebuild.h"

#include <set>

#include "backup/projects_stage.h"
#include "base/retry.h"

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

// Adds the project's repositories in the locations, as far as there are any.
Status AddRepositories(const Services& services, const Patterns& patterns,
                       const std::string& project, const std::set<std::string>& locations,
                       std::set<repository::Location>& found) {
  for (const repository::Location& place : PlacesOf(patterns, project, locations)) {
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

Status ForEachVerification(repository::Repository& repository,
                           const catalog::VerificationVisitor& visit) {
  return cloud::ForEachPage<repository::EvidenceEntry>(
      [&](const std::string& token) {
        return repository.ListEvidence(repository::kVerifyEvidence, token);
      },
      [&](repository::EvidenceEntry&& entry) -> Status {
        const auto json = repository.ReadEvidence(repository::kVerifyEvidence, entry.id);
        if (json.ok()) return visit(VerificationOf(*json, entry.created_ms));
        if (IsRetryable(json.error())) return json.error();
        return visit(json.error());
      });
}

catalog::RebuildSource SourceOf(repository::Repository repository) {
  const repository::Location location = repository.location();
  return {.bucket = location.bucket,
          .prefix = location.prefix,
          .for_each_manifest =
              [repository](const catalog::ManifestVisitor& visit) mutable {
                return repository::ForEachManifest(repository, {}, visit);
              },
          .for_each_run =
              [repository](const catalog::RunVisitor& visit) mutable {
                return cloud::ForEachPage<std::string>(
                    [&](const std::string& token) { return repository.ListRuns(token); },
                    [&](std::string&& run) -> Status {
                      const auto json = repository.ReadRun(run);
                      if (json.ok()) return visit(RunReport::FromJson(*json));
                      // One that cannot be read must not hide the others; a store that is away
                      // does.
                      if (IsRetryable(json.error())) return json.error();
                      return visit(json.error());
                    });
              },
          .for_each_verification =
              [repository](const catalog::VerificationVisitor& visit) mutable {
                return ForEachVerification(repository, visit);
              },
          .is_accepted =
              [repository](const std::string& backup) mutable {
                return repository.HasEvidence(repository::kAcceptedEvidence, backup);
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
  std::set<repository::Location> found;
  for (const WorkMessage& message : projects.follow_ups) {
    const std::string& project = std::get<CheckProjectTables>(message).project_to_check;
    const Status added = AddRepositories(services, patterns, project, locations, found);
    if (!added.ok()) unsearched.push_back(added.error().WithContext(project));
  }
  return FoundRepositories{{found.begin(), found.end()}, std::move(unsearched)};
}

Result<catalog::RebuildReport> RebuildFrom(const Services& services,
                                           const std::vector<repository::Location>& repositories) {
  std::vector<catalog::RebuildSource> sources;
  for (const repository::Location& location : repositories) {
    HF_ASSIGN_OR_RETURN(repository::Repository repository,
                        repository::Repository::Open(services.objects, location));
    sources.push_back(SourceOf(std::move(repository)));
  }
  return catalog::RebuildCatalog(sources, services.catalog);
}

}  // namespace holdfast::backup
