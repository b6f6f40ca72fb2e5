#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/environment.h"
#include "cli/metrics_text.h"

namespace holdfast::cli {

namespace {

constexpr int64_t kMissesShown = 100;

Result<int> PrintMetrics(const GlobalOptions& global) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  HF_ASSIGN_OR_RETURN(const std::string text, MetricsSource(*environment).Text());
  std::cout << text;
  return kExitOk;
}

void PrintLevels(const observe::ServiceLevels& levels) {
  std::cout << fmt::format("{} looked at\n", Plural(levels.tables, "table"));
  for (size_t i = 0; i < observe::kUnprotectedDays.size(); ++i) {
    std::cout << fmt::format("  {:>9}  without a backup {} days or more after the last change\n",
                             HumanCount(levels.unprotected[i]), observe::kUnprotectedDays[i]);
  }
  std::cout << fmt::format("  {:>9}  unmodified for {} days, and different from the backup\n",
                           HumanCount(levels.different), observe::kUnmodifiedDays);
  if (levels.unseen > 0) {
    std::cout << fmt::format("  {:>9}  NOT LOOKED INTO: projects and datasets\n",
                             HumanCount(levels.unseen));
  }
}

Result<int> ShowServiceLevels(const GlobalOptions& global, int64_t limit) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  std::vector<Json> rows;
  int64_t misses = 0;
  HF_ASSIGN_OR_RETURN(const auto levels,
                      MeasureAndKeepServiceLevels(
                          *environment, [&](const observe::ServiceLevelMiss& miss) -> Status {
                            if (misses++ < limit) rows.push_back(miss.ToJson());
                            return Ok();
                          }));
  const int exit_code = levels.unseen == 0 ? kExitOk : kExitPartial;
  if (global.OutputFormat() != Format::kPretty && global.OutputFormat() != Format::kCsv) {
    Json document = levels.ToJson();
    document["misses"] = rows;
    document["misses_found"] = misses;
    PrintDocument(std::cout, global.OutputFormat(), document);
    return exit_code;
  }
  if (global.OutputFormat() == Format::kPretty) PrintLevels(levels);
  PrintRows(std::cout, global.OutputFormat(),
            {{.member = "kind", .heading = "MISSES"},
             {.member = "object", .heading = "OBJECT"},
             {.member = "changed", .heading = "CHANGED"},
             {.member = "backed_up", .heading = "BACKED UP"},
             {.member = "rows", .heading = "ROWS", .align_right = true},
             {.member = "backup_rows", .heading = "IN BACKUP", .align_right = true},
             {.member = "detail", .heading = "WHY"}},
            rows, "Every table meets both service levels.");
  if (misses > limit) {
    Say(global, fmt::format("{} more; --limit shows them", HumanCount(misses - limit)));
  }
  return exit_code;
}

}  // namespace

void AddMetricsCommands(CLI::App& app, CommandContext context) {
  CLI::App* metrics = app.add_subcommand(
      "metrics", "Print metrics in Prometheus' text form, as `up` serves them at /metrics");
  SetExamples(*metrics, {{"holdfast metrics > /var/lib/node_exporter/holdfast.prom", ""}});
  metrics->callback(
      [context] { context.action = [context] { return PrintMetrics(context.global); }; });

  CLI::App* report = app.add_subcommand("report", "Measure how well everything is protected");
  report->require_subcommand(1);
  CLI::App* levels = report->add_subcommand(
      "service-levels",
      "Compare every source with its backups: what has none since its last change, what differs");
  auto limit = std::make_shared<int64_t>(kMissesShown);
  levels->add_option("--limit", *limit, "Name at most so many objects")
      ->type_name("N")
      ->check(Between(0, 10'000'000));
  SetExamples(*levels, {{"holdfast report service-levels", "of all sources, as they are now"}});
  levels->callback([context, limit] {
    context.action = [context, limit] { return ShowServiceLevels(context.global, *limit); };
  });
}

}  // namespace holdfast::cli
