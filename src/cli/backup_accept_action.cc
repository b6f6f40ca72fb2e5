#include <iostream>

#include "cli/audit.h"
#include "cli/backup_actions.h"
#include "cli/environment.h"
#include "repository/repository.h"
#include "verify/audit_anchor.h"

namespace holdfast::cli {

Result<int> BackupAccept(const GlobalOptions& global, const std::string& id) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  HF_ASSIGN_OR_RETURN(const catalog::BackupRecord record,
                      catalog::GetBackup(environment->catalog(), id));
  if (record.suspect.empty()) {
    Say(global, "Backup " + record.backup + " is not suspect: nothing was changed.");
    return kExitOk;
  }
  HF_RETURN_IF_ERROR(
      Audit(*environment, "backup.accept", record.backup,
            {{"object", record.object.ToString()}, {"was_suspect", record.suspect}}));
  // The repository first: it is what the catalog can be rebuilt from.
  HF_ASSIGN_OR_RETURN(
      repository::Repository repository,
      repository::Repository::Open(environment->objects(), {record.bucket, record.prefix}));
  const Status written =
      repository.WriteEvidence(repository::kAcceptedEvidence, record.backup,
                               {{"backup", record.backup},
                                {"object", record.object.ToString()},
                                {"was_suspect", record.suspect},
                                {"accepted", FormatTimestamp(environment->clock().Now())}});
  // Someone accepted it before, and the catalog was not told.
  if (!written.ok() && written.error().id != ErrorId::kObjectExists) return written.error();
  HF_RETURN_IF_ERROR(environment->catalog().AcceptBackup(record.backup));
  verify::LeaveAuditAnchor(environment->catalog(), repository);
  Say(global, "Accepted: " + record.object.ToString() + " (" + record.suspect +
                  "). Restores use this backup now, and later ones are compared with it.");
  return kExitOk;
}

}  // namespace holdfast::cli
