#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>

#include "backup/rebuild.h"
#include "cli/audit.h"
#include "cli/catalog_export.h"
#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/environment.h"
#include "cli/exit_code.h"
#include "cli/further_places.h"
#include "cli/progress.h"
#include "verify/drift.h"

namespace holdfast::cli {

namespace {

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

Error NoRepository() {
  return MakeError(ErrorId::kRepositoryNotFound,
                   "no repository was found in the buckets that the policy names",
                   "Name them: gs://bucket/prefix ...");
}

Result<int> Rebuild(const GlobalOptions& global, const std::vector<std::string>& names) {
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(loaded.config));
  HF_ASSIGN_OR_RETURN(auto found,
                      RepositoriesOf(*environment, ReadableDocument(global, loaded), names));
  auto& [repositories, further, unsearched] = found;
  // After those that they are copies of, whose backups are to be known where they are first.
  std::ranges::move(further, std::back_inserter(repositories));
  for (const Error& error : unsearched) Say(global, "NOT SEARCHED: " + error.message);
  if (repositories.empty()) return NoRepository();
  HF_RETURN_IF_ERROR(Audit(*environment, "catalog.rebuild", ""));
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

struct CheckOptions {
  std::vector<std::string> names;
  bool delete_leftovers = false;
  bool yes = false;
};

// What collecting leftovers did, over all repositories.
struct Collected {
  int64_t found = 0;
  int64_t found_bytes = 0;
  int64_t deleted = 0;
  int64_t deleted_bytes = 0;
  int64_t failed = 0;
};

Result<Collected> CollectAll(const GlobalOptions& global,
                             std::vector<repository::Repository>& repositories,
                             const verify::DriftReport& report, bool really) {
  Collected collected;
  for (size_t i = 0; i < repositories.size(); ++i) {
    const repository::LeftoverPlan& plan = report.leftovers[i];
    collected.found += static_cast<int64_t>(plan.objects.size());
    collected.found_bytes += plan.bytes;
    if (!really) continue;
    HF_ASSIGN_OR_RETURN(const repository::LeftoverReport done,
                        repository::CollectLeftovers(repositories[i], plan));
    collected.deleted += done.deleted;
    collected.deleted_bytes += done.bytes;
    collected.failed += static_cast<int64_t>(done.failures.size());
    for (const Error& failure : done.failures) Say(global, "NOT DELETED: " + failure.message);
  }
  return collected;
}

void PrintDrift(const verify::DriftReport& report, const Collected& collected, bool deleted) {
  std::cout << fmt::format("Looked at {}, {} of the catalog, and all data\n",
                           Plural(report.manifests, "manifest"), Plural(report.records, "record"));
  for (const verify::DriftFinding& finding : report.findings) {
    std::cout << PrintableLines(fmt::format("  {:<17} {}: {}", verify::DriftKindName(finding.kind),
                                            finding.subject, finding.detail))
              << '\n';
  }
  if (report.IsClean()) std::cout << "Catalog and repositories agree\n";
  if (report.HasDamage()) {
    std::cout << "What is damaged is backed up again by the next `holdfast backup run`\n";
  }
  if (report.Of(verify::DriftKind::kUnknownBackup) > 0) {
    std::cout << "`holdfast catalog rebuild` reads in what the catalog does not have\n";
  }
  if (report.pruned_elsewhere > 0) {
    std::cout << fmt::format("{} of backups that another catalog pruned, taken out of this one\n",
                             Plural(report.pruned_elsewhere, "record"));
  }
  if (report.records_elsewhere > 0) {
    std::cout << fmt::format("{} in other repositories: name those to have them looked at\n",
                             Plural(report.records_elsewhere, "record"));
  }
  if (deleted) {
    std::cout << fmt::format("Deleted {} left over, {}\n", Plural(collected.deleted, "object"),
                             HumanBytes(collected.deleted_bytes));
  } else if (collected.found > 0) {
    std::cout << fmt::format(
        "{} left over, {}: `holdfast catalog check --delete-leftovers --yes` deletes them\n",
        Plural(collected.found, "object"), HumanBytes(collected.found_bytes));
  }
}

Result<int> Check(const GlobalOptions& global, const CheckOptions& options) {
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(loaded.config));
  HF_ASSIGN_OR_RETURN(
      const auto found,
      RepositoriesOf(*environment, ReadableDocument(global, loaded), options.names));
  for (const Error& error : found.unsearched) Say(global, "NOT SEARCHED: " + error.message);
  if (found.repositories.empty()) return NoRepository();
  std::vector<repository::Repository> repositories;
  for (const repository::Location& location : found.repositories) {
    HF_ASSIGN_OR_RETURN(
        repository::Repository repository,
        repository::Repository::Open(environment->backup_services().objects, location));
    repositories.push_back(std::move(repository));
  }
  Progress progress(global.Mode(), IsTerminal(), environment->clock());
  verify::DriftOptions how;
  how.on_progress = [&](int64_t manifests) {
    progress.Show(Plural(manifests, "manifest") + " checked",
                  {{"message_type", "status"}, {"manifests", manifests}});
  };
  verify::Services services = environment->verify_services();
  services.further_places = FurtherPlacesOf(loaded.config, ReadableDocument(global, loaded));
  HF_ASSIGN_OR_RETURN(const verify::DriftReport report,
                      verify::CheckDrift(services, repositories, how));
  progress.Clear();
  const bool really = options.delete_leftovers && options.yes;
  if (really) HF_RETURN_IF_ERROR(Audit(*environment, "catalog.delete_leftovers", ""));
  HF_ASSIGN_OR_RETURN(const Collected collected, CollectAll(global, repositories, report, really));
  if (global.OutputFormat() == Format::kPretty) {
    PrintDrift(report, collected, really);
  } else {
    Json document = report.ToJson();
    document["schema"] = "holdfast.drift.v1";
    document["leftovers_deleted"] = collected.deleted;
    PrintDocument(std::cout, global.OutputFormat(), document);
  }
  if (report.HasDamage()) return kExitDamaged;
  const bool partial = report.Of(verify::DriftKind::kUnknownBackup) > 0 ||
                       report.Of(verify::DriftKind::kRunFileLost) > 0 || collected.failed > 0 ||
                       !found.unsearched.empty();
  return partial ? kExitPartial : kExitOk;
}

void AddCheckCommand(CLI::App& catalog, CommandContext context) {
  CLI::App* command = catalog.add_subcommand(
      "check", "Find where the catalog and the repositories have come apart");
  auto options = std::make_shared<CheckOptions>();
  command->add_option("repository", options->names,
                      "gs://bucket/prefix; none: those that the policy names for each project");
  command->add_flag("--delete-leftovers", options->delete_leftovers,
                    "Delete data that no manifest names, three days after it was written");
  command->add_flag("--yes", options->yes, "Really delete; without it, show what would be");
  SetExamples(*command, {{"holdfast catalog check", "every manifest, record and data object"},
                         {"holdfast catalog check --delete-leftovers --yes",
                          "and delete what failed attempts left behind"}});
  command->callback([context, options] {
    context.action = [context, options] { return Check(context.global, *options); };
  });
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
  AddCheckCommand(*catalog, context);
  AddCatalogExportCommand(*catalog, context);
}

}  // namespace holdfast::cli
