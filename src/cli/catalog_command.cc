#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "backup/rebuild.h"
#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/environment.h"
#include "cli/policy_source.h"

namespace holdfast::cli {

namespace {

// "gs://bucket" or "gs://bucket/prefix".
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

// What can be read of the policy document: a mistake in it must not keep a catalog from coming
// back.
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

Result<backup::FoundRepositories> RepositoriesOf(Environment& environment,
                                                 const std::optional<PolicyDocument>& document,
                                                 const std::vector<std::string>& names) {
  if (names.empty()) {
    return backup::FindRepositories(environment.backup_services(), environment.config().policy,
                                    document);
  }
  backup::FoundRepositories found;
  for (const std::string& name : names) {
    HF_ASSIGN_OR_RETURN(repository::Location location, ParseRepository(name));
    found.repositories.push_back(std::move(location));
  }
  return found;
}

Result<int> Rebuild(const GlobalOptions& global, const std::vector<std::string>& names) {
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(loaded.config));
  HF_ASSIGN_OR_RETURN(const auto found,
                      RepositoriesOf(*environment, ReadableDocument(global, loaded), names));
  const auto& [repositories, unsearched] = found;
  for (const Error& error : unsearched) Say(global, "NOT SEARCHED: " + error.message);
  if (repositories.empty()) {
    return MakeError(ErrorId::kRepositoryNotFound,
                     "no repository was found in the buckets that the policy names",
                     "Name them: holdfast catalog rebuild gs://bucket/prefix ...");
  }
  HF_ASSIGN_OR_RETURN(const catalog::RebuildReport report,
                      backup::RebuildFrom(environment->backup_services(), repositories));
  for (const Error& problem : report.problems) {
    Say(global, fmt::format("Not read: {} [{}]", problem.message, FindError(problem.id).id));
  }
  Json list = Json::array();
  for (const repository::Location& at : repositories) {
    list.push_back("gs://" + at.bucket + (at.prefix.empty() ? "" : "/" + at.prefix));
  }
  if (global.OutputFormat() == Format::kPretty) {
    std::cout << fmt::format("Read {} and {} from {}\n", Plural(report.manifests, "backup"),
                             Plural(report.runs, "run"),
                             Plural(static_cast<int64_t>(list.size()), "repository"));
  } else {
    PrintDocument(std::cout, global.OutputFormat(),
                  {{"schema", "holdfast.rebuild.v1"},
                   {"repositories", std::move(list)},
                   {"backups", report.manifests},
                   {"runs", report.runs},
                   {"damaged", report.damaged}});
  }
  if (report.damaged > 0) return kExitDamaged;
  return unsearched.empty() ? kExitOk : kExitPartial;
}

}  // namespace

void AddCatalogCommands(CLI::App& app, CommandContext context) {
  CLI::App* catalog = app.add_subcommand("catalog", "The index of all backups");
  catalog->require_subcommand(1);
  CLI::App* command = catalog->add_subcommand(
      "rebuild", "Read backups and runs from the repositories into the catalog");
  auto names = std::make_shared<std::vector<std::string>>();
  command->add_option("repository", *names,
                      "gs://bucket/prefix; none: those that the policy names for each project");
  SetExamples(*command,
              {{"holdfast catalog rebuild", "after the catalog was lost"},
               {"holdfast catalog rebuild gs://acme-vault/backups", "a bucket of one's own"}});
  command->callback([context, names] {
    context.action = [context, names] { return Rebuild(context.global, *names); };
  });
}

}  // namespace holdfast::cli
