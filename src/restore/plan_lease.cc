#include "restore/plan_lease.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/retry.h"
#include "repository/leases.h"

namespace holdfast::restore {

PlanLease PlanLease::Of(const RestorePlan& plan, std::string holder, const Services& services) {
  PlanLease lease(services, std::move(holder));
  for (const TableRestore& table : plan.tables) {
    if (table.finished) continue;
    for (const catalog::BackupRecord& backup : table.backups) {
      lease.backups_[{backup.bucket, backup.prefix}].push_back(backup.backup);
    }
  }
  return lease;
}

Result<PlanLease> PlanLease::Take(const RestorePlan& plan, const Services& services) {
  PlanLease lease = Of(plan, plan.key, services);
  HF_RETURN_IF_ERROR(lease.TakeAll());
  return lease;
}

Result<PlanLease> PlanLease::TakeForFile(const RestorePlan& plan, const Services& services) {
  PlanLease lease = OfFile(plan, services);
  const Status taken = lease.TakeAll();
  if (taken.ok()) return lease;
  lease.End();  // nobody goes on with a plan that there is not
  return taken.error();
}

PlanLease PlanLease::OfFile(const RestorePlan& plan, const Services& services) {
  return Of(plan, plan.id, services);
}

Status PlanLease::TakeAll() {
  const Timestamp now = services_->clock.Now();
  renew_at_ = now + kLeaseTime / 2;
  notes_.clear();
  for (const auto& [location, backups] : backups_) {
    auto repository = repository::Repository::Open(services_->objects, location);
    Status taken = repository.ok() ? repository::TakeLease(
                                         *repository, {.holder = holder_,
                                                       .until_ms = ToUnixMillis(now + kLeaseTime),
                                                       .backups = backups})
                                   : Status(repository.error());
    if (taken.ok()) continue;
    if (taken.error().id == ErrorId::kBackupBeingRemoved ||
        taken.error().code == Code::kCancelled) {
      return taken.error();
    }
    // Of one that is gone, the copies in further repositories are read, and no prune deletes here.
    if (taken.error().code == Code::kNotFound) continue;
    notes_.push_back(fmt::format("the backups in {} are not held against a prune meanwhile: {}",
                                 location.Uri(), taken.error().message));
  }
  return Ok();
}

Status PlanLease::Renew() { return services_->clock.Now() < renew_at_ ? Ok() : TakeAll(); }

void PlanLease::End() {
  for (const auto& [location, backups] : backups_) {
    auto repository = repository::Repository::Open(services_->objects, location);
    if (!repository.ok()) continue;
    const Status ended = repository::EndLease(*repository, holder_);
    if (!ended.ok()) {
      LogWarning("a lease was not given back; it ends by itself",
                 {{"repository", location.Uri()}, {"error", ended.error().message}});
    }
  }
}

}  // namespace holdfast::restore
