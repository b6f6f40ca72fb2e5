#include <fmt/format.h>

#include "cli/audit.h"
#include "cli/backup_actions.h"
#include "cli/environment.h"
#include "repository/repository.h"
#include "retain/pins.h"
#include "verify/audit_anchor.h"

namespace holdfast::cli {

Result<int> BackupPin(const GlobalOptions& global, const BackupPinOptions& options) {
  if (options.reason.empty()) {
    return MakeError(ErrorId::kUsage, "--reason is empty", "Say why, for whoever asks later");
  }
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  HF_ASSIGN_OR_RETURN(const catalog::BackupRecord record,
                      catalog::GetBackup(environment->catalog(), options.backup));
  HF_ASSIGN_OR_RETURN(
      repository::Repository repository,
      repository::Repository::Open(environment->objects(), {record.bucket, record.prefix}));
  const std::string kind(retain::PinKindName(options.kind));
  const Json detail = {{"object", record.object.ToString()}, {"reason", options.reason}};
  if (!options.release) {
    HF_RETURN_IF_ERROR(retain::AddPin(
        repository, record, {.kind = options.kind, .reason = options.reason, .actor = Actor()},
        environment->clock().Now(), environment->random()));
    HF_RETURN_IF_ERROR(Audit(*environment, "backup." + kind, record.backup, detail));
    verify::LeaveAuditAnchor(environment->catalog(), repository);
    Say(global, fmt::format("Backup {} of {} has a {}: no prune deletes it.", record.backup,
                            record.object.ToString(), kind));
    return kExitOk;
  }
  HF_ASSIGN_OR_RETURN(const int64_t released,
                      retain::ReleasePins(repository, record.backup, options.kind));
  if (released == 0) {
    Say(global, fmt::format("Backup {} has no {}: nothing was changed.", record.backup, kind));
    return kExitOk;
  }
  HF_RETURN_IF_ERROR(Audit(*environment, "backup.release_" + kind, record.backup, detail));
  verify::LeaveAuditAnchor(environment->catalog(), repository);
  Say(global, fmt::format("Released {} of backup {} of {}.", Plural(released, kind), record.backup,
                          record.object.ToString()));
  return kExitOk;
}

}  // namespace holdfast::cli
