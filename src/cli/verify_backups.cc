#include "cli/verify_backups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

#include "backup/copy_unit.h"
#include "base/log.h"
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

Result<verify::VerifyReport> LookAt(Environment& environment, const Look& look) {
  if (look.level != VerifyLevel::kL3) {
    return verify::VerifyRecorded(environment.verify_services(), look.record, look.level);
  }
  if (IsDefinitionOnly(look.record.kind)) {
    return MakeError(ErrorId::kVerifyUnsupported,
                     look.record.object.ToString() +
                         " has no rows to be restored and compared: L2 reads its definition");
  }
  HF_ASSIGN_OR_RETURN(const restore::TableReport table,
                      restore::Rehearse(look.record, ScratchFor(environment.config(), look.record),
                                        environment.restore_services()));
  return ReportOfRehearsal(environment, look.record, table);
}

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

Result<Verified> VerifyAll(Environment& environment, const std::vector<Look>& looks,
                           const LookProgress& progress) {
  ClearOldRehearsals(environment, looks);
  Verified verified;
  int failed_in_a_row = 0;
  for (const Look& look : looks) {
    HF_RETURN_IF_ERROR(progress(look, verified.looked.size(), looks.size()));
    auto report = LookAt(environment, look);
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
  const VerificationPolicy& fallback = environment.config().verification;
  std::optional<TablePolicies> policies;
  if (document) policies.emplace(environment, *document);
  const verify::VerificationPolicyOf policy_of =
      [&](const TableRef& object) -> Result<VerificationPolicy> {
    if (!policies) return fallback;
    const auto policy = policies->Of(object.WholeTable());
    // A table or project that is gone has backups all the same, and they are to be read.
    if (!policy.ok() && policy.error().code == Code::kNotFound) return fallback;
    if (!policy.ok()) return policy.error();
    const auto found = policy->fields.find("verification");
    if (found == policy->fields.end()) return fallback;
    return VerificationPolicy::FromJson(found->second.value);
  };
  const Timestamp now = environment.clock().Now();
  DueLooks due;
  HF_ASSIGN_OR_RETURN(due.reading,
                      verify::PlanReading(environment.catalog(), policy_of, options, now));
  HF_ASSIGN_OR_RETURN(due.rehearsals,
                      verify::PlanRehearsals(environment.catalog(), policy_of, options, now));
  for (verify::RotationItem& item : due.reading.items) {
    HF_ASSIGN_OR_RETURN(const VerificationPolicy policy, policy_of(item.record.object));
    due.looks.push_back(
        {std::move(item.record), policy.live ? VerifyLevel::kL4 : VerifyLevel::kL2});
  }
  for (verify::RotationItem& item : due.rehearsals.items) {
    due.looks.push_back({std::move(item.record), VerifyLevel::kL3});
  }
  due.reading.items.clear();
  due.rehearsals.items.clear();
  return due;
}

}  // namespace holdfast::cli
