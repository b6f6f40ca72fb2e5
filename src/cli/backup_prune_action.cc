#include <fmt/format.h>

#include <iostream>
#include <map>
#include <optional>

#include "backup/rebuild.h"
#include "cli/alerting.h"
#include "cli/backup_actions.h"
#include "cli/environment.h"
#include "cli/further_places.h"
#include "cli/policy_source.h"
#include "cli/retention_text.h"
#include "cli/status_text.h"
#include "cli/table_policies.h"
#include "retain/prune.h"

namespace holdfast::cli {

namespace {

// The retention of an object: what the policy document says of its table, else the setting.
Result<RetentionPolicy> RetentionOf(const Config& config, std::optional<TablePolicies>& policies,
                                    const TableRef& object) {
  if (!policies) return config.retention;
  HF_ASSIGN_OR_RETURN(auto said, policies->RetentionOf(object.WholeTable()));
  return said ? *std::move(said) : config.retention;
}

// The verdicts that are shown: the first `limit` of them.
class Verdicts {
 public:
  explicit Verdicts(size_t limit) : limit_(limit) {}

  Status Take(const retain::RetentionPlan& plan) {
    for (const retain::Verdict& verdict : plan.verdicts) {
      if (rows_.size() == limit_) {
        ++left_out_;
      } else {
        rows_.push_back(VerdictJson(plan.object, verdict));
      }
    }
    return Ok();
  }

  const std::vector<Json>& rows() const { return rows_; }
  int64_t left_out() const { return left_out_; }

 private:
  size_t limit_;
  std::vector<Json> rows_;
  int64_t left_out_ = 0;
};

Json ItemJson(const retain::PruneItem& item) {
  return {{"action", retain::PruneActionName(item.action)},
          {"object", item.object.ToString()},
          {"backup", item.backup},
          {"bytes", item.bytes},
          {"reasons", item.reasons}};
}

Json ItemsJson(const retain::PrunePlan& plan, const std::optional<retain::PruneReport>& report) {
  Json items = Json::array();
  if (!report) {
    for (const retain::PruneItem& item : plan.items) items.push_back(ItemJson(item));
    return items;
  }
  for (const retain::PruneResult& result : report->results) {
    Json json = ItemJson(result.item);
    json["outcome"] = retain::PruneOutcomeName(result.outcome);
    if (!result.reason.empty()) json["reason"] = result.reason;
    if (result.error) json["error_id"] = FindError(result.error->id).id;
    items.push_back(std::move(json));
  }
  return items;
}

Json PruneJson(const retain::PrunePlan& plan, const std::optional<retain::PruneReport>& report,
               const Verdicts& verdicts) {
  Json problems = Json::array();
  for (const retain::PruneProblem& problem : plan.problems) {
    problems.push_back({{"subject", problem.subject},
                        {"error_id", FindError(problem.error.id).id},
                        {"message", problem.error.message}});
  }
  Json json = {{"now", FormatTimestamp(plan.now)},
               {"dry_run", !report.has_value()},
               {"objects", plan.objects},
               {"backups", plan.backups},
               {"kept", plan.kept},
               {"waiting", plan.waiting},
               {"deferred", plan.deferred},
               {"items", ItemsJson(plan, report)},
               {"problem_count", plan.problem_count},
               {"problems", std::move(problems)},
               {"verdicts", verdicts.rows()},
               {"verdicts_left_out", verdicts.left_out()}};
  if (!plan.clock_doubt.empty()) json["clock_doubt"] = plan.clock_doubt;
  if (report) json["pass"] = report->pass;
  return json;
}

// What becomes of each that is to go: in two passes, so "remove" would promise too much.
std::vector<Json> RowsWithActions(std::vector<Json> rows, const retain::PrunePlan& plan) {
  std::map<std::string, retain::PruneAction> actions;
  for (const retain::PruneItem& item : plan.items) actions[item.backup] = item.action;
  for (Json& row : rows) {
    if (row["action"] != "remove") continue;
    const auto at = actions.find(row["id"].get_ref<const std::string&>());
    row["action"] = at == actions.end() ? "later" : retain::PruneActionName(at->second);
  }
  return rows;
}

void SayPlan(const GlobalOptions& global, const retain::PrunePlan& plan) {
  using retain::PruneAction;
  Say(global, fmt::format("{} of {}: {} kept, {} to mark for deletion, {} waiting for the grace to "
                          "be over, {} due to be deleted, {} to unmark.",
                          Plural(plan.backups, "backup"), Plural(plan.objects, "object"), plan.kept,
                          plan.Count(PruneAction::kMark), plan.waiting,
                          plan.Count(PruneAction::kDelete), plan.Count(PruneAction::kUnmark)));
  if (plan.deferred > 0) {
    Say(global, fmt::format("{} more are over the caps of one pass (prune.removals_max, "
                            "prune.share_max), and left to the next.",
                            HumanCount(plan.deferred)));
  }
  for (const retain::PruneProblem& problem : plan.problems) {
    Say(global, fmt::format("KEPT WHOLE: {}: {} [{}]", problem.subject, problem.error.message,
                            FindError(problem.error.id).id));
  }
  if (!plan.clock_doubt.empty()) Say(global, "THE CLOCK IS IN DOUBT: " + plan.clock_doubt);
}

void SayReport(const GlobalOptions& global, const retain::PruneReport& report) {
  using retain::PruneAction;
  using retain::PruneOutcome;
  for (const retain::PruneResult& result : report.results) {
    if (result.outcome == PruneOutcome::kDone) continue;
    Say(global, fmt::format("{}: {} of {}: {}", retain::PruneOutcomeName(result.outcome),
                            result.item.backup, result.item.object.ToString(), result.reason));
  }
  Say(global,
      fmt::format("Marked {}, deleted {}, unmarked {}; {} could not be.",
                  report.Count(PruneAction::kMark, PruneOutcome::kDone),
                  report.Count(PruneAction::kDelete, PruneOutcome::kDone),
                  report.Count(PruneAction::kUnmark, PruneOutcome::kDone), report.CountNotDone()));
}

}  // namespace

Result<int> BackupPrune(const GlobalOptions& global, const BackupPruneOptions& options) {
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  const Config& config = loaded.config;
  HF_ASSIGN_OR_RETURN(const auto document, LoadPolicyDocument(loaded));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  // What others saw or made counts as well: by this catalog alone a source may seem long gone.
  HF_ASSIGN_OR_RETURN(const catalog::RebuildReport learned,
                      backup::CatchUp(environment->backup_services(), {}));
  for (const Error& problem : learned.problems) Say(global, "Not read: " + problem.message);
  std::optional<TablePolicies> policies;
  if (document) policies.emplace(*environment, *document);
  const retain::Services services{
      .warehouse = environment->warehouse(),
      .definitions = environment->definitions(),
      .objects = environment->objects(),
      .catalog = environment->catalog(),
      .clock = environment->clock(),
      .random = environment->random(),
      .policy_of = [&](const TableRef& object) { return RetentionOf(config, policies, object); },
      .further_places = FurtherPlacesOf(config, document)};
  retain::PruneOptions prune = config.prune;
  prune.accept_clock = options.accept_clock;
  Verdicts verdicts(static_cast<size_t>(options.limit));
  HF_ASSIGN_OR_RETURN(const retain::PrunePlan plan,
                      retain::PlanPrune(services, prune, [&](const retain::RetentionPlan& of) {
                        return verdicts.Take(of);
                      }));
  const bool pretty = global.OutputFormat() == Format::kPretty;
  if (pretty) {
    PrintVerdicts(std::cout, Format::kPretty, RowsWithActions(verdicts.rows(), plan),
                  kNoBackupsText);
  }
  SayPlan(global, plan);
  std::optional<retain::PruneReport> report;
  if (options.yes) {
    HF_ASSIGN_OR_RETURN(report, retain::ApplyPrune(services, prune, plan));
    SayReport(global, *report);
    TellAlerts(global, *environment, document);
  } else if (!plan.items.empty()) {
    Say(global, "Nothing was changed. To carry this out: holdfast backup prune --yes");
  }
  if (!pretty) {
    PrintDocument(std::cout, global.OutputFormat(), PruneJson(plan, report, verdicts));
  } else if (verdicts.left_out() > 0) {
    Say(global, HumanCount(verdicts.left_out()) + " more are not shown: raise --limit.");
  }
  const bool whole = plan.problem_count == 0 && (!report || report->CountNotDone() == 0);
  return whole ? kExitOk : kExitPartial;
}

}  // namespace holdfast::cli
