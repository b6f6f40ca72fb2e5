#include "cli/further_places.h"

#include "backup/replicate.h"
#include "cli/policy_source.h"
#include "model/effective_policy.h"

namespace holdfast::cli {

Result<repository::Location> ParseRepository(const std::string& text) {
  constexpr std::string_view kScheme = "gs://";
  const std::string rest = text.starts_with(kScheme) ? text.substr(kScheme.size()) : text;
  const size_t slash = rest.find('/');
  repository::Location location{rest.substr(0, slash),
                                slash == rest.npos ? "" : rest.substr(slash + 1)};
  if (location.prefix.ends_with('/')) location.prefix.pop_back();
  if (location.bucket.empty()) {
    return MakeError(ErrorId::kUsage, "\"" + text + "\" names no bucket",
                     "Write it as gs://bucket or gs://bucket/prefix");
  }
  HF_RETURN_IF_ERROR(repository::ValidateLocation(location));
  return location;
}

std::optional<PolicyDocument> ReadableDocument(const GlobalOptions& global,
                                               const LoadedConfig& loaded) {
  const auto source = FindPolicySource(loaded);
  if (!source.ok()) {
    Say(global, "The policy document was not read: " + source.error().message);
    return std::nullopt;
  }
  if (!*source) return std::nullopt;
  ParsedPolicy parsed = (*source)->Parse();
  for (const PolicyProblem& problem : parsed.problems) {
    Say(global, "The policy document has a mistake: " + problem.ToString());
  }
  return std::move(parsed.document);
}

verify::FurtherPlaces FurtherPlacesOf(const Config& config,
                                      const std::optional<PolicyDocument>& document) {
  return [first = config.policy, further = AllFurtherRepositories(config.policy, document)](
             const TableRef& object, const std::string& location) {
    // A backup that is known in a further one may be, or come back, in the first.
    std::vector<repository::Location> places = {
        {FillBucketPattern(first.bucket_pattern, object.project, location), first.prefix}};
    for (const FurtherRepository& repository : further) {
      places.push_back(backup::PlaceOfFurther(repository, object, location));
    }
    return places;
  };
}

}  // namespace holdfast::cli
