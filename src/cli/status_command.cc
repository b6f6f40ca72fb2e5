#include <fmt/format.h>

#include <iostream>
#include <map>

#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/environment.h"
#include "cli/run_text.h"

namespace holdfast::cli {

namespace {

// What the newest backups of a project's objects add up to.
struct ProjectStatus {
  int64_t objects = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
  int64_t oldest_ms = INT64_MAX;  // the recovery point that lies furthest back
  int64_t verified = 0;           // at L2 or better
};

Result<std::map<std::string, ProjectStatus>> SumUp(catalog::Catalog& catalog) {
  std::map<std::string, ProjectStatus> projects;
  const catalog::BackupFilter filter{.good_only = true, .newest_only = true};
  HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return catalog.FindBackups(filter, token); },
      [&](catalog::BackupRecord&& record) -> Status {
        ProjectStatus& project = projects[record.object.project];
        ++project.objects;
        project.rows += record.rows;
        project.bytes += record.stored_bytes;
        project.oldest_ms = std::min(project.oldest_ms, record.consistent_through_ms);
        project.verified += record.verified >= VerifyLevel::kL2 ? 1 : 0;
        return Ok();
      }));
  return projects;
}

Json ProjectRow(const std::string& name, const ProjectStatus& project, bool pretty) {
  return {{"project", name},
          {"objects", project.objects},
          {"rows", pretty ? HumanCount(project.rows) : std::to_string(project.rows)},
          {"bytes", pretty ? HumanBytes(project.bytes) : std::to_string(project.bytes)},
          {"verified", pretty ? Json(fmt::format("{} of {}", project.verified, project.objects))
                              : Json(project.verified)},
          {"oldest_recovery_point", FormatTimestamp(FromUnixMillis(project.oldest_ms))}};
}

Result<Json> LastRunJson(catalog::Catalog& catalog) {
  HF_ASSIGN_OR_RETURN(const auto runs, catalog.ListRuns(false, ""));
  if (runs.items.empty()) return Json();
  const Run& run = runs.items.front();
  HF_ASSIGN_OR_RETURN(const catalog::RunProgress progress, catalog.GetProgress(run.id));
  return Json{{"run", run.id},
              {"state", RunStateName(run.state)},
              {"started", FormatTimestamp(FromUnixMillis(run.started_ms))},
              {"totals", progress.totals.ToJson()},
              {"unsupported", progress.totals.Of(Outcome::kUnsupported)},
              {"failed", progress.totals.Of(Outcome::kFailed)}};
}

void PrintPretty(const std::vector<Json>& projects, const Json& last_run,
                 const std::string& cloud) {
  std::cout << "Cloud: " << cloud << '\n';
  if (last_run.is_null()) {
    std::cout << "No backup run yet. Make the first with: holdfast backup run\n";
    return;
  }
  std::cout << fmt::format("Last run: {} {}, begun {}\n", last_run["run"].get<std::string>(),
                           last_run["state"].get<std::string>(),
                           last_run["started"].get<std::string>());
  if (last_run["state"] == "running") {
    std::cout << "  It was interrupted: `holdfast backup run` goes on with it.\n";
  }
  if (const auto failed = last_run["failed"].get<int64_t>(); failed > 0) {
    std::cout << "  " << Plural(failed, "object") << " FAILED in it.\n";
  }
  if (const auto unsupported = last_run["unsupported"].get<int64_t>(); unsupported > 0) {
    std::cout << "  " << Plural(unsupported, "object")
              << " NOT PROTECTED: of a kind that is not backed up.\n";
  }
  std::cout << '\n';
  PrintRows(std::cout, Format::kPretty,
            {{.member = "project", .heading = "PROTECTED PROJECT"},
             {.member = "objects", .heading = "OBJECTS", .align_right = true},
             {.member = "rows", .heading = "ROWS", .align_right = true},
             {.member = "bytes", .heading = "STORED", .align_right = true},
             {.member = "verified", .heading = "CONTENT VERIFIED"},
             {.member = "oldest_recovery_point", .heading = "OLDEST RECOVERY POINT"}},
            projects, "Nothing is protected.");
}

Result<int> ShowStatus(const GlobalOptions& global) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  HF_ASSIGN_OR_RETURN(const auto sums, SumUp(environment->catalog()));
  HF_ASSIGN_OR_RETURN(const Json last_run, LastRunJson(environment->catalog()));
  std::vector<Json> projects;
  const bool pretty = global.OutputFormat() == Format::kPretty;
  for (const auto& [name, project] : sums) projects.push_back(ProjectRow(name, project, pretty));
  if (pretty) {
    PrintPretty(projects, last_run, environment->DescribeCloud());
  } else {
    PrintDocument(std::cout, global.OutputFormat(),
                  {{"schema", "holdfast.status.v1"},
                   {"cloud", environment->DescribeCloud()},
                   {"last_run", last_run},
                   {"projects", projects}});
  }
  return kExitOk;
}

}  // namespace

void AddStatusCommand(CLI::App& app, CommandContext context) {
  CLI::App* command = app.add_subcommand("status", "What is protected, and how the last run went");
  SetExamples(*command, {{"holdfast status", ""}, {"holdfast status --json", "for a script"}});
  command->callback(
      [context] { context.action = [context] { return ShowStatus(context.global); }; });
}

}  // namespace holdfast::cli
