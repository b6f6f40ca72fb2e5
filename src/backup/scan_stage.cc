#include "backup/scan_stage.h"

#include <deque>
#include <string>
#include <utility>

#include "backup/dataset_scan.h"
#include "backup/scan_plan.h"
#include "backup/table_policy.h"
#include "base/retry.h"

namespace holdfast::backup {

namespace {

// Google's reason for it, whichever service is asked.
constexpr std::string_view kApiIsOff = "accessNotConfigured";

// Of one dataset: the message that asks for its first piece, or its outcome.
void AddDataset(const CheckProjectTables& message, const ProjectPolicies& policies,
                const Scope& scope, const DatasetInfo& info, StageResult& result) {
  if (!IsBackedUpDataset(info)) return;
  if (auto left_out =
          LeftOutOutcome(scope, {.project = info.ref.project, .dataset = info.ref.dataset})) {
    result.outcomes.push_back(*std::move(left_out));
    return;
  }
  if (!scope.MayCoverDataset(info.ref)) return;
  if (auto excluded = policies.ExcludedDataset(info)) {
    result.outcomes.push_back(*std::move(excluded));
    return;
  }
  CheckProjectTables check;
  check.run = message.run;
  check.project_to_check = message.project_to_check;
  check.folders = message.folders;
  check.labels = message.labels;
  check.piece.dataset = info.ref.dataset;
  check.piece.location = info.location;
  for (const auto& [key, value] : LabelsOf(info.resource)) check.piece.labels.emplace(key, value);
  result.follow_ups.emplace_back(std::move(check));
}

// A page of the project's datasets.
Result<StageResult> ListDatasets(const CheckProjectTables& message, const StageContext& context,
                                 const Services& services) {
  StageResult result;
  const ProjectPolicies policies(message, context, services);
  if (auto excluded = policies.ExcludedProject()) {
    result.outcomes.push_back(*std::move(excluded));
    return result;
  }
  const std::string& project = message.project_to_check;
  std::string token = message.page_token;
  do {
    HF_RETURN_IF_ERROR(context.keep_alive());
    const auto page = services.warehouse.ListDatasets(project, token);
    if (!page.ok() && page.error().reason == kApiIsOff) {
      // Nothing can be seen: that is no failure of this run, and is said.
      result.outcomes.push_back({.object = {.project = project},
                                 .outcome = Outcome::kUnsupported,
                                 .reason = "the BigQuery API is off in this project"});
      return result;
    }
    if (!page.ok() && IsRefusedToken(page.error(), token)) {
      HF_RETURN_IF_ERROR(AddRestart(message, "", page.error(), result));
      return result;
    }
    HF_RETURN_IF_ERROR(page);
    for (const DatasetInfo& info : page->items) {
      AddDataset(message, policies, context.run.policy.scope, info, result);
    }
    HF_RETURN_IF_ERROR(CheckNextToken(token, page->next_page_token));
    token = page->next_page_token;
  } while (!token.empty() && result.follow_ups.empty() && result.outcomes.empty());
  if (!token.empty()) {
    CheckProjectTables next = message;
    next.page_token = std::move(token);
    result.follow_ups.emplace_back(std::move(next));
  }
  return result;
}

}  // namespace

Result<StageResult> ScanProject(const CheckProjectTables& message, const StageContext& context,
                                const Services& services, const ScanLimits& limits) {
  return message.piece.dataset.empty() ? ListDatasets(message, context, services)
                                       : ScanDatasetPiece(message, context, services, limits);
}

Status ScanWholeProject(const CheckProjectTables& message, const StageContext& context,
                        const Services& services,
                        const std::function<Status(StageResult&& result)>& visit) {
  // The newest piece first: what waits is a page of datasets and one piece of each kind.
  std::deque<CheckProjectTables> waiting = {message};
  while (!waiting.empty()) {
    const CheckProjectTables check = std::move(waiting.front());
    waiting.pop_front();
    auto scanned = ScanProject(check, context, services);
    StageResult shown;
    if (!scanned.ok()) {
      if (IsInterrupted(scanned.error())) return scanned.error();
      shown.outcomes.push_back(FailedOutcome(
          {.project = check.project_to_check, .dataset = check.piece.dataset}, scanned.error()));
    } else {
      shown.outcomes = std::move(scanned->outcomes);
      std::deque<CheckProjectTables> pieces;
      for (WorkMessage& follow_up : scanned->follow_ups) {
        if (auto* piece = std::get_if<CheckProjectTables>(&follow_up)) {
          pieces.push_back(std::move(*piece));
        } else {
          shown.follow_ups.push_back(std::move(follow_up));
        }
      }
      waiting.insert(waiting.begin(), std::make_move_iterator(pieces.begin()),
                     std::make_move_iterator(pieces.end()));
    }
    HF_RETURN_IF_ERROR(visit(std::move(shown)));
  }
  return Ok();
}

}  // namespace holdfast::backup
