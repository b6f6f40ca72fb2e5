#include "cli/verify_backups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "backup/copy_unit.h"
#include "base/log.h"
#include "cli/further_places.h"
#include "cli/table_policies.h"
#include "restore/rehearse.h"

namespace holdfast::cli {

namespace {

// Backups in a row that cannot be looked at, after which it is the service that is away.
constexpr int kFailuresMax = 3;
// What a rehearsal left behind that was killed so long ago is no one's any more.
constexpr Duration kRehearsalAge = std::chrono::hours{24};

// Where rehearsals restore to: a dataset that no scan backs up, readable by the project's owners
// only, in the project of restores or else in the object's own.
DatasetInfo ScratchFor(const Config& config, const catalog::BackupRecord& record) {
  std::string location = record.location;
  std::ranges::transform(location, location.begin(), [](unsigned char c) {
    return static_cast<char>(std::isalnum(c) == 0 ? '_' : std::tolower(c));
  });
  const std::string& project =
      config.restore_project.empty() ? record.object.project : config.restore_project;
  return {.ref = {project, fmt::format("{}rehearsal_{}", backup::kCopyDatasetPrefix, location)},
          .location = record.location,
          .resource = {
              {"description", "Rehearsals of restores by Holdfast"},
              {"labels", {{backup::kCopyDatasetLabel, backup::kCopyDatasetLabelValue}}},
              {"access", Json::array({{{"role", "OWNER"}, {"specialGroup", "projectOwners"}}})}}};
}

// A rehearsal as the report of a verification.
Result<verify::VerifyReport> ReportOfRehearsal(Environment& environment,
                                               const catalog::BackupRecord& record,
                                               const restore::TableReport& table) {
  verify::VerifyReport report{.backup = record.backup,
                              .object = record.object,
                              .requested = VerifyLevel::kL3,
                              .objects_checked = 1,
                              .content_digest = {},
                              .findings = {}};
  const auto find = [&](Error error) {
    ++report.problems;
    report.findings.push_back(std::move(error));
  };
  if (table.error && table.outcome != restore::TableOutcome::kDiffers) {
    // Damage that the restore met with is recorded by now; anything else says nothing of it.
    HF_ASSIGN_OR_RETURN(const auto now, catalog::GetBackup(environment.catalog(), record.backup));
    if (!now.damaged) return *table.error;
    find(*table.error);
    return report;
  }
  if (table.comparison) {
    report.rows_read = table.comparison->actual_rows;
    report.bytes_read = table.comparison->bytes_read;
    report.content_digest = table.comparison->actual_digest;
    for (const std::string& difference : table.comparison->differences) {
      find(MakeError(ErrorId::kDataMismatch, "restored, it differs: " + difference));
    }
  }
  if (report.problems == 0) report.reached = VerifyLevel::kL3;
  return report;
}

// nullopt: a copy that there is not.
Result<std::optional<verify::VerifyReport>> LookAt(Environment& environment,
                                                   const verify::FurtherPlaces& further,
                                                   const Look& look) {
  // What has no rows to be restored and compared is read: that is all there is to do.
  const bool is_read = look.level == VerifyLevel::kL3 && IsDefinitionOnly(look.record.kind);
  const VerifyLevel level = is_read ? VerifyLevel::kL2 : look.level;
  if (level != VerifyLevel::kL3) {
    verify::Services services = environment.verify_services();
    services.further_places = further;
    if (look.is_copy) return verify::VerifyFurtherCopy(services, look.record, level);
    HF_ASSIGN_OR_RETURN(verify::VerifyReport report,
                        look.in_place ? verify::VerifyInPlace(services, look.record, level)
                                      : verify::VerifyRecorded(services, look.record, level));
    return std::optional(std::move(report));
  }
  restore::Services services = environment.restore_services();
  services.further_places = further;
  HF_ASSIGN_OR_RETURN(
      const restore::TableReport table,
      restore::Rehearse(look.record, ScratchFor(environment.config(), look.record), services));
  HF_ASSIGN_OR_RETURN(verify::VerifyReport report,
                      ReportOfRehearsal(environment, look.record, table));
  return std::optional(std::move(report));
}

// What verification objects are to have. Of a project in which the document cannot be applied (it
// is gone, denies access) the settings hold: its backups are to be read all the same.
class VerificationPolicies {
 public:
  VerificationPolicies(Environment& environment, const std::optional<PolicyDocument>& document)
      : fallback_(environment.config().verification) {
    if (document) policies_.emplace(environment, *document);
  }

  Result<VerificationPolicy> Of(const TableRef& object) {
    if (!policies_ || closed_.contains(object.project)) return fallback_;
    const auto policy = policies_->Of(object.WholeTable());
    if (!policy.ok() && policy.error().id == ErrorId::kCancelled) return policy.error();
    if (!policy.ok()) {
      // A dataset that is gone says nothing of the others.
      if (policy.error().id == ErrorId::kDatasetNotFound) return fallback_;
      // Asked for once: there may be a million backups of the project.
      closed_.insert(object.project);
      LogWarning("the policy of a project cannot be told: its backups are verified by the settings",
                 {{"project", object.project}, {"error", policy.error().message}});
      return fallback_;
    }
    const auto found = policy->fields.find("verification");
    if (found == policy->fields.end()) return fallback_;
    return VerificationPolicy::FromJson(found->second.value);
  }

 private:
  const VerificationPolicy fallback_;
  std::optional<TablePolicies> policies_;
  std::set<std::string> closed_;
};

void ClearOldRehearsals(Environment& environment, const std::vector<Look>& looks) {
  std::set<DatasetRef> cleared;
  for (const Look& look : looks) {
    if (look.level != VerifyLevel::kL3) continue;
    const DatasetRef scratch = ScratchFor(environment.config(), look.record).ref;
    if (!cleared.insert(scratch).second) continue;
    const auto deleted =
        restore::ClearRehearsals(scratch, kRehearsalAge, environment.restore_services());
    if (!deleted.ok()) {
      LogWarning("old rehearsals were not cleared",
                 {{"dataset", scratch.ToString()}, {"error", deleted.error().message}});
    }
  }
}

// Several threads that look at backups side by side, each at the next that nobody looks at.
class SideBySide {
 public:
  SideBySide(Environment& environment, const verify::FurtherPlaces& further,
             const std::vector<Look>& looks, const LookProgress& progress)
      : environment_(environment),
        further_(further),
        looks_(looks),
        progress_(progress),
        reports_(looks.size()) {}

  Result<Verified> Run() {
    const auto threads_max = static_cast<size_t>(std::max(environment_.config().workers, 1));
    std::vector<std::jthread> threads;
    while (threads.size() < std::min(threads_max, looks_.size())) {
      threads.emplace_back([this] {
        while (const std::optional<size_t> at = Begin()) End(*at, LookAtOne(looks_[*at]));
      });
    }
    threads.clear();  // joined
    if (!progress_said_.ok()) return progress_said_.error();
    Verified verified;
    verified.stopped = stopped_;
    for (size_t at = 0; at < looks_.size(); ++at) {
      if (!reports_[at]) continue;  // it was stopped before, or is a copy that there is not
      Result<verify::VerifyReport>& report = *reports_[at];
      if (report.ok()) {
        verified.damaged += report->Passed() ? 0 : 1;
        verified.from_copies += report->note.empty() ? 0 : 1;
        verified.bytes += report->bytes_read;
      } else {
        verified.unchecked.push_back(report.error());
      }
      verified.looked.push_back({looks_[at], std::move(report)});
    }
    return verified;
  }

 private:
  std::optional<size_t> Begin() {
    const std::scoped_lock lock(mutex_);
    if (stopped_ || !progress_said_.ok() || next_ == looks_.size()) return std::nullopt;
    progress_said_ = progress_(looks_[next_], next_, looks_.size());
    return progress_said_.ok() ? std::optional(next_++) : std::nullopt;
  }

  // One restore at a time: they take room, and the quota of jobs.
  Result<std::optional<verify::VerifyReport>> LookAtOne(const Look& look) {
    if (look.level != VerifyLevel::kL3) return LookAt(environment_, further_, look);
    const std::scoped_lock lock(rehearsing_);
    return LookAt(environment_, further_, look);
  }

  void End(size_t at, Result<std::optional<verify::VerifyReport>> report) {
    const std::scoped_lock lock(mutex_);
    failed_in_a_row_ = report.ok() ? 0 : failed_in_a_row_ + 1;
    if (failed_in_a_row_ == kFailuresMax) stopped_ = report.error();
    if (!report.ok()) {
      reports_[at] = std::move(report).error();
    } else if (*report) {
      reports_[at] = **std::move(report);
    }
  }

  Environment& environment_;
  const verify::FurtherPlaces& further_;
  const std::vector<Look>& looks_;
  const LookProgress& progress_;
  std::mutex rehearsing_;
  std::mutex mutex_;  // of all below
  std::vector<std::optional<Result<verify::VerifyReport>>> reports_;
  size_t next_ = 0;
  int failed_in_a_row_ = 0;
  std::optional<Error> stopped_;
  Status progress_said_;
};

}  // namespace

Result<Verified> VerifyAll(Environment& environment, const std::optional<PolicyDocument>& document,
                           const std::vector<Look>& looks, const LookProgress& progress) {
  const verify::FurtherPlaces further = FurtherPlacesOf(environment.config(), document);
  ClearOldRehearsals(environment, looks);
  return SideBySide(environment, further, looks, progress).Run();
}

Result<DueLooks> FindDueLooks(Environment& environment,
                              const std::optional<PolicyDocument>& document,
                              const verify::RotationOptions& options) {
  VerificationPolicies policies(environment, document);
  const verify::VerificationPolicyOf policy_of = [&](const TableRef& object) {
    return policies.Of(object);
  };
  const Timestamp now = environment.clock().Now();
  DueLooks due;
  HF_ASSIGN_OR_RETURN(
      due.reading,
      verify::PlanReading(environment.catalog(), policy_of,
                          FurtherPlacesOf(environment.config(), document), options, now));
  HF_ASSIGN_OR_RETURN(due.rehearsals,
                      verify::PlanRehearsals(environment.catalog(), policy_of, options, now));
  for (verify::RotationItem& item : due.reading.items) {
    due.looks.push_back({.record = std::move(item.record),
                         .level = item.live ? VerifyLevel::kL4 : VerifyLevel::kL2,
                         .is_copy = item.is_copy});
  }
  for (verify::RotationItem& item : due.rehearsals.items) {
    due.looks.push_back({std::move(item.record), VerifyLevel::kL3});
  }
  due.reading.items.clear();
  due.rehearsals.items.clear();
  return due;
}

}  // namespace holdfast::cli
