#include "cli/verify_backups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

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

Result<verify::VerifyReport> LookAt(Environment& environment, const verify::FurtherPlaces& further,
                                    const Look& look) {
  if (look.level != VerifyLevel::kL3) {
    verify::Services services = environment.verify_services();
    services.further_places = further;
    return look.in_place ? verify::VerifyInPlace(services, look.record, look.level)
                         : verify::VerifyRecorded(services, look.record, look.level);
  }
  if (IsDefinitionOnly(look.record.kind)) {
    return MakeError(ErrorId::kVerifyUnsupported,
                     look.record.object.ToString() +
                         " has no rows to be restored and compared: L2 reads its definition");
  }
  restore::Services services = environment.restore_services();
  services.further_places = further;
  HF_ASSIGN_OR_RETURN(
      const restore::TableReport table,
      restore::Rehearse(look.record, ScratchFor(environment.config(), look.record), services));
  return ReportOfRehearsal(environment, look.record, table);
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

}  // namespace

Result<Verified> VerifyAll(Environment& environment, const std::optional<PolicyDocument>& document,
                           const std::vector<Look>& looks, const LookProgress& progress) {
  const verify::FurtherPlaces further = FurtherPlacesOf(environment.config(), document);
  ClearOldRehearsals(environment, looks);
  Verified verified;
  int failed_in_a_row = 0;
  for (const Look& look : looks) {
    HF_RETURN_IF_ERROR(progress(look, verified.looked.size(), looks.size()));
    auto report = LookAt(environment, further, look);
    if (report.ok()) {
      failed_in_a_row = 0;
      verified.damaged += report->Passed() ? 0 : 1;
      verified.bytes += report->bytes_read;
    } else {
      if (++failed_in_a_row == kFailuresMax) return report.error();
      verified.unchecked.push_back(report.error());
    }
    verified.looked.push_back({look, std::move(report)});
  }
  return verified;
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
  HF_ASSIGN_OR_RETURN(due.reading,
                      verify::PlanReading(environment.catalog(), policy_of, options, now));
  HF_ASSIGN_OR_RETURN(due.rehearsals,
                      verify::PlanRehearsals(environment.catalog(), policy_of, options, now));
  for (verify::RotationItem& item : due.reading.items) {
    due.looks.push_back({std::move(item.record), item.live ? VerifyLevel::kL4 : VerifyLevel::kL2});
  }
  for (verify::RotationItem& item : due.rehearsals.items) {
    due.looks.push_back({std::move(item.record), VerifyLevel::kL3});
  }
  due.reading.items.clear();
  due.rehearsals.items.clear();
  return due;
}

}  // namespace holdfast::cli
