#include "retain/prune.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/log.h"
#include "repository/leases.h"
#include "retain/delete_backup.h"
#include "verify/audit_anchor.h"

namespace holdfast::retain {

namespace {

constexpr size_t kPassIdBytes = 4;

class Pass {
 public:
  Pass(const Services& services, const PruneOptions& options, const PrunePlan& plan)
      : services_(services), options_(options), plan_(plan) {
    report_.pass =
        fmt::format("{}-{}", FormatCompact(plan.now), RandomHex(services.random, kPassIdBytes));
  }

  Result<PruneReport> Run() {
    for (const PruneItem& item : plan_.items) {
      auto result = Apply(item);
      if (!result.ok()) {
        const ErrorId id = result.error().id;
        if (id == ErrorId::kClockJumped || result.error().code == Code::kCancelled) {
          return std::move(result).error();
        }
        const bool retained = id == ErrorId::kObjectRetained;
        result = PruneResult{.item = item,
                             .outcome = retained ? PruneOutcome::kRetained : PruneOutcome::kFailed,
                             .reason = result.error().message,
                             .error = result.error()};
      }
      report_.results.push_back(*std::move(result));
    }
    if (const Status noted = NoteLost(services_, lost_); !noted.ok()) {
      if (noted.error().code == Code::kCancelled) return noted.error();
      LogError("what is lost was not noted", {{"error", noted.error().message}});
    }
    // After the deletions, so that what the audit log says of them cannot be cut off unseen.
    // The report of what is done is worth more than that.
    for (auto& [location, repository] : repositories_) {
      const Status anchored = verify::WriteAuditAnchor(services_.catalog, repository);
      if (!anchored.ok()) {
        if (anchored.error().code == Code::kCancelled) return anchored.error();
        LogError("the pass is done, its audit anchor is not written",
                 {{"repository", location.Uri()}, {"error", anchored.error().message}});
      }
      HF_RETURN_IF_ERROR(ClearLeases(repository));
    }
    return std::move(report_);
  }

 private:
  Result<PruneResult> Apply(const PruneItem& item) {
    HF_ASSIGN_OR_RETURN(repository::Repository* const repository, Open(item.repository));
    const DeletionContext context{services_, *repository, plan_.now, report_.pass, lost_};
    switch (item.action) {
      case PruneAction::kDelete:
        return DeleteBackup(context, item);
      case PruneAction::kUnmark:
        HF_RETURN_IF_ERROR(UnmarkBackup(context, item));
        break;
      case PruneAction::kMark:
        HF_RETURN_IF_ERROR(MarkBackup(context, item));
        break;
    }
    return PruneResult{.item = item, .reason = {}, .error = {}};
  }

  // Of restores that died. Only kCancelled is an error: the next pass clears what is left.
  Status ClearLeases(repository::Repository& repository) {
    const Status cleared = repository::ClearExpiredLeases(repository, plan_.now);
    if (cleared.ok()) return Ok();
    if (cleared.error().code == Code::kCancelled) return cleared;
    LogWarning("leases that are over were not cleared away",
               {{"repository", repository.location().Uri()}, {"error", cleared.error().message}});
    return Ok();
  }

  Result<repository::Repository*> Open(const repository::Location& location) {
    const auto known = repositories_.find(location);
    if (known != repositories_.end()) return &known->second;
    HF_ASSIGN_OR_RETURN(auto repository, repository::Repository::Open(services_.objects, location));
    HF_RETURN_IF_ERROR(WriteEvidence(location));
    return &repositories_.emplace(location, std::move(repository)).first->second;
  }

  // What this pass is about to do there. The store's own time of it is compared with ours: a clock
  // that jumped ahead makes tombstones due that are not.
  Status WriteEvidence(const repository::Location& location) {
    Json items = Json::array();
    for (const PruneItem& item : plan_.items) {
      if (item.repository != location) continue;
      items.push_back({{"action", PruneActionName(item.action)},
                       {"object", item.object.ToString()},
                       {"backup", item.backup},
                       {"reasons", item.reasons}});
    }
    const Json evidence = {
        {"pass", report_.pass}, {"at", FormatTimestamp(plan_.now)}, {"items", std::move(items)}};
    const cloud::ObjectRef name{
        location.bucket, repository::EvidenceName(location.prefix, kPruneEvidence, report_.pass),
        0};
    HF_ASSIGN_OR_RETURN(const auto written,
                        CreateObjectFromString(services_.objects, name, DumpPrettyJson(evidence)));
    const Duration apart = std::chrono::abs(plan_.now - FromUnixMillis(written.created_ms));
    if (apart <= options_.clock_forward_max) return Ok();
    return MakeError(
        ErrorId::kClockJumped,
        fmt::format("it is {} here, and {} where gs://{} is", FormatTimestamp(plan_.now),
                    FormatTimestamp(FromUnixMillis(written.created_ms)), location.bucket));
  }

  const Services& services_;
  const PruneOptions& options_;
  const PrunePlan& plan_;
  PruneReport report_;
  std::vector<LostBackup> lost_;
  std::map<repository::Location, repository::Repository> repositories_;
};

}  // namespace

std::string_view PruneOutcomeName(PruneOutcome outcome) {
  switch (outcome) {
    case PruneOutcome::kDone:
      return "done";
    case PruneOutcome::kKept:
      return "kept";
    case PruneOutcome::kRetained:
      return "retained";
    case PruneOutcome::kFailed:
      break;
  }
  return "failed";
}

int64_t PruneReport::Count(PruneAction action, PruneOutcome outcome) const {
  return std::ranges::count_if(results, [&](const PruneResult& result) {
    return result.item.action == action && result.outcome == outcome;
  });
}

int64_t PruneReport::CountNotDone() const {
  return std::ranges::count_if(results, [](const PruneResult& result) {
    return result.outcome == PruneOutcome::kRetained || result.outcome == PruneOutcome::kFailed;
  });
}

Result<PruneReport> ApplyPrune(const Services& services, const PruneOptions& options,
                               const PrunePlan& plan) {
  if (!plan.clock_doubt.empty() && !options.accept_clock) {
    return MakeError(ErrorId::kClockJumped, plan.clock_doubt);
  }
  return Pass(services, options, plan).Run();
}

}  // namespace holdfast::retain
