#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "backup/run_backup.h"
#include "cli/backup_actions.h"
#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/demo_organization.h"
#include "cli/environment.h"
#include "cli/restore_text.h"
#include "cli/run_text.h"
#include "cli/verify_backups.h"
#include "restore/apply.h"
#include "restore/unfinished.h"
#include "retain/prune.h"

namespace holdfast::cli {

namespace {

constexpr const char* kMarkerFile = ".holdfast-demo";
constexpr const char* kLostDay = "20010214";

struct DemoOptions {
  std::string sample_data = "build/deps/vega-datasets/data";
};

Error DemoFailed(std::string message) {
  return MakeError(ErrorId::kDemoFailed, std::move(message));
}

// The demo's own directory, empty. Only a directory that a demo made is ever removed.
Result<std::string> PrepareDirectory(const GlobalOptions& global) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  const std::filesystem::path directory = std::filesystem::path(config.data_dir) / "demo";
  std::error_code error;
  if (std::filesystem::exists(directory, error)) {
    if (!std::filesystem::exists(directory / kMarkerFile, error)) {
      return MakeError(ErrorId::kFileError, directory.string() + " exists and is not of a demo",
                       "Choose another place with --data-dir");
    }
    if (DirectoryLock::IsHeld((directory / "localcloud").string())) {
      return MakeError(ErrorId::kDirectoryInUse, directory.string() + " is open in another process",
                       "Stop that `holdfast up` first, or choose another place with --data-dir");
    }
    std::filesystem::remove_all(directory, error);
  }
  std::filesystem::create_directories(directory, error);
  std::ofstream(directory / kMarkerFile)
      << "made by `holdfast demo`, and removed by the next one\n";
  if (error || !std::filesystem::exists(directory / kMarkerFile)) {
    return MakeError(ErrorId::kFileError, directory.string() + " cannot be written");
  }
  return directory.string();
}

Config DemoConfig(const std::string& directory) {
  Config config;
  config.data_dir = directory;
  config.cloud = CloudKind::kLocalcloud;
  config.project = kDemoCentralProject;
  config.restore_project = kDemoRestoreProject;
  config.policy.scope.exclude = {kDemoRestoreProject};
  return config;
}

// So that the commands to try next find the demo's organization.
Status WriteConfig(const Config& config, const std::string& path) {
  std::ofstream file(path);
  file << "# Made by `holdfast demo`.\n"
       << "data_dir: " << DumpJson(Json(config.data_dir)) << '\n'
       << "cloud: localcloud\n"
       << "organization: " << config.organization << '\n'
       << "project: " << config.project << '\n'
       << "restore_project: " << config.restore_project << '\n';
  file.close();
  if (!file) return MakeError(ErrorId::kFileError, path + " cannot be written");
  return Ok();
}

class Demo {
 public:
  Demo(Environment& environment, std::string sample_data)
      : environment_(environment), sample_data_(std::move(sample_data)) {}

  Status Run() {
    HF_RETURN_IF_ERROR(Load());
    HF_ASSIGN_OR_RETURN(const RunReport first, BackUp("Back up the whole organization"));
    HF_RETURN_IF_ERROR(CheckFirst(first));
    HF_RETURN_IF_ERROR(ChangeSource());
    HF_ASSIGN_OR_RETURN(const RunReport second, BackUp("Back up again: only what changed"));
    HF_RETURN_IF_ERROR(CheckSecond(second));
    HF_RETURN_IF_ERROR(
        Restore("Get the dropped table back", {"acme-biology", "habitats", "species", ""}));
    HF_RETURN_IF_ERROR(Restore("Get the dropped view back", kDemoView));
    HF_RETURN_IF_ERROR(Restore("Get a function into the project of restores", kDemoRoutine));
    HF_RETURN_IF_ERROR(
        Restore("Get the lost day back", {"acme-aviation", "operations", "flights", kLostDay}));
    HF_RETURN_IF_ERROR(ProveBackups());
    HF_RETURN_IF_ERROR(ShowRetention());
    return WritePage(second.run.id);
  }

 private:
  void Headline(const std::string& text) {
    std::cout << fmt::format("\n{}. {}\n", ++step_, text) << std::flush;
    started_ = environment_.clock().Now();
  }

  int64_t ElapsedMs() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(environment_.clock().Now() -
                                                                 started_)
        .count();
  }

  Status Load() {
    Headline("An organization with data in it");
    int64_t rows = 0;
    HF_RETURN_IF_ERROR(LoadDemoTables(environment_, sample_data_, [&](const LoadedTable& loaded) {
      rows += loaded.rows;
      std::cout << fmt::format("  loaded       {}  {} from a file of {}\n", loaded.table.ToString(),
                               Plural(loaded.rows, "row"), HumanBytes(loaded.bytes))
                << std::flush;
    }));
    HF_RETURN_IF_ERROR(MakeDemoDefinitions(environment_));
    std::cout << "  a view, late_flights, and a function, minutes_to_hours\n";
    std::cout << fmt::format("  {} in 4 projects, 2 folders, 3 locations; in {}\n",
                             Plural(rows, "row"), HumanDuration(ElapsedMs()));
    rows_loaded_ = rows;
    return Ok();
  }

  Result<RunReport> BackUp(const std::string& headline) {
    Headline(headline);
    const backup::BusSetup setup = environment_.bus_setup();
    const backup::Services services = environment_.backup_services();
    HF_ASSIGN_OR_RETURN(RunReport report,
                        backup::RunBackups({.policy = environment_.config().policy,
                                            .workers = environment_.config().workers},
                                           setup, services, [](const backup::BackupProgress&) {}));
    PrintRunItems(std::cout, report.items);
    std::cout << "  " << SummarizeRun(report) << '\n' << std::flush;
    if (report.totals.Of(Outcome::kFailed) > 0)
      return DemoFailed("an object could not be backed up");
    return report;
  }

  Status CheckFirst(const RunReport& report) const {
    if (report.totals.rows == rows_loaded_) return Ok();
    return DemoFailed(
        fmt::format("{} rows were loaded, {} backed up", rows_loaded_, report.totals.rows));
  }

  Status ChangeSource() {
    Headline("Things happen to the source");
    HF_RETURN_IF_ERROR(
        RunDemoStatement(environment_, "acme-aviation",
                         "INSERT INTO `acme-aviation.operations.flights` (date, delay, distance, "
                         "origin, destination) "
                         "VALUES (DATETIME '2001-03-01 23:58:00', 12, 337, 'SFO', 'LAX'), "
                         "(DATETIME '2001-03-01 23:59:00', 0, 2586, 'JFK', 'SFO')"));
    std::cout << "  2 rows appended to flights, day 2001-03-01\n";
    HF_RETURN_IF_ERROR(
        DeleteDemoPartition(environment_, {"acme-aviation", "operations", "flights", kLostDay}));
    std::cout << "  day 2001-02-14 deleted from flights\n";
    HF_RETURN_IF_ERROR(
        environment_.warehouse().DeleteTable({"acme-biology", "habitats", "species", ""}));
    std::cout << "  table species dropped\n";
    HF_RETURN_IF_ERROR(environment_.warehouse().DeleteTable(kDemoView));
    std::cout << "  view late_flights dropped\n";
    HF_RETURN_IF_ERROR(environment_.warehouse().UpdateTable(
        {"acme-aviation", "operations", "airports", ""},
        {{"description", "Airports of the United States, by IATA code"}}));
    std::cout << "  description of airports edited\n";
    HF_RETURN_IF_ERROR(RunDemoStatement(
        environment_, "acme-aviation",
        "CREATE TABLE `acme-aviation.safety.long_delays` AS "
        "SELECT date, origin, destination, delay FROM `acme-aviation.operations.flights` "
        "WHERE delay > 600"));
    std::cout << "  new table long_delays\n" << std::flush;
    return Ok();
  }

  // Of all that happened, the second run must have seen each thing, and nothing else.
  Status CheckSecond(const RunReport& report) const {
    const RunTotals& totals = report.totals;
    if (totals.Of(Outcome::kBackedUp) == 2 && totals.Of(Outcome::kMetadataOnly) == 1 &&
        totals.Of(Outcome::kVanished) == 3) {
      return Ok();
    }
    return DemoFailed("the second run did not see what was changed: " + SummarizeRun(report));
  }

  Status Restore(const std::string& headline, const TableRef& source) {
    Headline(headline);
    restore::RestoreRequest request;
    request.source = source;
    request.to_project = environment_.config().restore_project;
    const restore::Services services = environment_.restore_services();
    HF_ASSIGN_OR_RETURN(const restore::RestorePlan plan, restore::PlanRestore(request, services));
    HF_ASSIGN_OR_RETURN(const restore::RestoreReport report,
                        restore::Apply(request, plan, services));
    PrintRestoreReport(std::cout, Format::kPretty, report);
    for (const restore::TableReport& table : report.tables) {
      if (table.error) return *table.error;
    }
    return Ok();
  }

  // What `holdfast up` does all the time, here for a few tables.
  Status ProveBackups() {
    Headline("Prove backups before they are needed");
    std::vector<Look> looks;
    for (const auto& [table, level] : std::initializer_list<std::pair<const char*, VerifyLevel>>{
             {"acme-aviation.operations.airports", VerifyLevel::kL3},
             {"acme-aviation.safety.long_delays", VerifyLevel::kL4}}) {
      HF_ASSIGN_OR_RETURN(const TableRef object, ParseTableRef(table));
      HF_ASSIGN_OR_RETURN(const auto newest, catalog::LatestGood(environment_.catalog(), object));
      if (!newest) return DemoFailed(std::string(table) + " has no good backup");
      looks.push_back({*newest, level});
    }
    HF_ASSIGN_OR_RETURN(const Verified verified,
                        VerifyAll(environment_, std::nullopt, looks,
                                  [](const Look&, size_t, size_t) -> Status { return Ok(); }));
    for (const Looked& looked : verified.looked) {
      if (!looked.report.ok()) return looked.report.error();
      if (!looked.report->Passed()) return DemoFailed("a backup could not be proven");
      std::cout << fmt::format(
          "  {}  {}\n    {}, {} read\n", looked.look.record.object.ToString(),
          looked.look.record.backup,
          looked.report->reached == VerifyLevel::kL4
              ? "equal to the source as of the moment that the backup holds (L4)"
              : "restored into a scratch dataset, equal, and taken away again (L3)",
          Plural(looked.report->rows_read, "row"));
    }
    return Ok();
  }

  // Nothing is deleted: a plan is shown.
  Status ShowRetention() {
    Headline("See what a retention policy would keep: the newest of each object");
    HF_ASSIGN_OR_RETURN(const RetentionPolicy policy,
                        RetentionPolicy::FromJson({{"keep_last", 1}}));
    const retain::Services services{
        .warehouse = environment_.warehouse(),
        .definitions = environment_.definitions(),
        .objects = environment_.objects(),
        .catalog = environment_.catalog(),
        .clock = environment_.clock(),
        .random = environment_.random(),
        .policy_of = [&](const TableRef&) -> Result<RetentionPolicy> { return policy; }};
    HF_ASSIGN_OR_RETURN(
        const retain::PrunePlan plan,
        retain::PlanPrune(services, {}, [](const retain::RetentionPlan&) { return Ok(); }));
    std::cout << fmt::format("  {} of {}: {} kept; nothing was changed\n",
                             Plural(plan.backups, "backup"), Plural(plan.objects, "object"),
                             plan.kept);
    for (const retain::PruneItem& item : plan.items) {
      std::cout << fmt::format("  would go  {}  {}\n    {}\n", item.object.ToString(), item.backup,
                               fmt::join(item.reasons, "; "));
    }
    return Ok();
  }

  Status WritePage(const std::string& run) {
    Headline("A page about the second run");
    const std::string path = environment_.config().data_dir + "/run.html";
    HF_RETURN_IF_ERROR(WriteRunPageTo(environment_.catalog(), run, path));
    std::cout << fmt::format("  {}\n", path);
    return Ok();
  }

  Environment& environment_;
  std::string sample_data_;
  int step_ = 0;
  Timestamp started_;
  int64_t rows_loaded_ = 0;
};

void PrintNextCommands(const std::string& config_path) {
  const std::string program = "build/release/bin/holdfast --config " + config_path;
  std::cout << fmt::format(
      "\nEverything came back, equal row for row. Three commands to try next:\n"
      "  {0} status\n"
      "  {0} backup list acme-aviation.operations.airports\n"
      "  {0} restore run acme-finance.markets --to-dataset markets_rescued\n",
      program);
}

Result<int> RunDemo(const GlobalOptions& global, const DemoOptions& options) {
  if (!std::filesystem::exists(options.sample_data)) {
    return MakeError(ErrorId::kSampleDataMissing, options.sample_data + " does not exist");
  }
  HF_ASSIGN_OR_RETURN(const std::string directory, PrepareDirectory(global));
  HF_ASSIGN_OR_RETURN(auto environment, Environment::Open(DemoConfig(directory)));
  HF_ASSIGN_OR_RETURN(const std::string organization, CreateDemoOrganization(*environment));
  environment->SetOrganization(organization);
  const std::string config_path = directory + "/config.yaml";
  HF_RETURN_IF_ERROR(WriteConfig(environment->config(), config_path));
  std::cout << "Holdfast demo, on " << environment->DescribeCloud() << "\n";
  const Timestamp started = environment->clock().Now();
  HF_RETURN_IF_ERROR(Demo(*environment, options.sample_data).Run());
  const auto elapsed = environment->clock().Now() - started;
  std::cout << fmt::format(
      "\nAll of it took {}.",
      HumanDuration(std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count()));
  PrintNextCommands(config_path);
  return kExitOk;
}

}  // namespace

void AddDemoCommand(CLI::App& app, CommandContext context) {
  CLI::App* command =
      app.add_subcommand("demo", "Back up an organization of sample data, break it, get it back");
  auto options = std::make_shared<DemoOptions>();
  command->add_option("--sample-data", options->sample_data, "Folder of the sample files")
      ->type_name("DIRECTORY");
  SetExamples(*command, {{"holdfast demo", "in a minute, with no account and nothing to set up"}});
  command->callback([context, options] {
    context.action = [context, options] { return RunDemo(context.global, *options); };
  });
}

}  // namespace holdfast::cli
